/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/policy.h"

#include <string.h>

#include "capture/config.h"
#include "unit/suite.h"

#define MIB (1ull << 20)

static struct estimate estimate = {.valid = true, .levels = {[31] = {.bytes = 100 * MIB}}};

static bool skips(enum policy_mode mode, const struct policy_facts *facts, const char *reason)
{
    struct policy p = {.mode = mode, .level = 31, .min_free_bytes = 64 * MIB};
    struct policy_decision d;

    policy_decide(&p, facts, &d);
    ck_assert_msg(strstr(d.reason, reason) != NULL, "\"%s\" lacks \"%s\"", d.reason, reason);
    return d.skip;
}

START_TEST(a_dump_is_left_out_only_for_a_summary)
{
    struct policy_facts with = {.has_summary = true}, without = {0};

    ck_assert(!skips(POLICY_ALONGSIDE, &with, "alongside"));
    ck_assert(skips(POLICY_INSTEAD, &with, "instead"));
    ck_assert(!skips(POLICY_INSTEAD, &without, "no summary"));
}
END_TEST

START_TEST(auto_leaves_out_what_cannot_fit)
{
    struct policy_facts f = {.estimate = &estimate, .has_free = true, .has_summary = true};

    f.free_bytes = 164 * MIB;
    ck_assert(!skips(POLICY_AUTO, &f, "fit into 164.0 MiB"));
    f.free_bytes--;
    ck_assert(skips(POLICY_AUTO, &f, "100.0 MiB"));
    f.has_summary = false;
    ck_assert(!skips(POLICY_AUTO, &f, "no summary in its place"));
}
END_TEST

START_TEST(a_sum_beyond_all_bytes_does_not_fit)
{
    const struct estimate_level huge = {.bytes = UINT64_MAX - 1};

    ck_assert(!estimate_fits(&huge, 64 * MIB, UINT64_MAX - 2));
    ck_assert(!estimate_fits(&estimate.levels[31], UINT64_MAX, 1024 * MIB));
    ck_assert(estimate_fits(&estimate.levels[31], 0, 100 * MIB));
}
END_TEST

START_TEST(auto_dumps_when_in_doubt)
{
    struct policy_facts f = {.estimate = &estimate, .has_summary = true};

    ck_assert(!skips(POLICY_AUTO, &f, "room on its target is not known"));
    f = (struct policy_facts){.no_estimate = "VMCOREINFO has no page", .has_free = true};
    f.has_summary = true;
    ck_assert(!skips(POLICY_AUTO, &f, "VMCOREINFO has no page"));
    f.estimate = &(struct estimate){0};
    ck_assert(!skips(POLICY_AUTO, &f, "not known"));
}
END_TEST

START_TEST(values_of_the_configuration)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {{"0", 0}, {"1", 1}, {"64M", 64 * MIB}, {"2K", 2048}, {"1T", 1ull << 40}};
    static const char *const wrong[] = {"",    "M",   "-1", "1X", "1MX", "9999999999T",
                                        "1 M", "10%", "1MB"};
    uint64_t bytes;
    unsigned level;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        ck_assert_int_eq(config_parse_size(sizes[i].text, &bytes, sizeof(bytes), NULL), 0);
        ck_assert_uint_eq(bytes, sizes[i].bytes);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_int_lt(config_parse_size(wrong[i], &bytes, sizeof(bytes), NULL), 0);
    ck_assert_int_eq(config_parse_level("31", &level, sizeof(level), NULL), 0);
    ck_assert_uint_eq(level, 31);
    ck_assert_int_lt(config_parse_level("32", &level, sizeof(level), NULL), 0);
    ck_assert_int_lt(config_parse_level("1x", &level, sizeof(level), NULL), 0);
}
END_TEST

UNIT_SUITE("policy", a_dump_is_left_out_only_for_a_summary, auto_leaves_out_what_cannot_fit,
           a_sum_beyond_all_bytes_does_not_fit, auto_dumps_when_in_doubt,
           values_of_the_configuration)

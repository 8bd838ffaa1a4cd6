/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "extract/extract.h"
#include "kernel/private.h"
#include "unit/suite.h"
#include "unit/vmcore.h"
#include "util/cleanup.h"

#define BASE 0xffffffff81000000

/* What symbols and types would tell of tests/data/vmcore/crash.txt. */
static const struct {
    const char *type, *name;
    struct resolved r;
} facts[] = {
    {NULL, "panic_cpu", {.present = true, .addr = BASE + 0x400}},
    {NULL, "avenrun", {.present = true, .addr = BASE + 0x408}},
    {NULL, "nr_threads", {.present = true, .addr = BASE + 0x420}},
    {NULL, "tainted_mask", {.present = true, .addr = BASE + 0x428}},
    {NULL, "saved_command_line", {.present = true, .addr = BASE + 0x430}},
    {NULL, "tk_core", {.present = true, .addr = BASE + 0x460}},
    {NULL, "runqueues", {.present = true, .addr = BASE + 0x480}},
    {"rq", "curr", {.present = true, .offset = 8, .size = 8}},
    {"task_struct", "pid", {.present = true, .offset = 0, .size = 4}},
    {"task_struct",
     "comm",
     {.present = true, .offset = 8, .size = 16, .elem_size = 1, .elem_count = 16}},
    {"timekeeper", "ktime_sec", {.present = true, .offset = 0, .size = 8}},
    {"timekeeper", "offs_boot", {.present = true, .offset = 8, .size = 8}},
};

static void answer(struct resolved *found)
{
    for (size_t i = 0; i < extract_crash.n_needs; i++)
        for (size_t f = 0; f < ARRAY_SIZE(facts); f++)
            if ((!facts[f].type) == (!extract_crash.needs[i].type) &&
                (!facts[f].type || !strcmp(facts[f].type, extract_crash.needs[i].type)) &&
                !strcmp(facts[f].name, extract_crash.needs[i].name))
                found[i] = facts[f].r;
}

static void answer_percpu(struct kernel *k)
{
    k->core[CORE_PER_CPU_OFFSET] = (struct resolved){.present = true, .addr = BASE + 0x438};
    k->core[CORE_NR_CPU_IDS] = (struct resolved){.present = true, .addr = BASE + 0x448};
    k->core[CORE_CPU_POSSIBLE_MASK] = (struct resolved){.present = true, .addr = BASE + 0x450};
    k->core[CORE_CPU_ONLINE_MASK] = (struct resolved){.present = true, .addr = BASE + 0x458};
    k->core[CORE_CPU_ACTIVE_MASK] = (struct resolved){.present = true, .addr = BASE + 0x478};
}

static int keep_lines(void *arg, const char *line, size_t len)
{
    json_array_append_new(arg, json_loadb(line, len, 0, NULL));
    return 0;
}

/* The records of a section; *ret_partial, unless NULL, becomes its reason (to be freed) or NULL. */
static json_t *run(const struct extractor *what, const char *vmcore, bool known, char **ret_partial)
{
    _cleanup_free_ struct resolved *found = calloc(what->n_needs + 1, sizeof(*found));
    json_t *lines = json_array();
    struct emit *e = emit_new(what->name, keep_lines, lines);
    struct kernel *k = NULL;
    struct image *im = NULL;
    struct error err = {0};
    char path[32];

    vmcore_build(vmcore, path);
    ck_assert_int_eq(image_open(path, NULL, &im), 0);
    vmcore_remove(path);
    ck_assert_int_eq(kernel_open(im, NULL, 0, NULL, &k), 0);
    if (known) {
        answer(found);
        answer_percpu(k);
    }
    ck_assert_int_eq(what->run(&(struct extract){k, found, e, &err}), 0);
    if (ret_partial)
        *ret_partial = emit_partial_reason(e) ? strdup(emit_partial_reason(e)) : NULL;
    emit_free(e);
    kernel_close(k);
    image_close(im);
    return lines;
}

static void assert_record(const json_t *got, const char *want_text)
{
    json_t *want = json_loads(want_text, 0, NULL);
    char *text = json_dumps(got, JSON_PRESERVE_ORDER);

    ck_assert_ptr_nonnull(want);
    ck_assert_msg(json_equal(got, want), "%s", text);
    json_decref(want);
    free(text);
}

START_TEST(memory_adds_what_it_knows)
{
    json_t *lines = run(&extract_crash, "crash", true, NULL);

    ck_assert_uint_eq(json_array_size(lines), 1);
    assert_record(json_array_get(lines, 0),
                  "{\"section\":\"crash\",\"record\":\"crash\",\"panic\":\"sysrq triggered crash\","
                  "\"reason\":\"sysrq\",\"cpu\":1,\"pid\":77,\"comm\":\"from memory\","
                  "\"uptime_s\":93700,\"load1\":\"1.50\",\"load5\":\"0.00\","
                  "\"load15\":\"2000.00\",\"cpus\":2,\"tasks\":321,\"taint\":\"PWO\","
                  "\"cmdline\":\"root=/dev/vda1 quiet\"}");
    json_decref(lines);
}
END_TEST

START_TEST(the_log_alone_is_enough)
{
    json_t *lines = run(&extract_crash, "crash", false, NULL);

    assert_record(json_array_get(lines, 0),
                  "{\"section\":\"crash\",\"record\":\"crash\",\"panic\":\"sysrq triggered crash\","
                  "\"reason\":\"sysrq\",\"cpu\":1,\"pid\":4711,\"comm\":\"from log\","
                  "\"uptime_s\":90061}");
    json_decref(lines);
}
END_TEST

/* Its log has a panic nevertheless: no matter, this one runs. */
START_TEST(a_running_kernel_did_not_crash)
{
    json_t *lines = run(&extract_crash, "kcore-oops", true, NULL);

    assert_record(json_array_get(lines, 0),
                  "{\"section\":\"crash\",\"record\":\"crash\",\"reason\":\"none\","
                  "\"uptime_s\":93700,\"load1\":\"1.50\",\"load5\":\"0.00\","
                  "\"load15\":\"2000.00\",\"cpus\":2,\"tasks\":321,\"taint\":\"PWO\","
                  "\"cmdline\":\"root=/dev/vda1 quiet\"}");
    json_decref(lines);
}
END_TEST

START_TEST(without_a_log_the_rest_is_told)
{
    char *partial = NULL;
    json_t *lines = run(&extract_crash, "no-log", false, &partial);

    assert_record(json_array_get(lines, 0),
                  "{\"section\":\"crash\",\"record\":\"crash\",\"reason\":\"unknown\"}");
    ck_assert_str_eq(partial, "VMCOREINFO names no kernel log");
    free(partial);
    json_decref(lines);
}
END_TEST

/* The comments in tests/data/vmcore/prb.txt tell of these records. */
START_TEST(dmesg_keeps_the_raw_text)
{
    char *partial = NULL;
    json_t *lines = run(&extract_dmesg, "prb", false, &partial);

    ck_assert_uint_eq(json_array_size(lines), 6);
    assert_record(json_array_get(lines, 0),
                  "{\"section\":\"dmesg\",\"record\":\"line\",\"seq\":3,\"ts_ns\":0,\"level\":3,"
                  "\"facility\":3,\"caller\":\"T77\","
                  "\"text\":\"oldest \\u0001\\u00e4\\ttab\\nline\"}");
    assert_record(json_array_get(lines, 3),
                  "{\"section\":\"dmesg\",\"record\":\"line\",\"seq\":6,\"ts_ns\":2000000999,"
                  "\"level\":1,\"facility\":1,\"caller\":\"T1\","
                  "\"text\":\"clipped to its block. . \",\"truncated\":true}");
    assert_record(json_array_get(lines, 5),
                  "{\"section\":\"dmesg\",\"record\":\"line\",\"seq\":8,\"ts_ns\":4000000000,"
                  "\"level\":6,\"facility\":0,\"caller\":\"C1\","
                  "\"text\":\"still being added to:\"}");
    ck_assert_str_eq(partial, "2 records are damaged or were being written");
    free(partial);
    json_decref(lines);
}
END_TEST

UNIT_SUITE("crash", memory_adds_what_it_knows, the_log_alone_is_enough,
           a_running_kernel_did_not_crash, without_a_log_the_rest_is_told, dmesg_keeps_the_raw_text)

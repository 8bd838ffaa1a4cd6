/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/profile.h"

#include <errno.h>

#include "kernel/uts.h"
#include "unit/suite.h"
#include "unit/tiny_core.h"
#include "util/cleanup.h"

enum { SYMBOL, PERCPU, ABSENT, TYPE, MEMBER, BITS, ARRAY, ANY_ENUM, AGAIN, N_NEEDS };

static const struct need needs[N_NEEDS] = {
    [SYMBOL] = NEED_SYMBOL("slab_caches"),        [PERCPU] = NEED_SYMBOL("runqueues"),
    [ABSENT] = OPT_SYMBOL("not_there"),           [TYPE] = NEED_TYPE("page"),
    [MEMBER] = NEED_MEMBER("kmem_cache", "name"), [BITS] = NEED_MEMBER("slab", "inuse"),
    [ARRAY] = NEED_MEMBER("task_struct", "comm"), [ANY_ENUM] = NEED_ENUMERATOR("", "PGTY_slab"),
    [AGAIN] = NEED_SYMBOL("slab_caches"),
};

#define LINKED 0xffffffff81000000ULL /* _stext where the profile was made */
#define MOVED  0xffffffff80100000ULL /* and in the dump */

static const struct resolved known[N_NEEDS] = {
    [SYMBOL] = {.present = true, .addr = LINKED + 0x1234},
    [PERCPU] = {.present = true, .addr = 0x2c000},
    [TYPE] = {.present = true, .size = 64},
    [MEMBER] = {.present = true, .offset = 96, .size = 8},
    [BITS] =
        {.present = true, .offset = 40, .size = 2, .bit_offset = 0, .bit_size = 16, .is_signed = 1},
    [ARRAY] = {.present = true, .offset = 8, .size = 16, .elem_size = 1, .elem_count = 16},
    [ANY_ENUM] = {.present = true, .value = -11},
    [AGAIN] = {.present = true, .addr = LINKED + 0x1234},
};

static const struct profile_identity mine = {"6.1.0-test", "#1 SMP test", "aabbccddee"};

static struct buf make(const struct profile_identity *id)
{
    struct resolved found[N_NEEDS];
    const struct needs_set set = {needs, found, N_NEEDS};
    struct buf text = BUF_INIT(PROFILE_MAX_BYTES);

    memcpy(found, known, sizeof(found));
    profile_write(&text, id, LINKED, &set, 1);
    ck_assert(!text.full);
    return text;
}

/* A dump of the kernel `id`, and what a profile answers for it. */
static int resolve(const struct profile_identity *id, const char *text, size_t len,
                   enum profile_part part, struct resolved found[static N_NEEDS], struct error *err)
{
    static struct tiny_core core;
    struct uts uts = {{"Linux"}};
    const struct needs_set set = {needs, found, N_NEEDS};
    size_t answered;
    _cleanup_(image_closep) struct image *im = NULL;
    _cleanup_(kernel_closep) struct kernel *k = NULL;

    snprintf(uts.fields[UTS_RELEASE], UTS_FIELD_BYTES, "%s", id->release);
    snprintf(uts.fields[UTS_VERSION], UTS_FIELD_BYTES, "%s", id->version);
    memcpy(core.ram + 0x100, &uts, sizeof(uts));
    snprintf(core.vmcoreinfo, sizeof(core.vmcoreinfo),
             "NUMBER(phys_base)=0\nSYMBOL(_stext)=%llx\nSYMBOL(init_uts_ns)=%llx\n%s%s\n", MOVED,
             TINY_TEXT + 0x100, *id->build_id ? "BUILD-ID=" : "", id->build_id);
    im = tiny_open(&core);
    ck_assert_int_eq(kernel_open(im, NULL, 0, NULL, &k), 0);
    return profile_resolve(k, text, len, part, &set, 1, err, &answered);
}

START_TEST(what_is_written_is_read)
{
    _cleanup_(buf_done) struct buf text = make(&mine);
    struct resolved found[N_NEEDS] = {0};
    struct profile_identity id;

    ck_assert_int_eq(profile_identify(text.data, text.len, NULL, &id), 0);
    ck_assert_int_eq(memcmp(&id, &mine, sizeof(id)), 0);
    ck_assert_int_eq(resolve(&mine, text.data, text.len, PROFILE_SYMBOLS, found, NULL), 0);
    ck_assert_uint_eq(found[SYMBOL].addr, MOVED + 0x1234);
    ck_assert_uint_eq(found[AGAIN].addr, MOVED + 0x1234);
    ck_assert_uint_eq(found[PERCPU].addr, 0x2c000); /* KASLR does not move it */
    ck_assert(!found[ABSENT].present && !found[TYPE].present);
    ck_assert_int_eq(resolve(&mine, text.data, text.len, PROFILE_TYPES, found, NULL), 0);
    for (size_t i = TYPE; i <= ANY_ENUM; i++)
        ck_assert_int_eq(memcmp(&found[i], &known[i], sizeof(found[i])), 0);
}
END_TEST

START_TEST(an_answer_that_is_there_stays)
{
    _cleanup_(buf_done) struct buf text = make(&mine);
    struct resolved found[N_NEEDS] = {[SYMBOL] = {.present = true, .addr = 77}};

    ck_assert_int_eq(resolve(&mine, text.data, text.len, PROFILE_SYMBOLS, found, NULL), 0);
    ck_assert_uint_eq(found[SYMBOL].addr, 77);
}
END_TEST

/* The crashed kernel, and how the profile of `mine` is told off; NULL if it is taken. */
static const struct {
    struct profile_identity crashed;
    const char *refused;
} checks[] = {
    {{"6.1.0-test", "#1 SMP test", "aabbccddee"}, NULL},
    {{"6.1.0-test", "#1 SMP test", ""}, NULL},
    {{"", "", "aabbccddee"}, NULL}, /* its names cannot be read */
    {{"6.1.0-test", "#1 SMP test", "1122334455"},
     "profile of 6.1.0-test, build id aabbccddee, refused: the crashed kernel is of 1122334455"},
    {{"6.1.0-other", "#1 SMP test", ""},
     "profile of 6.1.0-test refused: the crashed kernel is 6.1.0-other"},
    {{"6.1.0-test", "#2 SMP test", ""},
     "profile of 6.1.0-test, #1 SMP test, refused: the crashed kernel is #2 SMP test"},
    {{"6.1.0-test", "", ""},
     "profile of 6.1.0-test, #1 SMP test, refused: the crashed kernel is unknown"},
    {{"", "", ""}, "profile of 6.1.0-test refused: the crashed kernel is unknown"},
};

START_TEST(another_kernels_is_refused_by_name)
{
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        struct error err = {0};
        int r = profile_check(&mine, &checks[i].crashed, &err);

        ck_assert_int_eq(r, checks[i].refused ? -ESTALE : 0);
        ck_assert_str_eq(err.text, checks[i].refused ? checks[i].refused : "");
    }
}
END_TEST

START_TEST(a_refused_profile_answers_nothing)
{
    const struct profile_identity crashed = {"6.1.0-other", "#1 SMP test", ""};
    _cleanup_(buf_done) struct buf text = make(&mine);
    struct resolved found[N_NEEDS] = {0};

    ck_assert_int_eq(resolve(&crashed, text.data, text.len, PROFILE_SYMBOLS, found, NULL), -ESTALE);
    for (size_t i = 0; i < N_NEEDS; i++)
        ck_assert(!found[i].present);
}
END_TEST

#define HEAD "vmcore-summary-profile 1\nbuild-id aabbccddee\n"

/* Lines that answer nothing: each is all that a profile has. */
static const char *const lies[] = {
    "symbol slab_caches",
    "symbol slab_caches 1 2",
    "symbol slab_caches 0x10",
    "symbol slab_caches 9223372036854775808",
    "fixed slab_caches -1",
    "type page 4294967296",
    "member kmem_cache name 96 8 0 0 0 0",
    "member kmem_cache name 96 8 0 0 8 2 0",
    "member kmem_cache name 96 8 8 1 0 0 0",
    "member kmem_cache name 96 8 0 65 0 0 0",
    "member kmem_cache name 96 3 0 4 0 0 0",
    "member kmem_cache name 96 8 0 0 4294967295 4294967295 0",
    "enumerator - PGTY_slab 1.5",
    "later slab_caches 1",
};

START_TEST(lines_that_lie_are_passed_over)
{
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++)
        for (enum profile_part part = PROFILE_SYMBOLS; part <= PROFILE_TYPES; part++) {
            struct resolved found[N_NEEDS] = {0};
            char text[256];

            snprintf(text, sizeof(text), HEAD "%s\n", lies[i]);
            ck_assert_msg(resolve(&mine, text, strlen(text), part, found, NULL) == -ENOENT, "%s",
                          lies[i]);
        }
}
END_TEST

START_TEST(files_that_are_none)
{
    static const struct {
        const char *text;
        int r;
    } cases[] = {
        {"", -EBADMSG},
        {"\n", -EBADMSG},
        {"release 6.1\n", -EBADMSG},
        {"vmcore-summary-profile\n", -EBADMSG},
        {"vmcore-summary-profile 2\n", -ENOTSUP},
        {"vmcore-summary-profile 1", 0},
    };
    struct profile_identity id;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_int_eq(profile_identify(cases[i].text, strlen(cases[i].text), NULL, &id),
                         cases[i].r);
}
END_TEST

UNIT_SUITE("profile", what_is_written_is_read, an_answer_that_is_there_stays,
           another_kernels_is_refused_by_name, a_refused_profile_answers_nothing,
           lines_that_lie_are_passed_over, files_that_are_none)

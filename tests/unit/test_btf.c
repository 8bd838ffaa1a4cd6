/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BTF, written here word by word as pahole would, and damaged at every byte. */
#include <errno.h>
#include <string.h>

#include "kernel/btf.h"
#include "unit/suite.h"
#include "util/cleanup.h"

#define INFO(kind, flag, vlen) ((uint32_t)(flag) << 31 | (uint32_t)(kind) << 24 | (vlen))

enum { INT = 1, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, ENUM64 = 19 };

static const char strings[] = "\0int\0task\0pid\0state\0flags\0zone\0ZONE_DMA\0ZONE_NORMAL\0"
                              "stat\0long\0alias\0inner\0deep\0BIG\0big";

static uint32_t str(const char *s)
{
    for (size_t i = 1; i < sizeof(strings); i += strlen(strings + i) + 1)
        if (!strcmp(strings + i, s))
            return (uint32_t)i;
    ck_abort_msg("no string %s", s);
}

struct blob {
    uint32_t words[256];
    size_t types, bytes;
};

static void add(struct blob *b, size_t n, const uint32_t *words)
{
    memcpy(b->words + 6 + b->types, words, n * 4);
    b->types += n;
}
#define ADD(b, ...) add(b, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (const uint32_t[]){__VA_ARGS__})

static void finish(struct blob *b)
{
    const uint32_t header[6] = {
        0x0001eb9f, 24, 0, (uint32_t)b->types * 4, (uint32_t)b->types * 4, sizeof(strings)};

    memcpy(b->words, header, sizeof(header));
    memcpy(b->words + 6 + b->types, strings, sizeof(strings));
    b->bytes = 24 + b->types * 4 + sizeof(strings);
}

static void sample(struct blob *b)
{
    memset(b, 0, sizeof(*b));
    ADD(b, str("int"), INFO(INT, 0, 0), 4, 1u << 24 | 32);          /* 1: int, signed */
    ADD(b, str("long"), INFO(INT, 0, 0), 8, 64);                    /* 2: unsigned long */
    ADD(b, 0, INFO(ARRAY, 0, 0), 0, 2, 1, 5);                       /* 3: long [5] */
    ADD(b, str("inner"), INFO(STRUCT, 0, 1), 8, str("deep"), 2, 0); /* 4: struct inner */
    ADD(b, 0, INFO(UNION, 0, 1), 8, 0, 4, 0);                       /* 5: union { struct inner; } */
    ADD(b, str("task"), INFO(STRUCT, 0, 1), 4, str("state"), 1, 0); /* 6: another struct task */
    ADD(b, str("task"), INFO(STRUCT, 1, 5), 64,                     /* 7: the one meant */
        str("pid"), 1, 0, str("flags"), 1, 3u << 24 | 37,           /* 3 bits at bit 37 */
        str("stat"), 3, 64, 0, 5, 384, str("inner"), 4, 448);
    ADD(b, str("zone"), INFO(ENUM, 0, 2), 4, str("ZONE_DMA"), 0, str("ZONE_NORMAL"), 2); /* 8 */
    ADD(b, str("alias"), INFO(TYPEDEF, 0, 0), 7);                /* 9: typedef struct task */
    ADD(b, str("big"), INFO(ENUM64, 0, 1), 8, str("BIG"), 1, 1); /* 10: BIG = 1<<32 | 1 */
    finish(b);
}

enum { PID, FLAGS, STAT, DEEP, NESTED, SIZE, NORMAL, ANY, ALIAS, WIDE, NONE, STRANGER, N };
static const struct need needs[N] = {
    [PID] = NEED_MEMBER("task", "pid"),
    [FLAGS] = NEED_MEMBER("task", "flags"),
    [STAT] = NEED_MEMBER("task", "stat"),
    [DEEP] = NEED_MEMBER("task", "deep"),
    [NESTED] = NEED_MEMBER("task", "inner.deep"),
    [SIZE] = NEED_TYPE("task"),
    [NORMAL] = NEED_ENUMERATOR("zone", "ZONE_NORMAL"),
    [ANY] = NEED_ENUMERATOR("", "ZONE_NORMAL"),
    [ALIAS] = NEED_MEMBER("alias", "pid"),
    [WIDE] = NEED_ENUMERATOR("big", "BIG"),
    [NONE] = NEED_MEMBER("task", "nonesuch"),
    [STRANGER] = NEED_MEMBER("stranger", "pid"),
};

START_TEST(needs_are_answered)
{
    struct blob blob;
    struct resolved f[N] = {0};
    struct needs_set set = {needs, f, N};
    _cleanup_(btf_done) struct btf b;

    sample(&blob);
    ck_assert_int_eq(btf_init(&b, blob.words, blob.bytes, NULL), 0);
    ck_assert_uint_eq(b.count, 10);
    ck_assert(!b.cut);
    ck_assert_int_eq(btf_resolve(&b, &set, 1, NULL), 0);
    ck_assert(f[PID].present && f[PID].offset == 0 && f[PID].size == 4 && f[PID].is_signed);
    ck_assert(f[FLAGS].offset == 4 && f[FLAGS].bit_offset == 5 && f[FLAGS].bit_size == 3);
    ck_assert(f[FLAGS].size == 1);
    ck_assert(f[STAT].offset == 8 && f[STAT].elem_size == 8 && f[STAT].elem_count == 5);
    ck_assert_uint_eq(f[STAT].size, 40);
    ck_assert_uint_eq(f[DEEP].offset, 48); /* through an unnamed union and a named struct */
    ck_assert_uint_eq(f[NESTED].offset, 56);
    ck_assert_uint_eq(f[SIZE].size, 64); /* not the namesake of 4 bytes */
    ck_assert_int_eq(f[NORMAL].value, 2);
    ck_assert_int_eq(f[ANY].value, 2);
    ck_assert(f[ALIAS].present);
    ck_assert_int_eq(f[WIDE].value, 0x100000001);
    ck_assert(!f[NONE].present && !f[STRANGER].present);
    ck_assert_ptr_eq(needs_first_missing(needs, f, N), &needs[NONE]);
}
END_TEST

START_TEST(either_of_two_is_enough)
{
    static const struct need either[] = {NEED_SYMBOL_OR_NEXT("node_data"),
                                         OPT_SYMBOL("contig_page_data"), OPT_SYMBOL("other")};
    struct resolved f[3] = {0};

    f[2].present = true;
    ck_assert_ptr_eq(needs_first_missing(either, f, 3), &either[0]);
    f[1].present = true;
    ck_assert_ptr_null(needs_first_missing(either, f, 3));
    f[1].present = false;
    f[0].present = true;
    ck_assert_ptr_null(needs_first_missing(either, f, 3));
    ck_assert_ptr_eq(needs_first_missing(either, &f[1], 1), &either[0]);
}
END_TEST

/* pahole 1.31 and later say how to skip kinds; the wide info word of 7.x */
START_TEST(unknown_kinds_are_skipped_by_the_layout)
{
    enum { MYSTERY = 21 };
    uint32_t words[64] = {0x0001eb9f, 32, 0, 36, 36, sizeof(strings), 0, 0};
    uint8_t layout[(MYSTERY + 1) * 4] = {0};
    struct resolved f = {0};
    struct need need = NEED_TYPE("int");
    struct needs_set set = {&need, &f, 1};
    _cleanup_(btf_done) struct btf b;
    const uint32_t types[] = {0, INFO(MYSTERY, 0, 2), 0, 7, 7, str("int"), INFO(INT, 0, 0), 4, 32};
    size_t strings_at = 32 + sizeof(types), layout_at = strings_at + sizeof(strings);

    layout[MYSTERY * 4 + 1] = 4; /* elem_sz */
    memcpy((char *)words + 32, types, sizeof(types));
    memcpy((char *)words + strings_at, strings, sizeof(strings));
    ck_assert_uint_le(layout_at + sizeof(layout), sizeof(words));
    memcpy((char *)words + layout_at, layout, sizeof(layout));
    words[6] = (uint32_t)(layout_at - 32);
    words[7] = sizeof(layout);
    ck_assert_int_eq(btf_init(&b, words, sizeof(words), NULL), 0);
    ck_assert_uint_eq(b.count, 2);
    ck_assert_int_eq(btf_resolve(&b, &set, 1, NULL), 0);
    ck_assert(f.present && f.size == 4);
}
END_TEST

START_TEST(damage_at_every_byte_is_survived)
{
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    struct blob blob;

    sample(&blob);
    for (size_t at = 0; at < blob.bytes; at++)
        for (size_t v = 0; v < sizeof(values); v++) {
            _cleanup_free_ uint8_t *copy = malloc(blob.bytes);
            struct resolved f[N] = {0};
            struct needs_set set = {needs, f, N};
            struct btf b;

            memcpy(copy, blob.words, blob.bytes);
            copy[at] = values[v];
            if (btf_init(&b, copy, blob.bytes, NULL) < 0)
                continue;
            ck_assert_int_eq(btf_resolve(&b, &set, 1, NULL), 0);
            btf_done(&b);
        }
}
END_TEST

START_TEST(every_truncation_is_survived)
{
    struct blob blob;

    sample(&blob);
    for (size_t len = 0; len < blob.bytes; len++) {
        _cleanup_free_ uint8_t *copy = malloc(len ? len : 1);
        struct btf b;

        memcpy(copy, blob.words, len);
        ck_assert_int_eq(btf_init(&b, copy, len, NULL), -EBADMSG);
    }
}
END_TEST

UNIT_SUITE("btf", needs_are_answered, either_of_two_is_enough,
           unknown_kinds_are_skipped_by_the_layout, damage_at_every_byte_is_survived,
           every_truncation_is_survived)

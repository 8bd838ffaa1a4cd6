/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding kallsyms without being told where: kernels before 6.0, whose VMCOREINFO names no tables,
 * and dumps whose VMCOREINFO is cut. scripts/kallsyms.c writes the tables one behind the other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/image_scan.h"
#include "kernel/kallsyms.h"
#include "util/cleanup.h"
#include "util/math.h"

#define TOKENS           256
#define DIGIT_TOKEN      48 /* '0' stands for itself in every table seen */
#define TOKENS_BEFORE    4096
#define TOKENS_AROUND    (TOKENS_BEFORE + 20480)
#define INDEX_PAD_MAX    64
#define MIN_SYMBOLS      10000
#define MARKER_EVERY     256
#define NAMES_FIRST_BACK (2u << 20)
#define NAMES_MAX_BACK   (32u << 20)

static const char digits[] = "0\0"
                             "1\0"
                             "2\0"
                             "3\0"
                             "4\0"
                             "5\0"
                             "6\0"
                             "7\0"
                             "8\0"
                             "9";

struct token_place {
    struct kernel *k;
    uint64_t table, index; /* virtual addresses */
};

/* Does a token table start at p? Its index must follow it, equal to the letter. */
static bool tokens_at(const uint8_t *p, size_t len, size_t *ret_index)
{
    uint16_t index[TOKENS];
    size_t at = 0;

    for (size_t i = 0; i < TOKENS; i++) {
        const uint8_t *nul = memchr(p + at, 0, len - at);

        if (!nul || at > UINT16_MAX)
            return false;
        index[i] = (uint16_t)at;
        at = (size_t)(nul - p) + 1;
    }
    for (size_t pad = 0; pad < INDEX_PAD_MAX && at + pad + sizeof(index) <= len; pad++) {
        if (memcmp(p + at + pad, index, sizeof(index)))
            continue;
        *ret_index = at + pad;
        return true;
    }
    return false;
}

/* The digits stand at va: goes back to where token 0 may start, and checks each such place. */
static bool tokens_around(struct token_place *place, uint64_t va)
{
    _cleanup_free_ uint8_t *buf = malloc(TOKENS_AROUND);
    uint64_t start = va - TOKENS_BEFORE;
    size_t nuls = 0, pos = TOKENS_BEFORE, index;

    if (!buf)
        return false;
    memset(buf, 0xff, TOKENS_AROUND); /* no NULs where the image starts or ends */
    for (size_t at = 0; at < TOKENS_AROUND; at += 1024)
        (void)kernel_read(place->k, start + at, buf + at, 1024);
    while (pos > 0 && nuls <= DIGIT_TOKEN) {
        nuls += buf[--pos] == 0;
        if (nuls != DIGIT_TOKEN || ((start + pos) & 3))
            continue;
        if (tokens_at(buf + pos, TOKENS_AROUND - pos, &index)) {
            place->table = start + pos;
            place->index = start + pos + index;
            return true;
        }
    }
    return false;
}

static int find_tokens(uint64_t va, const uint8_t *data, size_t len, void *arg)
{
    const uint8_t *p = data, *end = data + len;

    while ((p = memmem(p, (size_t)(end - p), digits, sizeof(digits)))) {
        if (tokens_around(arg, va + (uint64_t)(p - data)))
            return 1;
        p++;
    }
    return 0;
}

/* The memory before the token table. */
struct before {
    const uint8_t *data;
    uint64_t va;
    size_t len;
};

/* One symbol's name further, or 0 if that is none. */
static size_t skip_name(const struct before *b, size_t at, bool uleb)
{
    size_t n;

    if (at >= b->len)
        return 0;
    n = b->data[at++];
    if (uleb && (n & 0x80)) {
        if (at >= b->len)
            return 0;
        n = (n & 0x7f) | (size_t)b->data[at++] << 7;
    }
    return n ? at + n : 0;
}

/*
 * Walks `count` names from `at`; true if the offsets of every 256th name stand right behind the
 * names, in 4 bytes each ("kallsyms: reduce size a little on 64-bit", v4.20) or 8.
 */
static bool names_fit(const struct before *b, size_t at, uint32_t count, bool uleb)
{
    size_t n_markers = (count + MARKER_EVERY - 1) / MARKER_EVERY, pos = at, end;
    _cleanup_free_ uint32_t *markers = malloc(n_markers * sizeof(*markers));

    if (!markers)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (i % MARKER_EVERY == 0)
            markers[i / MARKER_EVERY] = (uint32_t)(pos - at);
        pos = skip_name(b, pos, uleb);
        if (!pos)
            return false;
    }
    for (size_t width = 4; width <= 8; width += 4)
        for (size_t align = 4; align <= 8; align += 4) {
            bool same = true;

            end = (pos + align - 1) & ~(align - 1);
            if (!range_within(end, n_markers * width, b->len))
                continue;
            for (size_t i = 0; i < n_markers && same; i++)
                same = !memcmp(b->data + end + i * width, &markers[i], sizeof(*markers));
            if (same)
                return true;
        }
    return false;
}

/* Is there a symbol count at `at`, followed by that many names? */
static bool count_at(const struct before *b, size_t at, struct kallsyms *ret, size_t *ret_count_at)
{
    uint32_t count, next;
    size_t names;

    memcpy(&count, b->data + at, sizeof(count));
    memcpy(&next, b->data + at + 4, sizeof(next));
    names = at + (next ? 4 : 8); /* the count is padded to 8 bytes until 6.19 */
    if (count < MIN_SYMBOLS || count > KALLSYMS_MAX_SYMBOLS ||
        !range_within(names, (uint64_t)count * 2, b->len) ||
        (!names_fit(b, names, count, true) && !names_fit(b, names, count, false)))
        return false;
    ret->count = count;
    ret->names = b->va + names;
    *ret_count_at = at;
    return true;
}

static bool count_before(const struct before *b, struct kallsyms *ret, uint64_t *ret_count_va)
{
    for (size_t step = 8; step >= 4; step -= 4) /* 8-aligned places are the likely ones */
        for (size_t at = (8 - b->va % 8) % 8; at + 8 <= b->len; at += step) {
            size_t count_at_byte;

            if (!count_at(b, at, ret, &count_at_byte))
                continue;
            *ret_count_va = b->va + count_at_byte;
            return true;
        }
    return false;
}

/* Looks back from the token table, further and further, but not beyond the image's start. */
static int find_names(const struct image_scan *scan, struct kallsyms *ret, uint64_t *ret_count_va)
{
    uint64_t room = ret->token_table - scan->start;

    for (size_t back = NAMES_FIRST_BACK; back <= NAMES_MAX_BACK; back *= 2) {
        size_t len = (size_t)min_u64(back, room);
        _cleanup_free_ uint8_t *data = malloc(len);
        const struct before b = {data, ret->token_table - len, len};

        if (!data)
            return -ENOMEM;
        if (kernel_read(scan->k, b.va, data, len) < 0)
            return -ENOENT;
        if (count_before(&b, ret, ret_count_va))
            return 0;
        if (len == room)
            break;
    }
    return -ENOENT;
}

static uint64_t align8(uint64_t v)
{
    return (v + 7) & ~7ULL;
}

static void with_base(struct kernel *k, struct kallsyms *ks, uint64_t base_va)
{
    ks->has_relative_base = kernel_read_u64(k, base_va, &ks->relative_base) == 0;
}

int kallsyms_scan(struct kernel *k, struct error *err, struct kallsyms ret[KALLSYMS_LAYOUTS])
{
    struct token_place place = {.k = k};
    struct image_scan scan;
    struct kallsyms ks = {0};
    uint64_t count_va, table;

    if (image_scan_init(k, &scan) < 0)
        return error_set(err, -ENOENT, "VMCOREINFO names neither kallsyms nor _stext");
    if (image_scan_foreach(&scan, sizeof(digits), find_tokens, &place) <= 0)
        return error_set(err, -ENOENT, "the image holds no kallsyms token table");
    ks.token_table = place.table;
    ks.token_index = place.index;
    if (find_names(&scan, &ks, &count_va) < 0)
        return error_set(err, -ENOENT, "the image holds no kallsyms names");

    for (size_t i = 0; i < KALLSYMS_LAYOUTS; i++)
        ret[i] = ks;
    table = align8((uint64_t)ks.count * 4);
    ret[0].offsets = count_va - 8 - table; /* offsets, relative_base, num_syms, names … */
    with_base(k, &ret[0], count_va - 8);
    ret[1].offsets = align8(ks.token_index + TOKENS * 2); /* … token_index, offsets, base */
    with_base(k, &ret[1], ret[1].offsets + table);
    ret[2].offsets = ks.token_index + TOKENS * 2; /* place-relative, packed */
    ret[3].addresses = count_va - (uint64_t)ks.count * 8;
    return 0;
}

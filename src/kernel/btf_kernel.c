/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the kernel image keeps its BTF. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/btf.h"
#include "kernel/btf_format.h"
#include "kernel/image_scan.h"
#include "kernel/private.h"
#include "util/cleanup.h"
#include "util/math.h"

/* Smaller is not a vmlinux: the smallest seen has 3.3 MB. */
#define BTF_MIN_TYPE_BYTES (64u << 10)

struct place {
    uint64_t va, len;
};

/* A header as pahole writes it: types first, strings right behind them. */
static bool plausible_header(const uint8_t *p, size_t left, uint64_t *ret_len)
{
    struct cursor c = cursor_init(p, left);
    struct btf_header h = btf_read_header(&c);
    uint64_t len = (uint64_t)h.hdr_len + h.str_off + h.str_len;

    if (c.bad || h.magic != BTF_MAGIC || h.version != 1 || h.flags != 0 ||
        h.hdr_len < BTF_HEADER_BYTES || h.hdr_len > 256 || h.type_off != 0 ||
        h.type_len < BTF_MIN_TYPE_BYTES || h.str_off < h.type_len || h.str_len < h.type_len / 64 ||
        len > BTF_MAX_BYTES)
        return false;
    *ret_len = len;
    return true;
}

static int find_header(uint64_t va, const uint8_t *data, size_t len, void *arg)
{
    static const uint8_t magic[] = {0x9f, 0xeb, 0x01, 0x00};
    struct place *place = arg;
    const uint8_t *p = data, *end = data + len;

    while ((p = memmem(p, (size_t)(end - p), magic, sizeof(magic)))) {
        if (plausible_header(p, (size_t)(end - p), &place->len)) {
            place->va = va + (uint64_t)(p - data);
            return 1;
        }
        p++;
    }
    return 0;
}

static int find_place(struct kernel *k, const struct resolved *start, const struct resolved *stop,
                      struct place *ret)
{
    struct image_scan scan;

    if (start->present && stop->present && stop->addr > start->addr &&
        stop->addr - start->addr <= BTF_MAX_BYTES) {
        *ret = (struct place){start->addr, stop->addr - start->addr};
        return 0;
    }
    if (image_scan_init(k, &scan) < 0 ||
        image_scan_foreach(&scan, BTF_HEADER_BYTES + 8, find_header, ret) <= 0)
        return -ENOENT;
    return 0;
}

/* Reads what can be read; the rest is zero, where the walk over the types will end. */
static void read_with_holes(struct kernel *k, const struct place *place, uint8_t *ret)
{
    const size_t piece = 1u << 20, page = 4096;

    for (uint64_t at = 0; at < place->len; at += piece) {
        size_t n = (size_t)min_u64(piece, place->len - at);

        if (!kernel_read(k, place->va + at, ret + at, n))
            continue;
        for (size_t p = 0; p < n; p += page)
            (void)kernel_read(k, place->va + at + p, ret + at + p, (size_t)min_u64(page, n - p));
    }
}

int btf_read_kernel(struct kernel *k, const struct resolved *start, const struct resolved *stop,
                    struct error *err, uint8_t **ret, size_t *ret_len)
{
    struct place place;
    uint8_t *data;

    if (find_place(k, start, stop, &place) < 0)
        return error_set(err, -ENOENT, "the kernel carries no BTF");
    data = calloc(1, place.len);
    if (!data)
        return error_set(err, -ENOMEM, "out of memory for %llu bytes of BTF",
                         (unsigned long long)place.len);
    read_with_holes(k, &place, data);
    *ret = data;
    *ret_len = place.len;
    return 0;
}

int btf_resolve_kernel(struct kernel *k, const struct resolved *start, const struct resolved *stop,
                       const struct needs_set *sets, size_t n_sets, struct error *err)
{
    _cleanup_free_ uint8_t *data = NULL;
    _cleanup_(btf_done) struct btf b = {0};
    size_t len = 0; /* link-time optimization does not see that it is set */
    int r = btf_read_kernel(k, start, stop, err, &data, &len);

    if (r < 0)
        return r;
    r = btf_init(&b, data, len, err);
    if (r < 0)
        return error_prepend(err, r, "the kernel's BTF");
    return btf_resolve(&b, sets, n_sets, err);
}

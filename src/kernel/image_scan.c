/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/image_scan.h"

#include <errno.h>
#include <stdlib.h>

#include "util/cleanup.h"

#define PIECE_BYTES (256u << 10)

int image_scan_init(struct kernel *k, struct image_scan *ret)
{
    uint64_t stext;

    if (vmcoreinfo_symbol(kernel_vmcoreinfo(k), "_stext", &stext))
        return -ENOENT;
    *ret = (struct image_scan){k, stext & ~0xfffULL, (stext & ~0xfffULL) + IMAGE_SCAN_MAX_BYTES};
    return 0;
}

int image_scan_foreach(const struct image_scan *scan, size_t overlap,
                       int (*fn)(uint64_t va, const uint8_t *data, size_t len, void *arg),
                       void *arg)
{
    _cleanup_free_ uint8_t *piece = malloc(PIECE_BYTES);

    if (!piece)
        return -ENOMEM;
    for (uint64_t va = scan->start; va < scan->end; va += PIECE_BYTES - overlap) {
        int r;

        if (kernel_read(scan->k, va, piece, PIECE_BYTES) < 0)
            continue;
        r = fn(va, piece, PIECE_BYTES, arg);
        if (r)
            return r;
    }
    return 0;
}

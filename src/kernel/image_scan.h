/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_IMAGE_SCAN_H
#define KERNEL_IMAGE_SCAN_H

#include <stdint.h>

#include "kernel/kernel.h"

/*
 * Where to look for tables that no symbol names: from _stext on, as far as the image reaches.
 * Text, rodata and data of distribution kernels take 35 to 60 MB.
 */
#define IMAGE_SCAN_MAX_BYTES (96u << 20)

struct image_scan {
    struct kernel *k;
    uint64_t start, end; /* virtual */
};

/* -ENOENT if VMCOREINFO does not tell _stext. */
int image_scan_init(struct kernel *k, struct image_scan *ret);

/*
 * Calls fn for consecutive pieces of the image, each `overlap` bytes into the one before it, until
 * fn returns non-zero; that is returned. Unreadable pieces are passed over.
 */
int image_scan_foreach(const struct image_scan *scan, size_t overlap,
                       int (*fn)(uint64_t va, const uint8_t *data, size_t len, void *arg),
                       void *arg);

#endif

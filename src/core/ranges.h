/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CORE_RANGES_H
#define CORE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/image.h"

/* A stretch of physical memory that is wholly in the file or wholly not. */
struct segment {
    struct image_range range;
    bool has_data;
    uint32_t index; /* of its program header */
};

/*
 * Lays n segments (sorted in place) over each other: in the result, ascending and without overlaps,
 * each byte belongs to one segment. One that has data beats one that has not; among equals the
 * later program header wins, for the first one describes the kernel image, and kexec-tools on
 * arm64 may give it a wrong p_paddr. O(n log n), for n comes from a file. -ENOMEM.
 */
int ranges_lay(struct segment *segments, size_t n, struct image_range **ret, size_t *ret_n);

/* The first range that ends after phys, or NULL. */
const struct image_range *ranges_find(const struct image_range *ranges, size_t n, uint64_t phys);

static inline uint64_t range_end(const struct image_range *r)
{
    return r->phys + r->mem_bytes;
}

#endif

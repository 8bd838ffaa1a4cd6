/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_MEMMAP_H
#define KERNEL_MEMMAP_H

#include <stdint.h>

#include "kernel/kernel.h"
#include "util/error.h"

/*
 * The kernel's array of struct page, as far as a dump filter reads it: of what kind a page is, by
 * what VMCOREINFO alone tells (it is kept for makedumpfile). No symbols, no types.
 */

/* What makedumpfile's dump levels tell apart (makedumpfile(8), -d). */
enum page_class {
    PAGE_KERNEL,        /* no level leaves it out, unless it is all zeros */
    PAGE_CACHE,         /* level bits 2 and 4 */
    PAGE_CACHE_PRIVATE, /* level bit 4 */
    PAGE_USER,          /* level bit 8: anonymous and hugetlb */
    PAGE_FREE,          /* level bit 16 */
    PAGE_GONE,          /* poisoned or offline: left out by whichever filter looks */
    N_PAGE_CLASSES
};

/* "kernel", "cache", "cache_private", "user", "free", "gone": part of the summary's format. */
const char *page_class_name(enum page_class c);

/* Numbers of one kernel, by the VMCOREINFO keys in memmap.c; UINT64_MAX where it has no such key.
 */
struct memmap {
    struct kernel *k;
    uint64_t page_bytes;
    uint64_t page_size; /* bytes of a struct page */
    uint64_t flags, refcount, mapping, mapcount, private, tail, tail_old, dtor, order;
    uint64_t lru_bit, private_bit, swapcache_bit, swapbacked_bit, slab_bit, poison_bit, huge_bit;
    uint64_t head_mask;
    uint64_t buddy_type, offline_type, unaccepted_type, huge_type, huge_dtor;
    uint64_t orders; /* free lists of a zone: orders below it */
    uint64_t sections, n_roots, section_size, section_map, section_bits, physmem_bits;
    uint64_t n_sections, sections_per_root; /* derived; 0: one flat array of sections */
    uint64_t last_section, last_map;        /* the section that was looked up last */
};

/*
 * Reads where everything is. -ENOENT with text names a key that is missing: a kernel without
 * CONFIG_SPARSEMEM, or older than v4.16, has no section table that can be read this way.
 */
int memmap_init(struct memmap *ret, struct kernel *k, struct error *err);

/*
 * The class of the page at page frame number pfn, as makedumpfile 1.7.9's
 * __exclude_unnecessary_pages() decides, but for any page at random: the head of a compound page or
 * of a block of free pages is looked for below it, in at most 30 reads. -EFAULT where there is no
 * struct page or it is not in the dump: a filter keeps what it knows nothing of.
 */
int memmap_class(struct memmap *m, uint64_t pfn, enum page_class *ret);

#endif

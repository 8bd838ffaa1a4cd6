/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_SLAB_H
#define KERNEL_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"
#include "util/error.h"

/*
 * The slab caches of the crashed kernel and what is in them, whichever allocator it was built with:
 * SLUB in all its layouts, and SLAB (until 6.7). Which one is told by the members that BTF knows.
 *
 * The functions take `found`, the answers to slab_needs.
 */
enum slab_need {
    /* caches */
    SLAB_CACHES,
    SLAB_ROOT_CACHES,
    SLAB_NR_NODE_IDS,
    SLAB_FLAG_BITS,
    SLAB_RECLAIM_BIT,
    CACHE_TYPE,
    CACHE_LIST,
    CACHE_NAME,
    CACHE_FLAGS,
    CACHE_SIZE,
    CACHE_OBJECT_SIZE,
    CACHE_REFCOUNT,
    CACHE_CTOR,
    CACHE_NODE,
    CACHE_MEMCG_CHILDREN,
    CACHE_MEMCG_CHILD_NODE,
    CACHE_MEMCG_ROOT_NODE,
    /* SLUB */
    CACHE_OO,
    CACHE_OFFSET,
    CACHE_RANDOM,
    CACHE_RED_LEFT_PAD,
    CACHE_CPU_SLAB,
    CACHE_CPU_SHEAVES,
    CACHE_SHEAF_CAPACITY,
    CACHE_PER_NODE,
    PER_NODE_NODE,
    PER_NODE_BARN,
    NODE_NR_PARTIAL,
    NODE_PARTIAL,
    NODE_NR_SLABS,
    NODE_TOTAL_OBJECTS,
    NODE_BARN,
    CPU_FREELIST,
    CPU_SLAB,
    CPU_PAGE,
    CPU_PARTIAL,
    SLAB_TYPE,
    SLAB_CACHE,
    SLAB_LIST,
    SLAB_INUSE,
    SLAB_OBJECTS,
    SLAB_NEXT,
    PAGE_TYPE,
    PAGE_CACHE,
    PAGE_LIST,
    PAGE_LRU,
    PAGE_INUSE,
    PAGE_OBJECTS,
    PAGE_NEXT,
    SHEAVES_MAIN,
    SHEAVES_SPARE,
    SHEAF_SIZE,
    SHEAF_LIST,
    BARN_FULL,
    /* SLAB */
    CACHE_NUM,
    CACHE_GFPORDER,
    CACHE_CPU_CACHE,
    NODE_TOTAL_SLABS,
    NODE_FREE_OBJECTS,
    NODE_SHARED,
    NODE_ALIEN,
    ALIEN_ARRAY,
    ARRAY_AVAIL,
    N_SLAB_NEEDS
};
extern const struct need slab_needs[N_SLAB_NEEDS];

/* Longer names are cut. The kernel has no bound; the longest in its source has under 40. */
#define SLAB_NAME_CAP 128

/* One cache, with what memcg children of it hold (kernels before 5.9) added. */
struct slab_cache {
    uint64_t addr;
    char name[SLAB_NAME_CAP];
    size_t name_len;
    uint64_t flags;
    uint32_t object_size_bytes; /* what the user asked for */
    uint32_t
        stride_bytes; /* from object to object, padding and debug data included; 0 if unknown */
    uint32_t order;   /* a slab has 2^order pages; low on memory the kernel takes fewer */
    uint32_t objects_per_slab;
    uint32_t aliases;  /* other caches that were merged into this one */
    uint32_t children; /* memcg children added here */
    bool has_ctor, reclaimable;

    bool counted; /* the counts are at least a part of the truth; else all are 0 */
    uint64_t slabs, objects_total;
    uint64_t bytes;        /* of all slabs, smaller ones counted as what they are */
    uint64_t objects_free; /* in slabs on the nodes' lists: what /proc/slabinfo calls free */
    uint64_t
        objects_cached;  /* free as well, but kept for a CPU: /proc/slabinfo calls them active */
    bool exact;          /* nothing above is an estimate or lost */
    const char *problem; /* what was damaged, or NULL */
};

/* /proc/slabinfo's active objects, and those that somebody really has (crash's ALLOCATED). */
uint64_t slab_objects_active(const struct slab_cache *c);
uint64_t slab_objects_allocated(const struct slab_cache *c);

struct slab_walk_result {
    size_t caches;     /* handed out */
    size_t damaged;    /* of these with a problem */
    size_t estimated;  /* of these without one, but with an estimate */
    int list_error;    /* why the list of caches ended early, 0 if it did not */
    size_t list_count; /* caches that it gave before */
};

/*
 * Calls fn for each cache, in the order of /proc/slabinfo, until fn returns non-zero (returned as
 * it is). The cache is borrowed. Damage costs the cache that has it: it is handed out with
 * `problem` set and without the counts that cannot be. -ENOTSUP with text if the kernel counts no
 * slabs (SLOB, or SLUB without CONFIG_SLUB_DEBUG), -ENOMEM.
 *
 * The work per node and cache is bounded as the kernel's own for /proc/slabinfo is ("slub:
 * introduce count_partial_free_approx()", 046f4c69090c, v6.10): 10 000 slabs of a partial list; the
 * rest is extrapolated and the cache is not exact.
 */
int slab_foreach(struct kernel *k, const struct resolved *found,
                 int (*fn)(const struct slab_cache *c, void *arg), void *arg, struct error *err,
                 struct slab_walk_result *ret);

#endif

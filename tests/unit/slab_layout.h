/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_SLAB_LAYOUT_H
#define UNIT_SLAB_LAYOUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernel/slab.h"
#include "unit/tiny_core.h"

/*
 * A kernel made up for tests of the slab caches: its structures as C has them here, and the answers
 * that the needs table would get from its BTF. Virtual address = TINY_TEXT + physical.
 */
#define VA(phys_) (TINY_TEXT + (uint64_t)(phys_))

struct fake_list {
    uint64_t next, prev;
};

struct fake_cache {
    uint64_t cpu_slab, cpu_sheaves, cpu_cache, flags;
    uint32_t size, object_size, offset, oo, num, gfporder, refcount, red_left_pad, sheaf_capacity;
    uint64_t ctor, name, random;
    struct fake_list list, children, child_node, root_node;
    struct {
        uint64_t barn, node;
    } per_node[4]; /* where kernels have node[], the tests use 4 words of the same place */
};

struct fake_node {
    uint64_t nr_partial;
    struct fake_list partial;
    uint64_t nr_slabs, total_objects, barn;
    uint64_t total_slabs, free_objects, shared, alien; /* SLAB */
};

/* struct slab, or struct page before it. */
struct fake_slab {
    uint64_t flags, cache;
    struct fake_list list; /* and in list.next the chain of a CPU's partial slabs */
    uint64_t freelist;
    uint32_t inuse : 16, objects : 15, frozen : 1;
};

struct fake_cpu {
    uint64_t freelist, slab, partial;
};

struct fake_sheaves {
    uint64_t main, spare, rcu_free;
};

struct fake_sheaf {
    struct fake_list list;
    uint32_t size;
};

struct fake_alien {
    uint64_t lock;
    uint32_t avail;
};

#define MEMBER(struct_, member_)                                                                   \
    ((struct resolved){.present = true,                                                            \
                       .offset = offsetof(struct_, member_),                                       \
                       .size = sizeof(((struct_ *)0)->member_)})
#define AT(offset_, size_) ((struct resolved){.present = true, .offset = offset_, .size = size_})

/* What every layout has. */
static inline void slab_layout_common(struct resolved found[N_SLAB_NEEDS], uint64_t head_phys)
{
    memset(found, 0, N_SLAB_NEEDS * sizeof(*found));
    found[SLAB_CACHES] = (struct resolved){.present = true, .addr = VA(head_phys)};
    found[CACHE_TYPE] = AT(0, sizeof(struct fake_cache));
    found[CACHE_LIST] = MEMBER(struct fake_cache, list);
    found[CACHE_NAME] = MEMBER(struct fake_cache, name);
    found[CACHE_FLAGS] = MEMBER(struct fake_cache, flags);
    found[CACHE_SIZE] = MEMBER(struct fake_cache, size);
    found[CACHE_OBJECT_SIZE] = MEMBER(struct fake_cache, object_size);
    found[CACHE_REFCOUNT] = MEMBER(struct fake_cache, refcount);
    found[CACHE_CTOR] = MEMBER(struct fake_cache, ctor);
    found[CACHE_NODE] = MEMBER(struct fake_cache, per_node);
    found[CACHE_NODE].elem_size = 8;
    found[CACHE_NODE].elem_count = 4;
}

static inline void slab_layout_nodes(struct resolved found[N_SLAB_NEEDS])
{
    found[CACHE_OO] = MEMBER(struct fake_cache, oo);
    found[NODE_NR_PARTIAL] = MEMBER(struct fake_node, nr_partial);
    found[NODE_PARTIAL] = MEMBER(struct fake_node, partial);
    found[NODE_NR_SLABS] = MEMBER(struct fake_node, nr_slabs);
    found[NODE_TOTAL_OBJECTS] = MEMBER(struct fake_node, total_objects);
    found[SLAB_TYPE] = AT(0, sizeof(struct fake_slab));
    found[SLAB_CACHE] = MEMBER(struct fake_slab, cache);
    found[SLAB_LIST] = MEMBER(struct fake_slab, list);
    found[SLAB_INUSE] = AT(offsetof(struct fake_slab, freelist) + 8, 2);
    found[SLAB_INUSE].bit_size = 16;
    found[SLAB_OBJECTS] = AT(offsetof(struct fake_slab, freelist) + 10, 2);
    found[SLAB_OBJECTS].bit_size = 15;
    found[SLAB_NEXT] = AT(offsetof(struct fake_slab, list), 8);
}

/* 5.17 to 6.17: struct slab, CPU slabs. */
static inline void slab_layout_slub(struct resolved found[N_SLAB_NEEDS], uint64_t head_phys)
{
    slab_layout_common(found, head_phys);
    slab_layout_nodes(found);
    found[CACHE_OFFSET] = MEMBER(struct fake_cache, offset);
    found[CACHE_RANDOM] = MEMBER(struct fake_cache, random);
    found[CACHE_RED_LEFT_PAD] = MEMBER(struct fake_cache, red_left_pad);
    found[CACHE_CPU_SLAB] = MEMBER(struct fake_cache, cpu_slab);
    found[CPU_FREELIST] = MEMBER(struct fake_cpu, freelist);
    found[CPU_SLAB] = MEMBER(struct fake_cpu, slab);
    found[CPU_PARTIAL] = MEMBER(struct fake_cpu, partial);
}

/* Before: the same in struct page. */
static inline void slab_layout_page(struct resolved found[N_SLAB_NEEDS], uint64_t head_phys)
{
    static const struct {
        enum slab_need slab, page;
    } moves[] = {{SLAB_TYPE, PAGE_TYPE},   {SLAB_CACHE, PAGE_CACHE},     {SLAB_LIST, PAGE_LRU},
                 {SLAB_INUSE, PAGE_INUSE}, {SLAB_OBJECTS, PAGE_OBJECTS}, {SLAB_NEXT, PAGE_NEXT},
                 {CPU_SLAB, CPU_PAGE}};

    slab_layout_slub(found, head_phys);
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        found[moves[i].page] = found[moves[i].slab];
        found[moves[i].slab].present = false;
    }
}

/* 7.0 on: no CPU slabs. */
static inline void slab_layout_sheaves(struct resolved found[N_SLAB_NEEDS], uint64_t head_phys)
{
    slab_layout_common(found, head_phys);
    slab_layout_nodes(found);
    found[SLAB_NEXT].present = false;
    found[CACHE_CPU_SHEAVES] = MEMBER(struct fake_cache, cpu_sheaves);
    found[CACHE_SHEAF_CAPACITY] = MEMBER(struct fake_cache, sheaf_capacity);
    found[SHEAVES_MAIN] = MEMBER(struct fake_sheaves, main);
    found[SHEAVES_SPARE] = MEMBER(struct fake_sheaves, spare);
    found[SHEAF_SIZE] = MEMBER(struct fake_sheaf, size);
    found[SHEAF_LIST] = MEMBER(struct fake_sheaf, list);
    found[BARN_FULL] = AT(8, 16);
}

/* CONFIG_SLAB. */
static inline void slab_layout_array(struct resolved found[N_SLAB_NEEDS], uint64_t head_phys)
{
    slab_layout_common(found, head_phys);
    found[CACHE_NUM] = MEMBER(struct fake_cache, num);
    found[CACHE_GFPORDER] = MEMBER(struct fake_cache, gfporder);
    found[CACHE_CPU_CACHE] = MEMBER(struct fake_cache, cpu_cache);
    found[NODE_TOTAL_SLABS] = MEMBER(struct fake_node, total_slabs);
    found[NODE_FREE_OBJECTS] = MEMBER(struct fake_node, free_objects);
    found[NODE_SHARED] = MEMBER(struct fake_node, shared);
    found[NODE_ALIEN] = MEMBER(struct fake_node, alien);
    found[ALIEN_ARRAY] = MEMBER(struct fake_alien, avail);
    found[ARRAY_AVAIL] = AT(0, 4);
}

#endif

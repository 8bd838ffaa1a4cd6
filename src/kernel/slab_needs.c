/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/slab.h"

/*
 * What moved, and when:
 * - struct page gave its slab members to struct slab, and kmem_cache_cpu.page became .slab: "mm:
 *   Split slab into its own type" (d122019bf061, v5.17).
 * - page.slab_list was page.lru before "slub: use slab_list instead of lru" (916ac0527837, v5.2).
 * - Caches had memcg children until "mm: memcg/slab: use a single set of kmem_caches for all
 *   allocations" (v5.9).
 * - SLAB_* were #defines until "mm, slab: use an enum to define SLAB_ cache creation flags" (v6.9).
 * - SLAB itself went with "mm/slab: remove mm/slab.c and slab_def.h" (16a1d968358a, v6.8).
 * - Sheaves came in v6.18 beside the CPU slabs and replaced them in v7.0; v7.1 put barns and nodes
 *   into per_node[].
 */
const struct need slab_needs[N_SLAB_NEEDS] = {
    [SLAB_CACHES] = NEED_SYMBOL("slab_caches"),
    [SLAB_ROOT_CACHES] = OPT_SYMBOL("slab_root_caches"),
    [SLAB_NR_NODE_IDS] = OPT_SYMBOL("nr_node_ids"),
    [SLAB_FLAG_BITS] = OPT_TYPE("_slab_flag_bits"),
    [SLAB_RECLAIM_BIT] = OPT_ENUMERATOR("_slab_flag_bits", "_SLAB_RECLAIM_ACCOUNT"),
    [CACHE_TYPE] = NEED_TYPE("kmem_cache"),
    [CACHE_LIST] = NEED_MEMBER("kmem_cache", "list"),
    [CACHE_NAME] = NEED_MEMBER("kmem_cache", "name"),
    [CACHE_FLAGS] = OPT_MEMBER("kmem_cache", "flags"),
    [CACHE_SIZE] = NEED_MEMBER("kmem_cache", "size"),
    [CACHE_OBJECT_SIZE] = OPT_MEMBER("kmem_cache", "object_size"),
    [CACHE_REFCOUNT] = OPT_MEMBER("kmem_cache", "refcount"),
    [CACHE_CTOR] = OPT_MEMBER("kmem_cache", "ctor"),
    [CACHE_NODE] = OPT_MEMBER("kmem_cache", "node"),
    [CACHE_MEMCG_CHILDREN] = OPT_MEMBER("kmem_cache", "memcg_params.children"),
    [CACHE_MEMCG_CHILD_NODE] = OPT_MEMBER("kmem_cache", "memcg_params.children_node"),
    [CACHE_MEMCG_ROOT_NODE] = OPT_MEMBER("kmem_cache", "memcg_params.__root_caches_node"),

    [CACHE_OO] = OPT_MEMBER("kmem_cache", "oo.x"),
    [CACHE_OFFSET] = OPT_MEMBER("kmem_cache", "offset"),
    [CACHE_RANDOM] = OPT_MEMBER("kmem_cache", "random"),
    [CACHE_RED_LEFT_PAD] = OPT_MEMBER("kmem_cache", "red_left_pad"),
    [CACHE_CPU_SLAB] = OPT_MEMBER("kmem_cache", "cpu_slab"),
    [CACHE_CPU_SHEAVES] = OPT_MEMBER("kmem_cache", "cpu_sheaves"),
    [CACHE_SHEAF_CAPACITY] = OPT_MEMBER("kmem_cache", "sheaf_capacity"),
    [CACHE_PER_NODE] = OPT_MEMBER("kmem_cache", "per_node"),
    [PER_NODE_NODE] = OPT_MEMBER("kmem_cache_per_node_ptrs", "node"),
    [PER_NODE_BARN] = OPT_MEMBER("kmem_cache_per_node_ptrs", "barn"),
    [NODE_NR_PARTIAL] = OPT_MEMBER("kmem_cache_node", "nr_partial"),
    [NODE_PARTIAL] = OPT_MEMBER("kmem_cache_node", "partial"),
    [NODE_NR_SLABS] = OPT_MEMBER("kmem_cache_node", "nr_slabs"),
    [NODE_TOTAL_OBJECTS] = OPT_MEMBER("kmem_cache_node", "total_objects"),
    [NODE_BARN] = OPT_MEMBER("kmem_cache_node", "barn"),
    [CPU_FREELIST] = OPT_MEMBER("kmem_cache_cpu", "freelist"),
    [CPU_SLAB] = OPT_MEMBER("kmem_cache_cpu", "slab"),
    [CPU_PAGE] = OPT_MEMBER("kmem_cache_cpu", "page"),
    [CPU_PARTIAL] = OPT_MEMBER("kmem_cache_cpu", "partial"),
    [SLAB_TYPE] = OPT_TYPE("slab"),
    [SLAB_CACHE] = OPT_MEMBER("slab", "slab_cache"),
    [SLAB_LIST] = OPT_MEMBER("slab", "slab_list"),
    [SLAB_INUSE] = OPT_MEMBER("slab", "inuse"),
    [SLAB_OBJECTS] = OPT_MEMBER("slab", "objects"),
    [SLAB_NEXT] = OPT_MEMBER("slab", "next"),
    [PAGE_TYPE] = OPT_TYPE("page"),
    [PAGE_CACHE] = OPT_MEMBER("page", "slab_cache"),
    [PAGE_LIST] = OPT_MEMBER("page", "slab_list"),
    [PAGE_LRU] = OPT_MEMBER("page", "lru"),
    [PAGE_INUSE] = OPT_MEMBER("page", "inuse"),
    [PAGE_OBJECTS] = OPT_MEMBER("page", "objects"),
    [PAGE_NEXT] = OPT_MEMBER("page", "next"),
    [SHEAVES_MAIN] = OPT_MEMBER("slub_percpu_sheaves", "main"),
    [SHEAVES_SPARE] = OPT_MEMBER("slub_percpu_sheaves", "spare"),
    [SHEAF_SIZE] = OPT_MEMBER("slab_sheaf", "size"),
    [SHEAF_LIST] = OPT_MEMBER("slab_sheaf", "barn_list"),
    [BARN_FULL] = OPT_MEMBER("node_barn", "sheaves_full"),

    [CACHE_NUM] = OPT_MEMBER("kmem_cache", "num"),
    [CACHE_GFPORDER] = OPT_MEMBER("kmem_cache", "gfporder"),
    [CACHE_CPU_CACHE] = OPT_MEMBER("kmem_cache", "cpu_cache"),
    [NODE_TOTAL_SLABS] = OPT_MEMBER("kmem_cache_node", "total_slabs"),
    [NODE_FREE_OBJECTS] = OPT_MEMBER("kmem_cache_node", "free_objects"),
    [NODE_SHARED] = OPT_MEMBER("kmem_cache_node", "shared"),
    [NODE_ALIEN] = OPT_MEMBER("kmem_cache_node", "alien"),
    [ALIEN_ARRAY] = OPT_MEMBER("alien_cache", "ac"),
    [ARRAY_AVAIL] = OPT_MEMBER("array_cache", "avail"),
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXTRACT_MEMORY_NEEDS_H
#define EXTRACT_MEMORY_NEEDS_H

#include "extract/extract.h"
#include "extract/memory/model.h"
#include "kernel/mm.h"

/* What the memory section must know; the table is in memory.c. */
enum memory_need {
    /* enum zone_stat_item */
    Z_FREE = N_MM_NEEDS,
    Z_MLOCK,
    Z_BOUNCE,
    Z_ZSPAGES,
    Z_FREE_CMA,
    Z_UNACCEPTED,
    Z_KERNEL_STACK_KB,
    Z_PAGETABLE,
    /* enum node_stat_item */
    N_ACTIVE_ANON,
    N_INACTIVE_ANON,
    N_ACTIVE_FILE,
    N_INACTIVE_FILE,
    N_UNEVICTABLE,
    N_ISOLATED_ANON,
    N_ISOLATED_FILE,
    N_SLAB_RECLAIMABLE,
    N_SLAB_UNRECLAIMABLE,
    N_SLAB_RECLAIMABLE_B,
    N_SLAB_UNRECLAIMABLE_B,
    N_ANON_MAPPED,
    N_FILE_MAPPED,
    N_FILE_PAGES,
    N_FILE_DIRTY,
    N_WRITEBACK,
    N_WRITEBACK_TEMP,
    N_SHMEM,
    N_SHMEM_THPS,
    N_SHMEM_PMDMAPPED,
    N_FILE_THPS,
    N_FILE_PMDMAPPED,
    N_ANON_THPS,
    N_UNSTABLE_NFS,
    N_KERNEL_MISC_RECLAIMABLE,
    N_INDIRECTLY_RECLAIMABLE,
    N_KERNEL_STACK_KB,
    N_KERNEL_SCS_KB,
    N_PAGETABLE,
    N_SECONDARY_PAGETABLE,
    N_SWAPCACHE,
    N_VMALLOC,
    N_BALLOON,
    N_GPU_ACTIVE,
    N_GPU_RECLAIM,
    /* plain numbers */
    S_TOTALRAM,
    S_TOTALRAM_OLD,
    S_TOTALRESERVE,
    S_TOTAL_SWAP,
    S_NR_SWAP,
    S_ZSWAP_SIZE,
    S_ZSWAP_STORED,
    S_NR_VMALLOC,
    S_POISONED,
    S_TOTALCMA,
    S_MEMMAP,
    S_OVERCOMMIT_KBYTES,
    S_OVERCOMMIT_RATIO,
    S_PCPU_POPULATED,
    S_PCPU_UNITS,
    S_DIRECT_GBPAGES,
    /* structures */
    S_COMMITTED_AS,
    S_THP_FLAGS,
    ZONE_CMA_PAGES,
    TASK_STACK_VM_AREA,
    S_FBATCHES,
    FBATCHES_LRU_ADD,
    S_PVECS,
    PVECS_LRU_ADD,
    S_LRU_ADD_PVEC,
    PVEC_NR,
    S_BDEV_SUPERBLOCK,
    SB_INODES,
    INODE_SB_LIST,
    INODE_MAPPING,
    MAPPING_NRPAGES,
    S_ALL_BDEVS,
    BDEV_LIST,
    BDEV_INODE,
    S_SWAPPER_SPACES,
    S_NR_SWAPPER_SPACES,
    ADDRESS_SPACE,
    S_SWAP_INFO,
    S_NR_SWAPFILES,
    SWAP_FLAGS,
    SWAP_INUSE,
    SWP_USED_FLAG,
    SWP_WRITEOK_FLAG,
    S_PCPU_BASE,
    S_PCPU_FIRST_CHUNK,
    CHUNK_BASE,
    CHUNK_PAGES,
    CHUNK_END_OFFSET,
    S_HSTATES,
    S_MAX_HSTATE,
    S_DEFAULT_HSTATE,
    HSTATE,
    HSTATE_ORDER,
    HSTATE_NR,
    HSTATE_FREE,
    HSTATE_RSVD,
    HSTATE_SURP,
    S_DIRECT_PAGES,
    LEVEL_4K,
    LEVEL_2M,
    LEVEL_1G,
    N_NEEDS
};

/*
 * Fills every value that the dump tells, and what derives from them. Negative with x->err set only
 * if there is nothing to say; what was lost makes the section partial.
 */
int mem_read(struct extract *x, struct mem_model *ret);

/* read.c's parts: counters that are one number, and those that must be put together. */
void mem_read_counters(struct extract *x, struct mm *mm, struct mem_model *m);
void mem_read_structures(struct extract *x, struct mem_model *m);

/* Sets a value of n units of `unit` bytes each. */
void mem_set(struct mem_model *m, enum mem_id id, uint64_t n, uint64_t unit, bool exact);

#endif

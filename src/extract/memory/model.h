/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXTRACT_MEMORY_MODEL_H
#define EXTRACT_MEMORY_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the kernel counts of its memory, and what follows from it: the rows of /proc/meminfo that it
 * computes, and where MemTotal went. No access to the dump: read.c fills the counters.
 */
enum mem_quality {
    MEM_UNKNOWN, /* this kernel does not count it, or it could not be read */
    MEM_ESTIMATE,
    MEM_EXACT,
};

struct mem_value {
    uint64_t v; /* bytes, unless the id says otherwise */
    enum mem_quality quality;
};

enum mem_id {
    MEM_NONE,
    /* read from the dump */
    MEM_TOTAL,
    MEM_FREE,
    MEM_RESERVE,        /* totalreserve_pages */
    MEM_LOW_WATERMARKS, /* of all zones */
    MEM_CPU_LISTS,      /* free pages that CPUs keep: in no other counter */
    MEM_BUFFERS,
    MEM_FILE_PAGES,
    MEM_SWAP_CACHE,
    MEM_ACTIVE_ANON,
    MEM_INACTIVE_ANON,
    MEM_ACTIVE_FILE,
    MEM_INACTIVE_FILE,
    MEM_UNEVICTABLE,
    MEM_ISOLATED_ANON, /* taken off the LRU lists for reclaim or compaction */
    MEM_ISOLATED_FILE,
    MEM_LRU_BATCHES, /* on their way to the LRU lists, kept by CPUs */
    MEM_MLOCKED,
    MEM_SWAP_TOTAL,
    MEM_SWAP_FREE,
    MEM_ZSWAP,
    MEM_ZSWAPPED,
    MEM_DIRTY,
    MEM_WRITEBACK,
    MEM_ANON_PAGES,
    MEM_MAPPED,
    MEM_SHMEM,
    MEM_SLAB_RECLAIMABLE,
    MEM_SLAB_UNRECLAIMABLE,
    MEM_KERNEL_MISC_RECLAIMABLE,
    MEM_INDIRECTLY_RECLAIMABLE,
    MEM_KERNEL_STACK,
    MEM_SHADOW_STACK,
    MEM_PAGE_TABLES,
    MEM_SEC_PAGE_TABLES,
    MEM_NFS_UNSTABLE,
    MEM_BOUNCE,
    MEM_WRITEBACK_TEMP,
    MEM_COMMITTED,
    MEM_OVERCOMMIT_BYTES, /* vm.overcommit_kbytes */
    MEM_OVERCOMMIT_RATIO, /* percent */
    MEM_VMALLOC_TOTAL,
    MEM_VMALLOC_USED,
    MEM_VMALLOC_CHUNK,
    MEM_PERCPU,
    MEM_PERCPU_BOOT, /* its part that was never the page allocator's */
    MEM_HARDWARE_CORRUPTED,
    MEM_ANON_HUGE,
    MEM_SHMEM_HUGE,
    MEM_SHMEM_PMD,
    MEM_FILE_HUGE,
    MEM_FILE_PMD,
    MEM_CMA_TOTAL,
    MEM_CMA_FREE,
    MEM_UNACCEPTED,
    MEM_BALLOON,
    MEM_GPU_ACTIVE,
    MEM_GPU_RECLAIM,
    MEM_ZSMALLOC,
    MEM_MEMMAP,          /* struct pages of memory that was plugged in later */
    MEM_HUGE_PAGES,      /* the default size's: pages, not bytes */
    MEM_HUGE_PAGES_FREE, /* pages */
    MEM_HUGE_PAGES_RSVD, /* pages */
    MEM_HUGE_PAGES_SURP, /* pages */
    MEM_HUGE_PAGE_SIZE,
    MEM_HUGETLB,      /* huge pages of all sizes */
    MEM_HUGETLB_FREE, /* those of them that nobody uses */
    MEM_DIRECT_4K,
    MEM_DIRECT_2M,
    MEM_DIRECT_1G,
    /* derived */
    MEM_AVAILABLE,
    MEM_PAGE_CACHE, /* Buffers + Cached */
    MEM_CACHED,
    MEM_ACTIVE,
    MEM_INACTIVE,
    MEM_LRU,
    MEM_KRECLAIMABLE,
    MEM_SLAB,
    MEM_COMMIT_LIMIT,
    MEM_USED,
    MEM_SHARED,
    MEM_SWAP_USED,
    /* derived: parts of MemTotal that appear nowhere above as they are */
    MEM_PART_ANON,
    MEM_PART_FILE,
    MEM_PART_PERCPU,
    MEM_PART_VMALLOC,
    MEM_UNACCOUNTED,
    N_MEM_IDS
};

struct mem_model {
    struct mem_value values[N_MEM_IDS];
    uint64_t page_bytes;
    bool stacks_in_vmalloc; /* CONFIG_VMAP_STACK */
    uint64_t overcounted;   /* bytes by which the parts exceed MemTotal */
};

/* Computes the derived values; what lacks a term stays unknown. */
void mem_derive(struct mem_model *m);

/*
 * One piece of MemTotal. The pieces are disjoint, and with Unaccounted they add up to it. Unknown
 * ones of kernels that do have such memory (`always`) are hidden in Unaccounted.
 */
struct mem_part {
    const char *name;
    enum mem_id id;
    bool always;
};
extern const struct mem_part mem_parts[];
extern const size_t n_mem_parts;

/* si_mem_available() (mm/show_mem.c; before 6.3 mm/page_alloc.c). All in pages. */
struct mem_available_terms {
    uint64_t free, reserve, low_watermarks;
    uint64_t file_lru, reclaimable;
    uint64_t indirect; /* NR_INDIRECTLY_RECLAIMABLE_BYTES of kernels before 4.20 */
};
uint64_t mem_available_pages(const struct mem_available_terms *t);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The counters that are one number each, and the zones' sums. */
#include "extract/memory/needs.h"
#include "kernel/percpu.h"
#include "util/cleanup.h"
#include "util/math.h"

enum from {
    FROM_ZONE, /* an enumerator of enum zone_stat_item */
    FROM_NODE, /* an enumerator of enum node_stat_item */
    FROM_LONG, /* a symbol: long, unsigned long or atomic_long_t */
    FROM_INT,  /* a symbol: int or atomic_t */
};

enum unit {
    PAGES,
    BYTES,
    KIB,
    THPS,
};

/*
 * Where each counter is found. Several lines for one: it moved; the first that is there counts.
 * `gate`, where not 0: the counter means something only if that need is there, too.
 */
struct source {
    enum mem_id id;
    enum from from;
    enum unit unit;
    enum memory_need need;
    int gate;
};

static const struct source sources[] = {
    /* "mm: convert totalram_pages and totalhigh_pages variables to atomic" (ca79b0c211af, v5.0):
     * the old name may stay as a function */
    {MEM_TOTAL, FROM_LONG, PAGES, S_TOTALRAM, 0},
    {MEM_TOTAL, FROM_LONG, PAGES, S_TOTALRAM_OLD, 0},
    {MEM_RESERVE, FROM_LONG, PAGES, S_TOTALRESERVE, 0},
    {MEM_FREE, FROM_ZONE, PAGES, Z_FREE, 0},
    {MEM_MLOCKED, FROM_ZONE, PAGES, Z_MLOCK, 0},
    {MEM_BOUNCE, FROM_ZONE, PAGES, Z_BOUNCE, 0},
    {MEM_ZSMALLOC, FROM_ZONE, PAGES, Z_ZSPAGES, 0},
    {MEM_CMA_FREE, FROM_ZONE, PAGES, Z_FREE_CMA, ZONE_CMA_PAGES},
    {MEM_UNACCEPTED, FROM_ZONE, PAGES, Z_UNACCEPTED, 0},
    {MEM_ACTIVE_ANON, FROM_NODE, PAGES, N_ACTIVE_ANON, 0},
    {MEM_INACTIVE_ANON, FROM_NODE, PAGES, N_INACTIVE_ANON, 0},
    {MEM_ACTIVE_FILE, FROM_NODE, PAGES, N_ACTIVE_FILE, 0},
    {MEM_INACTIVE_FILE, FROM_NODE, PAGES, N_INACTIVE_FILE, 0},
    {MEM_UNEVICTABLE, FROM_NODE, PAGES, N_UNEVICTABLE, 0},
    {MEM_ISOLATED_ANON, FROM_NODE, PAGES, N_ISOLATED_ANON, 0},
    {MEM_ISOLATED_FILE, FROM_NODE, PAGES, N_ISOLATED_FILE, 0},
    /* "mm: memcg: convert vmstat slab counters to bytes" (d42f3245c7e2, v5.9): memcg's are; these
     * stayed pages */
    {MEM_SLAB_RECLAIMABLE, FROM_NODE, PAGES, N_SLAB_RECLAIMABLE_B, 0},
    {MEM_SLAB_RECLAIMABLE, FROM_NODE, PAGES, N_SLAB_RECLAIMABLE, 0},
    {MEM_SLAB_UNRECLAIMABLE, FROM_NODE, PAGES, N_SLAB_UNRECLAIMABLE_B, 0},
    {MEM_SLAB_UNRECLAIMABLE, FROM_NODE, PAGES, N_SLAB_UNRECLAIMABLE, 0},
    {MEM_ANON_PAGES, FROM_NODE, PAGES, N_ANON_MAPPED, 0},
    {MEM_MAPPED, FROM_NODE, PAGES, N_FILE_MAPPED, 0},
    {MEM_FILE_PAGES, FROM_NODE, PAGES, N_FILE_PAGES, 0},
    {MEM_DIRTY, FROM_NODE, PAGES, N_FILE_DIRTY, 0},
    {MEM_WRITEBACK, FROM_NODE, PAGES, N_WRITEBACK, 0},
    {MEM_WRITEBACK_TEMP, FROM_NODE, PAGES, N_WRITEBACK_TEMP, 0},
    {MEM_SHMEM, FROM_NODE, PAGES, N_SHMEM, 0},
    {MEM_SHMEM_HUGE, FROM_NODE, THPS, N_SHMEM_THPS, S_THP_FLAGS},
    {MEM_SHMEM_PMD, FROM_NODE, THPS, N_SHMEM_PMDMAPPED, S_THP_FLAGS},
    {MEM_FILE_HUGE, FROM_NODE, THPS, N_FILE_THPS, S_THP_FLAGS},
    {MEM_FILE_PMD, FROM_NODE, THPS, N_FILE_PMDMAPPED, S_THP_FLAGS},
    {MEM_ANON_HUGE, FROM_NODE, THPS, N_ANON_THPS, S_THP_FLAGS},
    {MEM_NFS_UNSTABLE, FROM_NODE, PAGES, N_UNSTABLE_NFS, 0},
    {MEM_KERNEL_MISC_RECLAIMABLE, FROM_NODE, PAGES, N_KERNEL_MISC_RECLAIMABLE, 0},
    {MEM_INDIRECTLY_RECLAIMABLE, FROM_NODE, BYTES, N_INDIRECTLY_RECLAIMABLE, 0},
    {MEM_KERNEL_STACK, FROM_NODE, KIB, N_KERNEL_STACK_KB, 0},
    {MEM_KERNEL_STACK, FROM_ZONE, KIB, Z_KERNEL_STACK_KB, 0},
    {MEM_SHADOW_STACK, FROM_NODE, KIB, N_KERNEL_SCS_KB, 0},
    {MEM_PAGE_TABLES, FROM_NODE, PAGES, N_PAGETABLE, 0},
    {MEM_PAGE_TABLES, FROM_ZONE, PAGES, Z_PAGETABLE, 0},
    {MEM_SEC_PAGE_TABLES, FROM_NODE, PAGES, N_SECONDARY_PAGETABLE, 0},
    {MEM_SWAP_CACHE, FROM_NODE, PAGES, N_SWAPCACHE, 0},
    {MEM_SWAP_TOTAL, FROM_LONG, PAGES, S_TOTAL_SWAP, 0},
    {MEM_SWAP_FREE, FROM_LONG, PAGES, S_NR_SWAP, 0},
    {MEM_ZSWAP, FROM_LONG, BYTES, S_ZSWAP_SIZE, 0},
    {MEM_ZSWAPPED, FROM_INT, PAGES, S_ZSWAP_STORED, S_ZSWAP_SIZE},
    {MEM_OVERCOMMIT_BYTES, FROM_LONG, KIB, S_OVERCOMMIT_KBYTES, 0},
    {MEM_OVERCOMMIT_RATIO, FROM_INT, BYTES, S_OVERCOMMIT_RATIO, 0},
    {MEM_VMALLOC_USED, FROM_NODE, PAGES, N_VMALLOC, 0},
    {MEM_VMALLOC_USED, FROM_LONG, PAGES, S_NR_VMALLOC, 0},
    {MEM_HARDWARE_CORRUPTED, FROM_LONG, PAGES, S_POISONED, 0},
    {MEM_CMA_TOTAL, FROM_LONG, PAGES, S_TOTALCMA, ZONE_CMA_PAGES},
    {MEM_BALLOON, FROM_NODE, PAGES, N_BALLOON, 0},
    {MEM_GPU_ACTIVE, FROM_NODE, PAGES, N_GPU_ACTIVE, 0},
    {MEM_GPU_RECLAIM, FROM_NODE, PAGES, N_GPU_RECLAIM, 0},
    {MEM_MEMMAP, FROM_LONG, PAGES, S_MEMMAP, 0},
};

void mem_set(struct mem_model *m, enum mem_id id, uint64_t n, uint64_t unit, bool exact)
{
    m->values[id] = (struct mem_value){sat_mul_u64(n, unit), exact ? MEM_EXACT : MEM_ESTIMATE};
}

/*
 * Huge pages were counted one by one until "mm: memcontrol: convert NR_ANON_THPS account to pages"
 * (69473e5de873, v5.12). The same release made the swap cache a counter; kernels without swap tell
 * two releases later, by the split of per-CPU counters. A huge page is as large as a page of PMD
 * entries, of 8 bytes each, maps.
 */
static uint64_t thp_unit(const struct extract *x, uint64_t page_bytes)
{
    bool in_pages = x->found[N_SWAPCACHE].present || x->found[MM_ZONE_PER_CPU].present;

    return in_pages ? page_bytes : page_bytes / 8 * page_bytes;
}

static uint64_t unit_bytes(const struct extract *x, enum unit unit, uint64_t page_bytes)
{
    switch (unit) {
    case PAGES:
        return page_bytes;
    case BYTES:
        return 1;
    case KIB:
        return 1024;
    case THPS:
        return thp_unit(x, page_bytes);
    }
    return 1;
}

static bool read_symbol(struct extract *x, const struct source *s, uint64_t *ret)
{
    const struct resolved *f = &x->found[s->need];
    uint32_t narrow;
    uint64_t wide;

    if (!f->present)
        return false;
    if (s->from == FROM_INT) {
        if (kernel_read_u32(x->k, f->addr, &narrow) < 0)
            return false;
        *ret = clamp_count((int32_t)narrow);
    } else {
        if (kernel_read_u64(x->k, f->addr, &wide) < 0)
            return false;
        *ret = clamp_count((int64_t)wide);
    }
    return true;
}

void mem_read_counters(struct extract *x, struct mm *mm, struct mem_model *m)
{
    struct mm_stats stats[2] = {0}; /* stays empty, and so unknown, what cannot be read */
    bool exact;

    mm_all_zone_stats(mm, &stats[FROM_ZONE]);
    mm_all_node_stats(mm, &stats[FROM_NODE]);
    exact = !mm->lost;
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        const struct source *s = &sources[i];
        bool counter = s->from == FROM_ZONE || s->from == FROM_NODE;
        uint64_t n;

        if (m->values[s->id].quality != MEM_UNKNOWN || (s->gate && !x->found[s->gate].present))
            continue;
        if (counter ? mm_item(&stats[s->from], &x->found[s->need], &n) : read_symbol(x, s, &n))
            mem_set(m, s->id, n, unit_bytes(x, s->unit, m->page_bytes), exact || !counter);
    }
}

static void read_zones(struct mm *mm, struct mem_model *m)
{
    uint64_t low = 0, lists = 0, lost = mm->lost;
    bool know_low = true, know_lists = true;

    for (size_t i = 0; i < mm_zone_count(mm); i++) {
        struct mm_zone z;
        uint64_t pages;

        if (mm_zone_at(mm, i, &z) < 0)
            continue;
        if (mm_zone_watermark(mm, &z, MM_WMARK_LOW, &pages) < 0)
            know_low = false;
        else
            low = sat_add_u64(low, pages);
        if (mm_zone_list_pages(mm, &z, &pages) < 0)
            know_lists = false;
        else
            lists = sat_add_u64(lists, pages);
    }
    if (know_low)
        mem_set(m, MEM_LOW_WATERMARKS, low, m->page_bytes, lost == mm->lost);
    if (know_lists)
        mem_set(m, MEM_CPU_LISTS, lists, m->page_bytes, lost == mm->lost);
}

int mem_read(struct extract *x, struct mem_model *ret)
{
    struct mm mm;
    int r = mm_init(&mm, x->k, x->found, x->err);

    if (r < 0)
        return r;
    *ret = (struct mem_model){.page_bytes = kernel_page_size(x->k),
                              .stacks_in_vmalloc = x->found[TASK_STACK_VM_AREA].present};
    mem_read_counters(x, &mm, ret);
    read_zones(&mm, ret);
    mem_read_structures(x, ret);
    mem_derive(ret);
    if (mm.lost)
        emit_partial(x->emit, "%llu nodes, zones or per-CPU counters could not be read",
                     (unsigned long long)mm.lost);
    return 0;
}

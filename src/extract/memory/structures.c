/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values that no single counter holds. Each function leaves unknown what it cannot find. */
#include "extract/memory/needs.h"
#include "kernel/list.h"
#include "kernel/percpu.h"
#include "util/cleanup.h"
#include "util/math.h"

#define BLOCK_DEVICES_MAX 65536
#define SWAPFILES_MAX     32    /* MAX_SWAPFILES is at most that */
#define SWAP_SPACES_MAX   65536 /* of 64 MiB each */
#define HSTATES_MAX       16    /* HUGE_MAX_HSTATE is at most 5 */

static bool read_int(struct extract *x, enum memory_need need, uint32_t *ret)
{
    return x->found[need].present && kernel_read_u32(x->k, x->found[need].addr, ret) == 0;
}

static bool read_pointer(struct extract *x, enum memory_need need, uint64_t *ret)
{
    return x->found[need].present && kernel_read_u64(x->k, x->found[need].addr, ret) == 0;
}

/* The page cache of the block device whose inode is given. */
static bool inode_pages(struct extract *x, uint64_t inode, uint64_t *ret)
{
    uint64_t mapping;

    return kernel_field(x->k, inode, &x->found[INODE_MAPPING], &mapping) == 0 &&
           kernel_field(x->k, mapping, &x->found[MAPPING_NRPAGES], ret) == 0;
}

/* nr_blockdev_pages(): the inodes of the bdev file system (v5.11); before, the list all_bdevs. */
static void read_buffers(struct extract *x, struct mem_model *m)
{
    bool by_inode = x->found[S_BDEV_SUPERBLOCK].present && x->found[SB_INODES].present;
    const struct resolved *link = &x->found[by_inode ? INODE_SB_LIST : BDEV_LIST];
    uint64_t head, node, pages = 0;
    struct list_walk walk;
    bool whole = true;
    int r;

    if (!link->present)
        return;
    if (by_inode) {
        if (!read_pointer(x, S_BDEV_SUPERBLOCK, &head))
            return;
        head += x->found[SB_INODES].offset;
    } else {
        if (!x->found[S_ALL_BDEVS].present || !x->found[BDEV_INODE].present)
            return;
        head = x->found[S_ALL_BDEVS].addr;
    }
    walk = list_walk_init(x->k, head, BLOCK_DEVICES_MAX);
    while ((r = list_walk_next(&walk, &node)) > 0) {
        uint64_t inode = kernel_container(node, link), n = 0;

        if ((!by_inode && kernel_field(x->k, inode, &x->found[BDEV_INODE], &inode) < 0) ||
            !inode_pages(x, inode, &n))
            whole = false;
        pages = sat_add_u64(pages, n);
    }
    if (r < 0)
        emit_partial(x->emit, "list of block devices broken after %zu entries", walk.count);
    mem_set(m, MEM_BUFFERS, pages, m->page_bytes, whole && r == 0);
}

/* Before NR_SWAPCACHE: address spaces of 64 MiB of swap each, an array for each swap file. */
static void read_swap_cache(struct extract *x, struct mem_model *m)
{
    const struct resolved *nrpages = &x->found[MAPPING_NRPAGES];
    const struct resolved *spaces = &x->found[S_SWAPPER_SPACES];
    uint64_t pages = 0;
    size_t left = SWAP_SPACES_MAX;
    uint32_t files;

    if (m->values[MEM_SWAP_CACHE].quality != MEM_UNKNOWN)
        return;
    if (!x->found[S_TOTAL_SWAP].present) { /* !CONFIG_SWAP */
        mem_set(m, MEM_SWAP_CACHE, 0, 1, true);
        return;
    }
    if (!spaces->present || !x->found[S_NR_SWAPPER_SPACES].present ||
        !x->found[ADDRESS_SPACE].present || !nrpages->present ||
        !read_int(x, S_NR_SWAPFILES, &files))
        return;
    for (uint32_t i = 0; i < files && i < SWAPFILES_MAX; i++) {
        uint64_t space, n;
        uint32_t count;

        if (kernel_read_u32(x->k, x->found[S_NR_SWAPPER_SPACES].addr + i * 4ULL, &count) < 0 ||
            kernel_read_u64(x->k, spaces->addr + i * 8ULL, &space) < 0)
            return;
        for (; space && count && left; count--, left--, space += x->found[ADDRESS_SPACE].size)
            if (!kernel_field(x->k, space, nrpages, &n))
                pages = sat_add_u64(pages, n);
    }
    mem_set(m, MEM_SWAP_CACHE, pages, m->page_bytes, left > 0);
}

/* si_swapinfo(): a swap file that is being turned off is in no total, but what it holds is shown.
 */
static void add_swap_turned_off(struct extract *x, struct mem_model *m)
{
    uint64_t pages = 0;
    uint32_t files;

    if (!x->found[S_SWAP_INFO].present || !x->found[SWP_USED_FLAG].present ||
        !x->found[SWP_WRITEOK_FLAG].present || !read_int(x, S_NR_SWAPFILES, &files))
        return;
    for (uint32_t i = 0; i < files && i < SWAPFILES_MAX; i++) {
        uint64_t info, flags, inuse;

        if (kernel_read_u64(x->k, x->found[S_SWAP_INFO].addr + i * 8ULL, &info) == 0 && info &&
            kernel_field(x->k, info, &x->found[SWAP_FLAGS], &flags) == 0 &&
            kernel_field(x->k, info, &x->found[SWAP_INUSE], &inuse) == 0 &&
            (flags & (uint64_t)x->found[SWP_USED_FLAG].value) &&
            !(flags & (uint64_t)x->found[SWP_WRITEOK_FLAG].value))
            pages = sat_add_u64(pages, inuse);
    }
    for (enum mem_id id = MEM_SWAP_TOTAL; id <= MEM_SWAP_FREE; id++)
        if (m->values[id].quality != MEM_UNKNOWN)
            m->values[id].v = sat_add_u64(m->values[id].v, sat_mul_u64(pages, m->page_bytes));
}

/*
 * Pages in the CPUs' batches of additions to the LRU lists. A batch is drained as soon as it gets a
 * huge page, so each entry is one page (folio_batch_add_and_move(), mm/swap.c). The batches were a
 * variable each, then (v5.8) a struct of pagevecs, then (v6.0) one of folio batches.
 */
static void read_lru_batches(struct extract *x, struct mem_model *m)
{
    static const enum memory_need kinds[][2] = {
        {S_FBATCHES, FBATCHES_LRU_ADD},
        {S_PVECS, PVECS_LRU_ADD},
        {S_LRU_ADD_PVEC, PVEC_NR},
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct resolved *symbol = &x->found[kinds[i][0]], *nr = &x->found[kinds[i][1]];
        uint64_t sum = 0;

        if (!symbol->present || !nr->present)
            continue;
        percpu_foreach(x->k, cpu)
        {
            uint64_t addr, n;

            if (!percpu_addr(x->k, symbol->addr, cpu, &addr) && !kernel_field(x->k, addr, nr, &n))
                sum += n & 0xff;
        }
        mem_set(m, MEM_LRU_BATCHES, sum, m->page_bytes, true);
        return;
    }
}

static void read_committed(struct extract *x, struct mem_model *m)
{
    int64_t pages;

    if (x->found[S_COMMITTED_AS].present &&
        !percpu_counter_sum(x->k, x->found[S_COMMITTED_AS].addr, &pages))
        mem_set(m, MEM_COMMITTED, clamp_count(pages), m->page_bytes, true);
}

/* Pages of a unit in the first chunk: static, reserved and first dynamic area, in this order
 * (pcpu_setup_first_chunk(), mm/percpu.c); the chunk that is known is the dynamic area. */
static bool first_chunk_pages(struct extract *x, uint64_t page_bytes, uint64_t *ret)
{
    uint64_t chunk, base, start, pages, end_offset, end;

    if (!read_pointer(x, S_PCPU_FIRST_CHUNK, &chunk) || !read_pointer(x, S_PCPU_BASE, &base) ||
        kernel_field(x->k, chunk, &x->found[CHUNK_BASE], &start) < 0 ||
        kernel_field(x->k, chunk, &x->found[CHUNK_PAGES], &pages) < 0 ||
        kernel_field(x->k, chunk, &x->found[CHUNK_END_OFFSET], &end_offset) < 0)
        return false;
    end = sat_mul_u64(pages & UINT32_MAX, page_bytes);
    if (start < base || !add_u64(start - base, end, &end) || (end_offset & UINT32_MAX) > end)
        return false;
    *ret = (end - (end_offset & UINT32_MAX)) / page_bytes;
    return true;
}

/* pcpu_nr_pages(), and how much of it the boot-time allocator gave. */
static void read_percpu(struct extract *x, struct mem_model *m)
{
    uint32_t populated, units;
    uint64_t first;

    if (!read_int(x, S_PCPU_POPULATED, &populated) || !read_int(x, S_PCPU_UNITS, &units))
        return;
    mem_set(m, MEM_PERCPU, (uint64_t)populated * units, m->page_bytes, true);
    if (first_chunk_pages(x, m->page_bytes, &first) && first <= populated)
        mem_set(m, MEM_PERCPU_BOOT, first * units, m->page_bytes, true);
}

struct hstate {
    uint64_t nr, free, rsvd, surp, bytes;
};

static bool read_hstate(struct extract *x, uint64_t addr, uint64_t page_bytes, struct hstate *ret)
{
    uint64_t order;

    if (kernel_field(x->k, addr, &x->found[HSTATE_ORDER], &order) < 0 ||
        kernel_field(x->k, addr, &x->found[HSTATE_NR], &ret->nr) < 0 ||
        kernel_field(x->k, addr, &x->found[HSTATE_FREE], &ret->free) < 0 ||
        kernel_field(x->k, addr, &x->found[HSTATE_RSVD], &ret->rsvd) < 0 ||
        kernel_field(x->k, addr, &x->found[HSTATE_SURP], &ret->surp) < 0 || order > 32)
        return false;
    ret->bytes = page_bytes << order;
    return true;
}

/* hugetlb_report_meminfo() (mm/hugetlb.c): counts of the default size, bytes of all sizes. */
static void read_hugetlb(struct extract *x, struct mem_model *m)
{
    uint64_t total = 0, free_bytes = 0;
    uint32_t count, fallback;

    if (!x->found[S_HSTATES].present || !x->found[HSTATE].present ||
        !read_int(x, S_MAX_HSTATE, &count) || !read_int(x, S_DEFAULT_HSTATE, &fallback) || !count ||
        count > HSTATES_MAX || fallback >= count)
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct hstate h;

        if (!read_hstate(x, x->found[S_HSTATES].addr + (uint64_t)i * x->found[HSTATE].size,
                         m->page_bytes, &h))
            return;
        total = sat_add_u64(total, sat_mul_u64(h.nr, h.bytes));
        free_bytes = sat_add_u64(free_bytes, sat_mul_u64(h.free, h.bytes));
        if (i != fallback)
            continue;
        mem_set(m, MEM_HUGE_PAGES, h.nr, 1, true);
        mem_set(m, MEM_HUGE_PAGES_FREE, h.free, 1, true);
        mem_set(m, MEM_HUGE_PAGES_RSVD, h.rsvd, 1, true);
        mem_set(m, MEM_HUGE_PAGES_SURP, h.surp, 1, true);
        mem_set(m, MEM_HUGE_PAGE_SIZE, 1, h.bytes, true);
    }
    mem_set(m, MEM_HUGETLB, total, 1, true);
    mem_set(m, MEM_HUGETLB_FREE, free_bytes, 1, true);
}

/* arch_report_meminfo(): direct_pages_count[], indexed by the level of the mapping. */
static void read_direct_map(struct extract *x, struct mem_model *m)
{
    static const struct {
        enum mem_id id;
        enum memory_need level;
        uint64_t bytes;
    } levels[] = {
        {MEM_DIRECT_4K, LEVEL_4K, 4ULL << 10},
        {MEM_DIRECT_2M, LEVEL_2M, 2ULL << 20},
        {MEM_DIRECT_1G, LEVEL_1G, 1ULL << 30},
    };
    uint32_t gbpages;

    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        const struct resolved *level = &x->found[levels[i].level];
        uint64_t n;

        if (!x->found[S_DIRECT_PAGES].present || !level->present || level->value < 0 ||
            kernel_read_u64(x->k, x->found[S_DIRECT_PAGES].addr + (uint64_t)level->value * 8, &n))
            continue;
        if (levels[i].id == MEM_DIRECT_1G && (!read_int(x, S_DIRECT_GBPAGES, &gbpages) || !gbpages))
            continue;
        mem_set(m, levels[i].id, n, levels[i].bytes, true);
    }
}

void mem_read_structures(struct extract *x, struct mem_model *m)
{
    uint64_t vmalloc = mm_vmalloc_total_bytes(x->k);

    read_buffers(x, m);
    read_swap_cache(x, m);
    add_swap_turned_off(x, m);
    read_lru_batches(x, m);
    read_committed(x, m);
    read_percpu(x, m);
    read_hugetlb(x, m);
    read_direct_map(x, m);
    if (vmalloc) {
        mem_set(m, MEM_VMALLOC_TOTAL, vmalloc, 1, true);
        /* always 0: "mm: get rid of 'vmalloc_info' from /proc/meminfo" (a5ad88ce8c7f, v4.4) */
        mem_set(m, MEM_VMALLOC_CHUNK, 0, 1, true);
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extract/memory/needs.h"
#include "util/cleanup.h"

/*
 * Where memory went: /proc/meminfo, the rows of `crash kmem -i`, and MemTotal cut into disjoint
 * parts with what no counter explains, Unaccounted: the number that betrays a driver that leaks
 * pages. model.c tells how.
 *
 * Records: `total` (name as in /proc/meminfo; bytes, or count where that file has no unit; exact),
 * `kmem` (name as crash has it; bytes; exact) and `part` (name; bytes; exact), whose bytes add up
 * to MemTotal. The total Unaccounted also has `hidden`, the parts it includes because this kernel
 * does not count them, and, should the parts exceed MemTotal, `overcounted_bytes`. A row that the
 * kernel does not count is left out.
 */
#define ZONE_ITEM(name_) OPT_ENUMERATOR("zone_stat_item", name_)
#define NODE_ITEM(name_) OPT_ENUMERATOR("node_stat_item", name_)

static const struct need needs[N_NEEDS] = {
    MM_NEEDS,
    [Z_FREE] = NEED_ENUMERATOR("zone_stat_item", "NR_FREE_PAGES"),
    [Z_MLOCK] = ZONE_ITEM("NR_MLOCK"),
    [Z_BOUNCE] = ZONE_ITEM("NR_BOUNCE"),
    [Z_ZSPAGES] = ZONE_ITEM("NR_ZSPAGES"),
    [Z_FREE_CMA] = ZONE_ITEM("NR_FREE_CMA_PAGES"),
    [Z_UNACCEPTED] = ZONE_ITEM("NR_UNACCEPTED"),
    [Z_KERNEL_STACK_KB] = ZONE_ITEM("NR_KERNEL_STACK_KB"),
    [Z_PAGETABLE] = ZONE_ITEM("NR_PAGETABLE"),
    [N_ACTIVE_ANON] = NODE_ITEM("NR_ACTIVE_ANON"),
    [N_INACTIVE_ANON] = NODE_ITEM("NR_INACTIVE_ANON"),
    [N_ACTIVE_FILE] = NODE_ITEM("NR_ACTIVE_FILE"),
    [N_INACTIVE_FILE] = NODE_ITEM("NR_INACTIVE_FILE"),
    [N_UNEVICTABLE] = NODE_ITEM("NR_UNEVICTABLE"),
    [N_ISOLATED_ANON] = NODE_ITEM("NR_ISOLATED_ANON"),
    [N_ISOLATED_FILE] = NODE_ITEM("NR_ISOLATED_FILE"),
    [N_SLAB_RECLAIMABLE] = NODE_ITEM("NR_SLAB_RECLAIMABLE"),
    [N_SLAB_UNRECLAIMABLE] = NODE_ITEM("NR_SLAB_UNRECLAIMABLE"),
    [N_SLAB_RECLAIMABLE_B] = NODE_ITEM("NR_SLAB_RECLAIMABLE_B"),
    [N_SLAB_UNRECLAIMABLE_B] = NODE_ITEM("NR_SLAB_UNRECLAIMABLE_B"),
    [N_ANON_MAPPED] = NODE_ITEM("NR_ANON_MAPPED"),
    [N_FILE_MAPPED] = NODE_ITEM("NR_FILE_MAPPED"),
    [N_FILE_PAGES] = NODE_ITEM("NR_FILE_PAGES"),
    [N_FILE_DIRTY] = NODE_ITEM("NR_FILE_DIRTY"),
    [N_WRITEBACK] = NODE_ITEM("NR_WRITEBACK"),
    [N_WRITEBACK_TEMP] = NODE_ITEM("NR_WRITEBACK_TEMP"),
    [N_SHMEM] = NODE_ITEM("NR_SHMEM"),
    [N_SHMEM_THPS] = NODE_ITEM("NR_SHMEM_THPS"),
    [N_SHMEM_PMDMAPPED] = NODE_ITEM("NR_SHMEM_PMDMAPPED"),
    [N_FILE_THPS] = NODE_ITEM("NR_FILE_THPS"),
    [N_FILE_PMDMAPPED] = NODE_ITEM("NR_FILE_PMDMAPPED"),
    [N_ANON_THPS] = NODE_ITEM("NR_ANON_THPS"),
    [N_UNSTABLE_NFS] = NODE_ITEM("NR_UNSTABLE_NFS"),
    [N_KERNEL_MISC_RECLAIMABLE] = NODE_ITEM("NR_KERNEL_MISC_RECLAIMABLE"),
    [N_INDIRECTLY_RECLAIMABLE] = NODE_ITEM("NR_INDIRECTLY_RECLAIMABLE_BYTES"),
    [N_KERNEL_STACK_KB] = NODE_ITEM("NR_KERNEL_STACK_KB"),
    [N_KERNEL_SCS_KB] = NODE_ITEM("NR_KERNEL_SCS_KB"),
    [N_PAGETABLE] = NODE_ITEM("NR_PAGETABLE"),
    [N_SECONDARY_PAGETABLE] = NODE_ITEM("NR_SECONDARY_PAGETABLE"),
    [N_SWAPCACHE] = NODE_ITEM("NR_SWAPCACHE"),
    [N_VMALLOC] = NODE_ITEM("NR_VMALLOC"),
    [N_BALLOON] = NODE_ITEM("NR_BALLOON_PAGES"),
    [N_GPU_ACTIVE] = NODE_ITEM("NR_GPU_ACTIVE"),
    [N_GPU_RECLAIM] = NODE_ITEM("NR_GPU_RECLAIM"),
    [S_TOTALRAM] = OPT_SYMBOL("_totalram_pages"),
    [S_TOTALRAM_OLD] = OPT_SYMBOL("totalram_pages"),
    [S_TOTALRESERVE] = OPT_SYMBOL("totalreserve_pages"),
    [S_TOTAL_SWAP] = OPT_SYMBOL("total_swap_pages"),
    [S_NR_SWAP] = OPT_SYMBOL("nr_swap_pages"),
    [S_ZSWAP_SIZE] = OPT_SYMBOL("zswap_pool_total_size"),
    [S_ZSWAP_STORED] = OPT_SYMBOL("zswap_stored_pages"),
    [S_NR_VMALLOC] = OPT_SYMBOL("nr_vmalloc_pages"),
    [S_POISONED] = OPT_SYMBOL("num_poisoned_pages"),
    [S_TOTALCMA] = OPT_SYMBOL("totalcma_pages"),
    [S_MEMMAP] = OPT_SYMBOL("nr_memmap_pages"),
    [S_OVERCOMMIT_KBYTES] = OPT_SYMBOL("sysctl_overcommit_kbytes"),
    [S_OVERCOMMIT_RATIO] = OPT_SYMBOL("sysctl_overcommit_ratio"),
    [S_PCPU_POPULATED] = OPT_SYMBOL("pcpu_nr_populated"),
    [S_PCPU_UNITS] = OPT_SYMBOL("pcpu_nr_units"),
    [S_DIRECT_GBPAGES] = OPT_SYMBOL("direct_gbpages"),
    [S_COMMITTED_AS] = OPT_SYMBOL("vm_committed_as"),
    [S_THP_FLAGS] = OPT_SYMBOL("transparent_hugepage_flags"), /* with the feature */
    [ZONE_CMA_PAGES] = OPT_MEMBER("zone", "cma_pages"),
    [TASK_STACK_VM_AREA] = OPT_MEMBER("task_struct", "stack_vm_area"),
    [S_FBATCHES] = OPT_SYMBOL("cpu_fbatches"),
    [FBATCHES_LRU_ADD] = OPT_MEMBER("cpu_fbatches", "lru_add.nr"),
    [S_PVECS] = OPT_SYMBOL("lru_pvecs"),
    [PVECS_LRU_ADD] = OPT_MEMBER("lru_pvecs", "lru_add.nr"),
    [S_LRU_ADD_PVEC] = OPT_SYMBOL("lru_add_pvec"),
    [PVEC_NR] = OPT_MEMBER("pagevec", "nr"),
    [S_BDEV_SUPERBLOCK] = OPT_SYMBOL("blockdev_superblock"),
    [SB_INODES] = OPT_MEMBER("super_block", "s_inodes"),
    [INODE_SB_LIST] = OPT_MEMBER("inode", "i_sb_list"),
    [INODE_MAPPING] = OPT_MEMBER("inode", "i_mapping"),
    [MAPPING_NRPAGES] = OPT_MEMBER("address_space", "nrpages"),
    [S_ALL_BDEVS] = OPT_SYMBOL("all_bdevs"),
    [BDEV_LIST] = OPT_MEMBER("block_device", "bd_list"),
    [BDEV_INODE] = OPT_MEMBER("block_device", "bd_inode"),
    [S_SWAPPER_SPACES] = OPT_SYMBOL("swapper_spaces"),
    [S_NR_SWAPPER_SPACES] = OPT_SYMBOL("nr_swapper_spaces"),
    [ADDRESS_SPACE] = OPT_TYPE("address_space"),
    [S_SWAP_INFO] = OPT_SYMBOL("swap_info"),
    [S_NR_SWAPFILES] = OPT_SYMBOL("nr_swapfiles"),
    [SWAP_FLAGS] = OPT_MEMBER("swap_info_struct", "flags"),
    [SWAP_INUSE] = OPT_MEMBER("swap_info_struct", "inuse_pages"),
    [SWP_USED_FLAG] = OPT_ENUMERATOR("", "SWP_USED"),
    [SWP_WRITEOK_FLAG] = OPT_ENUMERATOR("", "SWP_WRITEOK"),
    [S_PCPU_BASE] = OPT_SYMBOL("pcpu_base_addr"),
    [S_PCPU_FIRST_CHUNK] = OPT_SYMBOL("pcpu_first_chunk"),
    [CHUNK_BASE] = OPT_MEMBER("pcpu_chunk", "base_addr"),
    [CHUNK_PAGES] = OPT_MEMBER("pcpu_chunk", "nr_pages"),
    [CHUNK_END_OFFSET] = OPT_MEMBER("pcpu_chunk", "end_offset"),
    [S_HSTATES] = OPT_SYMBOL("hstates"),
    [S_MAX_HSTATE] = OPT_SYMBOL("hugetlb_max_hstate"),
    [S_DEFAULT_HSTATE] = OPT_SYMBOL("default_hstate_idx"),
    [HSTATE] = OPT_TYPE("hstate"),
    [HSTATE_ORDER] = OPT_MEMBER("hstate", "order"),
    [HSTATE_NR] = OPT_MEMBER("hstate", "nr_huge_pages"),
    [HSTATE_FREE] = OPT_MEMBER("hstate", "free_huge_pages"),
    [HSTATE_RSVD] = OPT_MEMBER("hstate", "resv_huge_pages"),
    [HSTATE_SURP] = OPT_MEMBER("hstate", "surplus_huge_pages"),
    [S_DIRECT_PAGES] = OPT_SYMBOL("direct_pages_count"),
    [LEVEL_4K] = OPT_ENUMERATOR("pg_level", "PG_LEVEL_4K"),
    [LEVEL_2M] = OPT_ENUMERATOR("pg_level", "PG_LEVEL_2M"),
    [LEVEL_1G] = OPT_ENUMERATOR("pg_level", "PG_LEVEL_1G"),
};

struct row {
    const char *name;
    enum mem_id id;
};

/* The rows of /proc/meminfo, in its order; Unaccounted is ours. */
static const struct row rows[] = {
    {"MemTotal", MEM_TOTAL},
    {"MemFree", MEM_FREE},
    {"MemAvailable", MEM_AVAILABLE},
    {"Buffers", MEM_BUFFERS},
    {"Cached", MEM_CACHED},
    {"SwapCached", MEM_SWAP_CACHE},
    {"Active", MEM_ACTIVE},
    {"Inactive", MEM_INACTIVE},
    {"Active(anon)", MEM_ACTIVE_ANON},
    {"Inactive(anon)", MEM_INACTIVE_ANON},
    {"Active(file)", MEM_ACTIVE_FILE},
    {"Inactive(file)", MEM_INACTIVE_FILE},
    {"Unevictable", MEM_UNEVICTABLE},
    {"Mlocked", MEM_MLOCKED},
    {"SwapTotal", MEM_SWAP_TOTAL},
    {"SwapFree", MEM_SWAP_FREE},
    {"Zswap", MEM_ZSWAP},
    {"Zswapped", MEM_ZSWAPPED},
    {"Dirty", MEM_DIRTY},
    {"Writeback", MEM_WRITEBACK},
    {"AnonPages", MEM_ANON_PAGES},
    {"Mapped", MEM_MAPPED},
    {"Shmem", MEM_SHMEM},
    {"KReclaimable", MEM_KRECLAIMABLE},
    {"Slab", MEM_SLAB},
    {"SReclaimable", MEM_SLAB_RECLAIMABLE},
    {"SUnreclaim", MEM_SLAB_UNRECLAIMABLE},
    {"KernelStack", MEM_KERNEL_STACK},
    {"ShadowCallStack", MEM_SHADOW_STACK},
    {"PageTables", MEM_PAGE_TABLES},
    {"SecPageTables", MEM_SEC_PAGE_TABLES},
    {"NFS_Unstable", MEM_NFS_UNSTABLE},
    {"Bounce", MEM_BOUNCE},
    {"WritebackTmp", MEM_WRITEBACK_TEMP},
    {"CommitLimit", MEM_COMMIT_LIMIT},
    {"Committed_AS", MEM_COMMITTED},
    {"VmallocTotal", MEM_VMALLOC_TOTAL},
    {"VmallocUsed", MEM_VMALLOC_USED},
    {"VmallocChunk", MEM_VMALLOC_CHUNK},
    {"Percpu", MEM_PERCPU},
    {"HardwareCorrupted", MEM_HARDWARE_CORRUPTED},
    {"AnonHugePages", MEM_ANON_HUGE},
    {"ShmemHugePages", MEM_SHMEM_HUGE},
    {"ShmemPmdMapped", MEM_SHMEM_PMD},
    {"FileHugePages", MEM_FILE_HUGE},
    {"FilePmdMapped", MEM_FILE_PMD},
    {"CmaTotal", MEM_CMA_TOTAL},
    {"CmaFree", MEM_CMA_FREE},
    {"Unaccepted", MEM_UNACCEPTED},
    {"Balloon", MEM_BALLOON},
    {"GPUActive", MEM_GPU_ACTIVE},
    {"GPUReclaim", MEM_GPU_RECLAIM},
    {"Hugepagesize", MEM_HUGE_PAGE_SIZE},
    {"Hugetlb", MEM_HUGETLB},
    {"DirectMap4k", MEM_DIRECT_4K},
    {"DirectMap2M", MEM_DIRECT_2M},
    {"DirectMap1G", MEM_DIRECT_1G},
};

/* Those that /proc/meminfo shows without a unit: pages of Hugepagesize. */
static const struct row counts[] = {
    {"HugePages_Total", MEM_HUGE_PAGES},
    {"HugePages_Free", MEM_HUGE_PAGES_FREE},
    {"HugePages_Rsvd", MEM_HUGE_PAGES_RSVD},
    {"HugePages_Surp", MEM_HUGE_PAGES_SURP},
};

/* crash's names and order. */
static const struct row crash_rows[] = {
    {"TOTAL MEM", MEM_TOTAL},
    {"FREE", MEM_FREE},
    {"USED", MEM_USED},
    {"SHARED", MEM_SHARED},
    {"BUFFERS", MEM_BUFFERS},
    {"CACHED", MEM_CACHED},
    {"SLAB", MEM_SLAB},
    {"TOTAL HUGE", MEM_HUGETLB},
    {"HUGE FREE", MEM_HUGETLB_FREE},
    {"TOTAL SWAP", MEM_SWAP_TOTAL},
    {"SWAP USED", MEM_SWAP_USED},
    {"SWAP FREE", MEM_SWAP_FREE},
    {"COMMIT LIMIT", MEM_COMMIT_LIMIT},
    {"COMMITTED", MEM_COMMITTED},
};

static void emit_row(struct emit *e, const char *record, const char *unit, const char *name,
                     const struct mem_value *v)
{
    if (v->quality == MEM_UNKNOWN)
        return;
    emit_begin(e, record);
    emit_str(e, "name", name);
    emit_u64(e, unit, v->v);
    emit_bool(e, "exact", v->quality == MEM_EXACT);
    emit_end(e);
}

static void emit_rows_of(struct emit *e, const struct mem_model *m, const char *record,
                         const char *unit, const struct row *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        emit_row(e, record, unit, table[i].name, &m->values[table[i].id]);
}

/* What Unaccounted hides because this kernel does not count it. */
static void emit_hidden(struct emit *e, const struct mem_model *m)
{
    emit_array_begin(e, "hidden");
    for (size_t i = 0; i < n_mem_parts; i++)
        if (mem_parts[i].always && m->values[mem_parts[i].id].quality == MEM_UNKNOWN)
            emit_str(e, NULL, mem_parts[i].name);
    emit_array_end(e);
}

static void emit_unaccounted(struct emit *e, const struct mem_model *m)
{
    const struct mem_value *v = &m->values[MEM_UNACCOUNTED];

    if (v->quality == MEM_UNKNOWN)
        return;
    emit_begin(e, "total");
    emit_str(e, "name", "Unaccounted");
    emit_u64(e, "bytes", v->v);
    emit_bool(e, "exact", v->quality == MEM_EXACT);
    emit_hidden(e, m);
    if (m->overcounted)
        emit_u64(e, "overcounted_bytes", m->overcounted);
    emit_end(e);
}

static void emit_parts(struct emit *e, const struct mem_model *m)
{
    if (m->values[MEM_UNACCOUNTED].quality == MEM_UNKNOWN)
        return;
    for (size_t i = 0; i < n_mem_parts; i++)
        emit_row(e, "part", "bytes", mem_parts[i].name, &m->values[mem_parts[i].id]);
    emit_row(e, "part", "bytes", "Unaccounted", &m->values[MEM_UNACCOUNTED]);
}

static int run(struct extract *x)
{
    struct mem_model m;
    int r = mem_read(x, &m);

    if (r < 0)
        return r;
    emit_rows_of(x->emit, &m, "total", "bytes", rows, ARRAY_SIZE(rows));
    emit_rows_of(x->emit, &m, "total", "count", counts, ARRAY_SIZE(counts));
    emit_unaccounted(x->emit, &m);
    emit_rows_of(x->emit, &m, "kmem", "bytes", crash_rows, ARRAY_SIZE(crash_rows));
    emit_parts(x->emit, &m);
    return 0;
}

const struct extractor extract_memory = {
    .name = "memory",
    .title = "where memory is, and what no counter explains",
    .needs = needs,
    .n_needs = N_NEEDS,
    .budget = {.time_ms = 8000, .memory_bytes = 8u << 20, .output_bytes = 1u << 20},
    .run = run,
};

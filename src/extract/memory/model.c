/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extract/memory/model.h"

#include "util/cleanup.h"
#include "util/math.h"

/*
 * How each piece of memory is told apart from every other:
 *
 * - PerCpuFree: NR_FREE_PAGES is lowered when pages move to a CPU's free list.
 * - Anon, Shmem, File: the LRU lists hold each user page once, with the swap cache, mapped or not,
 *   and huge pages; File and Shmem are those in the page cache, Anon the rest. Buffers are in File.
 * - Slab holds large kmalloc allocations as well.
 * - Vmalloc without the kernel stacks, which it counts as well with CONFIG_VMAP_STACK, and without
 *   shadow call stacks, which it always counts.
 * - Percpu without its first chunk, which comes from the boot-time allocator and was never in
 *   MemTotal. The later chunks are mapped like vmalloc memory but not counted there.
 * - Hugetlb pages are on no LRU list and in no file counter.
 * - Zsmalloc holds zram's and zswap's data.
 * - CMA, unaccepted memory: in Free while free, else counted by their users.
 * - A balloon: most drivers lower MemTotal by what it holds, some do not, and nothing tells which
 *   did; the row Balloon stands beside Unaccounted for people to compare.
 */
const struct mem_part mem_parts[] = {
    {"Free", MEM_FREE, true},
    {"PerCpuFree", MEM_CPU_LISTS, true},
    {"Anon", MEM_PART_ANON, true},
    {"Shmem", MEM_SHMEM, true},
    {"File", MEM_PART_FILE, true},
    {"Slab", MEM_SLAB, true},
    {"PageTables", MEM_PAGE_TABLES, true},
    {"SecPageTables", MEM_SEC_PAGE_TABLES, false},
    {"KernelStack", MEM_KERNEL_STACK, true},
    {"ShadowCallStack", MEM_SHADOW_STACK, false},
    {"Vmalloc", MEM_PART_VMALLOC, true},
    {"Percpu", MEM_PART_PERCPU, true},
    {"Hugetlb", MEM_HUGETLB, false},
    {"Zsmalloc", MEM_ZSMALLOC, false},
    {"KernelMiscReclaimable", MEM_KERNEL_MISC_RECLAIMABLE, false},
    {"GPUActive", MEM_GPU_ACTIVE, false},
    {"GPUReclaim", MEM_GPU_RECLAIM, false},
    {"Bounce", MEM_BOUNCE, false},
    {"WritebackTmp", MEM_WRITEBACK_TEMP, false},
    {"Memmap", MEM_MEMMAP, false},
    {"HardwareCorrupted", MEM_HARDWARE_CORRUPTED, false},
};
const size_t n_mem_parts = ARRAY_SIZE(mem_parts);

/* to = the sum of plus, less the sum of minus, not below 0; all of them must be known. */
struct sum_rule {
    enum mem_id to;
    enum mem_id plus[5], minus[2];
};

/* In order of dependence. The formulas are those of fs/proc/meminfo.c. */
static const struct sum_rule sum_rules[] = {
    {MEM_ACTIVE, {MEM_ACTIVE_ANON, MEM_ACTIVE_FILE}, {0}},
    {MEM_INACTIVE, {MEM_INACTIVE_ANON, MEM_INACTIVE_FILE}, {0}},
    {MEM_LRU, {MEM_ACTIVE, MEM_INACTIVE, MEM_UNEVICTABLE}, {0}},
    {MEM_SLAB, {MEM_SLAB_RECLAIMABLE, MEM_SLAB_UNRECLAIMABLE}, {0}},
    {MEM_KRECLAIMABLE, {MEM_SLAB_RECLAIMABLE, MEM_KERNEL_MISC_RECLAIMABLE}, {0}},
    {MEM_PAGE_CACHE, {MEM_FILE_PAGES}, {MEM_SWAP_CACHE}},
    {MEM_CACHED, {MEM_PAGE_CACHE}, {MEM_BUFFERS}},
    {MEM_USED, {MEM_TOTAL}, {MEM_FREE}},
    {MEM_SWAP_USED, {MEM_SWAP_TOTAL}, {MEM_SWAP_FREE}},
    {MEM_PART_FILE, {MEM_PAGE_CACHE}, {MEM_SHMEM}},
    {MEM_PART_PERCPU, {MEM_PERCPU}, {MEM_PERCPU_BOOT}},
};

static enum mem_quality worse(enum mem_quality a, enum mem_quality b)
{
    return a < b ? a : b;
}

static void apply_sum(struct mem_model *m, const struct sum_rule *rule)
{
    struct mem_value sum = {0, MEM_EXACT};
    uint64_t minus = 0;

    for (size_t i = 0; i < ARRAY_SIZE(rule->plus) && rule->plus[i]; i++) {
        const struct mem_value *term = &m->values[rule->plus[i]];

        sum.v = sat_add_u64(sum.v, term->v);
        sum.quality = worse(sum.quality, term->quality);
    }
    for (size_t i = 0; i < ARRAY_SIZE(rule->minus) && rule->minus[i]; i++) {
        const struct mem_value *term = &m->values[rule->minus[i]];

        minus = sat_add_u64(minus, term->v);
        sum.quality = worse(sum.quality, term->quality);
    }
    sum.v -= min_u64(sum.v, minus);
    m->values[rule->to] = sum.quality == MEM_UNKNOWN ? (struct mem_value){0} : sum;
}

/* Adds a term that not every kernel has. */
static void add_optional(struct mem_model *m, enum mem_id to, enum mem_id term)
{
    struct mem_value *sum = &m->values[to];

    if (sum->quality == MEM_UNKNOWN || m->values[term].quality == MEM_UNKNOWN)
        return;
    sum->v = sat_add_u64(sum->v, m->values[term].v);
    sum->quality = worse(sum->quality, m->values[term].quality);
}

/* Half of what could be dropped may be in use and drive the machine into swap: it is kept. */
static uint64_t droppable(uint64_t pages, uint64_t low_watermarks)
{
    return pages - min_u64(pages / 2, low_watermarks);
}

uint64_t mem_available_pages(const struct mem_available_terms *t)
{
    uint64_t sum = t->free;

    sum = sat_add_u64(sum, droppable(t->file_lru, t->low_watermarks));
    sum = sat_add_u64(sum, droppable(t->reclaimable, t->low_watermarks));
    sum = sat_add_u64(sum, t->indirect);
    return sum - min_u64(sum, t->reserve);
}

static bool all_known(const struct mem_model *m, const enum mem_id *ids, size_t n,
                      enum mem_quality *ret)
{
    enum mem_quality quality = MEM_EXACT;

    for (size_t i = 0; i < n; i++)
        quality = worse(quality, m->values[ids[i]].quality);
    if (quality == MEM_UNKNOWN)
        return false;
    *ret = quality;
    return true;
}

static uint64_t pages(const struct mem_model *m, enum mem_id id)
{
    return m->values[id].v / m->page_bytes;
}

static void derive_available(struct mem_model *m)
{
    static const enum mem_id terms[] = {MEM_FREE,        MEM_RESERVE,       MEM_LOW_WATERMARKS,
                                        MEM_ACTIVE_FILE, MEM_INACTIVE_FILE, MEM_SLAB_RECLAIMABLE};
    enum mem_quality quality;

    if (!all_known(m, terms, ARRAY_SIZE(terms), &quality))
        return;
    const struct mem_available_terms t = {
        .free = pages(m, MEM_FREE),
        .reserve = pages(m, MEM_RESERVE),
        .low_watermarks = pages(m, MEM_LOW_WATERMARKS),
        .file_lru = sat_add_u64(pages(m, MEM_ACTIVE_FILE), pages(m, MEM_INACTIVE_FILE)),
        .reclaimable =
            sat_add_u64(pages(m, MEM_SLAB_RECLAIMABLE), pages(m, MEM_KERNEL_MISC_RECLAIMABLE)),
        .indirect = pages(m, MEM_INDIRECTLY_RECLAIMABLE),
    };
    m->values[MEM_AVAILABLE] =
        (struct mem_value){sat_mul_u64(mem_available_pages(&t), m->page_bytes), quality};
}

/* vm_commit_limit() (mm/util.c). */
static void derive_commit_limit(struct mem_model *m)
{
    static const enum mem_id by_kbytes[] = {MEM_OVERCOMMIT_BYTES};
    static const enum mem_id by_ratio[] = {MEM_TOTAL, MEM_OVERCOMMIT_RATIO};
    uint64_t allowed = pages(m, MEM_OVERCOMMIT_BYTES);
    enum mem_quality quality;

    if (!allowed) {
        uint64_t ram = pages(m, MEM_TOTAL);

        if (!all_known(m, by_ratio, ARRAY_SIZE(by_ratio), &quality))
            return;
        ram -= min_u64(ram, pages(m, MEM_HUGETLB));
        allowed = sat_mul_u64(ram, m->values[MEM_OVERCOMMIT_RATIO].v) / 100;
    } else if (!all_known(m, by_kbytes, ARRAY_SIZE(by_kbytes), &quality)) {
        return;
    }
    allowed = sat_add_u64(allowed, pages(m, MEM_SWAP_TOTAL));
    m->values[MEM_COMMIT_LIMIT] = (struct mem_value){sat_mul_u64(allowed, m->page_bytes), quality};
}

/*
 * crash counts as SHARED the pages with more than one reference, by reading every struct page. What
 * is mapped of files has at least two; anonymous pages shared since fork() are missing here.
 */
static void derive_shared(struct mem_model *m)
{
    if (m->values[MEM_MAPPED].quality != MEM_UNKNOWN)
        m->values[MEM_SHARED] = (struct mem_value){m->values[MEM_MAPPED].v, MEM_ESTIMATE};
}

static void derive_vmalloc(struct mem_model *m)
{
    struct mem_value part = m->values[MEM_VMALLOC_USED];

    if (part.quality == MEM_UNKNOWN)
        return;
    if (m->stacks_in_vmalloc)
        part.v -= min_u64(part.v, m->values[MEM_KERNEL_STACK].v);
    part.v -= min_u64(part.v, m->values[MEM_SHADOW_STACK].v);
    m->values[MEM_PART_VMALLOC] = part;
}

static void derive_anon(struct mem_model *m)
{
    static const struct sum_rule rule = {MEM_PART_ANON, {MEM_LRU}, {MEM_PAGE_CACHE}};

    add_optional(m, MEM_LRU, MEM_ISOLATED_ANON);
    add_optional(m, MEM_LRU, MEM_ISOLATED_FILE);
    add_optional(m, MEM_LRU, MEM_LRU_BATCHES);
    apply_sum(m, &rule);
}

/* Where the first chunk's size is unknown, all of it may have been outside MemTotal. */
static void derive_percpu(struct mem_model *m)
{
    if (m->values[MEM_PERCPU_BOOT].quality == MEM_UNKNOWN &&
        m->values[MEM_PERCPU].quality != MEM_UNKNOWN)
        m->values[MEM_PART_PERCPU] = (struct mem_value){0, MEM_ESTIMATE};
}

static void derive_unaccounted(struct mem_model *m)
{
    struct mem_value left = m->values[MEM_TOTAL];
    uint64_t sum = 0;

    if (left.quality == MEM_UNKNOWN || m->values[MEM_FREE].quality == MEM_UNKNOWN)
        return;
    for (size_t i = 0; i < n_mem_parts; i++) {
        const struct mem_value *part = &m->values[mem_parts[i].id];

        if (part->quality == MEM_UNKNOWN && !mem_parts[i].always)
            continue;
        sum = sat_add_u64(sum, part->v);
        if (part->quality != MEM_EXACT)
            left.quality = MEM_ESTIMATE;
    }
    if (sum > left.v) {
        m->overcounted = sum - left.v;
        left.quality = MEM_ESTIMATE;
    }
    left.v -= min_u64(left.v, sum);
    m->values[MEM_UNACCOUNTED] = left;
}

void mem_derive(struct mem_model *m)
{
    for (size_t i = 0; i < ARRAY_SIZE(sum_rules); i++)
        apply_sum(m, &sum_rules[i]);
    derive_available(m);
    derive_commit_limit(m);
    derive_shared(m);
    derive_anon(m);
    derive_vmalloc(m);
    derive_percpu(m);
    derive_unaccounted(m);
}

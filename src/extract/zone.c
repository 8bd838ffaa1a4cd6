/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "extract/extract.h"
#include "kernel/mm.h"
#include "util/cleanup.h"
#include "util/math.h"

/*
 * Every zone that has memory, as /proc/zoneinfo and /proc/buddyinfo show it, per-CPU differences
 * added: whether an allocation failed because memory was out, or because it was in pieces.
 */
enum {
    NAME = N_MM_NEEDS,
    NR_FREE_PAGES,
    NR_FREE_CMA_PAGES,
    SPANNED,
    MANAGED,
    CMA,
    FREE_AREA,
    NR_FREE,
    N_NEEDS
};

static const struct need needs[N_NEEDS] = {
    MM_NEEDS,
    [NAME] = OPT_MEMBER("zone", "name"),
    [NR_FREE_PAGES] = OPT_ENUMERATOR("zone_stat_item", "NR_FREE_PAGES"),
    [NR_FREE_CMA_PAGES] = OPT_ENUMERATOR("zone_stat_item", "NR_FREE_CMA_PAGES"),
    [SPANNED] = OPT_MEMBER("zone", "spanned_pages"),
    [MANAGED] = OPT_MEMBER("zone", "managed_pages"),
    [CMA] = OPT_MEMBER("zone", "cma_pages"), /* with CONFIG_CMA */
    [FREE_AREA] = OPT_MEMBER("zone", "free_area"),
    [NR_FREE] = OPT_MEMBER("free_area", "nr_free"),
};

/* MAX_ORDER is 11 by default and 13 to 16 in some configurations. */
#define ORDERS_MAX 32

static void emit_pages(struct extract *x, const char *name, uint64_t pages)
{
    emit_u64(x->emit, name, sat_mul_u64(pages, kernel_page_size(x->k)));
}

static void emit_pages_field(struct extract *x, const char *name, const struct mm_zone *z, int need)
{
    uint64_t pages;

    if (!kernel_field(x->k, z->addr, &x->found[need], &pages))
        emit_pages(x, name, pages);
}

static void emit_name(struct extract *x, const struct mm_zone *z)
{
    uint64_t ptr;
    char name[32];

    if (!kernel_field(x->k, z->addr, &x->found[NAME], &ptr) &&
        kernel_read_str(x->k, ptr, name, sizeof(name)) >= 0)
        emit_str(x->emit, "name", name);
}

static void emit_counters(struct extract *x, struct mm *m, const struct mm_zone *z)
{
    struct mm_stats stats;
    uint64_t pages;

    if (mm_zone_stats(m, z, &stats) < 0) {
        m->lost++;
        return;
    }
    if (mm_item(&stats, &x->found[NR_FREE_PAGES], &pages))
        emit_pages(x, "free_bytes", pages);
    if (x->found[CMA].present && mm_item(&stats, &x->found[NR_FREE_CMA_PAGES], &pages))
        emit_pages(x, "cma_free_bytes", pages);
}

static void emit_watermarks(struct extract *x, struct mm *m, const struct mm_zone *z)
{
    static const struct {
        enum mm_need which;
        const char *name;
    } marks[] = {
        {MM_WMARK_MIN, "min_bytes"},
        {MM_WMARK_LOW, "low_bytes"},
        {MM_WMARK_HIGH, "high_bytes"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        uint64_t pages;

        if (!mm_zone_watermark(m, z, marks[i].which, &pages))
            emit_pages(x, marks[i].name, pages);
    }
    emit_pages_field(x, "boost_bytes", z, MM_WATERMARK_BOOST);
}

/* Free blocks of each order, from the smallest. Cut at the first that cannot be read. */
static void emit_free_blocks(struct extract *x, const struct mm_zone *z)
{
    const struct resolved *area = &x->found[FREE_AREA];
    size_t orders = (size_t)min_u64(area->elem_count, ORDERS_MAX);

    if (!area->present || !x->found[NR_FREE].present)
        return;
    emit_array_begin(x->emit, "free_blocks");
    for (size_t order = 0; order < orders; order++) {
        uint64_t blocks, addr = z->addr + area->offset + order * area->elem_size;

        if (kernel_field(x->k, addr, &x->found[NR_FREE], &blocks) < 0)
            break;
        emit_u64(x->emit, NULL, blocks);
    }
    emit_array_end(x->emit);
}

static int emit_zone(struct extract *x, struct mm *m, const struct mm_zone *z)
{
    uint64_t pages;

    emit_begin(x->emit, "zone");
    emit_u64(x->emit, "node", z->node);
    emit_name(x, z);
    emit_counters(x, m, z);
    if (!mm_zone_list_pages(m, z, &pages))
        emit_pages(x, "pcp_bytes", pages);
    emit_watermarks(x, m, z);
    emit_pages_field(x, "spanned_bytes", z, SPANNED);
    emit_pages(x, "present_bytes", z->present_pages);
    emit_pages_field(x, "managed_bytes", z, MANAGED);
    emit_pages_field(x, "cma_bytes", z, CMA);
    emit_free_blocks(x, z);
    return emit_end(x->emit);
}

static int run(struct extract *x)
{
    struct mm m;
    int r = mm_init(&m, x->k, x->found, x->err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < mm_zone_count(&m); i++) {
        struct mm_zone z;

        if (mm_zone_at(&m, i, &z) < 0 || !z.present_pages)
            continue;
        if (emit_zone(x, &m, &z) < 0)
            return 0; /* the runner closed the pipe and knows why */
    }
    if (m.lost)
        emit_partial(x->emit, "%llu nodes, zones or per-CPU counters could not be read",
                     (unsigned long long)m.lost);
    return 0;
}

const struct extractor extract_zone = {
    .name = "zone",
    .title = "memory zones: free pages, watermarks, free blocks",
    .needs = needs,
    .n_needs = N_NEEDS,
    .budget = {.time_ms = 5000, .memory_bytes = 8u << 20, .output_bytes = 4u << 20},
    .run = run,
};

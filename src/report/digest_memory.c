/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/digest_private.h"
#include "report/human.h"
#include "util/cleanup.h"
#include "util/math.h"
#include "util/utf8.h"

#define BAR_MARGIN    2
#define LEGEND_COLUMN 38

/* How the bar shows a part, by its name in the summary. */
static const struct part_look {
    const char *name;
    char letter;
    const char *label;
} looks[] = {
    {"Anon", 'A', "anonymous"},
    {"File", 'F', "file cache"},
    {"Shmem", 'S', "shmem, tmpfs"},
    {"SReclaimable", 'r', "slab, reclaimable"},
    {"SUnreclaim", 'U', "slab, unreclaimable"},
    {"Slab", 'U', "slab"},
    {"PageTables", 'P', "page tables"},
    {"SecPageTables", 'p', "page tables of VMs"},
    {"KernelStack", 'K', "kernel stacks"},
    {"ShadowCallStack", 'k', "shadow call stacks"},
    {"Vmalloc", 'V', "vmalloc"},
    {"Percpu", 'C', "percpu"},
    {"Hugetlb", 'H', "hugetlb"},
    {"Zsmalloc", 'Z', "zram, zswap"},
    {"KernelMiscReclaimable", 'm', "kernel, reclaimable"},
    {"GPUActive", 'G', "GPU"},
    {"GPUReclaim", 'g', "GPU, reclaimable"},
    {"Bounce", 'B', "bounce buffers"},
    {"WritebackTmp", 'W', "FUSE writeback"},
    {"Memmap", 'M', "struct pages"},
    {"HardwareCorrupted", 'X', "broken by hardware"},
    {"Unaccounted", '?', "Unaccounted"},
    {"PerCpuFree", ',', "free, CPUs' lists"},
    {"Free", '.', "free"},
};

/* Parts from the totals, for a summary whose `part` records are lost. */
static const struct fallback {
    const char *name;
    int plus[3], minus[2]; /* enum model_mem, ended by -1 */
} fallbacks[] = {
    {"Anon", {MEM_ANON, -1}, {-1}},
    {"File", {MEM_CACHED, MEM_BUFFERS, -1}, {MEM_SHMEM, -1}},
    {"Shmem", {MEM_SHMEM, -1}, {-1}},
    {"SReclaimable", {MEM_RECLAIMABLE, -1}, {-1}},
    {"SUnreclaim", {MEM_UNRECLAIM, -1}, {-1}},
    {"PageTables", {MEM_PAGE_TABLES, -1}, {-1}},
    {"SecPageTables", {MEM_SEC_PAGE_TABLES, -1}, {-1}},
    {"KernelStack", {MEM_KERNEL_STACK, -1}, {-1}},
    {"Percpu", {MEM_PERCPU, -1}, {-1}},
    {"Vmalloc", {MEM_VMALLOC, -1}, {-1}},
    {"Hugetlb", {MEM_HUGETLB, -1}, {-1}},
    {"Unaccounted", {MEM_UNACCOUNTED, -1}, {-1}},
    {"Free", {MEM_FREE, -1}, {-1}},
};
#define N_PARTS (MODEL_PARTS + ARRAY_SIZE(fallbacks) + 1)

struct part {
    char letter;
    const char *label;
    uint64_t bytes;
    bool estimate;
    unsigned cells;
    enum style style;
};

struct parts {
    struct part items[N_PARTS];
    size_t n;
    uint64_t sum;
};

static bool is_free(char letter)
{
    return letter == '.' || letter == ',';
}

/* The largest first, free memory last. */
static bool comes_before(const struct part *a, const struct part *b)
{
    return is_free(a->letter) == is_free(b->letter) ? a->bytes > b->bytes : is_free(b->letter);
}

static void add_part(struct parts *p, const char *name, uint64_t bytes, bool estimate)
{
    struct part part = {'-', name, bytes, estimate, 0, STYLE_PLAIN};
    size_t at;

    if (!bytes || p->n == N_PARTS)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
        if (!strcmp(name, looks[i].name)) {
            part.letter = looks[i].letter;
            part.label = looks[i].label;
        }
    for (at = p->n; at && comes_before(&part, &p->items[at - 1]); at--)
        p->items[at] = p->items[at - 1];
    p->items[at] = part;
    p->n++;
    p->sum = sat_add_u64(p->sum, bytes);
}

static void add_model_part(struct parts *p, const struct model *m, const struct model_part *part)
{
    uint64_t reclaimable = model_mem(m, MEM_RECLAIMABLE);

    if (strcmp(part->name, "Slab") || reclaimable > part->bytes) {
        add_part(p, part->name, part->bytes, part->estimate);
        return;
    }
    add_part(p, "SReclaimable", reclaimable, part->estimate);
    add_part(p, "SUnreclaim", part->bytes - reclaimable, part->estimate);
}

static uint64_t fallback_bytes(const struct model *m, const struct fallback *f)
{
    uint64_t plus = 0, minus = 0;

    for (size_t i = 0; f->plus[i] >= 0; i++)
        plus = sat_add_u64(plus, model_mem(m, (enum model_mem)f->plus[i]));
    for (size_t i = 0; f->minus[i] >= 0; i++)
        minus = sat_add_u64(minus, model_mem(m, (enum model_mem)f->minus[i]));
    return plus > minus ? plus - minus : 0;
}

static void gather_parts(const struct model *m, struct parts *p)
{
    uint64_t total = model_mem(m, MEM_TOTAL);

    for (size_t i = 0; i < m->memory.n_parts; i++)
        add_model_part(p, m, &m->memory.parts[i]);
    for (size_t i = 0; !m->memory.n_parts && i < ARRAY_SIZE(fallbacks); i++)
        add_part(p, fallbacks[i].name, fallback_bytes(m, &fallbacks[i]), false);
    if (total > p->sum)
        add_part(p, "other", total - p->sum, true);
}

/* Shares `width` cells out by size; what rounding leaves over goes to the largest remainders. */
static void share_cells(struct part *parts, size_t n, uint64_t sum, unsigned width)
{
    double remainder[N_PARTS] = {0};
    unsigned used = 0;

    for (size_t i = 0; i < n; i++) {
        double exact = (double)parts[i].bytes / (double)sum * width;

        parts[i].cells = (unsigned)exact;
        remainder[i] = exact - (double)parts[i].cells;
        used += parts[i].cells;
    }
    while (used < width) {
        size_t best = 0;

        for (size_t i = 1; i < n; i++)
            if (remainder[i] > remainder[best])
                best = i;
        parts[best].cells++;
        remainder[best] -= 1;
        used++;
    }
}

static void style_parts(struct part *parts, size_t n)
{
    unsigned next = 0;

    for (size_t i = 0; i < n; i++)
        if (!is_free(parts[i].letter))
            parts[i].style = STYLE_BAR + next++ % STYLE_BARS;
}

static void print_bar(struct text *t, const struct part *parts, size_t n)
{
    buf_str(t->out, "  [");
    for (size_t i = 0; i < n; i++) {
        text_style_begin(t, parts[i].style);
        for (unsigned c = 0; c < parts[i].cells; c++)
            buf_char(t->out, parts[i].letter);
        text_style_end(t, parts[i].style);
    }
    buf_str(t->out, "]\n");
}

static void print_legend(struct text *t, const struct part *parts, size_t n, uint64_t total)
{
    size_t rows = (n + 1) / 2;

    for (size_t i = 0; i < 2 * rows; i++) {
        size_t at = i / 2 + (i % 2) * rows; /* down the first column, then the second */
        _cleanup_(buf_done) struct buf size = BUF_INIT(64), percent = BUF_INIT(64),
                                       label = BUF_INIT(256);

        buf_str(t->out, "  ");
        if (at < n) {
            const char letter[2] = {parts[at].letter};

            buf_str(&size, parts[at].estimate ? "~" : "");
            human_size(&size, parts[at].bytes);
            human_percent(&percent, parts[at].bytes, total);
            text_append_short(&label, parts[at].label, 19);
            text_styled(t, parts[at].style, letter);
            buf_printf(t->out, " %-19.19s %9s %6s", label.data, size.data, percent.data);
        }
        if (i % 2)
            text_end_line(t->out);
    }
}

static void print_swap(struct text *t, const struct model *m)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(400);
    uint64_t total = model_mem(m, MEM_SWAP_TOTAL), free = model_mem(m, MEM_SWAP_FREE);

    if (!m->memory.known[MEM_SWAP_TOTAL])
        return;
    if (!total) {
        buf_str(&b, "Swap: none.");
    } else {
        buf_str(&b, "Swap: ");
        human_size(&b, total - min_u64(free, total));
        buf_str(&b, " of ");
        human_size(&b, total);
        buf_str(&b, " used (");
        human_percent(&b, total - min_u64(free, total), total);
        buf_str(&b, ").");
    }
    if (m->memory.known[MEM_AVAILABLE]) {
        buf_str(&b, " Available without swapping: ");
        human_size(&b, model_mem(m, MEM_AVAILABLE));
        buf_char(&b, '.');
    }
    text_paragraph(t, "  ", b.data);
}

void digest_memory(struct text *t, const struct model *m)
{
    _cleanup_(buf_done) struct buf about = BUF_INIT(200);
    struct parts p = {0};
    uint64_t total = model_mem(m, MEM_TOTAL);

    if (!total)
        return;
    gather_parts(m, &p);
    human_size(&about, total);
    buf_str(&about, " that the kernel managed (MemTotal)");
    text_heading(t, "WHERE MEMORY WAS", about.data);
    share_cells(p.items, p.n, p.sum, t->columns - 2 * BAR_MARGIN - 2);
    style_parts(p.items, p.n);
    print_bar(t, p.items, p.n);
    print_legend(t, p.items, p.n, total);
    print_swap(t, m);
}

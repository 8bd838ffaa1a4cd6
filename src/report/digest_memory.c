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

/* What the bar shows, each page of RAM in one part only. */
static const struct part_rule {
    char letter;
    const char *label;
    int plus[3], minus[2]; /* enum model_mem, ended by -1 */
} part_rules[] = {
    {'A', "anonymous", {MEM_ANON, -1}, {-1}},
    {'F', "file cache", {MEM_CACHED, MEM_BUFFERS, -1}, {MEM_SHMEM, -1}},
    {'S', "shmem, tmpfs", {MEM_SHMEM, -1}, {-1}},
    {'r', "slab, reclaimable", {MEM_RECLAIMABLE, -1}, {-1}},
    {'U', "slab, unreclaimable", {MEM_UNRECLAIM, -1}, {-1}},
    {'P', "page tables", {MEM_PAGE_TABLES, MEM_SEC_PAGE_TABLES, -1}, {-1}},
    {'K', "kernel stacks", {MEM_KERNEL_STACK, -1}, {-1}},
    {'C', "percpu", {MEM_PERCPU, -1}, {-1}},
    {'V', "vmalloc", {MEM_VMALLOC, -1}, {-1}},
    {'H', "hugetlb", {MEM_HUGETLB, -1}, {-1}},
    {'?', "Unaccounted", {MEM_UNACCOUNTED, -1}, {-1}},
    {'.', "free", {MEM_FREE, -1}, {-1}},
};
#define N_PARTS (ARRAY_SIZE(part_rules) + 1) /* and the rest */

struct part {
    char letter;
    const char *label;
    uint64_t bytes;
    unsigned cells;
    enum style style;
};

static uint64_t part_bytes(const struct model *m, const struct part_rule *rule)
{
    uint64_t plus = 0, minus = 0;

    for (size_t i = 0; rule->plus[i] >= 0; i++)
        plus = sat_add_u64(plus, model_mem(m, (enum model_mem)rule->plus[i]));
    for (size_t i = 0; rule->minus[i] >= 0; i++)
        minus = sat_add_u64(minus, model_mem(m, (enum model_mem)rule->minus[i]));
    return plus > minus ? plus - minus : 0;
}

/* The parts that hold something, the largest first, free memory last. */
static size_t gather_parts(const struct model *m, struct part parts[static N_PARTS],
                           uint64_t *ret_sum)
{
    struct part part;
    uint64_t sum = 0;
    size_t n = 0, at;

    for (size_t i = 0; i < N_PARTS; i++) {
        bool rest = i == ARRAY_SIZE(part_rules);
        uint64_t total = model_mem(m, MEM_TOTAL);

        if (rest)
            part = (struct part){'-', "other", total > sum ? total - sum : 0, 0, STYLE_PLAIN};
        else
            part = (struct part){part_rules[i].letter, part_rules[i].label,
                                 part_bytes(m, &part_rules[i]), 0, STYLE_PLAIN};
        sum = sat_add_u64(sum, part.bytes);
        if (!part.bytes)
            continue;
        for (at = n; at && part.letter != '.' &&
                     (parts[at - 1].letter == '.' || parts[at - 1].bytes < part.bytes);
             at--)
            parts[at] = parts[at - 1];
        parts[at] = part;
        n++;
    }
    *ret_sum = sum;
    return n;
}

/* Shares `width` cells out by size; what rounding leaves over goes to the largest remainders. */
static void share_cells(struct part *parts, size_t n, uint64_t sum, unsigned width)
{
    double remainder[N_PARTS];
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
        if (parts[i].letter != '.')
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
        _cleanup_(buf_done) struct buf size = BUF_INIT(64), percent = BUF_INIT(64);

        buf_str(t->out, i % 2 ? "  " : "   ");
        if (at < n) {
            const char letter[2] = {parts[at].letter};

            human_size(&size, parts[at].bytes);
            human_percent(&percent, parts[at].bytes, total);
            text_styled(t, parts[at].style, letter);
            buf_printf(t->out, " %-19s %8s %6s", parts[at].label, size.data, percent.data);
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
    text_paragraph(t, "   ", b.data);
}

void digest_memory(struct text *t, const struct model *m)
{
    _cleanup_(buf_done) struct buf about = BUF_INIT(200);
    struct part parts[N_PARTS];
    uint64_t total = model_mem(m, MEM_TOTAL), sum;
    size_t n;

    if (!total)
        return;
    n = gather_parts(m, parts, &sum);
    human_size(&about, total);
    buf_str(&about, " that the kernel managed (MemTotal)");
    text_heading(t, "WHERE MEMORY WAS", about.data);
    share_cells(parts, n, sum, t->columns - 2 * BAR_MARGIN - 2);
    style_parts(parts, n);
    print_bar(t, parts, n);
    print_legend(t, parts, n, total);
    print_swap(t, m);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ranges.h"

#include <errno.h>
#include <stdlib.h>

#include "util/cleanup.h"
#include "util/math.h"

/* A sweep over ascending addresses; the heap holds the segments that have begun, best on top. */
struct sweep {
    const struct segment **heap;
    size_t heap_len;
    struct image_range *out;
    size_t out_len;
    const struct segment *last; /* whose piece out[out_len - 1] is */
};

static bool better(const struct segment *a, const struct segment *b)
{
    return a->has_data != b->has_data ? a->has_data : a->index > b->index;
}

static void heap_swap(struct sweep *s, size_t i, size_t j)
{
    const struct segment *t = s->heap[i];

    s->heap[i] = s->heap[j];
    s->heap[j] = t;
}

static void heap_push(struct sweep *s, const struct segment *segment)
{
    size_t i = s->heap_len++;

    s->heap[i] = segment;
    for (; i && better(s->heap[i], s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap_swap(s, i, (i - 1) / 2);
}

static void heap_pop(struct sweep *s)
{
    size_t i = 0;

    s->heap[0] = s->heap[--s->heap_len];
    for (;;) {
        size_t best = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < s->heap_len; child++)
            if (better(s->heap[child], s->heap[best]))
                best = child;
        if (best == i)
            return;
        heap_swap(s, i, best);
        i = best;
    }
}

/* Appends [from, to) of a segment; longer pieces of one segment stay one range. */
static void append(struct sweep *s, const struct segment *segment, uint64_t from, uint64_t to)
{
    uint64_t skip = from - segment->range.phys;
    struct image_range *out = &s->out[s->out_len];

    if (s->last == segment && range_end(out - 1) == from) {
        out[-1].mem_bytes += to - from;
        out[-1].file_bytes += segment->range.file_bytes ? to - from : 0;
        return;
    }
    *out = segment->range;
    out->phys = from;
    out->mem_bytes = to - from;
    if (out->file_bytes)
        out->file_bytes = to - from;
    /* the offset of what is not there stays where it is: beyond the end of the file */
    if (segment->has_data)
        out->file_offset += skip;
    if (out->virt && out->virt != UINT64_MAX)
        out->virt += skip;
    s->out_len++;
    s->last = segment;
}

static int compare_start(const void *a, const void *b)
{
    const struct segment *x = a, *y = b;

    return (x->range.phys > y->range.phys) - (x->range.phys < y->range.phys);
}

/* Each turn consumes a segment's start or end, hence at most 2n turns and 2n ranges. */
static void sweep_run(struct sweep *s, const struct segment *segments, size_t n)
{
    size_t next = 0;
    uint64_t pos = 0;

    while (next < n || s->heap_len) {
        if (!s->heap_len)
            pos = max_u64(pos, segments[next].range.phys);
        while (next < n && segments[next].range.phys <= pos)
            heap_push(s, &segments[next++]);
        while (s->heap_len && range_end(&s->heap[0]->range) <= pos)
            heap_pop(s);
        if (s->heap_len) {
            uint64_t to = range_end(&s->heap[0]->range);

            if (next < n)
                to = min_u64(to, segments[next].range.phys);
            append(s, s->heap[0], pos, to);
            pos = to;
        }
    }
}

int ranges_lay(struct segment *segments, size_t n, struct image_range **ret, size_t *ret_n)
{
    _cleanup_free_ const struct segment **heap = calloc(n + 1, sizeof(struct segment *));
    struct sweep s = {.heap = heap, .out = calloc(2 * n + 1, sizeof(struct image_range))};

    if (!s.heap || !s.out) {
        free(s.out);
        return -ENOMEM;
    }
    qsort(segments, n, sizeof(*segments), compare_start);
    sweep_run(&s, segments, n);
    *ret = s.out;
    *ret_n = s.out_len;
    return 0;
}

const struct image_range *ranges_find(const struct image_range *ranges, size_t n, uint64_t phys)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (range_end(&ranges[mid]) <= phys)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n ? &ranges[low] : NULL;
}

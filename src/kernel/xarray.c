/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/xarray.h"

#include <errno.h>
#include <stdbool.h>

/* 64 bits of index in steps of 6: the deepest tree (XA_CHUNK_SHIFT; 4 with CONFIG_BASE_SMALL). */
#define MAX_LEVELS 16
#define MAX_SLOTS  64

struct level {
    uint64_t slots[MAX_SLOTS];
    uint64_t index; /* of the first entry below slot 0 */
    unsigned shift, next;
};

struct walk {
    const struct xarray *xa;
    int (*fn)(uint64_t index, uint64_t entry, void *arg);
    void *arg;
    struct level levels[MAX_LEVELS];
    unsigned depth;
    size_t visited;
    int damage;
};

/* xa_is_node(): internal, and no error, sibling or reserved entry, which are small numbers */
static bool is_node(uint64_t entry)
{
    return (entry & 3) == 2 && entry > 4096;
}

static bool is_pointer(uint64_t entry)
{
    return entry && !(entry & 3);
}

/* Goes down into a node. Each level's shift is less than its parent's: no cycle can last. */
static int push(struct walk *w, uint64_t entry, uint64_t index)
{
    const struct xarray *xa = w->xa;
    uint64_t node = entry & ~3ULL, shift;
    struct level *l;
    int r;

    if (w->depth == MAX_LEVELS)
        return -EBADMSG;
    l = &w->levels[w->depth];
    if ((r = kernel_field(xa->k, node, xa->shift, &shift)) ||
        (r = kernel_read(xa->k, node + xa->slots->offset, l->slots, xa->slots->size)))
        return r;
    if (shift >= 64 || (w->depth && shift >= w->levels[w->depth - 1].shift))
        return -EBADMSG;
    l->shift = (unsigned)shift;
    l->index = index;
    l->next = 0;
    w->depth++;
    return 0;
}

static int visit(struct walk *w, uint64_t entry, uint64_t index)
{
    int r;

    if (!is_node(entry) && !is_pointer(entry))
        return 0;
    if (w->visited++ > w->xa->max_entries)
        return -E2BIG;
    if (is_pointer(entry))
        return w->fn(index, entry, w->arg);
    r = push(w, entry, index);
    if (r)
        w->damage = r;
    return 0;
}

int xarray_foreach(const struct xarray *xa, int (*fn)(uint64_t index, uint64_t entry, void *arg),
                   void *arg)
{
    struct walk w = {.xa = xa, .fn = fn, .arg = arg};
    unsigned n_slots = xa->slots->elem_count;
    uint64_t head;
    int r;

    if (xa->slots->elem_size != sizeof(uint64_t) || !n_slots || n_slots > MAX_SLOTS ||
        xa->slots->size != n_slots * sizeof(uint64_t))
        return -EBADMSG;
    if ((r = kernel_read_u64(xa->k, xa->head_va, &head)) || (r = visit(&w, head, 0)))
        return r;
    while (w.depth) {
        struct level *l = &w.levels[w.depth - 1];
        uint64_t slot = l->next++;

        if (slot >= n_slots)
            w.depth--;
        else if ((r = visit(&w, l->slots[slot], l->index + (slot << l->shift))))
            return r;
    }
    return w.damage;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SLUB's slabs on the nodes: get_slabinfo() and count_partial() (mm/slub.c). */
#include <errno.h>
#include <string.h>

#include "kernel/slab_private.h"
#include "util/math.h"

int slub_read_page(struct slab_reader *s, const struct slab_cache *c, uint64_t addr,
                   struct slab_page *ret)
{
    const struct slab_layout *l = &s->layout;
    uint8_t raw[SLAB_DESCRIPTOR_MAX];
    struct slab_page p = {0};
    uint64_t cache, inuse, objects;
    int r;

    if (!kernel_is_kva(s->k, addr) || addr % 8)
        return -EBADMSG;
    r = kernel_read(s->k, addr, raw, l->bytes);
    if (r < 0)
        return r;
    if (buf_field(raw, l->bytes, l->cache, &cache) || buf_field(raw, l->bytes, l->inuse, &inuse) ||
        buf_field(raw, l->bytes, l->objects, &objects))
        return -ENOENT;
    if (cache != c->addr || !objects || inuse > objects)
        return -EBADMSG;
    if (l->list->present && range_within(l->list->offset, 16, l->bytes)) {
        memcpy(&p.next, raw + l->list->offset, 8);
        memcpy(&p.prev, raw + l->list->offset + 8, 8);
    }
    (void)buf_field(raw, l->bytes, l->next, &p.chain);
    p.inuse = (uint32_t)inuse;
    p.objects = (uint32_t)objects;
    *ret = p;
    return 0;
}

/* What was seen of a partial list. */
struct partial_sum {
    uint64_t slabs, free;
};

/*
 * Adds up to `max` slabs of the list at head, from its start or, `backward`, its end. Every slab
 * must point back to the one before, so no circle can hold the walk. 0 at the head again, -E2BIG
 * after max slabs, else what is wrong with the list.
 */
static int sum_partial(struct slab_reader *s, const struct slab_cache *c, uint64_t head,
                       bool backward, uint64_t max, struct partial_sum *sum)
{
    uint64_t pos = head, next;
    int r = kernel_read_u64(s->k, head + (backward ? 8 : 0), &next);

    if (r < 0)
        return r;
    for (uint64_t i = 0; next != head; i++) {
        struct slab_page p;

        if (i == max)
            return -E2BIG;
        r = slub_read_page(s, c, next - s->layout.list->offset, &p);
        if (r < 0)
            return r;
        if ((backward ? p.next : p.prev) != pos)
            return -EBADMSG;
        sum->slabs++;
        sum->free += p.objects - p.inuse;
        pos = next;
        next = backward ? p.prev : p.next;
    }
    return 0;
}

/* mult_frac(): x * n / d without overflow where the result fits. */
static uint64_t scale(uint64_t x, uint64_t n, uint64_t d)
{
    return sat_add_u64(sat_mul_u64(x / d, n), sat_mul_u64(x % d, n) / d);
}

static uint64_t partial_cap(const struct slab_reader *s)
{
    return max_u64(min_u64(s->visits_left, SLAB_PARTIAL_MAX), SLAB_PARTIAL_MIN);
}

/*
 * Free objects on the node's partial list, no more than `objects` in all. A list that is too long,
 * or broken, is seen from both ends and extrapolated.
 */
static uint64_t count_partial_free(struct slab_reader *s, struct slab_cache *c, uint64_t node,
                                   uint64_t slabs, uint64_t objects)
{
    uint64_t head = node + s->found[NODE_PARTIAL].offset, cap = partial_cap(s), nr = 0;
    bool sane = kernel_field(s->k, node, &s->found[NODE_NR_PARTIAL], &nr) == 0 && nr <= slabs;
    struct partial_sum sum = {0};
    int r = sum_partial(s, c, head, false, sane && nr > cap ? cap / 2 : cap, &sum);

    if (!sane || (r < 0 && r != -E2BIG))
        slab_problem(c, "a list of partial slabs is damaged");
    if (r < 0 || sum.slabs != nr)
        c->exact = false;
    if (r < 0 && sane && nr > sum.slabs) {
        (void)sum_partial(s, c, head, true, min_u64(cap - cap / 2, nr - sum.slabs), &sum);
        if (sum.slabs)
            sum.free = scale(sum.free, nr, sum.slabs);
    }
    s->visits_left -= min_u64(sum.slabs, s->visits_left);
    return min_u64(sum.free, objects);
}

bool slub_count_node(struct slab_reader *s, struct slab_cache *c, uint64_t node)
{
    uint64_t slabs, objects;

    if (kernel_field(s->k, node, &s->found[NODE_NR_SLABS], &slabs) < 0 ||
        kernel_field(s->k, node, &s->found[NODE_TOTAL_OBJECTS], &objects) < 0) {
        slab_problem(c, "a kmem_cache_node is unreadable");
        return false;
    }
    if (!slab_plausible(s, c, slabs, objects)) {
        slab_problem(c, "it counts more slabs than the machine has memory");
        return false;
    }
    c->slabs += slabs;
    c->objects_total += objects;
    c->objects_free += count_partial_free(s, c, node, slabs, objects);
    return true;
}

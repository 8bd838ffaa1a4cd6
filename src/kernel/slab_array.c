/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SLAB allocator (CONFIG_SLAB, until 6.7): get_slabinfo() of mm/slab.c. It counts by node, and
 * keeps free objects that look allocated in arrays: one a CPU, one shared by a node's CPUs, and one
 * for each other node ("alien") whose objects were freed here.
 */
#include "kernel/percpu.h"
#include "kernel/slab_private.h"
#include "util/math.h"

static int count_array(struct slab_reader *s, struct slab_cache *c, uint64_t array)
{
    uint64_t avail;
    int r;

    if (!array)
        return 0;
    r = kernel_field(s->k, array, &s->found[ARRAY_AVAIL], &avail);
    if (r < 0)
        return r;
    c->objects_cached = sat_add_u64(c->objects_cached, avail);
    return 0;
}

static int count_aliens(struct slab_reader *s, struct slab_cache *c, uint64_t aliens)
{
    for (unsigned i = 0; aliens && s->found[ALIEN_ARRAY].present && i < s->nodes; i++) {
        uint64_t alien;
        int r = kernel_read_u64(s->k, aliens + (uint64_t)i * 8, &alien);

        if (r == 0 && alien)
            r = count_array(s, c, alien + s->found[ALIEN_ARRAY].offset);
        if (r < 0)
            return r;
    }
    return 0;
}

static void count_arrays(struct slab_reader *s, struct slab_cache *c, uint64_t node)
{
    uint64_t shared = 0, aliens = 0;

    (void)kernel_field(s->k, node, &s->found[NODE_SHARED], &shared);
    (void)kernel_field(s->k, node, &s->found[NODE_ALIEN], &aliens);
    if (count_array(s, c, shared) < 0 || count_aliens(s, c, aliens) < 0)
        slab_problem(c, "an array of free objects is damaged");
}

bool slab_array_count_node(struct slab_reader *s, struct slab_cache *c, uint64_t node)
{
    uint64_t slabs, free, objects;

    if (kernel_field(s->k, node, &s->found[NODE_TOTAL_SLABS], &slabs) < 0 ||
        kernel_field(s->k, node, &s->found[NODE_FREE_OBJECTS], &free) < 0) {
        slab_problem(c, "a kmem_cache_node is unreadable");
        return false;
    }
    objects = sat_mul_u64(slabs, c->objects_per_slab);
    if (!slab_plausible(s, c, slabs, objects) || free > objects) {
        slab_problem(c, "it counts more slabs than the machine has memory");
        return false;
    }
    c->slabs += slabs;
    c->objects_total += objects;
    c->objects_free += free;
    count_arrays(s, c, node);
    return true;
}

void slab_array_count_cached(struct slab_reader *s, struct slab_cache *c)
{
    uint64_t arrays = slab_raw(s, CACHE_CPU_CACHE, 0);

    if (!arrays)
        return;
    percpu_foreach(s->k, cpu)
    {
        uint64_t addr;

        if (percpu_addr(s->k, arrays, cpu, &addr) < 0 || count_array(s, c, addr) < 0)
            slab_problem(c, "an array of free objects is damaged");
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_SLAB_WORLD_H
#define UNIT_SLAB_WORLD_H

#include <stdio.h>

#include "kernel/private.h"
#include "unit/slab_layout.h"

/*
 * A memory with slab caches in it, built by hand, and a walk over it.
 */

/* Where things lie, physical. */
#define HEAD     0x2000u /* slab_caches */
#define ROOTS    0x2010u /* slab_root_caches */
#define CPUS     0x2100u /* possible mask, nr_cpu_ids, __per_cpu_offset[2] */
#define NODE_IDS 0x2200u
#define NAMES    0x2300u
#define CACHES   0x3000u  /* 1 KiB each */
#define NODES    0x6000u  /* 512 bytes each */
#define PERCPU   0x8000u  /* CPU 0; CPU 1 a page above */
#define SHEAVES  0xb000u  /* 64 bytes each */
#define DATA     0x10000u /* slabs' memory, 8 KiB each */
#define SLABS    0x20000u /* descriptors, 64 bytes each */

static struct tiny_core core;
static struct resolved found[N_SLAB_NEEDS];

static inline void *at(uint64_t phys)
{
    TINY_REQUIRE(phys < sizeof(core.ram));
    return core.ram + phys;
}

static inline struct fake_cache *cache(unsigned i)
{
    return at(CACHES + i * 1024);
}

static inline struct fake_node *node(unsigned i)
{
    return at(NODES + i * 512);
}

static inline struct fake_slab *slab(unsigned i)
{
    return at(SLABS + i * 64);
}

static inline uint64_t slab_va(unsigned i)
{
    return VA(SLABS + i * 64);
}

static inline uint64_t list_va(unsigned slab_index)
{
    return slab_va(slab_index) + offsetof(struct fake_slab, list);
}

static inline void link_after(uint64_t head, uint64_t entry)
{
    struct fake_list *h = at(head - TINY_TEXT), *e = at(entry - TINY_TEXT), *last;

    last = at(h->prev - TINY_TEXT);
    *e = (struct fake_list){.next = head, .prev = h->prev};
    last->next = entry;
    h->prev = entry;
}

static inline void list_init(uint64_t head)
{
    *(struct fake_list *)at(head - TINY_TEXT) = (struct fake_list){head, head};
}

/* Two CPUs, one node id, empty lists. */
static inline void set_up(void)
{
    memset(&core, 0, sizeof(core));
    snprintf(core.vmcoreinfo, sizeof(core.vmcoreinfo),
             "OSRELEASE=6.1.0-test\nPAGESIZE=4096\nNUMBER(phys_base)=0\n");
    list_init(VA(HEAD));
    list_init(VA(ROOTS));
    tiny_put(&core, CPUS, 3);
    tiny_put(&core, CPUS + 8, 2);
    tiny_put(&core, CPUS + 16, VA(PERCPU));
    tiny_put(&core, CPUS + 24, VA(PERCPU + 4096));
    tiny_put(&core, NODE_IDS, 2);
}

/* A cache of 512-byte objects (500 used), 16 in an 8 KiB slab. */
static inline struct fake_cache *add_cache(unsigned i, const char *name)
{
    struct fake_cache *c = cache(i);

    memcpy(at(NAMES + i * 64), name, strlen(name) + 1);
    *c = (struct fake_cache){.size = 512,
                             .object_size = 500,
                             .offset = 248,
                             .oo = 1 << 16 | 16,
                             .num = 16,
                             .gfporder = 1,
                             .refcount = 1,
                             .name = VA(NAMES + i * 64),
                             .random = 0x1234567890abcdef};
    link_after(VA(HEAD), VA(CACHES + i * 1024) + offsetof(struct fake_cache, list));
    list_init(VA(CACHES + i * 1024) + offsetof(struct fake_cache, children));
    return c;
}

static inline struct fake_node *add_node(unsigned cache_index, unsigned node_id, unsigned i)
{
    uint64_t *nodes = (uint64_t *)cache(cache_index)->per_node;

    nodes[node_id] = VA(NODES + i * 512);
    list_init(VA(NODES + i * 512) + offsetof(struct fake_node, partial));
    return node(i);
}

static inline struct fake_slab *set_slab(unsigned i, unsigned cache_index, unsigned inuse,
                                         unsigned objects)
{
    *slab(i) = (struct fake_slab){.cache = VA(CACHES + cache_index * 1024),
                                  .inuse = inuse & 0xffff,
                                  .objects = objects & 0x7fff};
    return slab(i);
}

static inline void add_partial(unsigned node_index, unsigned slab_index)
{
    link_after(VA(NODES + node_index * 512) + offsetof(struct fake_node, partial),
               list_va(slab_index));
    node(node_index)->nr_partial++;
}

struct seen {
    struct slab_cache caches[16];
    size_t n;
    struct slab_walk_result walk;
    struct error err;
    int r;
};

static inline int see(const struct slab_cache *c, void *arg)
{
    struct seen *s = arg;

    if (s->n < 16)
        s->caches[s->n] = *c;
    s->n++;
    return 0;
}

static inline struct kernel *open_kernel(struct image **ret_image)
{
    struct kernel *k = NULL;

    *ret_image = tiny_open(&core);
    TINY_REQUIRE(kernel_open(*ret_image, NULL, 0, NULL, &k) == 0);
    k->core[CORE_CPU_POSSIBLE_MASK] = (struct resolved){.present = true, .addr = VA(CPUS)};
    k->core[CORE_NR_CPU_IDS] = (struct resolved){.present = true, .addr = VA(CPUS + 8)};
    k->core[CORE_PER_CPU_OFFSET] = (struct resolved){.present = true, .addr = VA(CPUS + 16)};
    return k;
}

static inline struct seen walk(void)
{
    struct seen s = {0};
    struct image *im;
    struct kernel *k = open_kernel(&im);

    s.r = slab_foreach(k, found, see, &s, &s.err, &s.walk);
    kernel_close(k);
    image_close(im);
    return s;
}

enum hardening { PLAIN, XORED, SWAPPED };

/* Chains objects of the slab at DATA + i * 8 KiB into a free list; returns its first. */
static inline uint64_t chain_objects(enum hardening h, unsigned i, const unsigned *order,
                                     unsigned n)
{
    uint64_t base = VA(DATA + i * 8192), first = n ? base + order[0] * 512 : 0;

    for (unsigned o = 0; o < n; o++) {
        uint64_t slot = base + order[o] * 512 + 248;
        uint64_t next = o + 1 < n ? base + order[o + 1] * 512 : 0;

        if (h != PLAIN)
            next ^= 0x1234567890abcdef ^ (h == SWAPPED ? __builtin_bswap64(slot) : slot);
        tiny_put(&core, slot - TINY_TEXT, next);
    }
    return first;
}

static inline struct fake_cpu *cpu_area(unsigned cpu)
{
    return at(PERCPU + cpu * 4096 + 0x100);
}

/*
 * 9 slabs, 144 objects. On the node: 2 with 3 and 14 of 16 taken, 15 free. CPU 0: a slab of which
 * other CPUs freed 2, with 3 more on its own list (5 free); a partial chain of 2 slabs with 1 and
 * 16 free. CPU 1: a slab that is all taken.
 */
static inline void build_slub(enum hardening h)
{
    static const unsigned order[] = {7, 2, 15};
    struct fake_cache *c;

    set_up();
    c = add_cache(0, "test-512");
    c->cpu_slab = 0x100;
    add_node(0, 0, 0);
    node(0)->nr_slabs = 9;
    node(0)->total_objects = 144;
    set_slab(0, 0, 3, 16);
    set_slab(1, 0, 14, 16);
    add_partial(0, 0);
    add_partial(0, 1);
    set_slab(2, 0, 14, 16);
    cpu_area(0)->slab = slab_va(2);
    cpu_area(0)->freelist = chain_objects(h, 0, order, 3);
    set_slab(3, 0, 15, 16)->list.next = slab_va(4);
    set_slab(4, 0, 0, 16);
    cpu_area(0)->partial = slab_va(3);
    set_slab(5, 0, 16, 16);
    cpu_area(1)->slab = slab_va(5);
}

static inline uint64_t add_sheaf(unsigned i, unsigned size)
{
    struct fake_sheaf *sheaf = at(SHEAVES + i * 64);

    sheaf->size = size;
    return VA(SHEAVES + i * 64);
}

/* CPU 0: 20 and 32 objects and 9 that wait for RCU; CPU 1: 7. A barn with 2 full sheaves of 32. */
static inline uint64_t build_sheaves(void)
{
    uint64_t barn = VA(SHEAVES + 10 * 64);
    struct fake_sheaves *cpu0 = at(PERCPU + 0x200), *cpu1 = at(PERCPU + 4096 + 0x200);

    build_slub(PLAIN);
    cache(0)->cpu_sheaves = 0x200;
    cache(0)->sheaf_capacity = 32;
    cpu0->main = add_sheaf(0, 20);
    cpu0->spare = add_sheaf(1, 32);
    cpu0->rcu_free = add_sheaf(2, 9);
    cpu1->main = add_sheaf(3, 7);
    list_init(barn + 8);
    link_after(barn + 8, add_sheaf(4, 32));
    link_after(barn + 8, add_sheaf(5, 32));
    node(0)->total_objects = 9 * 16;
    return barn;
}

#endif

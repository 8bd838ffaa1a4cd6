/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SLUB's free objects that wait for a CPU: CPU slabs, partial slabs of CPUs, sheaves. */
#include <errno.h>
#include <string.h>

#include "kernel/list.h"
#include "kernel/percpu.h"
#include "kernel/slab_private.h"
#include "util/math.h"

/* Slabs a CPU keeps: s->cpu_partial objects, at most 120 (mm/slub.c set_cpu_partial()). */
#define CPU_PARTIAL_MAX 1024
/* Full sheaves a barn keeps: MAX_FULL_SHEAVES 10 (mm/slub.c). */
#define BARN_SHEAVES_MAX 1024
/* Objects in a sheaf where sheaf_capacity is not known. */
#define SHEAF_OBJECTS_MAX 65536

/* KASAN's tag in a pointer's top byte, which is all ones in a plain kernel address. */
static uint64_t untag(uint64_t p)
{
    return p ? p | 0xffULL << 56 : 0;
}

/* The objects of one slab. */
struct slab_objects {
    uint64_t base; /* of the first */
    uint64_t stride, count;
};

static bool is_object(const struct slab_objects *o, uint64_t p)
{
    uint64_t at = p - o->base;

    return p >= o->base && at % o->stride == 0 && at / o->stride < o->count;
}

/*
 * The slab around the object p: slabs are aligned to their own size, and the smallest order that
 * holds so many objects is the slab's.
 */
static struct slab_objects objects_around(const struct slab_reader *s, const struct slab_cache *c,
                                          uint32_t count, uint64_t p)
{
    uint64_t bytes = kernel_page_size(s->k);

    while (bytes < (uint64_t)count * c->stride_bytes)
        bytes <<= 1;
    return (struct slab_objects){(p & ~(bytes - 1)) + slab_raw(s, CACHE_RED_LEFT_PAD, 0),
                                 c->stride_bytes, count};
}

/*
 * A free pointer as it is stored at `at`. CONFIG_SLAB_FREELIST_HARDENED xors it with a secret and
 * its own address, bytes swapped since "slub: improve bit diffusion for freelist ptr obfuscation"
 * (1ad53d9fa3f6, v5.7): what gives an object of this slab, or the end, is right.
 */
static uint64_t decode(const struct slab_reader *s, const struct slab_objects *o, uint64_t stored,
                       uint64_t at)
{
    uint64_t secret, plain;

    if (!s->found[CACHE_RANDOM].present)
        return untag(stored);
    secret = stored ^ slab_raw(s, CACHE_RANDOM, 0);
    plain = untag(secret ^ __builtin_bswap64(at));
    if (!plain || is_object(o, plain))
        return plain;
    return untag(secret ^ at);
}

/* Length of the free list that begins at the object p. */
static int freelist_length(struct slab_reader *s, const struct slab_cache *c, uint32_t count,
                           uint64_t p, uint64_t *ret)
{
    struct slab_objects o;
    uint64_t offset = slab_raw(s, CACHE_OFFSET, 0), n = 0;

    if (offset > c->stride_bytes - 8)
        return -EBADMSG;
    p = untag(p);
    o = objects_around(s, c, count, p);
    for (; p; n++) {
        uint64_t stored;
        int r;

        if (n == count)
            return -ELOOP;
        if (!is_object(&o, p))
            return -EBADMSG;
        r = kernel_read_u64(s->k, p + offset, &stored);
        if (r < 0)
            return r;
        p = decode(s, &o, stored, p + offset);
    }
    *ret = n;
    return 0;
}

/*
 * The slab a CPU allocates from. All its objects were taken when the CPU froze it, so those missing
 * from inuse were freed by other CPUs; this one's own free objects are on its private list.
 */
static int count_cpu_slab(struct slab_reader *s, struct slab_cache *c, uint64_t cpu)
{
    const struct resolved *member = &s->found[s->found[CPU_SLAB].present ? CPU_SLAB : CPU_PAGE];
    uint64_t slab, freelist, free = 0;
    struct slab_page p;
    int r = kernel_field(s->k, cpu, member, &slab);

    if (r == 0)
        r = kernel_field(s->k, cpu, &s->found[CPU_FREELIST], &freelist);
    if (r < 0 || !slab)
        return r;
    r = slub_read_page(s, c, slab, &p);
    if (r < 0)
        return r;
    r = freelist ? freelist_length(s, c, p.objects, freelist, &free) : 0;
    c->objects_cached += min_u64(p.objects - p.inuse + free, p.objects);
    return r;
}

static int count_cpu_partial(struct slab_reader *s, struct slab_cache *c, uint64_t cpu)
{
    uint64_t slab = 0, tortoise = 0;
    int r = kernel_field(s->k, cpu, &s->found[CPU_PARTIAL], &slab);

    if (r < 0)
        return r == -ENOENT ? 0 : r; /* CONFIG_SLUB_CPU_PARTIAL is not set */
    for (unsigned n = 0; slab; n++) {
        struct slab_page p;

        if (slab == tortoise || n == CPU_PARTIAL_MAX)
            return -ELOOP;
        if (!(n & (n - 1))) /* Brent: rests where the count is a power of two */
            tortoise = slab;
        r = slub_read_page(s, c, slab, &p);
        if (r < 0)
            return r;
        c->objects_cached += p.objects - p.inuse;
        slab = p.chain;
    }
    return 0;
}

/* ---- sheaves -------------------------------------------------------------------------------- */

static int count_sheaf(struct slab_reader *s, struct slab_cache *c, uint64_t sheaf)
{
    uint64_t size, capacity = slab_raw(s, CACHE_SHEAF_CAPACITY, SHEAF_OBJECTS_MAX);
    int r;

    if (!sheaf)
        return 0;
    r = kernel_field(s->k, sheaf, &s->found[SHEAF_SIZE], &size);
    if (r < 0)
        return r;
    if (size > capacity || size > SHEAF_OBJECTS_MAX)
        return -EBADMSG;
    c->objects_cached += size;
    return 0;
}

/* What is in the rcu_free sheaf waits for a grace period and is not free yet. */
static int count_cpu_sheaves(struct slab_reader *s, struct slab_cache *c, uint64_t sheaves)
{
    static const enum slab_need members[] = {SHEAVES_MAIN, SHEAVES_SPARE};

    for (unsigned i = 0; i < 2; i++) {
        uint64_t sheaf;
        int r = kernel_field(s->k, sheaves, &s->found[members[i]], &sheaf);

        if (r == 0)
            r = count_sheaf(s, c, sheaf);
        if (r < 0)
            return r;
    }
    return 0;
}

static int count_barn(struct slab_reader *s, struct slab_cache *c, uint64_t barn)
{
    struct list_walk w = list_walk_init(s->k, barn + s->found[BARN_FULL].offset, BARN_SHEAVES_MAX);
    uint64_t node;
    int r;

    if (!barn)
        return 0;
    while ((r = list_walk_next(&w, &node)) > 0) {
        r = count_sheaf(s, c, kernel_container(node, &s->found[SHEAF_LIST]));
        if (r < 0)
            break;
    }
    return r;
}

/* The barn stands in the node until 7.0, beside it since 7.1. */
static uint64_t barn_of_node(const struct slab_reader *s, unsigned i)
{
    const struct resolved *array = &s->found[CACHE_PER_NODE], *barn = &s->found[PER_NODE_BARN];
    uint64_t addr = 0, node;

    if (array->present && barn->present) {
        uint64_t at = array->offset + (uint64_t)i * array->elem_size + barn->offset;

        if (range_within(at, sizeof(addr), s->raw_len))
            memcpy(&addr, s->raw + at, sizeof(addr));
        return addr;
    }
    node = slab_raw_node(s, i);
    if (node)
        (void)kernel_field(s->k, node, &s->found[NODE_BARN], &addr);
    return addr;
}

static void count_barns(struct slab_reader *s, struct slab_cache *c)
{
    if (!s->found[BARN_FULL].present || !s->found[SHEAF_LIST].present)
        return;
    for (unsigned i = 0; i < s->nodes; i++)
        if (count_barn(s, c, barn_of_node(s, i)) < 0)
            slab_problem(c, "a barn of sheaves is damaged");
}

/* ---- all CPUs ------------------------------------------------------------------------------- */

static int count_cpu_slabs(struct slab_reader *s, struct slab_cache *c, uint64_t cpu)
{
    int slab = count_cpu_slab(s, c, cpu), partial = count_cpu_partial(s, c, cpu);

    return slab < 0 ? slab : partial;
}

static void count_each_cpu(struct slab_reader *s, struct slab_cache *c, enum slab_need pointer,
                           int (*count)(struct slab_reader *s, struct slab_cache *c, uint64_t cpu),
                           const char *problem)
{
    uint64_t ptr = slab_raw(s, pointer, 0);

    if (!ptr)
        return;
    percpu_foreach(s->k, cpu)
    {
        uint64_t addr;

        if (percpu_addr(s->k, ptr, cpu, &addr) < 0 || count(s, c, addr) < 0)
            slab_problem(c, problem);
    }
}

void slub_count_cached(struct slab_reader *s, struct slab_cache *c)
{
    if (!percpu_cpu_end(s->k))
        slab_problem(c, "the CPUs are not known");
    count_each_cpu(s, c, CACHE_CPU_SLAB, count_cpu_slabs, "the slabs of a CPU are damaged");
    count_each_cpu(s, c, CACHE_CPU_SHEAVES, count_cpu_sheaves, "the sheaves of a CPU are damaged");
    count_barns(s, c);
}

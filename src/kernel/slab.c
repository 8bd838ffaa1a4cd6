/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/slab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/list.h"
#include "kernel/slab_private.h"
#include "util/cleanup.h"
#include "util/math.h"

#define CACHES_MAX   16384
#define CHILDREN_MAX (1u << 18)
#define NODES_MAX    1024 /* MAX_NUMNODES with the largest NODES_SHIFT, 10 */
#define ORDER_MAX    16   /* above MAX_PAGE_ORDER of every configuration */
#define RAW_MAX      (64u << 10)

/* SLAB_RECLAIM_ACCOUNT while it was a #define (include/linux/slab.h). */
#define RECLAIM_ACCOUNT_FIXED 0x00020000ULL

uint64_t slab_objects_active(const struct slab_cache *c)
{
    return c->objects_total - min_u64(c->objects_free, c->objects_total);
}

uint64_t slab_objects_allocated(const struct slab_cache *c)
{
    uint64_t active = slab_objects_active(c);

    return active - min_u64(c->objects_cached, active);
}

void slab_problem(struct slab_cache *c, const char *problem)
{
    if (!c->problem)
        c->problem = problem;
    c->exact = false;
}

uint64_t slab_raw(const struct slab_reader *s, enum slab_need need, uint64_t fallback)
{
    uint64_t v;

    return buf_field(s->raw, s->raw_len, &s->found[need], &v) == 0 ? v : fallback;
}

/* Where the node array's entries begin and how far apart they are. */
static const struct resolved *node_array(const struct slab_reader *s, uint32_t *ret_inner)
{
    if (s->found[CACHE_PER_NODE].present && s->found[PER_NODE_NODE].present) {
        *ret_inner = s->found[PER_NODE_NODE].offset;
        return &s->found[CACHE_PER_NODE];
    }
    *ret_inner = 0;
    return &s->found[CACHE_NODE];
}

uint64_t slab_raw_node(const struct slab_reader *s, unsigned node)
{
    uint32_t inner;
    const struct resolved *array = node_array(s, &inner);
    uint64_t v, at = array->offset + (uint64_t)node * array->elem_size + inner;

    if (node >= s->nodes || !range_within(at, sizeof(v), s->raw_len))
        return 0;
    memcpy(&v, s->raw + at, sizeof(v));
    return v;
}

bool slab_plausible(const struct slab_reader *s, const struct slab_cache *c, uint64_t slabs,
                    uint64_t objects)
{
    return sat_mul_u64(slabs, kernel_page_size(s->k)) <= s->ram_bytes &&
           sat_mul_u64(objects, c->stride_bytes) <= s->ram_bytes;
}

/* ---- one cache ------------------------------------------------------------------------------ */

static bool is_array_allocator(const struct slab_reader *s)
{
    return s->found[CACHE_GFPORDER].present;
}

static bool is_reclaimable(const struct slab_reader *s, uint64_t flags)
{
    const struct resolved *bit = &s->found[SLAB_RECLAIM_BIT];

    if (bit->present)
        return bit->value >= 0 && bit->value < 64 && (flags >> bit->value & 1);
    return !s->found[SLAB_FLAG_BITS].present && (flags & RECLAIM_ACCOUNT_FIXED);
}

static void read_name(struct slab_reader *s, struct slab_cache *c)
{
    ssize_t len = kernel_read_str(s->k, slab_raw(s, CACHE_NAME, 0), c->name, sizeof(c->name));

    if (len < 0) {
        memcpy(c->name, "(unknown)", sizeof("(unknown)"));
        len = sizeof("(unknown)") - 1;
        slab_problem(c, "its name is unreadable");
    }
    c->name_len = (size_t)len;
}

/* struct kmem_cache_order_objects: order in the upper, objects in the lower half. */
static void read_geometry(const struct slab_reader *s, struct slab_cache *c)
{
    uint64_t oo = slab_raw(s, CACHE_OO, 0);

    if (is_array_allocator(s)) {
        c->order = (uint32_t)min_u64(slab_raw(s, CACHE_GFPORDER, UINT32_MAX), UINT32_MAX);
        c->objects_per_slab = (uint32_t)min_u64(slab_raw(s, CACHE_NUM, 0), UINT32_MAX);
    } else {
        c->order = (uint32_t)min_u64(oo >> 16, UINT32_MAX);
        c->objects_per_slab = oo & 0xffff;
    }
    c->stride_bytes = (uint32_t)slab_raw(s, CACHE_SIZE, 0);
    c->object_size_bytes = (uint32_t)slab_raw(s, CACHE_OBJECT_SIZE, c->stride_bytes);
}

static bool geometry_holds(const struct slab_reader *s, const struct slab_cache *c)
{
    return c->order <= ORDER_MAX && c->objects_per_slab && c->stride_bytes &&
           c->object_size_bytes <= c->stride_bytes &&
           (uint64_t)c->objects_per_slab * c->stride_bytes <= kernel_page_size(s->k) << c->order;
}

/* Reads the kmem_cache at addr into s->raw, and all of *c but the counts. */
static void read_cache(struct slab_reader *s, uint64_t addr, struct slab_cache *c)
{
    uint64_t refcount;

    *c = (struct slab_cache){.addr = addr, .exact = true};
    if (kernel_read(s->k, addr, s->raw, s->raw_len) < 0) {
        memset(s->raw, 0, s->raw_len);
        read_name(s, c);
        c->problem = "its kmem_cache is unreadable";
        return;
    }
    read_name(s, c);
    read_geometry(s, c);
    c->flags = slab_raw(s, CACHE_FLAGS, 0);
    c->reclaimable = is_reclaimable(s, c->flags);
    c->has_ctor = slab_raw(s, CACHE_CTOR, 0) != 0;
    refcount = slab_raw(s, CACHE_REFCOUNT, 1);
    if (refcount > 1 &&
        refcount <= INT32_MAX) /* SLUB sets -1 to forbid merging in some debug modes */
        c->aliases = (uint32_t)refcount - 1;
    if (geometry_holds(s, c))
        return;
    slab_problem(c, "object size and slab size contradict each other");
    c->order = c->objects_per_slab = c->stride_bytes = c->object_size_bytes = 0;
}

/*
 * Bytes of all slabs. When memory is short, allocate_slab() (mm/slub.c) falls back from s->oo to
 * the smallest order that holds one object (s->min), and to nothing between, so the objects that
 * are missing from the total tell how many slabs are small.
 */
static void count_bytes(const struct slab_reader *s, struct slab_cache *c)
{
    uint64_t page = kernel_page_size(s->k), full = page << c->order, small = page, missing,
             per_slab;

    c->bytes = sat_mul_u64(c->slabs, full);
    missing = sat_mul_u64(c->slabs, c->objects_per_slab);
    missing -= min_u64(c->objects_total, missing);
    if (!missing || !c->stride_bytes)
        return;
    while (small < c->stride_bytes)
        small <<= 1;
    per_slab = c->objects_per_slab - min_u64(small / c->stride_bytes, c->objects_per_slab);
    if (!per_slab || missing % per_slab || missing / per_slab > c->slabs) {
        c->exact = false; /* an order set through sysfs, or counters caught between two updates */
        return;
    }
    c->bytes -= min_u64(sat_mul_u64(missing / per_slab, full - small), c->bytes);
}

/* get_slabinfo(): the sum over the nodes. */
static void count_nodes(struct slab_reader *s, struct slab_cache *c)
{
    unsigned lost = 0;

    for (unsigned i = 0; i < s->nodes; i++) {
        uint64_t node = slab_raw_node(s, i);

        if (!node)
            continue;
        if (is_array_allocator(s) ? slab_array_count_node(s, c, node) : slub_count_node(s, c, node))
            c->counted = true;
        else
            lost++;
    }
    c->counted |= !lost;
}

static void count_cache(struct slab_reader *s, struct slab_cache *c)
{
    if (!c->stride_bytes)
        return;
    count_nodes(s, c);
    if (!c->counted)
        return;
    if (is_array_allocator(s))
        slab_array_count_cached(s, c);
    else
        slub_count_cached(s, c);
    count_bytes(s, c);
}

/* ---- memcg children ------------------------------------------------------------------------- */

static void add_child(struct slab_cache *root, const struct slab_cache *child)
{
    root->children++;
    root->slabs = sat_add_u64(root->slabs, child->slabs);
    root->objects_total = sat_add_u64(root->objects_total, child->objects_total);
    root->objects_free = sat_add_u64(root->objects_free, child->objects_free);
    root->objects_cached = sat_add_u64(root->objects_cached, child->objects_cached);
    root->bytes = sat_add_u64(root->bytes, child->bytes);
    root->exact &= child->exact;
    root->counted |= child->counted;
    if (child->problem)
        slab_problem(root, child->problem);
}

/* Kernels before 5.9 have a cache of its own for every cgroup that uses one: they are its children.
 */
static void count_children(struct slab_reader *s, struct slab_cache *root)
{
    const struct resolved *children = &s->found[CACHE_MEMCG_CHILDREN],
                          *link = &s->found[CACHE_MEMCG_CHILD_NODE];
    struct list_walk w = list_walk_init(s->k, root->addr + children->offset, CHILDREN_MAX);
    uint64_t node;
    int r;

    if (!children->present || !link->present || !s->found[SLAB_ROOT_CACHES].present)
        return;
    while ((r = list_walk_next(&w, &node)) > 0) {
        struct slab_cache child;

        read_cache(s, kernel_container(node, link), &child);
        count_cache(s, &child);
        add_child(root, &child);
    }
    if (r < 0)
        slab_problem(root, "its list of memcg caches is damaged");
}

/* ---- all caches ----------------------------------------------------------------------------- */

static void reader_done(struct slab_reader *s)
{
    free(s->raw);
}

static unsigned node_entries(struct kernel *k, const struct resolved *found,
                             const struct resolved *array)
{
    uint32_t ids = NODES_MAX;

    /* a macro, 1, on kernels without NUMA, whose array then has one element */
    if (found[SLAB_NR_NODE_IDS].present &&
        (kernel_read_u32(k, found[SLAB_NR_NODE_IDS].addr, &ids) < 0 || ids == 0))
        ids = 1;
    return (unsigned)min_u64(min_u64(ids, array->elem_count), NODES_MAX);
}

static struct slab_layout choose_layout(const struct resolved *found)
{
    struct slab_layout slab = {&found[SLAB_CACHE],   &found[SLAB_LIST], &found[SLAB_INUSE],
                               &found[SLAB_OBJECTS], &found[SLAB_NEXT], found[SLAB_TYPE].size};
    struct slab_layout page = {
        &found[PAGE_CACHE], &found[found[PAGE_LIST].present ? PAGE_LIST : PAGE_LRU],
        &found[PAGE_INUSE], &found[PAGE_OBJECTS],
        &found[PAGE_NEXT],  found[PAGE_TYPE].size};
    struct slab_layout layout = found[SLAB_CACHE].present ? slab : page;

    layout.bytes = (size_t)min_u64(layout.bytes, SLAB_DESCRIPTOR_MAX);
    return layout;
}

static uint64_t ram_bytes(struct kernel *k)
{
    const struct image_range *ranges;
    uint64_t sum = 0;

    for (size_t i = image_ranges(kernel_image(k), &ranges); i-- > 0;)
        sum = sat_add_u64(sum, ranges[i].mem_bytes);
    return sum;
}

static int check_allocator(const struct resolved *found, struct error *err)
{
    if (found[CACHE_GFPORDER].present)
        return found[NODE_TOTAL_SLABS].present && found[CACHE_NUM].present
                   ? 0
                   : error_set(err, -ENOTSUP, "SLAB without kmem_cache_node.total_slabs");
    if (!found[CACHE_OO].present)
        return error_set(err, -ENOTSUP,
                         "neither SLUB nor SLAB: the kernel keeps no counts per cache");
    if (!found[NODE_NR_SLABS].present || !found[NODE_TOTAL_OBJECTS].present)
        return error_set(err, -ENOTSUP,
                         "built without CONFIG_SLUB_DEBUG: the kernel does not count its slabs");
    return 0;
}

static int reader_init(struct kernel *k, const struct resolved *found, struct error *err,
                       struct slab_reader *s)
{
    const struct resolved *array;
    uint32_t inner;
    int r = check_allocator(found, err);

    if (r < 0)
        return r;
    *s = (struct slab_reader){.k = k,
                              .found = found,
                              .layout = choose_layout(found),
                              .ram_bytes = ram_bytes(k),
                              .visits_left = SLAB_VISITS_MAX};
    array = node_array(s, &inner);
    if (!array->elem_size)
        return error_set(err, -ENOTSUP, "no kmem_cache.node");
    s->nodes = node_entries(k, found, array);
    /* the array is last, and kmem_caches are allocated without the entries of impossible nodes */
    s->raw_len = (size_t)min_u64(array->offset + (uint64_t)s->nodes * array->elem_size, RAW_MAX);
    s->raw = calloc(1, s->raw_len);
    return s->raw ? 0 : error_set(err, -ENOMEM, "out of memory");
}

struct slab_walk {
    struct slab_reader reader;
    int (*fn)(const struct slab_cache *c, void *arg);
    void *arg;
    struct slab_walk_result result;
};

/* In a running kernel a slab may move from one list to another while both are read. */
static void read_and_count(struct slab_reader *s, uint64_t addr, struct slab_cache *c)
{
    unsigned tries = 0;

    do {
        read_cache(s, addr, c);
        count_cache(s, c);
        count_children(s, c);
    } while (c->problem && kernel_try_again(s->k, &tries));
}

static int hand_out(struct slab_walk *w, uint64_t addr)
{
    struct slab_cache c;

    read_and_count(&w->reader, addr, &c);
    w->result.caches++;
    w->result.damaged += c.problem != NULL;
    w->result.estimated += !c.exact && !c.problem;
    return w->fn(&c, w->arg);
}

/*
 * The list broke behind `last`: comes from its other end as far as it can. Caches that were already
 * handed out end it.
 */
static int hand_out_backwards(struct slab_walk *w, uint64_t head, const struct resolved *link,
                              uint64_t last)
{
    uint64_t pos = head, node[2];

    if (kernel_read(w->reader.k, head, node, sizeof(node)) < 0)
        return 0;
    for (size_t i = w->result.caches; i < CACHES_MAX; i++) {
        uint64_t prev = node[1];
        int r;

        if (prev == head || prev == last || !kernel_is_kva(w->reader.k, prev) ||
            kernel_read(w->reader.k, prev, node, sizeof(node)) < 0 || node[0] != pos)
            return 0;
        r = hand_out(w, kernel_container(prev, link));
        if (r)
            return r;
        pos = prev;
    }
    return 0;
}

int slab_foreach(struct kernel *k, const struct resolved *found,
                 int (*fn)(const struct slab_cache *c, void *arg), void *arg, struct error *err,
                 struct slab_walk_result *ret)
{
    bool roots = found[SLAB_ROOT_CACHES].present && found[CACHE_MEMCG_ROOT_NODE].present;
    const struct resolved *link = &found[roots ? CACHE_MEMCG_ROOT_NODE : CACHE_LIST];
    uint64_t head = found[roots ? SLAB_ROOT_CACHES : SLAB_CACHES].addr, node;
    _cleanup_(reader_done) struct slab_reader reader = {0};
    struct list_walk list = list_walk_init(k, head, CACHES_MAX);
    struct slab_walk w = {.fn = fn, .arg = arg};
    int r = reader_init(k, found, err, &reader);

    if (r < 0)
        return r;
    w.reader = reader;
    while ((r = list_walk_next(&list, &node)) > 0) {
        r = hand_out(&w, kernel_container(node, link));
        if (r)
            return r;
    }
    w.result.list_error = r;
    w.result.list_count = w.result.caches;
    r = r < 0 && r != -E2BIG ? hand_out_backwards(&w, head, link, list.pos) : 0;
    *ret = w.result;
    return r;
}

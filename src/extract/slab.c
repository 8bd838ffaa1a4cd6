/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/slab.h"

#include "extract/extract.h"
#include "util/math.h"

/*
 * What every slab cache holds, in the order of /proc/slabinfo. Objects are counted twice: as
 * /proc/slabinfo does, which takes what is free in a CPU's reach for active, and as they are.
 */
struct totals {
    struct emit *e;
    uint64_t caches, bytes, reclaimable_bytes;
    uint64_t objects_total, objects_active, objects_allocated;
    bool exact;
};

static void add_to_totals(struct totals *t, const struct slab_cache *c)
{
    t->caches++;
    t->bytes = sat_add_u64(t->bytes, c->bytes);
    if (c->reclaimable)
        t->reclaimable_bytes = sat_add_u64(t->reclaimable_bytes, c->bytes);
    t->objects_total = sat_add_u64(t->objects_total, c->objects_total);
    t->objects_active = sat_add_u64(t->objects_active, slab_objects_active(c));
    t->objects_allocated = sat_add_u64(t->objects_allocated, slab_objects_allocated(c));
    t->exact &= c->exact;
}

static void emit_geometry(struct emit *e, const struct slab_cache *c)
{
    emit_u64(e, "object_size_bytes", c->object_size_bytes);
    emit_u64(e, "stride_bytes", c->stride_bytes);
    emit_u64(e, "order", c->order);
    emit_u64(e, "objects_per_slab", c->objects_per_slab);
}

static void emit_counts(struct emit *e, const struct slab_cache *c)
{
    emit_u64(e, "slabs", c->slabs);
    emit_u64(e, "objects_total", c->objects_total);
    emit_u64(e, "objects_active", slab_objects_active(c));
    emit_u64(e, "objects_allocated", slab_objects_allocated(c));
    emit_u64(e, "bytes", c->bytes);
}

static void emit_rarities(struct emit *e, const struct slab_cache *c)
{
    if (c->aliases)
        emit_u64(e, "aliases", c->aliases);
    if (c->children)
        emit_u64(e, "memcg_caches", c->children);
    if (c->has_ctor)
        emit_bool(e, "ctor", true);
    if (c->problem)
        emit_str(e, "problem", c->problem);
}

static int emit_cache(const struct slab_cache *c, void *arg)
{
    struct totals *t = arg;
    struct emit *e = t->e;

    emit_begin(e, "cache");
    emit_strn(e, "name", c->name, c->name_len);
    if (c->stride_bytes)
        emit_geometry(e, c);
    if (c->counted)
        emit_counts(e, c);
    emit_bool(e, "reclaimable", c->reclaimable);
    emit_bool(e, "exact", c->exact);
    emit_addr(e, "flags", c->flags);
    emit_rarities(e, c);
    if (c->problem)
        emit_partial(e, "%s: %s", c->name, c->problem);
    add_to_totals(t, c);
    return emit_end(e) < 0; /* stops the walk; the runner knows why */
}

static void emit_total(struct emit *e, const struct totals *t)
{
    emit_begin(e, "total");
    emit_u64(e, "caches", t->caches);
    emit_u64(e, "bytes", t->bytes);
    emit_u64(e, "reclaimable_bytes", t->reclaimable_bytes);
    emit_u64(e, "unreclaimable_bytes", t->bytes - t->reclaimable_bytes);
    emit_u64(e, "objects_total", t->objects_total);
    emit_u64(e, "objects_active", t->objects_active);
    emit_u64(e, "objects_allocated", t->objects_allocated);
    emit_bool(e, "exact", t->exact);
    emit_end(e);
}

static int run(struct extract *x)
{
    struct totals t = {.e = x->emit, .exact = true};
    struct slab_walk_result walk = {0};
    int r = slab_foreach(x->k, x->found, emit_cache, &t, x->err, &walk);

    if (r)
        return r < 0 ? r : 0;
    if (walk.list_error) {
        t.exact = false;
        emit_partial(x->emit, "the list of caches breaks after %zu: %s", walk.list_count,
                     error_text(NULL, walk.list_error));
    }
    if (!walk.caches)
        emit_partial(x->emit, "the list of caches is empty");
    emit_total(x->emit, &t);
    return 0;
}

const struct extractor extract_slab = {
    .name = "slab",
    .title = "Slab caches: objects and memory of each",
    .needs = slab_needs,
    .n_needs = N_SLAB_NEEDS,
    .budget = {.time_ms = 10000, .memory_bytes = 4 << 20, .output_bytes = 4 << 20},
    .run = run,
};

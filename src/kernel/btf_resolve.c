/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From needs tables to answers: one pass over the types, one over the wanted ones. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/btf.h"
#include "kernel/btf_format.h"
#include "kernel/names.h"
#include "util/cleanup.h"
#include "util/math.h"

/*
 * Several types may share a name (static structs of different files; 10 to 19 such names a kernel).
 * The one that has most of the members asked for is meant.
 */
#define CANDIDATES_MAX 8

struct wanted_type {
    uint32_t ids[CANDIDATES_MAX];
    unsigned count;
    uint32_t best; /* 0 for none */
};

struct resolver {
    const struct btf *b;
    const struct needs_set *sets;
    size_t n_sets;
    struct names types;         /* struct, union, enum and typedef names */
    struct wanted_type *wanted; /* one a name */
    struct names enumerators;   /* wanted in whichever enum */
};

static void resolver_done(struct resolver *r)
{
    names_done(&r->types);
    names_done(&r->enumerators);
    free(r->wanted);
}

static bool any_enum(const struct need *n)
{
    return n->kind == NEED_KIND_ENUMERATOR && !*n->type;
}

static int collect_names(struct resolver *r, struct error *err)
{
    size_t total = 0;

    for (size_t s = 0; s < r->n_sets; s++)
        total += r->sets[s].count;
    r->wanted = calloc(total + 1, sizeof(*r->wanted));
    if (!r->wanted || names_init(&r->types, total, NULL) < 0 ||
        names_init(&r->enumerators, total, NULL) < 0)
        return error_set(err, -ENOMEM, "out of memory");
    for (size_t s = 0; s < r->n_sets; s++)
        for (size_t i = 0; i < r->sets[s].count; i++) {
            const struct need *n = &r->sets[s].needs[i];

            if (any_enum(n))
                names_add(&r->enumerators, n->name);
            else if (n->kind != NEED_KIND_SYMBOL)
                names_add(&r->types, n->type);
        }
    return 0;
}

static bool is_enum(const struct btf_type *t)
{
    return t->kind == BTF_KIND_ENUM || t->kind == BTF_KIND_ENUM64;
}

/* struct btf_enum {name_off, val}; struct btf_enum64 {name_off, val_lo32, val_hi32}. */
static const char *read_enumerator(const struct btf *b, const struct btf_type *t, struct cursor *c,
                                   int64_t *ret_value)
{
    const char *name = btf_string(b, cursor_u32(c));
    uint64_t value = cursor_u32(c);

    if (t->kind == BTF_KIND_ENUM64)
        value |= (uint64_t)cursor_u32(c) << 32;
    else if (t->kind_flag || value <= INT32_MAX || t->size_or_type < 4)
        value = (uint64_t)(int64_t)(int32_t)value;
    *ret_value = (int64_t)value;
    return name;
}

/* Answers every need for an enumerator in whichever enum. The first enum that has it wins. */
static void answer_any_enum(struct resolver *r, const char *name, int64_t value)
{
    for (size_t s = 0; s < r->n_sets; s++)
        for (size_t i = 0; i < r->sets[s].count; i++) {
            const struct need *n = &r->sets[s].needs[i];
            struct resolved *f = &r->sets[s].found[i];

            if (any_enum(n) && !f->present && !strcmp(n->name, name))
                *f = (struct resolved){.present = true, .value = value};
        }
}

static void scan_enum(struct resolver *r, const struct btf_type *t, struct cursor rest)
{
    for (uint32_t i = 0; i < t->vlen && !rest.bad; i++) {
        int64_t value;
        const char *name = read_enumerator(r->b, t, &rest, &value);

        if (*name && names_find(&r->enumerators, name, strlen(name)) != NAMES_NONE)
            answer_any_enum(r, name, value);
    }
}

/* The pass over all types: who has a wanted name, which enum has a wanted enumerator. */
static void scan_types(struct resolver *r)
{
    for (uint32_t id = 1; id <= r->b->count; id++) {
        struct btf_type t;
        struct cursor rest;
        const char *name;
        size_t i;

        if (!btf_type(r->b, id, &t, &rest))
            continue;
        if (is_enum(&t) && r->enumerators.count)
            scan_enum(r, &t, rest);
        else if (t.kind != BTF_KIND_STRUCT && t.kind != BTF_KIND_UNION &&
                 t.kind != BTF_KIND_TYPEDEF && t.kind != BTF_KIND_INT && !is_enum(&t))
            continue;
        name = btf_string(r->b, t.name_off);
        i = *name ? names_find(&r->types, name, strlen(name)) : NAMES_NONE;
        if (i != NAMES_NONE && r->wanted[i].count < CANDIDATES_MAX)
            r->wanted[i].ids[r->wanted[i].count++] = id;
    }
}

static bool find_enumerator(const struct btf *b, uint32_t id, const char *wanted,
                            struct resolved *ret)
{
    struct btf_type t;
    struct cursor rest;

    if (!btf_skip_modifiers(b, id, &t, &rest) || !is_enum(&t))
        return false;
    for (uint32_t i = 0; i < t.vlen && !rest.bad; i++) {
        int64_t value;

        if (strcmp(read_enumerator(b, &t, &rest, &value), wanted))
            continue;
        *ret = (struct resolved){.present = true, .value = value};
        return true;
    }
    return false;
}

static bool find_size(const struct btf *b, uint32_t id, struct resolved *ret)
{
    struct btf_type t;
    struct cursor rest;

    if (!btf_skip_modifiers(b, id, &t, &rest) ||
        (t.kind != BTF_KIND_STRUCT && t.kind != BTF_KIND_UNION && t.kind != BTF_KIND_INT &&
         !is_enum(&t)))
        return false;
    *ret = (struct resolved){.present = true, .size = t.size_or_type};
    return true;
}

static bool answer(const struct btf *b, const struct need *n, uint32_t id, struct resolved *ret)
{
    switch (n->kind) {
    case NEED_KIND_TYPE:
        return find_size(b, id, ret);
    case NEED_KIND_MEMBER:
        return btf_find_member(b, id, n->name, ret);
    case NEED_KIND_ENUMERATOR:
        return find_enumerator(b, id, n->name, ret);
    case NEED_KIND_SYMBOL:
        break;
    }
    return false;
}

/* How many needs of this type name the candidate id answers. */
static unsigned score(const struct resolver *r, size_t type_index, uint32_t id)
{
    const char *type = r->types.names[type_index];
    unsigned hits = 0;

    for (size_t s = 0; s < r->n_sets; s++)
        for (size_t i = 0; i < r->sets[s].count; i++) {
            const struct need *n = &r->sets[s].needs[i];
            struct resolved ignored;

            if (n->kind != NEED_KIND_SYMBOL && !any_enum(n) && !strcmp(n->type, type))
                hits += answer(r->b, n, id, &ignored);
        }
    return hits;
}

static void choose_candidates(struct resolver *r)
{
    for (size_t i = 0; i < r->types.count; i++) {
        struct wanted_type *w = &r->wanted[i];
        unsigned most = 0;

        if (w->count == 1)
            w->best = w->ids[0];
        for (unsigned c = 0; c < w->count && w->count > 1; c++) {
            unsigned hits = score(r, i, w->ids[c]);

            if (hits > most) {
                most = hits;
                w->best = w->ids[c];
            }
        }
    }
}

int btf_resolve(const struct btf *b, const struct needs_set *sets, size_t n_sets, struct error *err)
{
    _cleanup_(resolver_done) struct resolver r = {.b = b, .sets = sets, .n_sets = n_sets};
    int code = collect_names(&r, err);

    if (code < 0)
        return code;
    scan_types(&r);
    choose_candidates(&r);
    for (size_t s = 0; s < n_sets; s++)
        for (size_t i = 0; i < sets[s].count; i++) {
            const struct need *n = &sets[s].needs[i];
            size_t t;

            if (n->kind == NEED_KIND_SYMBOL || any_enum(n))
                continue;
            t = names_find(&r.types, n->type, strlen(n->type));
            if (t != NAMES_NONE && r.wanted[t].best)
                answer(b, n, r.wanted[t].best, &sets[s].found[i]);
        }
    return 0;
}

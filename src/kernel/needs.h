/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_NEEDS_H
#define KERNEL_NEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a piece of code must know of the crashed kernel before it can read its memory, as a const
 * table. All tables are resolved together in one pass over kallsyms and one over BTF. Code then
 * decides by presence (`found[X].present`), never by kernel version.
 *
 *     enum { SLAB_CACHES, KMEM_CACHE_NAME, PAGETYPE_SLAB, N_NEEDS };
 *     static const struct need needs[N_NEEDS] = {
 *         [SLAB_CACHES] = NEED_SYMBOL("slab_caches"),
 *         [KMEM_CACHE_NAME] = NEED_MEMBER("kmem_cache", "name"),
 *         [PAGETYPE_SLAB] = OPT_ENUMERATOR("pagetype", "PGTY_slab"),
 *     };
 */
enum need_kind {
    NEED_KIND_SYMBOL,     /* address of a kallsyms symbol */
    NEED_KIND_TYPE,       /* size of a struct, union, enum or typedef */
    NEED_KIND_MEMBER,     /* where a member lies; "a.b" reaches into member a's struct */
    NEED_KIND_ENUMERATOR, /* value of an enumerator; type "" means in whichever enum */
};

enum need_how {
    NEED_REQUIRED,
    NEED_OPTIONAL,
    NEED_OR_NEXT, /* required if the entry after it was not found */
};

struct need {
    enum need_kind kind;
    enum need_how how;
    const char *type; /* struct or enum name without the keyword; NULL for symbols */
    const char *name; /* symbol, member or enumerator; NULL for types */
};

#define NEED_SYMBOL(name_)                                                                         \
    {                                                                                              \
        NEED_KIND_SYMBOL, NEED_REQUIRED, NULL, name_                                               \
    }
#define NEED_SYMBOL_OR_NEXT(name_)                                                                 \
    {                                                                                              \
        NEED_KIND_SYMBOL, NEED_OR_NEXT, NULL, name_                                                \
    }
#define NEED_TYPE(type_)                                                                           \
    {                                                                                              \
        NEED_KIND_TYPE, NEED_REQUIRED, type_, NULL                                                 \
    }
#define NEED_MEMBER(type_, name_)                                                                  \
    {                                                                                              \
        NEED_KIND_MEMBER, NEED_REQUIRED, type_, name_                                              \
    }
#define NEED_ENUMERATOR(type_, name_)                                                              \
    {                                                                                              \
        NEED_KIND_ENUMERATOR, NEED_REQUIRED, type_, name_                                          \
    }
#define OPT_SYMBOL(name_)                                                                          \
    {                                                                                              \
        NEED_KIND_SYMBOL, NEED_OPTIONAL, NULL, name_                                               \
    }
#define OPT_TYPE(type_)                                                                            \
    {                                                                                              \
        NEED_KIND_TYPE, NEED_OPTIONAL, type_, NULL                                                 \
    }
#define OPT_MEMBER(type_, name_)                                                                   \
    {                                                                                              \
        NEED_KIND_MEMBER, NEED_OPTIONAL, type_, name_                                              \
    }
#define OPT_ENUMERATOR(type_, name_)                                                               \
    {                                                                                              \
        NEED_KIND_ENUMERATOR, NEED_OPTIONAL, type_, name_                                          \
    }

/* A need, resolved. Plain values: it crosses a fork in shared memory. */
struct resolved {
    bool present;
    uint8_t bit_offset;  /* members that are bitfields: first bit above `offset` */
    uint8_t bit_size;    /* 0 for ordinary members */
    bool is_signed;      /* the member's integer type is signed */
    uint32_t offset;     /* members: bytes from the start of the struct */
    uint32_t size;       /* members and types: bytes; arrays: the whole array */
    uint32_t elem_size;  /* arrays: bytes of one element, else 0 */
    uint32_t elem_count; /* arrays: elements, else 0 */
    uint64_t addr;       /* symbols */
    int64_t value;       /* enumerators */
};

/* A table and where its answers go; `found` has `count` entries. */
struct needs_set {
    const struct need *needs;
    struct resolved *found;
    size_t count;
};

/* Writes how a person would name a need: "struct slab", "kmem_cache.name", "slab_caches". */
void need_name(const struct need *n, char *ret, size_t cap);

/* The first required need that was not found, or NULL. */
const struct need *needs_first_missing(const struct need *needs, const struct resolved *found,
                                       size_t count);

#endif

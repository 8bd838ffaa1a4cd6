/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/btf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/btf_format.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/math.h"

/* Bytes behind struct btf_type's 12, per kind: a fixed part and one per vlen. */
static const struct {
    uint8_t known, fixed, each;
} kind_sizes[] = {
    [BTF_KIND_INT] = {1, 4, 0},        [BTF_KIND_PTR] = {1, 0, 0},
    [BTF_KIND_ARRAY] = {1, 12, 0},     [BTF_KIND_STRUCT] = {1, 0, 12},
    [BTF_KIND_UNION] = {1, 0, 12},     [BTF_KIND_ENUM] = {1, 0, 8},
    [BTF_KIND_FWD] = {1, 0, 0},        [BTF_KIND_TYPEDEF] = {1, 0, 0},
    [BTF_KIND_VOLATILE] = {1, 0, 0},   [BTF_KIND_CONST] = {1, 0, 0},
    [BTF_KIND_RESTRICT] = {1, 0, 0},   [BTF_KIND_FUNC] = {1, 0, 0},
    [BTF_KIND_FUNC_PROTO] = {1, 0, 8}, [BTF_KIND_VAR] = {1, 4, 0},
    [BTF_KIND_DATASEC] = {1, 0, 12},   [BTF_KIND_FLOAT] = {1, 0, 0},
    [BTF_KIND_DECL_TAG] = {1, 4, 0},   [BTF_KIND_TYPE_TAG] = {1, 0, 0},
    [BTF_KIND_ENUM64] = {1, 0, 12},
};

/*
 * The header's layout table, where there is one ("btf: Add a layout section", 7.x): {info_sz,
 * elem_sz, flags} per kind, which tells how to skip kinds that this table does not know.
 */
struct layout {
    const uint8_t *rows;
    size_t count;
};

static bool kind_size(const struct layout *layout, unsigned kind, uint64_t vlen, uint64_t *ret)
{
    if (kind < ARRAY_SIZE(kind_sizes) && kind_sizes[kind].known) {
        *ret = kind_sizes[kind].fixed + kind_sizes[kind].each * vlen;
        return true;
    }
    if (kind >= layout->count)
        return false;
    *ret = layout->rows[kind * 4] + layout->rows[kind * 4 + 1] * vlen;
    return true;
}

/* Walks the types once, remembering where each starts. */
static int index_types(struct btf *b, const struct layout *layout, struct error *err)
{
    struct cursor c = cursor_init(b->types, b->types_len);
    size_t capacity = b->types_len / 24 + 16; /* a type takes 12 bytes at least, 40 on average */

    b->offsets = malloc(capacity * sizeof(*b->offsets));
    while (b->offsets && cursor_left(&c) >= BTF_TYPE_BYTES) {
        size_t start = cursor_offset(&c);
        struct btf_type t = btf_read_type(&c);
        uint64_t extra;

        if (!kind_size(layout, t.kind, t.vlen, &extra) || extra > cursor_left(&c)) {
            b->cut = true;
            break;
        }
        cursor_bytes(&c, (size_t)extra);
        if (b->count == capacity) {
            uint32_t *grown = realloc(b->offsets, capacity * 2 * sizeof(*grown));

            if (!grown)
                return error_set(err, -ENOMEM, "out of memory for the BTF index");
            b->offsets = grown;
            capacity *= 2;
        }
        b->offsets[b->count++] = (uint32_t)start;
    }
    if (!b->offsets)
        return error_set(err, -ENOMEM, "out of memory for the BTF index");
    return 0;
}

int btf_init(struct btf *b, const void *data, size_t len, struct error *err)
{
    struct cursor c = cursor_init(data, len);
    struct btf_header h = btf_read_header(&c);
    struct layout layout = {NULL, 0};
    int r;

    memset(b, 0, sizeof(*b));
    if (c.bad || h.magic != BTF_MAGIC || h.version != 1 || h.hdr_len < BTF_HEADER_BYTES ||
        !range_within(h.hdr_len, 0, len))
        return error_set(err, -EBADMSG, "no BTF header");
    len -= h.hdr_len;
    b->data = (const uint8_t *)data + h.hdr_len;
    b->len = len;
    if (!range_within(h.type_off, h.type_len, len) || !range_within(h.str_off, h.str_len, len) ||
        h.str_len == 0)
        return error_set(err, -EBADMSG, "BTF header points outside its data");
    b->types = b->data + h.type_off;
    b->types_len = h.type_len;
    b->strings = b->data + h.str_off;
    b->strings_len = h.str_len;
    if (h.layout_len && range_within(h.layout_off, h.layout_len, len)) {
        layout.rows = b->data + h.layout_off;
        layout.count = h.layout_len / 4;
    }
    r = index_types(b, &layout, err);
    if (r == 0 && !b->count)
        r = error_set(err, -EBADMSG, "BTF without types");
    if (r < 0)
        btf_done(b);
    return r;
}

void btf_done(struct btf *b)
{
    free(b->offsets);
    memset(b, 0, sizeof(*b));
}

const char *btf_string(const struct btf *b, uint32_t offset)
{
    if (offset >= b->strings_len || !memchr(b->strings + offset, 0, b->strings_len - offset))
        return "";
    return (const char *)b->strings + offset;
}

bool btf_type(const struct btf *b, uint32_t id, struct btf_type *ret, struct cursor *ret_rest)
{
    struct cursor c;

    if (id == 0 || id > b->count)
        return false;
    c = cursor_init(b->types, b->types_len);
    cursor_seek(&c, b->offsets[id - 1]);
    *ret = btf_read_type(&c);
    *ret_rest = c;
    return !c.bad;
}

/* A typedef chain longer than this is a cycle. */
#define MODIFIERS_MAX 32

bool btf_skip_modifiers(const struct btf *b, uint32_t id, struct btf_type *ret,
                        struct cursor *ret_rest)
{
    for (int i = 0; i < MODIFIERS_MAX; i++) {
        if (!btf_type(b, id, ret, ret_rest))
            return false;
        switch (ret->kind) {
        case BTF_KIND_TYPEDEF:
        case BTF_KIND_VOLATILE:
        case BTF_KIND_CONST:
        case BTF_KIND_RESTRICT:
        case BTF_KIND_TYPE_TAG:
            id = ret->size_or_type;
            break;
        default:
            return true;
        }
    }
    return false;
}

/* What a member of type id looks like in memory; false for types without a size. */
static bool describe(const struct btf *b, uint32_t id, struct resolved *ret)
{
    uint64_t count = 1;
    bool is_array = false;
    struct btf_type t;
    struct cursor rest;

    for (int depth = 0; depth < MODIFIERS_MAX; depth++) {
        if (!btf_skip_modifiers(b, id, &t, &rest))
            return false;
        if (t.kind != BTF_KIND_ARRAY)
            break;
        is_array = true;
        id = cursor_u32(&rest);
        cursor_u32(&rest); /* index type */
        count = sat_mul_u64(count, cursor_u32(&rest));
    }
    switch (t.kind) {
    case BTF_KIND_PTR:
        ret->size = 8;
        break;
    case BTF_KIND_INT:
        ret->size = t.size_or_type;
        ret->is_signed = cursor_u32(&rest) >> 24 & BTF_INT_SIGNED;
        break;
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
        ret->size = t.size_or_type;
        ret->is_signed = t.kind_flag;
        break;
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_FLOAT:
        ret->size = t.size_or_type;
        break;
    default:
        return false;
    }
    if (is_array) {
        if (!ret->size || sat_mul_u64(count, ret->size) > UINT32_MAX)
            return false;
        ret->elem_size = ret->size;
        ret->elem_count = (uint32_t)count;
        ret->size = (uint32_t)(count * ret->elem_size);
    }
    return true;
}

/* The INT behind a member may say that it is a bitfield (pahole before kind_flag, 4.20). */
static void old_style_bitfield(const struct btf *b, uint32_t type, uint64_t *bit_offset,
                               uint32_t *bit_size)
{
    struct btf_type t;
    struct cursor rest;
    uint32_t encoding;

    if (*bit_size || !btf_skip_modifiers(b, type, &t, &rest) || t.kind != BTF_KIND_INT)
        return;
    encoding = cursor_u32(&rest);
    if ((encoding & 0xff) == 0 || (encoding & 0xff) == t.size_or_type * 8)
        return;
    *bit_offset += encoding >> 16 & 0xff;
    *bit_size = encoding & 0xff;
}

/* The member m, bit_offset bits into the struct asked about, as a need's answer. */
static bool describe_member(const struct btf *b, const struct btf_member *m, uint64_t bit_offset,
                            struct resolved *ret)
{
    struct resolved found = {.present = true};
    uint32_t bit_size = m->bit_size;

    if (!describe(b, m->type, &found))
        return false;
    old_style_bitfield(b, m->type, &bit_offset, &bit_size);
    if (bit_offset / 8 > UINT32_MAX || bit_size > 64)
        return false;
    found.offset = (uint32_t)(bit_offset / 8);
    if (bit_size) {
        uint64_t bytes = (bit_offset % 8 + bit_size + 7) / 8;

        found.bit_offset = (uint8_t)(bit_offset % 8);
        found.bit_size = (uint8_t)bit_size;
        found.size = bytes <= 1 ? 1 : bytes <= 2 ? 2 : bytes <= 4 ? 4 : 8;
        if (bytes > 8)
            return false;
    } else if (bit_offset % 8) {
        return false;
    }
    *ret = found;
    return true;
}

#define NESTING_MAX 16

/* A member by name, also inside unnamed members, whose type may well have a name
 * (-fms-extensions). `budget` bounds a walk through types that contain each other. */
static bool find_member(const struct btf *b, uint32_t struct_id, const char *name, size_t name_len,
                        int depth, unsigned *budget, struct btf_member *ret, uint64_t *ret_bits)
{
    struct btf_type t;
    struct cursor rest;

    if (depth > NESTING_MAX || !btf_skip_modifiers(b, struct_id, &t, &rest) ||
        (t.kind != BTF_KIND_STRUCT && t.kind != BTF_KIND_UNION))
        return false;
    for (uint32_t i = 0; i < t.vlen && *budget; i++, (*budget)--) {
        struct btf_member m = btf_read_member(&rest, t.kind_flag);
        const char *s = btf_string(b, m.name_off);

        if (!strncmp(s, name, name_len) && s[name_len] == '\0') {
            *ret = m;
            *ret_bits = m.bit_offset;
            return true;
        }
        if (!*s && find_member(b, m.type, name, name_len, depth + 1, budget, ret, ret_bits)) {
            *ret_bits += m.bit_offset;
            return true;
        }
    }
    return false;
}

bool btf_find_member(const struct btf *b, uint32_t struct_id, const char *path,
                     struct resolved *ret)
{
    unsigned budget = 100000;
    struct btf_member m = {.type = struct_id};
    uint64_t bit_offset = 0;

    for (;;) {
        size_t len = strcspn(path, ".");
        uint64_t bits;

        if (!len || !find_member(b, m.type, path, len, 0, &budget, &m, &bits))
            return false;
        bit_offset += bits;
        if (!path[len])
            return describe_member(b, &m, bit_offset, ret);
        path += len + 1;
    }
}

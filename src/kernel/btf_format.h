/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_BTF_FORMAT_H
#define KERNEL_BTF_FORMAT_H

#include "kernel/btf.h"
#include "util/cursor.h"

/* BTF as it lies in memory: include/uapi/linux/btf.h. For btf*.c only. */
#define BTF_MAGIC        0xeb9f
#define BTF_HEADER_BYTES 24
#define BTF_TYPE_BYTES   12
#define BTF_INT_SIGNED   1

enum {
    BTF_KIND_INT = 1,
    BTF_KIND_PTR,
    BTF_KIND_ARRAY,
    BTF_KIND_STRUCT,
    BTF_KIND_UNION,
    BTF_KIND_ENUM,
    BTF_KIND_FWD,
    BTF_KIND_TYPEDEF,
    BTF_KIND_VOLATILE,
    BTF_KIND_CONST,
    BTF_KIND_RESTRICT,
    BTF_KIND_FUNC,
    BTF_KIND_FUNC_PROTO,
    BTF_KIND_VAR,
    BTF_KIND_DATASEC,
    BTF_KIND_FLOAT,
    BTF_KIND_DECL_TAG,
    BTF_KIND_TYPE_TAG,
    BTF_KIND_ENUM64,
};

struct btf_header {
    uint16_t magic;
    uint8_t version, flags;
    uint32_t hdr_len, type_off, type_len, str_off, str_len;
    uint32_t layout_off, layout_len; /* 0 where the header is too short to have them */
};

struct btf_type {
    uint32_t name_off;
    unsigned kind;
    uint32_t vlen;
    bool kind_flag;
    uint32_t size_or_type;
};

struct btf_member {
    uint32_t name_off, type;
    uint32_t bit_offset, bit_size; /* bit_size 0: not a bitfield */
};

static inline struct btf_header btf_read_header(struct cursor *c)
{
    struct btf_header h = {0};

    h.magic = cursor_u16(c);
    h.version = cursor_u8(c);
    h.flags = cursor_u8(c);
    h.hdr_len = cursor_u32(c);
    h.type_off = cursor_u32(c);
    h.type_len = cursor_u32(c);
    h.str_off = cursor_u32(c);
    h.str_len = cursor_u32(c);
    if (h.hdr_len >= BTF_HEADER_BYTES + 8) {
        h.layout_off = cursor_u32(c);
        h.layout_len = cursor_u32(c);
    }
    return h;
}

/*
 * The info word: kind in bits 24-30 and vlen in bits 0-23. Kernels before 7.x use fewer of these
 * bits (28-24, 15-0) and leave the others zero, so the wide masks read both.
 */
static inline struct btf_type btf_read_type(struct cursor *c)
{
    struct btf_type t;
    uint32_t info;

    t.name_off = cursor_u32(c);
    info = cursor_u32(c);
    t.kind = info >> 24 & 0x7f;
    t.vlen = info & 0xffffff;
    t.kind_flag = info >> 31;
    t.size_or_type = cursor_u32(c);
    return t;
}

static inline struct btf_member btf_read_member(struct cursor *c, bool kind_flag)
{
    struct btf_member m;
    uint32_t offset;

    m.name_off = cursor_u32(c);
    m.type = cursor_u32(c);
    offset = cursor_u32(c);
    m.bit_offset = kind_flag ? offset & 0xffffff : offset;
    m.bit_size = kind_flag ? offset >> 24 : 0;
    return m;
}

/* The string at an offset of the string section; "" if there is none. */
const char *btf_string(const struct btf *b, uint32_t offset);

/* Type id (1…count) and a cursor behind its common part. */
bool btf_type(const struct btf *b, uint32_t id, struct btf_type *ret, struct cursor *ret_rest);

/* The same, after typedefs and qualifiers. */
bool btf_skip_modifiers(const struct btf *b, uint32_t id, struct btf_type *ret,
                        struct cursor *ret_rest);

/* "a" or "a.b.c" in struct struct_id. */
bool btf_find_member(const struct btf *b, uint32_t struct_id, const char *path,
                     struct resolved *ret);

#endif

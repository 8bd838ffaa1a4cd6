/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTIL_CURSOR_H
#define UTIL_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A bounds-checked walk over bytes that may lie. A read past the end returns zero and sets `bad`,
 * which stays set: a parser reads a whole structure and asks once. All integers are little-endian;
 * the project reads 64-bit little-endian kernels only (core/image.c refuses others).
 */
struct cursor {
    const uint8_t *start, *pos, *end;
    bool bad;
};

static inline struct cursor cursor_init(const void *data, size_t len)
{
    const uint8_t *p = data;

    return (struct cursor){p, p, p + len, false};
}

static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->pos);
}

static inline size_t cursor_offset(const struct cursor *c)
{
    return (size_t)(c->pos - c->start);
}

/* Goes to an absolute offset; beyond the end is bad. */
static inline void cursor_seek(struct cursor *c, size_t offset)
{
    if (offset > (size_t)(c->end - c->start)) {
        c->bad = true;
        c->pos = c->end;
    } else {
        c->pos = c->start + offset;
    }
}

/* The next len bytes, borrowed from the underlying memory, or NULL (and bad). */
static inline const void *cursor_bytes(struct cursor *c, size_t len)
{
    const uint8_t *p = c->pos;

    if (len > cursor_left(c)) {
        c->bad = true;
        c->pos = c->end;
        return NULL;
    }
    c->pos += len;
    return p;
}

static inline void cursor_copy(struct cursor *c, void *ret, size_t len)
{
    const void *p = cursor_bytes(c, len);

    if (p)
        memcpy(ret, p, len);
    else
        memset(ret, 0, len);
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    uint8_t v;

    cursor_copy(c, &v, sizeof(v));
    return v;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
    uint16_t v;

    cursor_copy(c, &v, sizeof(v));
    return v;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    uint32_t v;

    cursor_copy(c, &v, sizeof(v));
    return v;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
    uint64_t v;

    cursor_copy(c, &v, sizeof(v));
    return v;
}

/* The NUL-terminated string at the cursor, or NULL (and bad) if no NUL comes before the end. */
static inline const char *cursor_str(struct cursor *c)
{
    const char *s = (const char *)c->pos;
    const uint8_t *nul = memchr(c->pos, 0, cursor_left(c));

    if (!nul) {
        c->bad = true;
        c->pos = c->end;
        return NULL;
    }
    c->pos = nul + 1;
    return s;
}

#endif

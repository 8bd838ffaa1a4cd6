/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/math.h"

#define BUF_FIRST_CAPACITY 256

void buf_done(struct buf *b)
{
    free(b->data);
    *b = BUF_INIT(b->limit);
}

/* Makes room for len more bytes and the NUL. */
static bool buf_reserve(struct buf *b, size_t len)
{
    size_t need, capacity;
    char *data;

    if (b->full || !range_within(b->len, len, b->limit)) {
        b->full = true;
        return false;
    }
    need = b->len + len + 1;
    if (need <= b->capacity)
        return true;
    capacity = (size_t)max_u64(b->capacity ? b->capacity * 2 : BUF_FIRST_CAPACITY, need);
    data = realloc(b->data, capacity);
    if (!data) {
        b->full = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

void buf_append(struct buf *b, const void *data, size_t len)
{
    if (!buf_reserve(b, len))
        return;
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
    buf_append(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    int len;

    va_start(ap, fmt);
    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, ap);
    if (len < 0)
        b->full = true;
    else if (buf_reserve(b, (size_t)len)) {
        vsnprintf(b->data + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
    va_end(ap);
}

void buf_truncate(struct buf *b, size_t len)
{
    b->full = false;
    if (len >= b->len)
        return;
    b->len = len;
    b->data[len] = '\0';
}

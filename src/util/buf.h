/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTIL_BUF_H
#define UTIL_BUF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A growing byte buffer with a cap. Once an append would pass `limit`, or memory runs out, `full`
 * is set and stays set, and that and later appends change nothing: callers append freely and ask
 * once. A zeroed struct with a limit is an empty buffer.
 */
struct buf {
    char *data; /* NUL-terminated whenever not NULL */
    size_t len, capacity, limit;
    bool full;
};

#define BUF_INIT(limit_) ((struct buf){.limit = (limit_)})

void buf_done(struct buf *b);
void buf_append(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *fmt, ...);

/* Back to len bytes (no more than it has); clears `full`, keeps the memory. */
void buf_truncate(struct buf *b, size_t len);

#endif

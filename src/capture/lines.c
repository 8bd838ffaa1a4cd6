/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/lines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The longest line a reader must take (summary/FORMAT.md). */
#define LINE_MAX_BYTES (256 << 10)

void lines_init(struct lines *l, const char *section, uint64_t bytes_max, section_sink_fn sink,
                void *arg)
{
    *l = (struct lines){.sink = sink, .arg = arg, .bytes_max = bytes_max};
    l->partial = BUF_INIT(LINE_MAX_BYTES);
    snprintf(l->prefix, sizeof(l->prefix), "{\"section\":\"%s\",\"record\":\"", section);
}

void lines_done(struct lines *l)
{
    buf_done(&l->partial);
}

static bool is_record(const struct lines *l, const char *line, size_t len)
{
    static const char end[] = "end\"";
    size_t prefix = strlen(l->prefix);

    if (len > LINE_MAX_BYTES || len < prefix + sizeof("x\"}\n") - 1 ||
        memcmp(line, l->prefix, prefix) || memcmp(line + len - 2, "}\n", 2))
        return false;
    /* JSON escapes control bytes; the newline at the end is the only one */
    for (size_t i = 0; i + 1 < len; i++)
        if ((unsigned char)line[i] < 0x20)
            return false;
    return memcmp(line + prefix, end, sizeof(end) - 1) != 0;
}

static int take_line(struct lines *l, const char *line, size_t len, struct error *err)
{
    if (!is_record(l, line, len)) {
        l->dropped++;
        return 0;
    }
    l->rows++;
    return l->sink ? l->sink(l->arg, line, len, err) : 0;
}

/* The end of a line that began in an earlier block. */
static int finish_partial(struct lines *l, const char *data, size_t len, struct error *err)
{
    int r = 0;

    buf_append(&l->partial, data, len);
    if (l->overlong || l->partial.full)
        l->dropped++;
    else
        r = take_line(l, l->partial.data, l->partial.len, err);
    l->overlong = false;
    buf_truncate(&l->partial, 0);
    return r;
}

static void keep_partial(struct lines *l, const char *data, size_t len)
{
    if (!l->overlong)
        buf_append(&l->partial, data, len);
    l->overlong |= l->partial.full;
}

int lines_feed(struct lines *l, const char *data, size_t len, struct error *err)
{
    while (len) {
        const char *newline = memchr(data, '\n', len);
        size_t n = newline ? (size_t)(newline + 1 - data) : len;
        int r = 0;

        l->bytes += n;
        if (l->bytes > l->bytes_max)
            return -E2BIG;
        if (!newline)
            keep_partial(l, data, n);
        else if (l->partial.len || l->overlong)
            r = finish_partial(l, data, n, err);
        else
            r = take_line(l, data, n, err);
        if (r < 0)
            return r;
        data += n;
        len -= n;
    }
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extract/emit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/buf.h"
#include "util/json.h"

/* The longest line a reader must take (summary/FORMAT.md). */
#define EMIT_LINE_LIMIT (256 << 10)

struct emit {
    const char *section;
    emit_sink_fn sink;
    void *arg;
    struct buf line;
    struct json json;
    uint64_t rows;
    int failed;
    char partial_reason[240];
};

struct emit *emit_new(const char *section, emit_sink_fn sink, void *arg)
{
    struct emit *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->section = section;
    e->sink = sink;
    e->arg = arg;
    e->line = BUF_INIT(EMIT_LINE_LIMIT);
    e->json.out = &e->line;
    return e;
}

void emit_free(struct emit *e)
{
    if (!e)
        return;
    buf_done(&e->line);
    free(e);
}

void emit_freep(struct emit **e)
{
    emit_free(*e);
}

void emit_begin(struct emit *e, const char *record)
{
    buf_truncate(&e->line, 0);
    e->json.need_comma = false;
    json_object_begin(&e->json, NULL);
    json_str(&e->json, "section", e->section);
    json_str(&e->json, "record", record);
}

int emit_end(struct emit *e)
{
    json_object_end(&e->json);
    buf_char(&e->line, '\n');
    if (e->failed)
        return e->failed;
    if (e->line.full)
        return e->failed = -E2BIG;
    e->failed = e->sink(e->arg, e->line.data, e->line.len);
    if (!e->failed)
        e->rows++;
    return e->failed;
}

void emit_u64(struct emit *e, const char *name, uint64_t value)
{
    json_u64(&e->json, name, value);
}

void emit_i64(struct emit *e, const char *name, int64_t value)
{
    json_i64(&e->json, name, value);
}

void emit_bool(struct emit *e, const char *name, bool value)
{
    json_bool(&e->json, name, value);
}

void emit_addr(struct emit *e, const char *name, uint64_t value)
{
    json_addr(&e->json, name, value);
}

void emit_str(struct emit *e, const char *name, const char *value)
{
    json_str(&e->json, name, value);
}

void emit_strn(struct emit *e, const char *name, const char *value, size_t len)
{
    json_strn(&e->json, name, value, len);
}

void emit_array_begin(struct emit *e, const char *name)
{
    json_array_begin(&e->json, name);
}

void emit_array_end(struct emit *e)
{
    json_array_end(&e->json);
}

void emit_object_begin(struct emit *e, const char *name)
{
    json_object_begin(&e->json, name);
}

void emit_object_end(struct emit *e)
{
    json_object_end(&e->json);
}

int emit_failed(const struct emit *e)
{
    return e->failed;
}

uint64_t emit_rows(const struct emit *e)
{
    return e->rows;
}

void emit_partial(struct emit *e, const char *fmt, ...)
{
    va_list ap;

    if (e->partial_reason[0])
        return;
    va_start(ap, fmt);
    vsnprintf(e->partial_reason, sizeof(e->partial_reason), fmt, ap);
    va_end(ap);
}

const char *emit_partial_reason(const struct emit *e)
{
    return e->partial_reason[0] ? e->partial_reason : NULL;
}

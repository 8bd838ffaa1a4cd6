/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/json.h"

#include <inttypes.h>
#include <string.h>

#include "util/math.h"
#include "util/utf8.h"

/* Comma if needed, then the name if there is one. */
static void json_lead(struct json *j, const char *name)
{
    if (j->need_comma)
        buf_char(j->out, ',');
    j->need_comma = true;
    if (name)
        buf_printf(j->out, "\"%s\":", name);
}

static void json_open(struct json *j, const char *name, char bracket)
{
    json_lead(j, name);
    buf_char(j->out, bracket);
    j->need_comma = false;
}

static void json_close(struct json *j, char bracket)
{
    buf_char(j->out, bracket);
    j->need_comma = true;
}

void json_object_begin(struct json *j, const char *name)
{
    json_open(j, name, '{');
}

void json_object_end(struct json *j)
{
    json_close(j, '}');
}

void json_array_begin(struct json *j, const char *name)
{
    json_open(j, name, '[');
}

void json_array_end(struct json *j)
{
    json_close(j, ']');
}

void json_u64(struct json *j, const char *name, uint64_t value)
{
    json_lead(j, name);
    buf_printf(j->out, "%" PRIu64, min_u64(value, INT64_MAX));
}

void json_i64(struct json *j, const char *name, int64_t value)
{
    json_lead(j, name);
    buf_printf(j->out, "%" PRId64, value);
}

void json_bool(struct json *j, const char *name, bool value)
{
    json_lead(j, name);
    buf_str(j->out, value ? "true" : "false");
}

void json_addr(struct json *j, const char *name, uint64_t value)
{
    json_lead(j, name);
    buf_printf(j->out, "\"0x%" PRIx64 "\"", value);
}

void json_str(struct json *j, const char *name, const char *value)
{
    json_strn(j, name, value, strlen(value));
}

/* Two escapes, a surrogate pair, beyond the first plane. */
static void json_escaped_cp(struct buf *out, uint32_t cp)
{
    if (cp > 0xffff)
        buf_printf(out, "\\u%04x\\u%04x", 0xd7c0U + (cp >> 10), 0xdc00U + (cp & 0x3ff));
    else
        buf_printf(out, "\\u%04x", (unsigned)cp);
}

static void json_escaped_char(struct buf *out, const char *s, size_t n, uint32_t cp)
{
    if (!n)
        buf_printf(out, "\\\\x%02x", (unsigned)(unsigned char)*s);
    else if (cp == '"' || cp == '\\')
        buf_printf(out, "\\%c", (char)cp);
    else if (utf8_is_unsafe(cp))
        json_escaped_cp(out, cp);
    else
        buf_append(out, s, n);
}

void json_strn(struct json *j, const char *name, const char *value, size_t len)
{
    json_lead(j, name);
    buf_char(j->out, '"');
    while (len) {
        uint32_t cp = 0;
        size_t n = utf8_char(value, len, &cp);

        json_escaped_char(j->out, value, n, cp);
        n = n ? n : 1;
        value += n;
        len -= n;
    }
    buf_char(j->out, '"');
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extract/oomlog/oom_span.h"

#include <string.h>

#include "util/math.h"

struct span span_of(const char *s)
{
    return (struct span){s, strlen(s)};
}

struct span span_sub(struct span v, size_t from, size_t to)
{
    to = to < v.len ? to : v.len;
    from = from < to ? from : to;
    return (struct span){v.s + from, to - from};
}

struct span span_from(struct span v, size_t from)
{
    return span_sub(v, from, v.len);
}

bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (!a.len || !memcmp(a.s, b.s, a.len));
}

bool span_is(struct span v, const char *text)
{
    return span_equal(v, span_of(text));
}

bool span_starts(struct span v, const char *prefix)
{
    size_t len = strlen(prefix);

    return v.len >= len && !memcmp(v.s, prefix, len);
}

bool span_ends(struct span v, const char *suffix)
{
    size_t len = strlen(suffix);

    return v.len >= len && !memcmp(v.s + v.len - len, suffix, len);
}

size_t span_find(struct span v, const char *needle, size_t from)
{
    const char *at;

    if (from >= v.len)
        return SPAN_NOT_FOUND;
    at = memmem(v.s + from, v.len - from, needle, strlen(needle));
    return at ? (size_t)(at - v.s) : SPAN_NOT_FOUND;
}

size_t span_rfind(struct span v, const char *needle)
{
    size_t len = strlen(needle);

    for (size_t at = v.len >= len ? v.len - len + 1 : 0; at-- > 0;)
        if (!memcmp(v.s + at, needle, len))
            return at;
    return SPAN_NOT_FOUND;
}

bool span_skip(struct span *v, const char *prefix)
{
    if (!span_starts(*v, prefix))
        return false;
    *v = span_from(*v, strlen(prefix));
    return true;
}

bool span_skip_char(struct span *v, char c)
{
    if (!v->len || v->s[0] != c)
        return false;
    *v = span_from(*v, 1);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

void span_skip_blanks(struct span *v)
{
    while (v->len && is_blank(v->s[0]))
        *v = span_from(*v, 1);
}

struct span span_trim(struct span v)
{
    span_skip_blanks(&v);
    while (v.len && (is_blank(v.s[v.len - 1]) || v.s[v.len - 1] == '\r' || !v.s[v.len - 1]))
        v.len--;
    return v;
}

struct span span_word(struct span *v)
{
    struct span word;

    span_skip_blanks(v);
    word = (struct span){v->s, 0};
    while (word.len < v->len && !is_blank(v->s[word.len]))
        word.len++;
    *v = span_from(*v, word.len);
    return word;
}

bool span_u64(struct span *v, uint64_t *ret)
{
    uint64_t value = 0;
    size_t n = 0;

    for (; n < v->len && v->s[n] >= '0' && v->s[n] <= '9'; n++)
        value = sat_add_u64(sat_mul_u64(value, 10), (uint64_t)(v->s[n] - '0'));
    if (!n)
        return false;
    *v = span_from(*v, n);
    *ret = value;
    return true;
}

bool span_i64(struct span *v, int64_t *ret)
{
    struct span rest = *v;
    bool negative = span_skip_char(&rest, '-');
    uint64_t value;

    if (!span_u64(&rest, &value))
        return false;
    *v = rest;
    *ret = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool span_hex(struct span *v, uint64_t *ret)
{
    struct span rest = *v;
    uint64_t value = 0;
    size_t n = 0;

    if (!span_skip(&rest, "0x"))
        return false;
    for (; n < rest.len && hex_digit(rest.s[n]) >= 0; n++)
        value = value >> 60 ? UINT64_MAX : value << 4 | (uint64_t)hex_digit(rest.s[n]);
    if (!n)
        return false;
    *v = span_from(rest, n);
    *ret = value;
    return true;
}

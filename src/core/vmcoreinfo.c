/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/vmcoreinfo.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/math.h"

int vmcoreinfo_init(struct vmcoreinfo *vi, const void *data, size_t len, struct error *err)
{
    char *text;

    if (len > VMCOREINFO_MAX_BYTES)
        return error_set(err, -E2BIG, "VMCOREINFO of %zu bytes: at most %d are plausible", len,
                         VMCOREINFO_MAX_BYTES);
    text = malloc(len + 1);
    if (!text)
        return error_set(err, -ENOMEM, "VMCOREINFO: out of memory");
    if (len)
        memcpy(text, data, len);
    text[len] = '\0';
    vi->text = text;
    vi->len = strlen(text); /* a note's descriptor may be padded with NULs */
    return 0;
}

void vmcoreinfo_done(struct vmcoreinfo *vi)
{
    free(vi->text);
    *vi = (struct vmcoreinfo){0};
}

/* A key in two parts, prefix "SYMBOL" and name "_stext" for "SYMBOL(_stext)"; name may be NULL. */
struct key {
    const char *prefix, *name;
};

/* true if the line starts with the key and '='; *ret_skip is then where its value starts. */
static bool key_matches(const struct key *key, const char *line, size_t len, size_t *ret_skip)
{
    size_t prefix_len = strlen(key->prefix), name_len = key->name ? strlen(key->name) : 0;
    size_t skip = prefix_len + (key->name ? name_len + 2 : 0);

    if (len <= skip || memcmp(line, key->prefix, prefix_len) != 0 || line[skip] != '=')
        return false;
    if (key->name && (line[prefix_len] != '(' || line[skip - 1] != ')' ||
                      memcmp(line + prefix_len + 1, key->name, name_len) != 0))
        return false;
    *ret_skip = skip + 1;
    return true;
}

static int find(const struct vmcoreinfo *vi, const struct key *key, const char **ret,
                size_t *ret_len)
{
    const char *line = vi->text, *end = line ? line + vi->len : NULL;
    const char *found = NULL;
    size_t found_len = 0, skip;

    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t len = (size_t)((newline ? newline : end) - line);

        if (key_matches(key, line, len, &skip)) {
            found = line + skip;
            found_len = len - skip;
        }
        line += len + 1;
    }
    if (!found)
        return -ENOENT;
    *ret = found;
    *ret_len = found_len;
    return 0;
}

int vmcoreinfo_value(const struct vmcoreinfo *vi, const char *key, const char **ret_value,
                     size_t *ret_len)
{
    return find(vi, &(struct key){key, NULL}, ret_value, ret_len);
}

int vmcoreinfo_string(const struct vmcoreinfo *vi, const char *key, char *ret, size_t cap)
{
    const char *value;
    size_t len;
    int r = vmcoreinfo_value(vi, key, &value, &len);

    if (r < 0)
        return r;
    snprintf(ret, cap, "%.*s", (int)len, value);
    return 0;
}

/* The value of an ASCII digit in bases up to 16; 16 for what is none. */
static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* All of the text as digits, nothing else: strtoull() would take blanks and signs. */
static int parse_digits(const char *s, size_t len, unsigned base, uint64_t *ret)
{
    uint64_t v = 0;

    if (!len)
        return -EBADMSG;
    for (size_t i = 0; i < len; i++) {
        unsigned d = digit_value(s[i]);

        if (d >= base || !mul_u64(v, base, &v) || !add_u64(v, d, &v))
            return -EBADMSG;
    }
    *ret = v;
    return 0;
}

static bool has_hex_prefix(const char *s, size_t len)
{
    return len > 2 && s[0] == '0' && (s[1] | 0x20) == 'x';
}

static int find_unsigned(const struct vmcoreinfo *vi, struct key key, unsigned base, uint64_t *ret)
{
    const char *s;
    size_t len;
    int r = find(vi, &key, &s, &len);

    if (r < 0)
        return r;
    return parse_digits(s, len, base, ret);
}

int vmcoreinfo_symbol(const struct vmcoreinfo *vi, const char *name, uint64_t *ret_addr)
{
    return find_unsigned(vi, (struct key){"SYMBOL", name}, 16, ret_addr);
}

int vmcoreinfo_offset(const struct vmcoreinfo *vi, const char *member, uint64_t *ret_bytes)
{
    return find_unsigned(vi, (struct key){"OFFSET", member}, 10, ret_bytes);
}

int vmcoreinfo_size(const struct vmcoreinfo *vi, const char *type, uint64_t *ret_bytes)
{
    return find_unsigned(vi, (struct key){"SIZE", type}, 10, ret_bytes);
}

int vmcoreinfo_length(const struct vmcoreinfo *vi, const char *array, uint64_t *ret_count)
{
    return find_unsigned(vi, (struct key){"LENGTH", array}, 10, ret_count);
}

int vmcoreinfo_decimal(const struct vmcoreinfo *vi, const char *key, uint64_t *ret)
{
    return find_unsigned(vi, (struct key){key, NULL}, 10, ret);
}

/*
 * VMCOREINFO_NUMBER() prints "%ld", so that a mask with the highest bit (sme_mask) is negative;
 * arch code prints addresses as 0x… under the same name, which keep their bits here.
 */
int vmcoreinfo_number(const struct vmcoreinfo *vi, const char *name, int64_t *ret)
{
    const char *s;
    size_t len;
    uint64_t v;
    bool negative;
    int r = find(vi, &(struct key){"NUMBER", name}, &s, &len);

    if (r < 0)
        return r;
    if (has_hex_prefix(s, len)) {
        r = parse_digits(s + 2, len - 2, 16, &v);
        if (r == 0)
            *ret = (int64_t)v;
        return r;
    }
    negative = len && *s == '-';
    r = parse_digits(s + negative, len - negative, 10, &v);
    if (r < 0)
        return r;
    if (v > (uint64_t)INT64_MAX + negative)
        return -EBADMSG;
    *ret = (int64_t)(negative ? 0 - v : v);
    return 0;
}

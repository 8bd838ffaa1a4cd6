/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/utf8.h"

#include <string.h>

#include "util/cleanup.h"

size_t utf8_char(const char *s, size_t len, uint32_t *ret_cp)
{
    /* lead byte pattern, continuation bytes, smallest code point that needs that many */
    static const struct {
        uint8_t mask, lead, more;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0, 0},
                 {0xe0, 0xc0, 1, 0x80},
                 {0xf0, 0xe0, 2, 0x800},
                 {0xf8, 0xf0, 3, 0x10000}};
    const uint8_t *p = (const uint8_t *)s;

    for (size_t f = 0; len && f < ARRAY_SIZE(forms); f++) {
        uint32_t cp = p[0] & (uint8_t)~forms[f].mask;

        if ((p[0] & forms[f].mask) != forms[f].lead)
            continue;
        if (len <= forms[f].more)
            return 0;
        for (size_t i = 1; i <= forms[f].more; i++) {
            if ((p[i] & 0xc0) != 0x80)
                return 0;
            cp = cp << 6 | (p[i] & 0x3f);
        }
        if (cp < forms[f].least || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
            return 0;
        *ret_cp = cp;
        return forms[f].more + 1U;
    }
    return 0;
}

bool utf8_is_unsafe(uint32_t cp)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0x200b, 0x200f}, {0x2028, 0x202e},
        {0x2060, 0x2069}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
    };

    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
        if (cp >= ranges[i].first && cp <= ranges[i].last)
            return true;
    return false;
}

void utf8_append_safe(struct buf *b, const char *s, size_t len)
{
    while (len) {
        uint32_t cp = 0;
        size_t n = utf8_char(s, len, &cp);

        if (n && !utf8_is_unsafe(cp))
            buf_append(b, s, n);
        else if (n <= 1)
            buf_printf(b, "\\x%02x", (unsigned)(unsigned char)*s);
        else
            buf_printf(b, "\\u%04x", (unsigned)cp);
        n = n ? n : 1;
        s += n;
        len -= n;
    }
}

size_t utf8_columns(const char *s, size_t len)
{
    size_t columns = 0;

    while (len) {
        uint32_t cp = 0;
        size_t n = utf8_char(s, len, &cp);

        columns += n && !utf8_is_unsafe(cp) ? 1 : n <= 1 ? 4 : cp > 0xffff ? 7 : 6;
        n = n ? n : 1;
        s += n;
        len -= n;
    }
    return columns;
}

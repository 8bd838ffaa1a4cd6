/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/text.h"

#include <stdint.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/utf8.h"

/* SGR parameters. Bars are in reverse video: a cell is its letter on a coloured ground, so that it
 * reads without colours, too. */
static const char *const sgr[STYLE_BAR + STYLE_BARS] = {
    [STYLE_HEADING] = "1",    [STYLE_STRONG] = "1",     [STYLE_DIM] = "2",
    [STYLE_ALERT] = "1;31",   [STYLE_BAR + 0] = "7;34", [STYLE_BAR + 1] = "7;32",
    [STYLE_BAR + 2] = "7;33", [STYLE_BAR + 3] = "7;35", [STYLE_BAR + 4] = "7;36",
    [STYLE_BAR + 5] = "7;31",
};

void text_style_begin(struct text *t, enum style style)
{
    if (t->color && style != STYLE_PLAIN)
        buf_printf(t->out, "\x1b[%sm", sgr[style]);
}

void text_style_end(struct text *t, enum style style)
{
    if (t->color && style != STYLE_PLAIN)
        buf_str(t->out, "\x1b[0m");
}

void text_styled(struct text *t, enum style style, const char *s)
{
    text_style_begin(t, style);
    buf_str(t->out, s);
    text_style_end(t, style);
}

void text_heading(struct text *t, const char *heading, const char *about)
{
    buf_char(t->out, '\n');
    text_styled(t, STYLE_HEADING, heading);
    if (about) {
        buf_str(t->out, "  ");
        buf_str(t->out, about);
    }
    buf_char(t->out, '\n');
}

void text_pad(struct buf *b, size_t used, size_t width)
{
    while (used++ < width)
        buf_char(b, ' ');
}

void text_end_line(struct buf *b)
{
    while (b->len && b->data[b->len - 1] == ' ')
        buf_truncate(b, b->len - 1);
    buf_char(b, '\n');
}

/* Whether the word at s is a unit, which stays with the number before it. */
static bool is_unit(const char *s)
{
    static const char *const units[] = {"B",   "KiB", "MiB", "GiB", "TiB", "PiB",
                                        "EiB", "%",   "s",   "min", "h",   "d"};
    size_t len = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz%");

    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (strlen(units[i]) == len && !strncmp(units[i], s, len))
            return true;
    return false;
}

/* The bytes up to the next blank at which a line may be broken. */
static size_t word_len(const char *s)
{
    size_t len = strcspn(s, " ");

    while (len && s[len] && s[len - 1] >= '0' && s[len - 1] <= '9' && is_unit(s + len + 1))
        len += 1 + strcspn(s + len + 1, " ");
    return len;
}

void text_paragraph(struct text *t, const char *lead, const char *s)
{
    size_t indent = utf8_columns(lead, strlen(lead)), column = indent;
    bool first = true;

    buf_str(t->out, lead);
    while (*s) {
        size_t len = word_len(s), columns = utf8_columns(s, len);

        if (!first && column + 1 + columns > t->columns) {
            buf_char(t->out, '\n');
            text_pad(t->out, 0, indent);
            column = indent;
        } else if (!first) {
            buf_char(t->out, ' ');
            column++;
        }
        buf_append(t->out, s, len);
        column += columns;
        first = false;
        s += len;
        s += strspn(s, " ");
    }
    buf_char(t->out, '\n');
}

void text_append(struct buf *b, const char *s)
{
    utf8_append_safe(b, s, strlen(s));
}

/* The length of the longest head of s that takes at most max columns. */
static size_t head_len(const char *s, size_t len, size_t max)
{
    size_t used = 0, columns = 0;

    while (used < len) {
        uint32_t cp;
        size_t n = utf8_char(s + used, len - used, &cp);

        n = n ? n : 1;
        columns += utf8_columns(s + used, n);
        if (columns > max)
            break;
        used += n;
    }
    return used;
}

void text_append_short(struct buf *b, const char *s, size_t max)
{
    size_t len = strlen(s), left = utf8_columns(s, len), head = 0, tail;

    if (left <= max) {
        utf8_append_safe(b, s, len);
        return;
    }
    if (max <= 3) {
        utf8_append_safe(b, s, head_len(s, len, max));
        return;
    }
    head = head_len(s, len, (max - 3) / 2);
    left -= utf8_columns(s, head);
    for (tail = head; left > max - 3 - (max - 3) / 2;) {
        uint32_t cp;
        size_t n = utf8_char(s + tail, len - tail, &cp);

        n = n ? n : 1;
        left -= utf8_columns(s + tail, n);
        tail += n;
    }
    utf8_append_safe(b, s, head);
    buf_str(b, "...");
    utf8_append_safe(b, s + tail, len - tail);
}

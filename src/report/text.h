/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

/*
 * Text of a fixed width for people. Styles are SGR sequences and are written only here, and only
 * where the caller allows colour; all else goes through utf8_append_safe() first.
 */
enum style {
    STYLE_PLAIN,
    STYLE_HEADING,
    STYLE_STRONG,
    STYLE_DIM,
    STYLE_ALERT,
    STYLE_BAR, /* and the STYLE_BARS - 1 after it: cells of a bar, neighbours told apart */
};
enum {
    STYLE_BARS = 6,
};

struct text {
    struct buf *out;
    unsigned columns;
    bool color;
};

/* s in a style; s must be safe already. */
void text_styled(struct text *t, enum style style, const char *s);
void text_style_begin(struct text *t, enum style style);
void text_style_end(struct text *t, enum style style);

/* An empty line, then the heading, then what is said about it (may be NULL). */
void text_heading(struct text *t, const char *heading, const char *about);

/*
 * A paragraph: `lead` (its columns are the indent of all further lines), then the words of s,
 * broken at blanks so that no line is longer than t->columns if it can be helped.
 */
void text_paragraph(struct text *t, const char *lead, const char *s);

/* Appends s, made safe, cut in the middle ("head...tail") to at most max columns. */
void text_append_short(struct buf *b, const char *s, size_t max);

/* Appends s, made safe, as a whole. */
void text_append(struct buf *b, const char *s);

/* Appends blanks until the line, of which `used` columns are taken, is `width` wide. */
void text_pad(struct buf *b, size_t used, size_t width);

/* A newline; blanks before it are taken back. */
void text_end_line(struct buf *b);

#endif

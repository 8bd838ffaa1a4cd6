/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTIL_UTF8_H
#define UTIL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/*
 * Length in bytes of the well-formed UTF-8 character at s (RFC 3629: no overlong forms, no
 * surrogates, at most U+10FFFF), its code point in *ret_cp; 0 if the bytes there are not one.
 */
size_t utf8_char(const char *s, size_t len, uint32_t *ret_cp);

/*
 * Whether a character steers a terminal or reorders or hides what a reader sees: C0 and C1
 * controls, DEL, bidi controls, characters without width.
 */
bool utf8_is_unsafe(uint32_t cp);

/*
 * Appends text so that a terminal shows it and obeys none of it: C0 and C1 controls, DEL, bidi
 * overrides and bytes that are not UTF-8 become \xNN (or \uNNNN). Tab and newline are controls too.
 */
void utf8_append_safe(struct buf *b, const char *s, size_t len);

/* Columns that the first len bytes of s take on a terminal after utf8_append_safe(). */
size_t utf8_columns(const char *s, size_t len);

#endif

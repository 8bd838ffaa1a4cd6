/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXTRACT_OOMLOG_OOM_SPAN_H
#define EXTRACT_OOMLOG_OOM_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A piece of text that belongs to someone else: not terminated, any byte may occur. An absent span
 * has s == NULL; an empty one has not.
 */
struct span {
    const char *s;
    size_t len;
};

#define SPAN_NOT_FOUND ((size_t)-1)

struct span span_of(const char *s);

/* The bytes [from, to) of v; bounds beyond its end are moved to it. */
struct span span_sub(struct span v, size_t from, size_t to);
struct span span_from(struct span v, size_t from);

bool span_is(struct span v, const char *text);
bool span_equal(struct span a, struct span b);
bool span_starts(struct span v, const char *prefix);
bool span_ends(struct span v, const char *suffix);

/* First and last place of needle at or after from; SPAN_NOT_FOUND. */
size_t span_find(struct span v, const char *needle, size_t from);
size_t span_rfind(struct span v, const char *needle);

/* Takes prefix off *v and returns true, or leaves it alone. */
bool span_skip(struct span *v, const char *prefix);
bool span_skip_char(struct span *v, char c);

/* Takes blanks and tabs off the front; span_trim() off both ends, with CR and NUL. */
void span_skip_blanks(struct span *v);
struct span span_trim(struct span v);

/* Takes the next word (what stands between blanks) off *v; an empty one at its end. */
struct span span_word(struct span *v);

/*
 * Takes a decimal (or, with span_hex(), hexadecimal after "0x") number off the front. false and
 * nothing taken if there is none; a number too large becomes INT64_MAX (UINT64_MAX for hex).
 */
bool span_u64(struct span *v, uint64_t *ret);
bool span_i64(struct span *v, int64_t *ret);
bool span_hex(struct span *v, uint64_t *ret);

#endif

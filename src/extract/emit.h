/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXTRACT_EMIT_H
#define EXTRACT_EMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How an extractor speaks: records of named fields, never text. A record becomes one JSON line
 * {"section":…,"record":…,fields…} (summary/FORMAT.md), and the field names used here are part of
 * that format. Sizes are *_bytes, times *_ns since boot or *_time in seconds since 1970.
 *
 *     emit_begin(e, "cache");
 *     emit_str(e, "name", name);
 *     emit_u64(e, "objects_total", n);
 *     emit_end(e);
 */
struct emit;

/* Takes one whole line of len bytes, newline included. Non-zero stops the section. */
typedef int (*emit_sink_fn)(void *arg, const char *line, size_t len);

/* section is borrowed. NULL if memory is out. */
struct emit *emit_new(const char *section, emit_sink_fn sink, void *arg);
void emit_free(struct emit *e);
void emit_freep(struct emit **e);

void emit_begin(struct emit *e, const char *record);
void emit_u64(struct emit *e, const char *name, uint64_t value);
void emit_i64(struct emit *e, const char *name, int64_t value);
void emit_bool(struct emit *e, const char *name, bool value);
void emit_addr(struct emit *e, const char *name, uint64_t value);
/* Strings from the dump: any byte may occur; escaped, never trusted. */
void emit_str(struct emit *e, const char *name, const char *value);
void emit_strn(struct emit *e, const char *name, const char *value, size_t len);
/* name NULL inside an array */
void emit_array_begin(struct emit *e, const char *name);
void emit_array_end(struct emit *e);
void emit_object_begin(struct emit *e, const char *name);
void emit_object_end(struct emit *e);

/* Hands the line to the sink. 0, or what the sink said, or -E2BIG for a line over 256 KiB. After a
 * failure every further emit_end() returns the same, so that loops may look at it once a turn. */
int emit_end(struct emit *e);

/* 0, or what emit_end() failed with. */
int emit_failed(const struct emit *e);

/* Lines emitted so far. */
uint64_t emit_rows(const struct emit *e);

/*
 * Marks the section partial with a reason for its `end` record; the first reason is kept. The
 * extractor goes on.
 */
__attribute__((format(printf, 2, 3))) void emit_partial(struct emit *e, const char *fmt, ...);

/* NULL while nothing was lost. */
const char *emit_partial_reason(const struct emit *e);

#endif

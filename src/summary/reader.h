/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUMMARY_READER_H
#define SUMMARY_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/*
 * Reads a summary record by record, in constant memory. What is damaged is passed over: the reader
 * goes on at the next gzip member and counts what it lost. Summaries are not trusted: lines over
 * 256 KiB, lines that are not an object with "section" and "record", and members that inflate past
 * 64 MiB are dropped and counted as damage.
 */
struct summary_reader;

struct summary_record {
    const char *section, *record; /* borrowed from json */
    const json_t *json;           /* the whole object; valid until the next call */
    const char *line;             /* the line itself, terminated, without newline */
    size_t line_len;
};

struct summary_damage {
    uint64_t bad_members, bad_lines;
    bool truncated;  /* the file ends inside a member */
    bool no_trailer; /* the capture did not finish */
    bool gave_up;    /* bounds on work were hit: the rest of the file is unread */
};

/* Takes the descriptor over, reads it from its start. -EBADMSG if no member can be read. */
int summary_reader_open_fd(int fd, struct error *err, struct summary_reader **ret);
/* path may be the file or a directory that holds SUMMARY_FILE_NAME. */
int summary_reader_open(const char *path, struct error *err, struct summary_reader **ret);
/* Back to the first record; damage is counted anew. A table is printed in two passes: one for its
 * widths, one for its rows. */
int summary_reader_rewind(struct summary_reader *r, struct error *err);
void summary_reader_close(struct summary_reader *r);
void summary_reader_closep(struct summary_reader **r);

/* 1 and a record, 0 at the end, negative errno on an I/O error. */
int summary_next(struct summary_reader *r, struct error *err, struct summary_record *ret);

/* Complete after summary_next() returned 0. */
struct summary_damage summary_reader_damage(const struct summary_reader *r);

/* Fields with a fallback for absent or of another type. Strings are borrowed from the record. */
uint64_t record_u64(const struct summary_record *r, const char *name, uint64_t fallback);
int64_t record_i64(const struct summary_record *r, const char *name, int64_t fallback);
bool record_bool(const struct summary_record *r, const char *name, bool fallback);
const char *record_str(const struct summary_record *r, const char *name, const char *fallback);
/* The items of an array field, NULL if there is none. Borrowed. */
const json_t *record_array(const struct summary_record *r, const char *name);
bool record_is(const struct summary_record *r, const char *section, const char *record);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "summary/reader.h"
#include "util/buf.h"

/* How a field is shown. */
enum column_format {
    COLUMN_TEXT,
    COLUMN_NUMBER,
    COLUMN_SIZE,  /* bytes, with a binary unit */
    COLUMN_EXACT, /* bytes, exactly, in kB as /proc has them */
    COLUMN_TIME,  /* *_ns since boot */
    COLUMN_SPAN,  /* *_ns, how long something took or lasted */
    COLUMN_CLOCK, /* *_time, seconds since 1970 */
    COLUMN_FLAG,  /* "yes", or nothing */
    COLUMN_LIST,  /* an array of numbers or texts */
};

struct column {
    const char *field, *header;
    enum column_format format;
};

/* One kind of record as a table: what `show --section` prints of it, in this order. A record that
 * has no table is printed field by field, a line each, so that nothing of a newer format is lost.
 */
struct table {
    const char *section, *record;
    const struct column *columns;
    size_t n_columns;
};

extern const struct table tables[];
extern const size_t n_tables;

/* Called with each piece of finished text. Non-zero stops. */
typedef int (*table_sink_fn)(void *arg, const char *text, size_t len);

/*
 * Prints the records of a section as tables, in several passes over r (which it rewinds): widths
 * first, then rows, a pass for each kind of record. The section `oom` is printed as it comes, for
 * its records belong to the event before them. -ENOENT if the summary has nothing of the section.
 */
int report_section(struct summary_reader *r, const char *section, bool color, table_sink_fn sink,
                   void *arg, struct error *err);

/* The section `dmesg` by report_dmesg_line(). */
int report_dmesg(struct summary_reader *r, bool terminal, table_sink_fn sink, void *arg,
                 struct error *err);

/* The value as ASCII on one line, control characters escaped: no terminal obeys it. */
void table_append_json(struct buf *b, const json_t *json);

/* The records as JSON Lines, of one section or (NULL) of all. A line is as the summary has it,
 * unless a terminal might obey it: then what is not ASCII is escaped. */
int report_json(struct summary_reader *r, const char *section, table_sink_fn sink, void *arg,
                struct error *err);

/*
 * What is wrong with a section, in one line for people: it is cut, has lost records to damage, or
 * ended otherwise than well. Nothing is appended to ret (the caller's) for a whole or an absent
 * one. Reads r anew. Safe for a terminal.
 */
int report_section_lack(struct summary_reader *r, const char *section, struct error *err,
                        struct buf *ret);

/* The log as kexec-tools' vmcore-dmesg prints it, byte for byte; if `terminal`, with the white
 * space that moves a cursor about ('\r', '\v', '\f') as \xNN, too. */
void report_dmesg_line(struct buf *b, const struct summary_record *rec, bool terminal);

#endif

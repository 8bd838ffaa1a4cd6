/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_DIFF_H
#define REPORT_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/table.h"
#include "summary/reader.h"
#include "util/error.h"

/*
 * Two summaries compared, record by record of the same name and field by field. Rows that share a
 * name in one summary (a hostile one, or merged caches) are added up.
 */
enum diff_side {
    DIFF_OLD,
    DIFF_NEW,
    DIFF_SIDES,
};

enum {
    DIFF_FIELDS = 6,
    DIFF_SECTIONS = 5,
};

/* What is compared of one kind of record: `fields` ends at the first NULL, the first one ranks. */
struct diff_kind {
    const char *section, *record;
    const char *title; /* "slab cache" */
    const char *fields[DIFF_FIELDS];
};

extern const struct diff_kind diff_kinds[];
extern const size_t n_diff_kinds;
extern const char *const diff_sections[DIFF_SECTIONS];

struct diff_row {
    const struct diff_kind *kind;
    char *name;
    uint64_t values[DIFF_SIDES][DIFF_FIELDS];
    uint8_t present[DIFF_SIDES]; /* a bit for each field */
    bool seen[DIFF_SIDES];
};

/* How a section went in one summary. */
struct diff_section {
    uint64_t rows;
    bool ended;
    bool whole; /* status ok and every row read: what is not here was not there */
    char status[16], reason[160];
};

struct diff_summary {
    char nodename[65], release[65], build_id[65], arch[32];
    bool live;      /* of a running kernel */
    int64_t time_s; /* of the crash, or of the live capture */
    struct summary_damage damage;
    bool too_many; /* bounds were hit: some rows are not compared */
    struct diff_section sections[DIFF_SECTIONS];
};

struct diff {
    struct diff_summary sides[DIFF_SIDES];
    struct diff_row *rows; /* by kind, then by name */
    size_t n, capacity, name_bytes;
};

void diff_done(struct diff *d);

/* Adds all of r to a side; then diff_merge() pairs the rows, once. -ENOMEM, or the reader's. */
int diff_fill(struct diff *d, enum diff_side side, struct summary_reader *r, struct error *err);
void diff_merge(struct diff *d);

/* Whether both summaries say something of the section, a position in diff_sections. */
bool diff_is_compared(const struct diff *d, size_t section);
size_t diff_section_index(const char *name); /* DIFF_SECTIONS if it is not compared */

/*
 * Whether the field differs, and by how much. A row or field that one side lacks differs only where
 * that side's section is whole; it counts as 0 then.
 */
bool diff_delta(const struct diff *d, const struct diff_row *row, size_t field, int64_t *ret_delta);

struct diff_options {
    const char *paths[DIFF_SIDES];
    const char *section; /* all rows of it; NULL: the digest */
    bool all;            /* all rows of all sections after the head */
    unsigned columns;
    bool color, local_time;
};

/* For people. */
int diff_print(const struct diff *d, const struct diff_options *o, table_sink_fn sink, void *arg);
/* One object a difference; section may be NULL. */
int diff_print_json(const struct diff *d, const char *section, table_sink_fn sink, void *arg);

#endif

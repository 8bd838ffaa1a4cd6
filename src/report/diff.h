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
    DIFF_PROCESSES = 3, /* field of records `comm`: how many tasks are added up */
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
    bool estimate; /* on either side: exact is false */
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
    uint64_t uptime_s;
    char reason[16]; /* of the crash */
    struct summary_damage damage;
    bool too_many; /* bounds were hit: some rows are not compared */
    struct diff_section sections[DIFF_SECTIONS];
};

/* Whether pids mean the same tasks in both. */
enum diff_boots {
    DIFF_BOOTS_UNKNOWN,
    DIFF_SAME_BOOT,
    DIFF_OTHER_BOOT,
};

struct diff {
    struct diff_summary sides[DIFF_SIDES];
    enum diff_boots boots; /* set by diff_merge() */
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
 * that side's section is whole; it counts as 0 then. Single tasks of two boots are not compared:
 * what has the same pid is another one.
 */
bool diff_delta(const struct diff *d, const struct diff_row *row, size_t field, int64_t *ret_delta);

/* Something that limits the comparison. What is "" or NULL does not apply. */
struct diff_note {
    const char *section; /* NULL: of the whole summary */
    const char *side;    /* "old", "new"; NULL: of both */
    const char *status;  /* of the section; "absent", "cut" without end, "lossy" without some row */
    const char *reason;
    bool compared;  /* what there is of it */
    char text[400]; /* a sentence; not made safe for terminals */
};

typedef int (*diff_note_fn)(const struct diff_note *note, void *arg);

/* All of them in a fixed order, until take() returns other than 0, which is returned. */
int diff_notes(const struct diff *d, diff_note_fn take, void *arg);

struct diff_options {
    const char *paths[DIFF_SIDES];
    const char *section; /* all rows of it; NULL: the digest */
    bool all;            /* all rows of all sections after the head */
    unsigned columns;
    bool color, local_time;
};

/* For people. */
int diff_print(const struct diff *d, const struct diff_options *o, table_sink_fn sink, void *arg);
/* One object a note, then one a difference; section may be NULL. */
int diff_print_json(const struct diff *d, const char *section, table_sink_fn sink, void *arg);

#endif

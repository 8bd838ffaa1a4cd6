/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/human.h"
#include "report/text.h"
#include "util/cleanup.h"
#include "util/utf8.h"

#define DIGEST_ROWS  8 /* that grew */
#define SHRUNK_ROWS  3
#define OUTPUT_LIMIT (64 << 20)
#define NOTE_LIMIT   4096

enum {
    NAME_WIDTH = 31,
    FIELD_WIDTH = 15,
    VALUE_WIDTH = 9,
    DELTA_WIDTH = 10,
    PERCENT_WIDTH = 8,
};

/* A difference, as the tables list it. */
struct change {
    const struct diff_row *row;
    size_t field;
    int64_t delta;
};

struct changes {
    struct change *list;
    size_t n;
};

struct printer {
    struct text text;
    const struct diff *diff;
    struct buf out;
    const struct diff_options *options;
};

static void changes_done(struct changes *c)
{
    free(c->list);
}

/* --- cells ------------------------------------------------------------------------------------ */

static bool is_bytes(const struct change *c)
{
    const char *name = c->row->kind->fields[c->field];
    size_t len = strlen(name);

    return len >= 5 && !strcmp(name + len - 5, "bytes");
}

static void append_amount(struct buf *b, const struct change *c, uint64_t value)
{
    if (is_bytes(c))
        human_size(b, value);
    else
        buf_printf(b, "%" PRIu64, value);
}

static void put_cell(struct buf *out, struct buf *cell, size_t width)
{
    buf_char(out, ' ');
    text_pad(out, cell->len, width);
    buf_append(out, cell->data, cell->len);
    buf_truncate(cell, 0);
}

static uint64_t magnitude(int64_t delta)
{
    return delta < 0 ? 0 - (uint64_t)delta : (uint64_t)delta;
}

static void append_percent(struct buf *b, const struct change *c)
{
    uint64_t old = c->row->values[DIFF_OLD][c->field];

    if (!c->row->seen[DIFF_OLD] || !c->row->seen[DIFF_NEW]) {
        buf_str(b, c->row->seen[DIFF_NEW] ? "new" : "gone");
    } else if (old && c->delta) {
        double percent = 100.0 * (double)c->delta / (double)old;

        if (percent > 99999)
            buf_str(b, ">99999 %");
        else
            buf_printf(b, percent > -100 && percent < 100 ? "%+.1f %%" : "%+.0f %%", percent);
    }
}

static void put_values(struct buf *out, const struct change *c)
{
    _cleanup_(buf_done) struct buf cell = BUF_INIT(256);

    for (size_t side = 0; side < DIFF_SIDES; side++) {
        if (c->row->seen[side])
            append_amount(&cell, c, c->row->values[side][c->field]);
        else
            buf_char(&cell, '-');
        put_cell(out, &cell, VALUE_WIDTH);
    }
    if (c->delta) {
        buf_char(&cell, c->delta < 0 ? '-' : '+');
        append_amount(&cell, c, magnitude(c->delta));
    }
    put_cell(out, &cell, DELTA_WIDTH);
    append_percent(&cell, c);
    put_cell(out, &cell, PERCENT_WIDTH);
    text_end_line(out);
}

/* Makes name safe; cuts it to width unless it is wanted whole. */
static void put_name(struct buf *out, const char *name, size_t width, bool whole)
{
    _cleanup_(buf_done) struct buf cell = BUF_INIT(64 << 10);

    if (whole)
        text_append(&cell, name);
    else
        text_append_short(&cell, name, width);
    if (!cell.len)
        buf_char(&cell, '-');
    buf_append(out, cell.data, cell.len);
    text_pad(out, utf8_columns(cell.data, cell.len), width);
}

static void print_headings(struct printer *p, const char *name, bool with_field)
{
    text_style_begin(&p->text, STYLE_DIM);
    if (with_field)
        buf_printf(&p->out, "%-*s %-*s", NAME_WIDTH - 8, name, FIELD_WIDTH, "FIELD");
    else
        buf_printf(&p->out, "%-*s", NAME_WIDTH, name);
    buf_printf(&p->out, " %*s %*s %*s %*s", VALUE_WIDTH, "OLD", VALUE_WIDTH, "NEW", DELTA_WIDTH,
               "CHANGE", PERCENT_WIDTH, "%");
    text_style_end(&p->text, STYLE_DIM);
    buf_char(&p->out, '\n');
}

/* --- choosing --------------------------------------------------------------------------------- */

typedef bool (*change_filter_fn)(const struct change *c, const void *arg);

/* What grew most first, what shrank most last. */
static int compare_changes(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    int r;

    if (x->delta != y->delta)
        return x->delta > y->delta ? -1 : 1;
    r = strcmp(x->row->name, y->row->name);
    return r ? r : (x->field > y->field) - (x->field < y->field);
}

/* Bytes are not to be ranked among counts: a field after the other. */
static int compare_by_field(const void *a, const void *b)
{
    const struct change *x = a, *y = b;

    if (x->row->kind != y->row->kind)
        return x->row->kind < y->row->kind ? -1 : 1;
    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    return compare_changes(a, b);
}

static int collect(const struct diff *d, change_filter_fn filter, const void *arg,
                   struct changes *ret)
{
    struct change c, *list = calloc(d->n ? d->n * DIFF_FIELDS : 1, sizeof(*list));
    size_t n = 0;

    if (!list)
        return -ENOMEM;
    for (size_t i = 0; i < d->n; i++)
        for (size_t f = 0; f < DIFF_FIELDS && d->rows[i].kind->fields[f]; f++) {
            c = (struct change){&d->rows[i], f, 0};
            if (diff_delta(d, c.row, f, &c.delta) && filter(&c, arg))
                list[n++] = c;
        }
    qsort(list, n, sizeof(*list), compare_changes);
    *ret = (struct changes){list, n};
    return 0;
}

/* Totals that the digest always has, changed or not. */
static const char *const lead_totals[] = {"MemTotal", "MemFree", "MemAvailable", "Unaccounted"};

static bool is_lead(const struct diff_row *row)
{
    for (size_t i = 0; i < ARRAY_SIZE(lead_totals); i++)
        if (!strcmp(row->kind->record, "total") && !strcmp(row->name, lead_totals[i]))
            return true;
    return false;
}

/* Totals that are address space, promises or page sizes: no memory is gone where they grow. */
static bool is_no_memory(const struct diff_row *row)
{
    static const char *const names[] = {"VmallocTotal", "VmallocChunk", "CommitLimit",
                                        "Committed_AS", "Hugepagesize"};
    static const char direct_map[] = "DirectMap"; /* DirectMap4k, ... */

    if (strcmp(row->kind->record, "total"))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(row->name, names[i]))
            return true;
    return !strncmp(row->name, direct_map, strlen(direct_map));
}

static bool is_kind(const struct change *c, const void *record)
{
    return !c->field && c->delta && !strcmp(c->row->kind->record, record) && !is_lead(c->row) &&
           !is_no_memory(c->row);
}

static bool is_of_section(const struct change *c, const void *section)
{
    return !strcmp(c->row->kind->section, section);
}

/* Totals that are memory spent on something of their own, so that growth there is a suspect. */
static bool is_spent(const struct change *c)
{
    static const char *const names[] = {"Unaccounted", "PageTables",   "KernelStack", "Percpu",
                                        "VmallocUsed", "Shmem",        "Hugetlb",     "Cached",
                                        "Buffers",     "SecPageTables"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(c->row->name, names[i]))
            return true;
    return false;
}

static bool is_suspect(const struct change *c, const void *arg)
{
    const char *record = c->row->kind->record;

    (void)arg;
    if (c->field || c->delta <= 0)
        return false;
    if (!strcmp(record, "total"))
        return is_spent(c);
    return !strcmp(record, "comm") || !strcmp(record, "cache") || !strcmp(record, "module");
}

/* --- the head --------------------------------------------------------------------------------- */

static void print_side(struct printer *p, enum diff_side side)
{
    static const char *const words[DIFF_SIDES] = {"Old  ", "New  "};
    const struct diff_summary *s = &p->diff->sides[side];
    _cleanup_(buf_done) struct buf line = BUF_INIT(NOTE_LIMIT);

    human_time(&line, s->time_s, p->options->local_time);
    if (s->live)
        buf_str(&line, " (live)");
    buf_str(&line, ", ");
    text_append_short(&line, *s->nodename ? s->nodename : "(unknown machine)", 64);
    buf_str(&line, ", ");
    text_append_short(&line, *s->release ? s->release : "(unknown kernel)", 64);
    text_paragraph(&p->text, words[side], line.data);
    if (p->options->paths[side]) {
        buf_str(&p->out, "     ");
        text_append(&p->out, p->options->paths[side]);
        buf_char(&p->out, '\n');
    }
}

static void print_note(struct printer *p, const char *note)
{
    text_paragraph(&p->text, "  !  ", note);
}

static void note_identity(struct printer *p)
{
    const struct diff_summary *o = &p->diff->sides[DIFF_OLD], *n = &p->diff->sides[DIFF_NEW];

    if (strcmp(o->nodename, n->nodename))
        print_note(p, "Two machines: the summaries are of different node names.");
    if (strcmp(o->arch, n->arch))
        print_note(p, "Two architectures: sizes of everything may differ for that alone.");
    else if (strcmp(o->release, n->release))
        print_note(p, "Two kernels: caches and modules may have other names and sizes.");
    else if (strcmp(o->build_id, n->build_id))
        print_note(p, "Two builds of one kernel release: their build ids differ.");
    if (o->time_s > 0 && n->time_s > 0 && o->time_s > n->time_s)
        print_note(p, "The old summary is the later one.");
}

static void note_damage(struct printer *p, enum diff_side side)
{
    const struct diff_summary *s = &p->diff->sides[side];
    const struct summary_damage *g = &s->damage;
    const char *word = side == DIFF_OLD ? "old" : "new";
    char note[200];

    if (g->bad_members || g->bad_lines || g->gave_up || g->truncated)
        snprintf(note, sizeof(note), "The %s summary is damaged: what was lost is not compared.",
                 word);
    else if (g->no_trailer)
        snprintf(note, sizeof(note), "The %s summary is of a capture that did not finish.", word);
    else
        note[0] = 0;
    if (*note)
        print_note(p, note);
    if (s->too_many) {
        snprintf(note, sizeof(note), "The %s summary has too many rows: some are not compared.",
                 word);
        print_note(p, note);
    }
}

static void note_section(struct printer *p, size_t i, enum diff_side side)
{
    const struct diff_section *s = &p->diff->sides[side].sections[i];
    _cleanup_(buf_done) struct buf note = BUF_INIT(NOTE_LIMIT);

    if (s->whole)
        return;
    buf_printf(&note, "%s is %s in the %s summary", diff_sections[i],
               diff_is_compared(p->diff, i) ? "in part" : "missing",
               side == DIFF_OLD ? "old" : "new");
    if (!s->rows && !s->ended)
        buf_str(&note, " (no record)");
    else if (!s->ended)
        buf_str(&note, " (cut)");
    else if (!strcmp(s->status, "ok"))
        buf_str(&note, " (rows were lost)");
    else {
        buf_str(&note, " (");
        text_append(&note, s->status);
        buf_str(&note, *s->reason ? ": " : "");
        text_append(&note, s->reason);
        buf_char(&note, ')');
    }
    buf_str(&note,
            diff_is_compared(p->diff, i) ? ": rows of one side are left out." : ": not compared.");
    print_note(p, note.data);
}

static void print_head(struct printer *p)
{
    print_side(p, DIFF_OLD);
    print_side(p, DIFF_NEW);
    note_identity(p);
    for (size_t side = 0; side < DIFF_SIDES; side++)
        note_damage(p, side);
    for (size_t i = 0; i < DIFF_SECTIONS; i++)
        for (size_t side = 0; side < DIFF_SIDES; side++)
            note_section(p, i, side);
}

/* --- the digest ------------------------------------------------------------------------------- */

static int print_growth(struct printer *p)
{
    _cleanup_(changes_done) struct changes c = {0};
    int r = collect(p->diff, is_suspect, NULL, &c);

    if (r)
        return r;
    text_heading(&p->text, "What grew most", NULL);
    for (size_t i = 0; i < c.n && i < DIGEST_ROWS; i++) {
        _cleanup_(buf_done) struct buf name = BUF_INIT(NOTE_LIMIT * 2);

        buf_printf(&name, "%s %s", c.list[i].row->kind->title, c.list[i].row->name);
        put_name(&p->out, name.data ? name.data : "", NAME_WIDTH, false);
        put_values(&p->out, &c.list[i]);
    }
    if (!c.n)
        buf_str(&p->out, "Nothing.\n");
    return 0;
}

static void print_rest(struct printer *p, size_t more_grew, size_t more_shrank)
{
    if (more_grew)
        buf_printf(&p->out, "%zu more grew", more_grew);
    if (more_grew && more_shrank)
        buf_str(&p->out, ", ");
    if (more_shrank)
        buf_printf(&p->out, more_grew ? "%zu shrank" : "%zu more shrank", more_shrank);
    if (more_grew || more_shrank)
        buf_char(&p->out, '\n');
}

static void print_row(struct printer *p, const struct change *c)
{
    put_name(&p->out, c->row->name, NAME_WIDTH, false);
    put_values(&p->out, c);
}

static void print_lead_totals(struct printer *p)
{
    for (size_t name = 0; name < ARRAY_SIZE(lead_totals); name++)
        for (size_t i = 0; i < p->diff->n; i++) {
            struct change c = {&p->diff->rows[i], 0, 0};

            if (!is_lead(c.row) || strcmp(c.row->name, lead_totals[name]))
                continue;
            if (diff_delta(p->diff, c.row, 0, &c.delta) ||
                (c.row->seen[DIFF_OLD] && c.row->seen[DIFF_NEW]))
                print_row(p, &c);
        }
}

/* Of one kind: what grew most, then what shrank most, then how many more there are. */
static void print_changes(struct printer *p, const struct changes *c)
{
    size_t grew = 0, shrank, shown;

    while (grew < c->n && c->list[grew].delta > 0)
        grew++;
    shrank = c->n - grew;
    shown = grew < DIGEST_ROWS ? grew : DIGEST_ROWS;
    for (size_t i = 0; i < shown; i++)
        print_row(p, &c->list[i]);
    for (size_t i = 0; i < SHRUNK_ROWS && i < shrank; i++)
        print_row(p, &c->list[c->n - 1 - i]);
    print_rest(p, grew - shown, shrank > SHRUNK_ROWS ? shrank - SHRUNK_ROWS : 0);
}

static int print_top(struct printer *p, const char *heading, const char *column, const char *record)
{
    _cleanup_(changes_done) struct changes c = {0};
    size_t before = p->out.len, rows;
    int r = collect(p->diff, is_kind, record, &c);

    if (r)
        return r;
    text_heading(&p->text, heading, NULL);
    print_headings(p, column, false);
    rows = p->out.len;
    if (!strcmp(record, "total"))
        print_lead_totals(p);
    print_changes(p, &c);
    if (p->out.len == rows)
        buf_truncate(&p->out, before);
    return 0;
}

/* Names that only one side has, as a paragraph. */
static void print_modules_of(struct printer *p, const char *lead, enum diff_side side)
{
    _cleanup_(buf_done) struct buf names = BUF_INIT(1 << 20);
    int64_t delta;

    for (size_t i = 0; i < p->diff->n; i++) {
        const struct diff_row *row = &p->diff->rows[i];

        if (strcmp(row->kind->record, "module") || !row->seen[side] || row->seen[!side] ||
            !diff_delta(p->diff, row, 0, &delta))
            continue;
        buf_str(&names, names.len ? " " : "");
        text_append(&names, row->name);
    }
    if (names.len)
        text_paragraph(&p->text, lead, names.data);
}

static void print_modules(struct printer *p)
{
    size_t before = p->out.len, heading;

    text_heading(&p->text, "Modules", NULL);
    heading = p->out.len;
    print_modules_of(p, "appeared  ", DIFF_NEW);
    print_modules_of(p, "vanished  ", DIFF_OLD);
    if (p->out.len == heading)
        buf_truncate(&p->out, before);
}

/* --- whole sections --------------------------------------------------------------------------- */

static int print_section(struct printer *p, const char *section)
{
    _cleanup_(changes_done) struct changes c = {0};
    int r = collect(p->diff, is_of_section, section, &c);

    if (r)
        return r;
    text_heading(&p->text, section, NULL);
    if (!c.n) {
        buf_str(&p->out, diff_is_compared(p->diff, diff_section_index(section))
                             ? "No difference.\n"
                             : "Not compared.\n");
        return 0;
    }
    qsort(c.list, c.n, sizeof(*c.list), compare_by_field);
    print_headings(p, "NAME", true);
    for (size_t i = 0; i < c.n; i++) {
        const struct diff_kind *kind = c.list[i].row->kind;

        put_name(&p->out, c.list[i].row->name, NAME_WIDTH - 8, true);
        buf_printf(&p->out, " %-*s", FIELD_WIDTH, kind->fields[c.list[i].field]);
        put_values(&p->out, &c.list[i]);
    }
    return 0;
}

static int print_digest(struct printer *p)
{
    static const struct {
        const char *heading, *column, *record;
    } tops[] = {
        {"Memory", "NAME", "total"},
        {"Free memory of the zones", "NODE AND ZONE", "zone"},
        {"Slab caches", "NAME", "cache"},
        {"Tasks, by resident memory of those of one name", "COMM", "comm"},
    };
    int r = print_growth(p);

    for (size_t i = 0; !r && i < ARRAY_SIZE(tops); i++)
        r = print_top(p, tops[i].heading, tops[i].column, tops[i].record);
    if (!r)
        print_modules(p);
    return r;
}

int diff_print(const struct diff *d, const struct diff_options *o, table_sink_fn sink, void *arg)
{
    struct printer p = {.diff = d, .out = BUF_INIT(OUTPUT_LIMIT), .options = o};
    int r = 0;

    p.text = (struct text){&p.out, o->columns, o->color};
    print_head(&p);
    if (o->section)
        r = print_section(&p, o->section);
    else if (!o->all)
        r = print_digest(&p);
    for (size_t i = 0; !r && o->all && !o->section && i < DIFF_SECTIONS; i++)
        r = print_section(&p, diff_sections[i]);
    if (!r)
        r = p.out.full ? -E2BIG : sink(arg, p.out.data, p.out.len);
    buf_done(&p.out);
    return r;
}

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
#include "util/deadline.h"
#include "util/math.h"
#include "util/utf8.h"

#define DIGEST_ROWS  8 /* that grew */
#define SHRUNK_ROWS  3
#define LISTED_NAMES 12
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
    bool estimates; /* a row was marked as one */
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

static void put_values(struct printer *p, const struct change *c)
{
    _cleanup_(buf_done) struct buf cell = BUF_INIT(256);
    struct buf *out = &p->out;

    for (size_t side = 0; side < DIFF_SIDES; side++) {
        if (c->row->seen[side])
            append_amount(&cell, c, c->row->values[side][c->field]);
        else
            buf_char(&cell, '-');
        put_cell(out, &cell, VALUE_WIDTH);
    }
    if (c->row->estimate) {
        p->estimates = true;
        buf_char(&cell, '~');
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

/* Makes name safe; cuts it, but not `after` (may be NULL), to width unless it is wanted whole. */
static void put_name(struct buf *out, const char *name, const char *after, size_t width, bool whole)
{
    _cleanup_(buf_done) struct buf cell = BUF_INIT(64 << 10);
    size_t room = width - min_u64(after ? strlen(after) : 0, width / 2);

    if (whole)
        text_append(&cell, name);
    else
        text_append_short(&cell, name, room);
    if (!cell.len)
        buf_char(&cell, '-');
    if (after)
        buf_str(&cell, after);
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

/* Totals that are address space, promises or page sizes, and the lists on which pages stand that
 * others count by their use: no memory is gone where they grow. */
static bool is_no_memory(const struct diff_row *row)
{
    static const char *const names[] = {"VmallocTotal", "VmallocChunk", "CommitLimit",
                                        "Committed_AS", "Hugepagesize"};
    static const char *const prefixes[] = {"DirectMap", /* DirectMap4k, ... */
                                           "Active", "Inactive"};

    if (strcmp(row->kind->record, "total"))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(row->name, names[i]))
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
        if (!strncmp(row->name, prefixes[i], strlen(prefixes[i])))
            return true;
    return false;
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

/* Totals that are memory spent on something of their own, so that growth there is a suspect. Not
 * the page cache, which takes what is free on any healthy machine and gives way. */
static bool is_spent(const struct change *c)
{
    static const char *const names[] = {"Unaccounted", "PageTables",   "KernelStack",
                                        "Percpu",      "VmallocUsed",  "Shmem",
                                        "Hugetlb",     "SecPageTables"};

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
    if (s->uptime_s) {
        buf_str(&line, ", up ");
        human_duration(&line, sat_mul_u64(s->uptime_s, NSEC_PER_SEC));
    }
    if (*s->reason && !s->live) {
        buf_str(&line, ", crashed: ");
        text_append_short(&line, s->reason, 16);
    }
    if (side == DIFF_NEW && p->diff->boots == DIFF_SAME_BOOT)
        buf_str(&line, ", same boot");
    text_paragraph(&p->text, words[side], line.data);
    if (p->options->paths[side]) {
        buf_str(&p->out, "     ");
        text_append(&p->out, p->options->paths[side]);
        buf_char(&p->out, '\n');
    }
}

/* diff_note_fn */
static int print_note(const struct diff_note *note, void *arg)
{
    struct printer *p = arg;
    _cleanup_(buf_done) struct buf safe = BUF_INIT(NOTE_LIMIT);

    text_append(&safe, note->text);
    text_paragraph(&p->text, "  !  ", safe.data);
    return 0;
}

static void print_head(struct printer *p)
{
    print_side(p, DIFF_OLD);
    print_side(p, DIFF_NEW);
    diff_notes(p->diff, print_note, p);
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
        put_name(&p->out, name.data ? name.data : "", NULL, NAME_WIDTH, false);
        put_values(p, &c.list[i]);
    }
    if (!c.n)
        buf_str(&p->out, "Nothing.\n");
    if (c.n > DIGEST_ROWS)
        buf_printf(&p->out, "... and %zu more\n", c.n - DIGEST_ROWS);
    return 0;
}

static void print_rest(struct printer *p, size_t more_grew, size_t more_shrank)
{
    if (!more_grew && !more_shrank)
        return;
    buf_str(&p->out, "... and ");
    if (more_grew)
        buf_printf(&p->out, "%zu more that grew", more_grew);
    if (more_grew && more_shrank)
        buf_str(&p->out, ", ");
    if (more_shrank)
        buf_printf(&p->out, "%zu %sthat shrank", more_shrank, more_grew ? "" : "more ");
    buf_char(&p->out, '\n');
}

/* How many processes share the name of a row of `comm`, where that is more than one. */
static void append_processes(struct buf *b, const struct diff_row *row)
{
    const uint64_t *n[DIFF_SIDES] = {row->values[DIFF_OLD], row->values[DIFF_NEW]};
    uint64_t old = n[DIFF_OLD][DIFF_PROCESSES], new = n[DIFF_NEW][DIFF_PROCESSES];

    if (old <= 1 && new <= 1)
        return;
    if (old == new || !row->seen[DIFF_OLD] || !row->seen[DIFF_NEW])
        buf_printf(b, " (%" PRIu64 ")", max_u64(old, new));
    else
        buf_printf(b, " (%" PRIu64 " -> %" PRIu64 ")", old, new);
}

static void print_row(struct printer *p, const struct change *c)
{
    _cleanup_(buf_done) struct buf count = BUF_INIT(64);

    if (!strcmp(c->row->kind->record, "comm"))
        append_processes(&count, c->row);
    put_name(&p->out, c->row->name, count.data, NAME_WIDTH, false);
    put_values(p, c);
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

/* Rows of a record that only `side` has, the largest first. */
struct one_sided {
    const char *record;
    enum diff_side side;
    bool with_size; /* those of size 0 are left out */
};

static bool is_one_sided(const struct change *c, const void *arg)
{
    const struct one_sided *want = arg;

    return !c->field && !strcmp(c->row->kind->record, want->record) && c->row->seen[want->side] &&
           !c->row->seen[!want->side] && (c->delta || !want->with_size);
}

static int print_one_sided(struct printer *p, const char *lead, const struct one_sided *want)
{
    _cleanup_(changes_done) struct changes c = {0};
    _cleanup_(buf_done) struct buf names = BUF_INIT(1 << 20);
    int r = collect(p->diff, is_one_sided, want, &c);

    for (size_t i = 0; !r && i < c.n && i < LISTED_NAMES; i++) {
        const struct change *change = &c.list[want->side == DIFF_OLD ? c.n - 1 - i : i];

        buf_str(&names, i ? ", " : "");
        text_append_short(&names, change->row->name, NAME_WIDTH);
        if (want->with_size) {
            buf_char(&names, ' ');
            append_amount(&names, change, magnitude(change->delta));
        }
    }
    if (c.n > LISTED_NAMES)
        buf_printf(&names, " ... and %zu more", c.n - LISTED_NAMES);
    if (names.len)
        text_paragraph(&p->text, lead, names.data);
    return r;
}

static int print_modules(struct printer *p)
{
    size_t before = p->out.len, heading;
    int r;

    text_heading(&p->text, "Modules", NULL);
    heading = p->out.len;
    r = print_one_sided(p, "appeared  ", &(struct one_sided){"module", DIFF_NEW, false});
    if (!r)
        r = print_one_sided(p, "vanished  ", &(struct one_sided){"module", DIFF_OLD, false});
    if (p->out.len == heading)
        buf_truncate(&p->out, before);
    return r;
}

/* Processes that began or ended between the two, as far as they had memory. */
static int print_pids(struct printer *p)
{
    int r = print_one_sided(p, "new pids   ", &(struct one_sided){"task", DIFF_NEW, true});

    return r ? r : print_one_sided(p, "gone pids  ", &(struct one_sided){"task", DIFF_OLD, true});
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

        put_name(&p->out, c.list[i].row->name, NULL, NAME_WIDTH - 8, true);
        buf_printf(&p->out, " %-*s", FIELD_WIDTH, kind->fields[c.list[i].field]);
        put_values(p, &c.list[i]);
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
        {"Tasks, by resident memory of those of one name", "COMM (PROCESSES)", "comm"},
    };
    int r = print_growth(p);

    for (size_t i = 0; !r && i < ARRAY_SIZE(tops); i++)
        r = print_top(p, tops[i].heading, tops[i].column, tops[i].record);
    if (!r)
        r = print_pids(p);
    if (!r)
        r = print_modules(p);
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
    if (p.estimates)
        buf_str(&p.out,
                "\n~  an estimate: a list was too long or damaged, or counters were left out\n");
    if (!r)
        r = p.out.full ? -E2BIG : sink(arg, p.out.data, p.out.len);
    buf_done(&p.out);
    return r;
}

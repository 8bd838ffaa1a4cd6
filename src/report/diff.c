/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/math.h"
#include "util/utf8.h"

/* Of both summaries together; a machine with a million tasks is compared in part. */
#define ROWS_LIMIT       (256 << 10)
#define NAME_BYTES_LIMIT (16 << 20)
#define NAME_LIMIT       4096
#define LINE_LIMIT       (64 << 10) /* 6 bytes for each of a name, and room */

/* The clock is set while a machine runs; none is up again in less. */
#define SAME_BOOT_S 60

const char *const diff_sections[DIFF_SECTIONS] = {"memory", "zone", "slab", "task", "module"};

enum {
    KIND_TASK_BY_COMM = 3,
    KIND_TASK = 4,
};

/* clang-format off */
const struct diff_kind diff_kinds[] = {
    {"memory", "total", "memory", {"bytes", "count"}},
    {"zone", "zone", "zone",
     {"free_bytes", "pcp_bytes", "cma_free_bytes", "managed_bytes", "present_bytes", "spanned_bytes"}},
    {"slab", "cache", "slab cache", {"bytes", "objects_active", "objects_total", "slabs"}},
    [KIND_TASK_BY_COMM] = {"task", "comm", "tasks named", {"rss_bytes", "swap_bytes", "pgtables_bytes", "processes"}},
    [KIND_TASK] = {"task", "task", "task", {"rss_bytes", "swap_bytes", "pgtables_bytes", "threads"}},
    {"module", "module", "module", {"bytes"}},
};
/* clang-format on */
const size_t n_diff_kinds = ARRAY_SIZE(diff_kinds);

void diff_done(struct diff *d)
{
    for (size_t i = 0; i < d->n; i++)
        free(d->rows[i].name);
    free(d->rows);
    d->rows = NULL;
    d->n = d->capacity = 0;
}

size_t diff_section_index(const char *name)
{
    size_t i = 0;

    while (i < DIFF_SECTIONS && strcmp(diff_sections[i], name))
        i++;
    return i;
}

/* --- reading ---------------------------------------------------------------------------------- */

static struct diff_row *new_row(struct diff *d)
{
    if (d->n == d->capacity) {
        size_t capacity = d->capacity ? 2 * d->capacity : 256;
        struct diff_row *rows = reallocarray(d->rows, capacity, sizeof(*rows));

        if (!rows)
            return NULL;
        d->rows = rows;
        d->capacity = capacity;
    }
    return &d->rows[d->n];
}

static void read_fields(const struct summary_record *rec, enum diff_side side, struct diff_row *row)
{
    for (size_t i = 0; i < DIFF_FIELDS && row->kind->fields[i]; i++) {
        const json_t *v = json_object_get(rec->json, row->kind->fields[i]);

        if (!json_is_integer(v))
            continue;
        row->values[side][i] = clamp_count(json_integer_value(v));
        row->present[side] |= (uint8_t)(1U << i);
    }
    row->estimate = !record_bool(rec, "exact", true);
}

static int add_row(struct diff *d, enum diff_side side, const struct diff_kind *kind,
                   const struct summary_record *rec, const char *name)
{
    struct diff_row *row;
    size_t len = strlen(name);

    if (d->n >= ROWS_LIMIT || len > NAME_LIMIT || d->name_bytes + len > NAME_BYTES_LIMIT) {
        d->sides[side].too_many = true;
        return 0;
    }
    row = new_row(d);
    if (!row)
        return -ENOMEM;
    *row = (struct diff_row){.kind = kind, .name = strdup(name)};
    if (!row->name)
        return -ENOMEM;
    d->name_bytes += len;
    row->seen[side] = true;
    read_fields(rec, side, row);
    if (kind == &diff_kinds[KIND_TASK_BY_COMM]) {
        row->values[side][DIFF_PROCESSES] = 1;
        row->present[side] |= 1U << DIFF_PROCESSES;
    }
    d->n++;
    return 0;
}

static int add_prefixed(struct diff *d, enum diff_side side, const struct diff_kind *kind,
                        const struct summary_record *rec, const char *number, const char *name)
{
    _cleanup_free_ char *full = NULL;

    if (asprintf(&full, "%" PRId64 " %s", record_i64(rec, number, -1), name) < 0) {
        full = NULL;
        return -ENOMEM;
    }
    return add_row(d, side, kind, rec, full);
}

static int add_task(struct diff *d, enum diff_side side, const struct summary_record *rec)
{
    const char *comm = record_str(rec, "comm", "");
    int r = add_row(d, side, &diff_kinds[KIND_TASK_BY_COMM], rec, comm);

    return r ? r : add_prefixed(d, side, &diff_kinds[KIND_TASK], rec, "pid", comm);
}

static int add_record(struct diff *d, enum diff_side side, const struct summary_record *rec)
{
    const char *name = record_str(rec, "name", "");

    if (record_is(rec, "task", "task"))
        return add_task(d, side, rec);
    if (record_is(rec, "zone", "zone"))
        return add_prefixed(d, side, &diff_kinds[1], rec, "node", name);
    for (size_t i = 0; i < n_diff_kinds; i++)
        if (i != KIND_TASK_BY_COMM && record_is(rec, diff_kinds[i].section, diff_kinds[i].record))
            return add_row(d, side, &diff_kinds[i], rec, name);
    return 0;
}

#define COPY_FIELD(to, rec, name)                                                                  \
    ((void)snprintf((to), sizeof(to), "%.*s", (int)sizeof(to) - 1, record_str((rec), (name), "")))

static void read_header(struct diff_summary *s, const struct summary_record *rec)
{
    COPY_FIELD(s->nodename, rec, "nodename");
    COPY_FIELD(s->release, rec, "release");
    COPY_FIELD(s->build_id, rec, "build_id");
    COPY_FIELD(s->arch, rec, "arch");
    s->live = record_bool(rec, "live", false);
    s->time_s = record_i64(rec, s->live ? "capture_time" : "crash_time", 0);
}

static void read_crash(struct diff_summary *s, const struct summary_record *rec)
{
    s->uptime_s = record_u64(rec, "uptime_s", 0);
    COPY_FIELD(s->reason, rec, "reason");
}

static void note_section(struct diff_summary *s, const struct summary_record *rec)
{
    size_t i = diff_section_index(rec->section);
    struct diff_section *section;

    if (i == DIFF_SECTIONS)
        return;
    section = &s->sections[i];
    if (strcmp(rec->record, "end")) {
        section->rows++;
        return;
    }
    section->ended = true;
    COPY_FIELD(section->status, rec, "status");
    COPY_FIELD(section->reason, rec, "reason");
    /* a damaged line may be missing from a section that went well */
    section->whole = !strcmp(section->status, "ok") && record_u64(rec, "rows", 0) == section->rows;
}

int diff_fill(struct diff *d, enum diff_side side, struct summary_reader *r, struct error *err)
{
    struct diff_summary *s = &d->sides[side];
    struct summary_record rec;
    int status;

    while ((status = summary_next(r, err, &rec)) > 0) {
        note_section(s, &rec);
        if (record_is(&rec, "header", "header"))
            read_header(s, &rec);
        if (record_is(&rec, "crash", "crash"))
            read_crash(s, &rec);
        status = add_record(d, side, &rec);
        if (status)
            return error_set(err, status, "out of memory");
    }
    s->damage = summary_reader_damage(r);
    for (size_t i = 0; s->too_many && i < DIFF_SECTIONS; i++)
        s->sections[i].whole = false;
    return status;
}

/* --- pairing ---------------------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
    const struct diff_row *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void merge_row(struct diff_row *to, struct diff_row *from)
{
    for (size_t side = 0; side < DIFF_SIDES; side++) {
        to->seen[side] |= from->seen[side];
        to->present[side] |= from->present[side];
        for (size_t i = 0; i < DIFF_FIELDS; i++)
            to->values[side][i] = sat_add_u64(to->values[side][i], from->values[side][i]);
    }
    to->estimate |= from->estimate;
    free(from->name);
}

static bool boot_time(const struct diff_summary *s, int64_t *ret_s)
{
    if (s->time_s <= 0 || !s->uptime_s || s->uptime_s > (uint64_t)s->time_s)
        return false;
    *ret_s = s->time_s - (int64_t)s->uptime_s;
    return true;
}

static enum diff_boots compare_boots(const struct diff_summary *a, const struct diff_summary *b)
{
    const struct diff_summary *earlier = a->time_s < b->time_s ? a : b;
    int64_t x, y;

    if (strcmp(a->nodename, b->nodename) || strcmp(a->release, b->release) ||
        strcmp(a->build_id, b->build_id))
        return DIFF_OTHER_BOOT;
    /* a crash ends a boot */
    if (a->time_s > 0 && b->time_s > 0 && a->time_s != b->time_s && !earlier->live)
        return DIFF_OTHER_BOOT;
    if (!boot_time(a, &x) || !boot_time(b, &y))
        return DIFF_BOOTS_UNKNOWN;
    return (x < y ? y - x : x - y) <= SAME_BOOT_S ? DIFF_SAME_BOOT : DIFF_OTHER_BOOT;
}

void diff_merge(struct diff *d)
{
    size_t kept = 0;

    d->boots = compare_boots(&d->sides[DIFF_OLD], &d->sides[DIFF_NEW]);
    /* sorted, not hashed: names are not trusted, and no choice of them makes this slow */
    if (d->n)
        qsort(d->rows, d->n, sizeof(*d->rows), compare_rows);
    for (size_t i = 0; i < d->n; i++) {
        if (kept && !compare_rows(&d->rows[kept - 1], &d->rows[i]))
            merge_row(&d->rows[kept - 1], &d->rows[i]);
        else
            d->rows[kept++] = d->rows[i];
    }
    d->n = kept;
}

bool diff_is_compared(const struct diff *d, size_t section)
{
    for (size_t side = 0; side < DIFF_SIDES; side++) {
        const struct diff_section *s = &d->sides[side].sections[section];

        if (!s->rows && !s->whole)
            return false;
    }
    return true;
}

bool diff_delta(const struct diff *d, const struct diff_row *row, size_t field, int64_t *ret_delta)
{
    size_t section = diff_section_index(row->kind->section);
    unsigned bit = 1U << field;

    if (!((row->present[DIFF_OLD] | row->present[DIFF_NEW]) & bit) || !diff_is_compared(d, section))
        return false;
    if (d->boots == DIFF_OTHER_BOOT && row->kind == &diff_kinds[KIND_TASK])
        return false;
    for (size_t side = 0; side < DIFF_SIDES; side++)
        if (!(row->present[side] & bit) &&
            (row->seen[side] || !d->sides[side].sections[section].whole))
            return false;
    *ret_delta = (int64_t)row->values[DIFF_NEW][field] - (int64_t)row->values[DIFF_OLD][field];
    /* that a row came or went is told once, by the field that ranks it */
    return *ret_delta || (!field && row->seen[DIFF_OLD] != row->seen[DIFF_NEW]);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *difference_json(const struct diff_row *row, size_t field, int64_t delta)
{
    _cleanup_(json_decrefp) json_t *o = json_object();

    if (!o || json_object_set_new(o, "section", json_string(row->kind->section)) ||
        json_object_set_new(o, "record", json_string(row->kind->record)) ||
        json_object_set_new(o, "name", json_string(row->name)) ||
        json_object_set_new(o, "field", json_string(row->kind->fields[field])))
        return NULL;
    if (row->seen[DIFF_OLD] &&
        json_object_set_new(o, "old", json_integer((json_int_t)row->values[DIFF_OLD][field])))
        return NULL;
    if (row->seen[DIFF_NEW] &&
        json_object_set_new(o, "new", json_integer((json_int_t)row->values[DIFF_NEW][field])))
        return NULL;
    if (json_object_set_new(o, "delta", json_integer(delta)) ||
        (row->estimate && json_object_set_new(o, "exact", json_false())))
        return NULL;
    return TAKE_PTR(o);
}

/* Jansson refuses what is not UTF-8, as is what was cut in the middle of a character. */
static json_t *json_text(const char *text)
{
    size_t len = strlen(text), whole = 0, n;
    uint32_t cp;

    while ((n = utf8_char(text + whole, len - whole, &cp)))
        whole += n;
    return json_stringn(text, whole);
}

static int set_text(json_t *o, const char *name, const char *text)
{
    return text && *text && json_object_set_new(o, name, json_text(text)) ? -1 : 0;
}

static json_t *note_json(const struct diff_note *note)
{
    _cleanup_(json_decrefp) json_t *o = json_object();

    if (!o || set_text(o, "section", note->section) ||
        json_object_set_new(o, "record", json_string("note")) || set_text(o, "side", note->side) ||
        set_text(o, "status", note->status) || set_text(o, "reason", note->reason) ||
        json_object_set_new(o, "compared", json_boolean(note->compared)) ||
        set_text(o, "text", note->text))
        return NULL;
    return TAKE_PTR(o);
}

struct json_sink {
    const char *section;
    table_sink_fn sink;
    void *arg;
};

/* A line in ASCII alone, whatever the names hold: no terminal obeys it. o may be NULL. */
static int print_line(const json_t *o, table_sink_fn sink, void *arg)
{
    _cleanup_(buf_done) struct buf line = BUF_INIT(LINE_LIMIT);

    if (o)
        table_append_json(&line, o);
    if (!line.len || line.full)
        return -ENOMEM;
    buf_char(&line, '\n');
    return sink(arg, line.data, line.len);
}

/* diff_note_fn */
static int print_note(const struct diff_note *note, void *arg)
{
    const struct json_sink *s = arg;
    _cleanup_(json_decrefp) json_t *line = NULL;

    if (s->section && note->section && strcmp(s->section, note->section))
        return 0;
    line = note_json(note);
    return print_line(line, s->sink, s->arg);
}

static int print_difference(const struct diff_row *row, size_t field, int64_t delta,
                            table_sink_fn sink, void *arg)
{
    _cleanup_(json_decrefp) json_t *line = difference_json(row, field, delta);

    return print_line(line, sink, arg);
}

int diff_print_json(const struct diff *d, const char *section, table_sink_fn sink, void *arg)
{
    struct json_sink s = {section, sink, arg};
    int r = diff_notes(d, print_note, &s);
    int64_t delta;

    for (size_t i = 0; !r && i < d->n; i++) {
        const struct diff_row *row = &d->rows[i];

        if (section && strcmp(section, row->kind->section))
            continue;
        for (size_t field = 0; !r && field < DIFF_FIELDS && row->kind->fields[field]; field++)
            if (diff_delta(d, row, field, &delta))
                r = print_difference(row, field, delta, sink, arg);
    }
    return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/human.h"
#include "report/text.h"
#include "util/cleanup.h"
#include "util/utf8.h"

#define COLUMNS_LIMIT 24
#define TABLES_LIMIT  16
/* A text wider than this is printed whole, but does not move the columns after it. */
#define WIDTH_LIMIT 32
/* One record as text: a line of 256 KiB may be escaped to four times that. */
#define ROW_LIMIT (2 << 20)

struct table_writer {
    struct text text; /* out is row */
    struct buf row, cell;
    size_t widths[TABLES_LIMIT][COLUMNS_LIMIT];
    const struct table *current; /* whose heading stands */
    bool any;
    table_sink_fn sink;
    void *arg;
};

/* --- values ----------------------------------------------------------------------------------- */

static void append_string(struct buf *b, const json_t *v)
{
    utf8_append_safe(b, json_string_value(v), json_string_length(v));
}

/* Any JSON: what no column describes, or a value of another type than expected. */
static void append_any(struct buf *b, const json_t *v)
{
    _cleanup_free_ char *dump = NULL;

    if (json_is_string(v)) {
        append_string(b, v);
        return;
    }
    dump = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
    if (dump)
        utf8_append_safe(b, dump, strlen(dump));
}

static void append_list(struct buf *b, const json_t *v)
{
    size_t i;
    json_t *item;

    json_array_foreach(v, i, item)
    {
        if (i)
            buf_char(b, ' ');
        append_any(b, item);
    }
}

static void append_integer(struct buf *b, enum column_format format, json_int_t n)
{
    uint64_t u = n < 0 ? 0 : (uint64_t)n;

    if (format == COLUMN_SIZE && n >= 0)
        human_size(b, u);
    else if (format == COLUMN_EXACT)
        buf_printf(b, "%lld", (long long)(n / 1024));
    else if (format == COLUMN_TIME && n >= 0)
        human_timestamp(b, u);
    else if (format == COLUMN_SPAN && n >= 0)
        human_duration(b, u);
    else if (format == COLUMN_CLOCK)
        human_time(b, n, false);
    else
        buf_printf(b, "%lld", (long long)n);
}

static void append_value(struct buf *b, enum column_format format, const json_t *v)
{
    if (format == COLUMN_FLAG && json_is_boolean(v))
        buf_str(b, json_is_true(v) ? "yes" : "");
    else if (json_is_integer(v))
        append_integer(b, format, json_integer_value(v));
    else if (json_is_array(v))
        append_list(b, v);
    else if (v)
        append_any(b, v);
}

static bool is_right_aligned(enum column_format format)
{
    return format == COLUMN_NUMBER || format == COLUMN_SIZE || format == COLUMN_EXACT ||
           format == COLUMN_TIME || format == COLUMN_SPAN;
}

/* --- tables ----------------------------------------------------------------------------------- */

static const struct table *find_table(const struct summary_record *rec)
{
    for (size_t i = 0; i < n_tables; i++)
        if (record_is(rec, tables[i].section, tables[i].record))
            return &tables[i];
    return NULL;
}

static size_t *widths_of(struct table_writer *w, const struct table *table)
{
    return w->widths[table - tables];
}

/* Makes w->cell the text of one column; returns its width. */
static size_t make_cell(struct table_writer *w, const struct column *c,
                        const struct summary_record *rec)
{
    buf_truncate(&w->cell, 0);
    append_value(&w->cell, c->format, json_object_get(rec->json, c->field));
    return w->cell.len ? utf8_columns(w->cell.data, w->cell.len) : 0;
}

static void measure_record(struct table_writer *w, const struct table *table,
                           const struct summary_record *rec)
{
    size_t *widths = widths_of(w, table);

    for (size_t i = 0; i < table->n_columns; i++) {
        size_t width = make_cell(w, &table->columns[i], rec);

        if (width > widths[i] && width <= WIDTH_LIMIT)
            widths[i] = width;
    }
}

static void put_cell(struct table_writer *w, const struct table *table, size_t i, const char *s,
                     size_t columns)
{
    size_t width = widths_of(w, table)[i];
    bool right = is_right_aligned(table->columns[i].format);
    bool last = i + 1 == table->n_columns;

    if (right)
        text_pad(&w->row, columns, width);
    buf_str(&w->row, s);
    if (!right && !last)
        text_pad(&w->row, columns, width);
    if (!last)
        buf_str(&w->row, "  ");
}

static int flush_row(struct table_writer *w)
{
    int r;

    text_end_line(&w->row);
    r = w->row.full ? -E2BIG : w->sink(w->arg, w->row.data, w->row.len);
    buf_truncate(&w->row, 0);
    return r;
}

/* What separates one kind of records from the next. */
static int begin_group(struct table_writer *w)
{
    bool first = !w->any;

    w->any = true;
    return first ? 0 : flush_row(w);
}

static int put_heading(struct table_writer *w, const struct table *table)
{
    int r = begin_group(w);

    if (r)
        return r;
    w->current = table;
    text_style_begin(&w->text, STYLE_HEADING);
    for (size_t i = 0; i < table->n_columns; i++)
        put_cell(w, table, i, table->columns[i].header, strlen(table->columns[i].header));
    text_style_end(&w->text, STYLE_HEADING);
    return flush_row(w);
}

static int put_record(struct table_writer *w, const struct table *table,
                      const struct summary_record *rec)
{
    int r = w->current == table ? 0 : put_heading(w, table);

    if (r)
        return r;
    for (size_t i = 0; i < table->n_columns; i++) {
        size_t columns = make_cell(w, &table->columns[i], rec);

        put_cell(w, table, i, w->cell.data ? w->cell.data : "", columns);
    }
    return flush_row(w);
}

/* --- records without a table ------------------------------------------------------------------ */

static enum column_format format_by_name(const char *field)
{
    static const struct {
        const char *suffix;
        enum column_format format;
    } suffixes[] = {{"_bytes", COLUMN_SIZE}, {"_ns", COLUMN_SPAN}, {"_time", COLUMN_CLOCK}};
    size_t len = strlen(field);

    if (!strcmp(field, "bytes"))
        return COLUMN_SIZE;
    if (!strcmp(field, "ts_ns"))
        return COLUMN_TIME;
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        size_t n = strlen(suffixes[i].suffix);

        if (len > n && !strcmp(field + len - n, suffixes[i].suffix))
            return suffixes[i].format;
    }
    return COLUMN_TEXT;
}

static int put_fields(struct table_writer *w, const struct summary_record *rec)
{
    const char *field;
    json_t *value;
    int r = begin_group(w);

    w->current = NULL;
    text_style_begin(&w->text, STYLE_HEADING);
    text_append(&w->row, rec->record);
    text_style_end(&w->text, STYLE_HEADING);
    if (!r)
        r = flush_row(w);
    json_object_foreach((json_t *)rec->json, field, value)
    {
        size_t start = w->row.len;

        if (r || !strcmp(field, "section") || !strcmp(field, "record"))
            continue;
        buf_str(&w->row, "  ");
        text_append(&w->row, field);
        text_pad(&w->row, w->row.len - start, 22);
        buf_char(&w->row, ' ');
        append_value(&w->row, format_by_name(field), value);
        r = flush_row(w);
    }
    return r;
}

/* --- a section -------------------------------------------------------------------------------- */

static void writer_freep(struct table_writer **w)
{
    if (!*w)
        return;
    buf_done(&(*w)->row);
    buf_done(&(*w)->cell);
    free(*w);
}

static struct table_writer *writer_new(bool color, table_sink_fn sink, void *arg)
{
    struct table_writer *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->row = w->cell = BUF_INIT(ROW_LIMIT);
    w->text = (struct text){&w->row, 0, color};
    w->sink = sink;
    w->arg = arg;
    for (size_t t = 0; t < n_tables; t++)
        for (size_t i = 0; i < tables[t].n_columns; i++)
            w->widths[t][i] = strlen(tables[t].columns[i].header);
    return w;
}

/* The end of a section is worth showing when something is missing, or when it is all there is. */
static bool is_plain_end(const struct table_writer *w, const struct summary_record *rec)
{
    return w->any && !strcmp(rec->record, "end") && !strcmp(record_str(rec, "status", ""), "ok");
}

/* One pass prints one kind of record: those of a table, those of none, or all as they come. */
struct pass {
    bool measure, all;
    const struct table *only; /* NULL: those of none */
};

static int handle_record(struct table_writer *w, const struct summary_record *rec,
                         const struct pass *pass)
{
    const struct table *table = find_table(rec);

    if (pass->measure) {
        if (table)
            measure_record(w, table, rec);
        return 0;
    }
    if ((!pass->all && table != pass->only) || is_plain_end(w, rec))
        return 0;
    return table ? put_record(w, table, rec) : put_fields(w, rec);
}

static int walk_section(struct table_writer *w, struct summary_reader *r, const char *section,
                        const struct pass *pass, struct error *err)
{
    struct summary_record rec;
    int status = summary_reader_rewind(r, err);

    while (!status && (status = summary_next(r, err, &rec)) > 0) {
        status = strcmp(rec.section, section) ? 0 : handle_record(w, &rec, pass);
        if (status)
            return error_set(err, status, "cannot print: %s", strerror(-status));
    }
    return status;
}

static int print_tables(struct table_writer *w, struct summary_reader *r, const char *section,
                        struct error *err)
{
    int status = 0;

    for (size_t i = 0; !status && i < n_tables; i++)
        if (!strcmp(tables[i].section, section))
            status = walk_section(w, r, section, &(struct pass){.only = &tables[i]}, err);
    return status ? status : walk_section(w, r, section, &(struct pass){.only = NULL}, err);
}

/* Once all is read: nothing of that section was there. */
static int no_section(const struct summary_reader *r, const char *section, struct error *err)
{
    struct summary_damage d = summary_reader_damage(r);
    const char *why = "";

    if (d.bad_members || d.bad_lines || d.gave_up)
        why = ", and it is damaged";
    else if (d.truncated || d.no_trailer)
        why = ", and it is incomplete";
    return error_set(err, -ENOENT, "the summary has no section %s%s", section, why);
}

int report_section(struct summary_reader *r, const char *section, bool color, table_sink_fn sink,
                   void *arg, struct error *err)
{
    _cleanup_(writer_freep) struct table_writer *w = writer_new(color, sink, arg);
    int status;

    if (!w)
        return error_set(err, -ENOMEM, "out of memory");
    status = walk_section(w, r, section, &(struct pass){.measure = true}, err);
    if (!status && !strcmp(section, "oom"))
        status = walk_section(w, r, section, &(struct pass){.all = true}, err);
    else if (!status)
        status = print_tables(w, r, section, err);
    if (status)
        return status;
    return w->any ? 0 : no_section(r, section, err);
}

int report_section_lack(struct summary_reader *r, const char *section, struct error *err,
                        struct buf *ret)
{
    struct summary_record rec;
    char status[24] = "", reason[256] = "";
    uint64_t rows = 0, wanted = 0;
    bool any = false;
    int code = summary_reader_rewind(r, err);

    while (!code && (code = summary_next(r, err, &rec)) > 0) {
        code = 0;
        if (strcmp(rec.section, section))
            continue;
        any = true;
        if (strcmp(rec.record, "end")) {
            rows++;
            continue;
        }
        snprintf(status, sizeof(status), "%s", record_str(&rec, "status", "?"));
        snprintf(reason, sizeof(reason), "%s", record_str(&rec, "reason", ""));
        wanted = record_u64(&rec, "rows", 0);
    }
    if (code < 0 || !any)
        return code;
    if (!status[0])
        buf_str(ret, "is cut: records after the last one shown are lost");
    else if (rows < wanted)
        buf_printf(ret, "is damaged: %llu of its %llu records are lost",
                   (unsigned long long)(wanted - rows), (unsigned long long)wanted);
    if (status[0] && strcmp(status, "ok")) {
        buf_str(ret, ret->len ? "; " : "is not whole: ");
        text_append(ret, status);
        buf_str(ret, reason[0] ? ": " : "");
        text_append(ret, reason);
    }
    return 0;
}

int report_dmesg(struct summary_reader *r, bool terminal, table_sink_fn sink, void *arg,
                 struct error *err)
{
    _cleanup_(buf_done) struct buf line = BUF_INIT(ROW_LIMIT);
    struct summary_record rec;
    bool any = false;
    int status;

    while ((status = summary_next(r, err, &rec)) > 0) {
        if (strcmp(rec.section, "dmesg"))
            continue;
        any = true;
        if (strcmp(rec.record, "line"))
            continue;
        buf_truncate(&line, 0);
        report_dmesg_line(&line, &rec, terminal);
        status = line.full ? -E2BIG : sink(arg, line.data, line.len);
        if (status)
            return error_set(err, status, "cannot print: %s", strerror(-status));
    }
    if (status)
        return status;
    return any ? 0 : no_section(r, "dmesg", err);
}

void table_append_json(struct buf *b, const json_t *json)
{
    _cleanup_free_ char *dump = json_dumps(json, JSON_ENSURE_ASCII | JSON_COMPACT);

    for (const char *p = dump; p && *p; p++)
        if (*p == 0x7f) /* DEL is ASCII, and a control character */
            buf_str(b, "\\u007f");
        else
            buf_char(b, *p);
}

/* The line, or the same value in ASCII if a terminal might obey the line. */
static void append_json_line(struct buf *b, const struct summary_record *rec)
{
    utf8_append_safe(b, rec->line, rec->line_len);
    if (b->len == rec->line_len && !memcmp(b->data, rec->line, b->len))
        return;
    buf_truncate(b, 0);
    table_append_json(b, rec->json);
}

int report_json(struct summary_reader *r, const char *section, table_sink_fn sink, void *arg,
                struct error *err)
{
    _cleanup_(buf_done) struct buf line = BUF_INIT(ROW_LIMIT);
    struct summary_record rec;
    bool any = false;
    int status;

    while ((status = summary_next(r, err, &rec)) > 0) {
        if (section && strcmp(rec.section, section))
            continue;
        any = true;
        buf_truncate(&line, 0);
        append_json_line(&line, &rec);
        buf_char(&line, '\n');
        status = line.full ? -E2BIG : sink(arg, line.data, line.len);
        if (status)
            return error_set(err, status, "cannot print: %s", strerror(-status));
    }
    if (status)
        return status;
    return any ? 0 : no_section(r, section, err);
}

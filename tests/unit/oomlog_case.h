/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_OOMLOG_CASE_H
#define UNIT_OOMLOG_CASE_H

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "extract/oomlog/oom_records.h"
#include "extract/oomlog/oomlog.h"
#include "extract/oomlog/textlog.h"
#include "util/buf.h"
#include "util/cleanup.h"

/*
 * Runs a log through the parser and writes each event as one line, so that a test compares whole
 * events with text:
 *
 *     1 sed(29481) none - killed 6576:mysqld - complete
 *
 * seq, who asked, constraint, cgroup, outcome, victims ("*" reaped), panic, what is missing.
 */
struct oom_case {
    struct buf text;
    struct buf json; /* the same as records */
    struct emit *emit;
    struct oomlog *parser;
};

static inline int case_json(void *arg, const char *line, size_t len)
{
    buf_append(arg, line, len);
    return 0;
}

static inline void case_span(struct buf *b, struct span v)
{
    if (v.s)
        buf_append(b, v.s, v.len);
    else
        buf_char(b, '-');
}

static inline void case_victims(struct buf *b, const struct oom_event *e)
{
    const struct oom_victim *v = e->victims.data;

    for (uint32_t i = 0; i < e->victims.n; i++) {
        buf_printf(b, "%s%" PRId64 ":", i ? "," : "", v[i].pid);
        case_span(b, v[i].comm);
        if (v[i].reaped)
            buf_char(b, '*');
    }
    if (!e->victims.n)
        buf_char(b, '-');
}

static inline int case_event(void *arg, const struct oom_event *e)
{
    struct oom_case *c = arg;
    struct buf *b = &c->text;

    buf_printf(b, "%" PRIu64 " ", e->seq);
    case_span(b, e->trigger_comm);
    if (e->trigger_pid != OOM_NONE)
        buf_printf(b, "(%" PRId64 ")", e->trigger_pid);
    buf_printf(b, " %s ", oom_constraint_name(e->constraint));
    case_span(b, e->oom_memcg);
    buf_printf(b, " %s ", oom_outcome_name(e->outcome));
    case_victims(b, e);
    buf_char(b, ' ');
    case_span(b, e->panic);
    buf_printf(b, " %s\n", e->missing ? e->missing : "complete");
    return oom_records_emit(c->emit, e);
}

static inline int case_line(void *arg, const struct oom_line *line)
{
    struct oom_case *c = arg;

    return oomlog_line(c->parser, line);
}

static inline void case_begin(struct oom_case *c)
{
    *c = (struct oom_case){.text = BUF_INIT(1 << 20), .json = BUF_INIT(16 << 20)};
    c->emit = emit_new("oom", case_json, &c->json);
    c->parser = oomlog_new(0, case_event, c);
    ck_assert_ptr_nonnull(c->parser);
}

static inline void case_end(struct oom_case *c)
{
    ck_assert_int_eq(oomlog_finish(c->parser), 0);
    oomlog_free(c->parser);
    c->parser = NULL;
    buf_str(&c->text, "");
    buf_str(&c->json, "");
}

static inline void case_free(struct oom_case *c)
{
    emit_free(c->emit);
    buf_done(&c->text);
    buf_done(&c->json);
}

/* A text log, fed in pieces of `step` bytes. */
static inline void case_text_step(struct oom_case *c, const char *log, size_t step)
{
    struct textlog *t = textlog_new(case_line, c);
    size_t len = strlen(log);

    for (size_t at = 0; at < len; at += step)
        ck_assert_int_eq(textlog_feed(t, log + at, len - at < step ? len - at : step), 0);
    ck_assert_int_eq(textlog_finish(t), 0);
    textlog_free(t);
}

static inline void assert_log(const char *log, const char *want)
{
    struct oom_case c;

    case_begin(&c);
    case_text_step(&c, log, strlen(log) + 1);
    case_end(&c);
    ck_assert_str_eq(c.text.data, want);
    case_free(&c);
}

/* The log's records hold this JSON fragment. */
static inline void assert_json(const char *log, const char *fragment)
{
    struct oom_case c;

    case_begin(&c);
    case_text_step(&c, log, strlen(log) + 1);
    case_end(&c);
    if (!strstr(c.json.data, fragment))
        ck_abort_msg("no %s in\n%s", fragment, c.json.data);
    case_free(&c);
}

/* Lines as a ring buffer gives them. */
struct oom_record {
    int64_t ts_ns, caller;
    int facility;
    const char *text;
};

static inline void assert_records(const struct oom_record *records, size_t n, const char *want)
{
    struct oom_case c;

    case_begin(&c);
    for (size_t i = 0; i < n; i++) {
        struct oom_line line = {.seq = i,
                                .ts_ns = records[i].ts_ns,
                                .caller = records[i].caller,
                                .wall_s = OOM_NONE,
                                .facility = records[i].facility,
                                .text = span_of(records[i].text)};

        ck_assert_int_eq(oomlog_line(c.parser, &line), 0);
    }
    case_end(&c);
    ck_assert_str_eq(c.text.data, want);
    case_free(&c);
}

#endif

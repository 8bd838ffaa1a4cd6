/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "report/digest_private.h"
#include "report/human.h"
#include "util/cleanup.h"
#include "util/deadline.h"
#include "util/math.h"
#include "util/utf8.h"

#define TIME_LEAD_COLUMNS 16
#define LEAD              "                "

uint64_t model_end_ns(const struct model *m)
{
    return m->panic_ts_ns ? m->panic_ts_ns : m->last_ts_ns;
}

/* "    29.371 s  ": the time since boot, as the lead of a paragraph. */
static void time_lead(char lead[static 32], uint64_t ts_ns)
{
    snprintf(lead, 32, "%10" PRIu64 ".%03" PRIu64 " s  ", (uint64_t)(ts_ns / NSEC_PER_SEC),
             (uint64_t)(ts_ns % NSEC_PER_SEC / NSEC_PER_MSEC));
    memmove(lead, lead + strlen(lead) - TIME_LEAD_COLUMNS, TIME_LEAD_COLUMNS + 1);
}

static void append_task(struct buf *b, const char *comm, uint64_t pid)
{
    text_append(b, comm[0] ? comm : "?");
    buf_printf(b, "[%" PRIu64 "]", pid);
}

static void append_scope(struct buf *b, const struct model_event *e)
{
    static const struct {
        const char *constraint, *text;
    } scopes[] = {
        {"none", "the machine was out of memory"},
        {"cpuset", "no memory on the nodes of the task's cpuset"},
        {"memory_policy", "no memory on the nodes of the task's memory policy"},
        {"memcg", "a cgroup reached its limit"},
    };

    if (e->oom_memcg[0]) {
        buf_str(b, "cgroup ");
        text_append_short(b, e->oom_memcg, 50);
        buf_str(b, " reached its limit");
        if (e->has_limit) {
            buf_str(b, " of ");
            human_size(b, e->memcg_limit_bytes);
        }
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
        if (!strcmp(e->constraint, scopes[i].constraint)) {
            buf_str(b, scopes[i].text);
            return;
        }
    buf_str(b, "out of memory");
}

static void event_line(struct text *t, const struct model *m, const struct model_event *e)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(4096);
    uint64_t end = model_end_ns(m);
    char lead[32];

    append_scope(&b, e);
    if (e->has_time && end > e->ts_ns) {
        buf_str(&b, ", ");
        human_duration(&b, end - e->ts_ns);
        buf_str(&b, m->panic_ts_ns ? " before the panic" : " before the log ends");
    }
    if (e->missing[0]) {
        buf_str(&b, "; the log lacks its ");
        text_append(&b, e->missing);
    }
    time_lead(lead, e->ts_ns);
    text_style_begin(t, STYLE_STRONG);
    text_paragraph(t, e->has_time ? lead : LEAD, b.data);
    text_style_end(t, STYLE_STRONG);
}

static void trigger_line(struct text *t, const struct model *m, const struct model_event *e)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(4096);

    if (e->manual) {
        text_paragraph(t, LEAD "asked   ", "someone, by hand (SysRq f)");
        return;
    }
    if (!e->has_trigger)
        return;
    text_append(&b, e->trigger_comm);
    if (e->has_trigger_pid)
        buf_printf(&b, "[%" PRIu64 "]", e->trigger_pid);
    if (e->has_order) {
        buf_str(&b, " for ");
        human_size(&b, sat_mul_u64(m->page_size_bytes, 1ULL << min_u64((uint64_t)e->order, 40)));
        buf_printf(&b, " (order %" PRId64 ")", e->order);
    }
    if (e->gfp[0]) {
        /* the first name is the kind of allocation, the others refine it */
        size_t kind = strcspn(e->gfp, "|");

        buf_char(&b, ' ');
        utf8_append_safe(&b, e->gfp, kind);
        buf_str(&b, e->gfp[kind] ? "|..." : "");
    }
    text_paragraph(t, LEAD "asked   ", b.data);
}

static void append_part(struct buf *b, const char *name, uint64_t bytes, uint64_t whole,
                        bool *first)
{
    /* parts below a hundredth are left out */
    if (!bytes || bytes < whole / 100)
        return;
    buf_printf(b, "%s%s ", *first ? " (" : ", ", name);
    human_size(b, bytes);
    *first = false;
}

static void victim_line(struct text *t, const struct model_victim *v)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(4096);
    uint64_t rss = sat_add_u64(sat_add_u64(v->anon_bytes, v->file_bytes), v->shmem_bytes);
    bool first = true;

    append_task(&b, v->comm, v->pid);
    if (v->has_rss) {
        buf_str(&b, " holding ");
        human_size(&b, rss);
        append_part(&b, "anon", v->anon_bytes, rss, &first);
        append_part(&b, "file", v->file_bytes, rss, &first);
        append_part(&b, "shmem", v->shmem_bytes, rss, &first);
        if (!first)
            buf_char(&b, ')');
    }
    if (v->has_adj && v->oom_score_adj)
        buf_printf(&b, ", oom_score_adj %" PRId64, v->oom_score_adj);
    if (v->reaped)
        buf_str(&b, ", reaped");
    if (v->reap_failed)
        buf_str(&b, ", could not be reaped");
    text_paragraph(t, LEAD "killed  ", b.data);
}

static void victim_lines(struct text *t, const struct model_event *e)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(4096);

    for (size_t i = 0; i < e->n_victims && i < MODEL_VICTIMS; i++)
        victim_line(t, &e->victims[i]);
    if (e->n_victims > MODEL_VICTIMS) {
        buf_printf(&b, "and %" PRIu64 " more; together they held ", e->n_victims - MODEL_VICTIMS);
        human_size(&b, e->killed_bytes);
        text_paragraph(t, LEAD "        ", b.data);
    }
    if (e->task_memcg[0] && strcmp(e->task_memcg, "/") && strcmp(e->task_memcg, e->oom_memcg)) {
        buf_truncate(&b, 0);
        buf_str(&b, "cgroup ");
        text_append_short(&b, e->task_memcg, 48);
        text_paragraph(t, LEAD "        in ", b.data);
    }
}

static bool is_victim(const struct model_event *e, uint64_t pid)
{
    for (size_t i = 0; i < e->n_victims && i < MODEL_VICTIMS; i++)
        if (e->victims[i].pid == pid)
            return true;
    return e->n_victims > MODEL_VICTIMS; /* perhaps one of those that were not kept */
}

/* Readers ask first whether the victim was the largest; where it was not, that is said. */
static void spared_line(struct text *t, const struct model_event *e)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(4096);

    if (!e->n_victims || !e->n_candidates || is_victim(e, e->largest.pid))
        return;
    append_task(&b, e->largest.comm, e->largest.pid);
    buf_str(&b, ", the largest, holding ");
    human_size(&b, e->largest.rss_bytes);
    if (e->largest.oom_score_adj)
        buf_printf(&b, ", oom_score_adj %" PRId64, e->largest.oom_score_adj);
    text_paragraph(t, LEAD "spared  ", b.data);
}

static void outcome_line(struct text *t, const struct model_event *e)
{
    static const struct {
        const char *outcome, *text;
    } outcomes[] = {
        {"panic", "no process killed: the kernel panicked"},
        {"no_victim", "no process that could be killed"},
        {"unknown", "what became of it is not in the log"},
        {"killed", "a process was killed; the log does not say which"},
    };

    for (size_t i = 0; !e->n_victims && i < ARRAY_SIZE(outcomes); i++)
        if (!strcmp(e->outcome, outcomes[i].outcome))
            text_paragraph(t, LEAD, outcomes[i].text);
}

static void about_oom(struct buf *b, const struct model_oom *o)
{
    human_count(b, o->n_events, "OOM decision, ", "OOM decisions, ");
    human_count(b, o->n_victims, "process killed", "processes killed");
    buf_str(b, "; times since boot");
}

void digest_oom(struct text *t, const struct model *m)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(4096);
    uint64_t skipped = m->oom.n_events - m->oom.kept;
    char lead[32];

    if (!m->oom.n_events)
        return;
    about_oom(&b, &m->oom);
    text_heading(t, "OUT OF MEMORY", b.data);
    for (size_t i = 0; i < m->oom.kept; i++) {
        const struct model_event *e = &m->oom.events[i];

        if (skipped && i == MODEL_EVENTS_FIRST) {
            buf_truncate(&b, 0);
            buf_printf(&b, "... %" PRIu64 " more, see vmcore-summary show --section oom ...",
                       skipped);
            text_paragraph(t, LEAD, b.data);
        }
        event_line(t, m, e);
        trigger_line(t, m, e);
        victim_lines(t, e);
        spared_line(t, e);
        outcome_line(t, e);
    }
    if (!m->panic_ts_ns)
        return;
    buf_truncate(&b, 0);
    buf_str(&b, "panic: ");
    text_append(&b, m->panic[0] ? m->panic : "(text not known)");
    time_lead(lead, m->panic_ts_ns);
    text_style_begin(t, STYLE_ALERT);
    text_paragraph(t, lead, b.data);
    text_style_end(t, STYLE_ALERT);
}

void digest_log(struct text *t, const struct model *m)
{
    if (!strcmp(m->reason, "oom") || !m->n_log)
        return;
    text_heading(t, "THE LOG", "from the first sign of trouble; times since boot");
    for (size_t i = 0; i < m->n_log; i++) {
        _cleanup_(buf_done) struct buf b = BUF_INIT(4096);
        char lead[32];

        time_lead(lead, m->log[i].ts_ns);
        text_append_short(&b, m->log[i].text, t->columns - TIME_LEAD_COLUMNS);
        buf_str(t->out, lead);
        buf_str(t->out, b.data ? b.data : "");
        buf_char(t->out, '\n');
    }
}

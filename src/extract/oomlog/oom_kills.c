/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decisions, kills and what follows them: which event they belong to. */
#include <string.h>

#include "extract/oomlog/oom_parser.h"
#include "util/cleanup.h"

enum { SHARERS_MAX = 256 };

#define GROUP_NS (5 * OOMLOG_SECOND_NS)

/* --- decision, kill -----------------------------------------------------------------------------
 */

enum message {
    MESSAGE_NONE,
    MESSAGE_GLOBAL,
    MESSAGE_ALLOCATING,
    MESSAGE_MEMCG,
    MESSAGE_POLICY,
    MESSAGE_CPUSET
};

static void note_message(struct oom_open *o, enum message m)
{
    o->memcg_message |= m == MESSAGE_MEMCG;
    o->global_message |= m == MESSAGE_GLOBAL || m == MESSAGE_ALLOCATING;
    o->ev.allocating_task |= m == MESSAGE_ALLOCATING;
    if (m == MESSAGE_POLICY)
        o->ev.constraint = OOM_CONSTRAINT_MEMORY_POLICY;
    else if (m == MESSAGE_CPUSET)
        o->ev.constraint = OOM_CONSTRAINT_CPUSET;
}

static void on_decision(struct oomlog *p, enum message m, struct span rest)
{
    struct oom_open *o = oomlog_undecided(p);
    struct oom_kill_text kill;

    oomlog_set_foreign(p, false);
    if (!o || !oom_parse_kill(rest, &kill))
        return;
    o->has_decision = true;
    o->cut |= kill.cut;
    note_message(o, m);
    o->ev.selected_pid = kill.pid;
    o->ev.selected_comm = oom_keep(o, kill.comm);
    rest = kill.rest;
    if (span_skip(&rest, " score "))
        span_i64(&rest, &o->ev.selected_score);
}

/* Where a kill belongs: its decision's event, the group's, the one that waits for it, or its own.
 */
static struct oom_open *event_of_kill(struct oomlog *p, int64_t pid)
{
    struct oom_open *o = oomlog_find_selected(p, pid);

    if (o)
        return o;
    o = oomlog_current(p);
    if (o && (o->group || o->group_implied) &&
        oomlog_is_same_moment(o, p->line, o->group ? GROUP_NS : OOMLOG_SECOND_NS))
        return o;
    if (o && o->group && o->last_ts_ns == OOM_NONE && o->last_wall_s == OOM_NONE)
        return o;
    if (o && !o->ev.victims.n && !o->no_killable && !o->ev.panic.s && !o->ev.skipped)
        return o;
    return oomlog_open_new(p, true);
}

static bool has_victim(const struct oom_open *o, int64_t pid)
{
    const struct oom_victim *v = o->ev.victims.data;

    for (uint32_t i = 0; i < o->ev.victims.n; i++)
        if (v[i].pid == pid)
            return true;
    return false;
}

/* The very line again: people paste what two greps have found. */
static bool is_pasted_again(const struct oomlog *p, int64_t pid)
{
    for (size_t i = p->n_open; i-- > 0;) {
        const struct oom_victim *v = p->open[i]->ev.victims.data;

        for (uint32_t j = p->open[i]->ev.victims.n; j-- > 0;)
            if (v[j].pid == pid && v[j].ts_ns != OOM_NONE && v[j].ts_ns == p->line->ts_ns)
                return true;
    }
    return false;
}

static void on_killed(struct oomlog *p, enum message m, struct span rest)
{
    struct oom_kill_text kill;
    struct oom_victim *v;
    struct oom_open *o;

    oomlog_set_foreign(p, false);
    if (!oom_parse_kill(rest, &kill))
        return;
    if (!oomlog_find_selected(p, kill.pid)) {
        /* without "out of memory", a name and sizes it may be anybody's "Killed process 12" */
        if ((m == MESSAGE_NONE && !kill.comm.len && !kill.rest.len) || is_pasted_again(p, kill.pid))
            return;
    }
    if (!(o = event_of_kill(p, kill.pid)))
        return;
    oom_open_touch(o, p->line);
    o->real = true;
    note_message(o, m);
    /* memory.oom.group prints the first victim again as a member */
    if (has_victim(o, kill.pid))
        return;
    v = oom_push(o, &o->ev.victims, sizeof(*v), OOMLOG_VICTIMS_MAX);
    if (!v)
        return;
    oom_parse_victim(o, &kill, v);
    v->kill_line = true;
    v->ts_ns = p->line->ts_ns;
    o->cut |= p->line->cut;
}

static bool is_orphan(const struct oom_open *o)
{
    return o->real && !o->has_header && !o->has_summary && !o->has_decision && !o->group &&
           o->memcg_message && o->ev.victims.n;
}

/* Moves the victims of `from` to `to`. */
static void merge_victims(struct oom_open *to, const struct oom_open *from)
{
    const struct oom_victim *v = from->ev.victims.data;

    for (uint32_t i = 0; i < from->ev.victims.n; i++) {
        struct oom_victim *copy;

        if (has_victim(to, v[i].pid))
            continue;
        copy = oom_push(to, &to->ev.victims, sizeof(*copy), OOMLOG_VICTIMS_MAX);
        if (!copy)
            continue;
        *copy = v[i];
        copy->comm = oom_keep(to, v[i].comm);
    }
}

/*
 * "already exiting. Skip" among kills without any decision, all in one second: members of a group
 * whose first lines are cut. They are one event.
 */
static struct oom_open *merge_orphans(struct oomlog *p)
{
    size_t first = p->n_open;

    while (first && is_orphan(p->open[first - 1]) &&
           oomlog_is_same_moment(p->open[first - 1], p->line, OOMLOG_SECOND_NS))
        first--;
    if (first == p->n_open)
        return NULL;
    for (size_t i = first + 1; i < p->n_open; i++) {
        merge_victims(p->open[first], p->open[i]);
        oom_open_free(p->open[i]);
    }
    p->n_open = first + 1;
    return p->open[first];
}

static void on_skipped(struct oomlog *p, enum message m, struct span rest)
{
    struct oom_kill_text kill;
    struct oom_open *o;

    if (!oom_parse_kill(rest, &kill))
        return;
    o = oomlog_find_selected(p, kill.pid);
    if (!o) {
        o = oomlog_current(p);
        if (!o || !(o->group || o->group_implied || (o->has_header && !oom_open_decided(o)))) {
            o = merge_orphans(p);
            o = o ? o : oomlog_open_new(p, true);
            if (!o)
                return;
            o->group_implied = true;
        }
    }
    oom_open_touch(o, p->line);
    note_message(o, m);
    if (o->ev.selected_pid == OOM_NONE && !o->ev.victims.n) {
        o->ev.selected_pid = kill.pid;
        o->ev.selected_comm = oom_keep(o, kill.comm);
    }
    o->ev.skipped++;
}

bool oomlog_try_kill(struct oomlog *p, struct span text)
{
    static const struct {
        const char *text;
        enum message message;
    } messages[] = {
        {"Out of memory (oom_kill_allocating_task):", MESSAGE_ALLOCATING},
        {"Out of memory:", MESSAGE_GLOBAL},
        {"Out of Memory:", MESSAGE_GLOBAL},
        {"Memory cgroup out of memory:", MESSAGE_MEMCG},
        {"No available memory (MPOL_BIND):", MESSAGE_POLICY},
        {"No available memory in cpuset:", MESSAGE_CPUSET},
    };
    enum message m = MESSAGE_NONE;

    for (size_t i = 0; i < ARRAY_SIZE(messages) && m == MESSAGE_NONE; i++)
        if (span_skip(&text, messages[i].text))
            m = messages[i].message;
    span_skip_blanks(&text);
    if (span_skip(&text, "Killed process "))
        on_killed(p, m, text);
    else if (m == MESSAGE_NONE)
        return false;
    else if (span_skip(&text, "Kill process ") || span_skip(&text, "kill process "))
        on_decision(p, m, text);
    else if (span_skip(&text, "OOM victim "))
        on_skipped(p, m, text);
    else
        return false;
    return true;
}

/* --- after the kill ------------------------------------------------------------------------------
 */

/* The headers of a storm are rate-limited: a second group's first victim may stand at the end of
 * the first group. */
static struct oom_open *split_last_victim(struct oomlog *p, struct oom_open *o)
{
    struct oom_victim *last = (struct oom_victim *)o->ev.victims.data + o->ev.victims.n - 1;
    struct oom_open *next = oomlog_open_new(p, true);
    struct oom_victim *v;

    if (!next)
        return NULL;
    v = oom_push(next, &next->ev.victims, sizeof(*v), OOMLOG_VICTIMS_MAX);
    if (!v)
        return next;
    *v = *last;
    v->comm = oom_keep(next, last->comm);
    next->ev.ts_ns = last->ts_ns;
    next->memcg_message = o->memcg_message;
    o->ev.victims.n--;
    return next;
}

void oomlog_on_group(struct oomlog *p, struct span rest)
{
    size_t end = span_rfind(rest, " are going to be killed due to memory.oom.group set");
    struct oom_open *o = oomlog_current(p);

    if (end == SPAN_NOT_FOUND)
        return;
    if (o && o->group && o->ev.victims.n > o->victims_at_group)
        o = split_last_victim(p, o);
    else if (!o || o->group || !oom_open_decided(o))
        o = oomlog_undecided(p);
    if (!o)
        return;
    oom_open_touch(o, p->line);
    o->group = true;
    o->victims_at_group = o->ev.victims.n;
    o->ev.group_memcg = oom_keep(o, span_sub(rest, 0, end));
}

/* "Kill process 1 (init) sharing same memory" */
void oomlog_on_sharing(struct oomlog *p, struct span rest)
{
    struct oom_open *o = oomlog_current(p);
    struct oom_kill_text kill;
    struct oom_sharer *s;

    if (!o || !oom_parse_kill(rest, &kill) || !span_starts(kill.rest, " sharing same memory"))
        return;
    oom_open_touch(o, p->line);
    s = oom_push(o, &o->ev.sharers, sizeof(*s), SHARERS_MAX);
    if (s)
        *s = (struct oom_sharer){p->line->ts_ns, kill.pid, oom_keep(o, kill.comm)};
}

static struct oom_victim *find_victim(struct oomlog *p, int64_t pid)
{
    for (size_t i = p->n_open; i-- > 0;) {
        struct oom_victim *v = p->open[i]->ev.victims.data;

        for (uint32_t j = p->open[i]->ev.victims.n; j-- > 0;)
            if (v[j].pid == pid)
                return &v[j];
    }
    return NULL;
}

/* The reaper is a task of its own and speaks later: its words go to whoever killed that pid. */
static struct oom_victim *victim_of_reaper(struct oomlog *p, struct span rest)
{
    struct oom_kill_text kill;
    struct oom_victim *v;
    struct oom_open *o;

    if (!oom_parse_kill(rest, &kill))
        return NULL;
    v = find_victim(p, kill.pid);
    if (v || !(o = oomlog_find_selected(p, kill.pid)))
        return v;
    v = oom_push(o, &o->ev.victims, sizeof(*v), OOMLOG_VICTIMS_MAX);
    if (!v)
        return NULL;
    kill.rest = span_sub(kill.rest, 0, 0); /* "now anon-rss:" is what is left, not what was there */
    oom_parse_victim(o, &kill, v);
    v->ts_ns = OOM_NONE;
    o->cut = true;
    return v;
}

void oomlog_on_reaped(struct oomlog *p, struct span rest)
{
    struct oom_victim *v = victim_of_reaper(p, rest);

    if (v)
        v->reaped = true;
}

void oomlog_on_not_reaped(struct oomlog *p, struct span rest)
{
    struct oom_victim *v = victim_of_reaper(p, rest);

    if (v)
        v->reap_failed = true;
}

void oomlog_on_no_killable(struct oomlog *p, struct span rest)
{
    struct oom_open *o = oomlog_undecided(p);

    (void)rest;
    if (o)
        o->no_killable = true;
}

/* --- panic
 * ---------------------------------------------------------------------------------------- */

static bool is_oom_panic(struct span text)
{
    return span_find(text, "panic_on_oom", 0) != SPAN_NOT_FOUND ||
           span_starts(text, "Out of memory and no killable processes") ||
           span_starts(text, "System is deadlocked on memory");
}

/* panic_on_oom=1, unlike 2 ("compulsory"), does so only if no constraint applies. */
static bool is_global_panic(struct span text)
{
    return span_starts(text, "Out of memory: system-wide panic_on_oom") ||
           span_starts(text, "out of memory. panic_on_oom is selected");
}

/* Whether the event killed init, or what shares its memory. */
static bool killed_init(const struct oom_open *o)
{
    const struct oom_sharer *s = o->ev.sharers.data;

    for (uint32_t i = 0; i < o->ev.sharers.n; i++)
        if (s[i].pid == 1)
            return true;
    return has_victim(o, 1) || o->ev.selected_pid == 1;
}

static void set_panic(struct oom_open *o, struct span text, bool is_consequence)
{
    if (o->ev.panic.s)
        return;
    o->ev.panic = oom_keep(o, text);
    o->ev.panic_is_consequence = is_consequence;
}

void oomlog_on_panic(struct oomlog *p, struct span rest)
{
    struct span text = span_trim(rest);
    struct oom_open *o = oomlog_current(p);

    if (is_oom_panic(text)) {
        /* a machine panics once, but its log may say so twice */
        if (!o || (!o->no_killable && !o->ev.panic.s))
            o = oomlog_undecided(p);
        if (!o)
            return;
        set_panic(o, text, false);
        o->global_message |= is_global_panic(text);
        return;
    }
    if (!span_starts(text, "Attempted to kill init!"))
        return;
    for (size_t i = p->n_open; i-- > 0;)
        if (killed_init(p->open[i]) && oomlog_is_near(p->open[i], p->line)) {
            set_panic(p->open[i], text, true);
            return;
        }
}

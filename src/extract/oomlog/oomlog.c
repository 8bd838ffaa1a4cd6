/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which line belongs to which event. An event begins with the first line that says so: header,
 * "oom-kill:" summary, decision, kill or panic, for none of them is always there; blocks of tables
 * before any of these are kept in an event that is dropped unless one follows. Lines of one CPU are
 * told from another's by the caller where the log has it, else by their content.
 */
#include "extract/oomlog/oomlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "extract/oomlog/oom_parser.h"
#include "util/cleanup.h"

enum { NEAR_LINES = 2000, DAY_S = 86400 };

#define NEAR_NS      (60 * OOMLOG_SECOND_NS) /* a long dump on a slow serial console */
#define BACKWARDS_NS (5 * OOMLOG_SECOND_NS)  /* records of CPUs are a little out of order */

struct oomlog *oomlog_new(uint64_t page_size, oom_event_fn fn, void *arg)
{
    struct oomlog *p = calloc(1, sizeof(*p));

    if (p)
        *p = (struct oomlog){.page_size = page_size, .fn = fn, .arg = arg};
    return p;
}

void oomlog_free(struct oomlog *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_open; i++)
        oom_open_free(p->open[i]);
    free(p);
}

void oomlog_freep(struct oomlog **p)
{
    oomlog_free(*p);
}

uint64_t oomlog_events(const struct oomlog *p)
{
    return p->n_events;
}

/* --- open events -------------------------------------------------------------------------------
 */

static void learn_page_size(struct oomlog *p)
{
    for (size_t i = 0; i < p->n_open && !p->learned_page_size; i++)
        p->learned_page_size = oom_open_page_size(p->open[i]);
}

/* Hands out the oldest event. */
static void close_oldest(struct oomlog *p)
{
    struct oom_open *o = p->open[0];
    uint64_t size = p->page_size;

    learn_page_size(p);
    if (!size)
        size = oom_open_page_size(o);
    if (!size)
        size = p->learned_page_size;
    memmove(p->open, p->open + 1, --p->n_open * sizeof(p->open[0]));
    if (o->real && !p->failed) {
        oom_open_conclude(o, size);
        o->ev.seq = ++p->n_events;
        p->failed = p->fn(p->arg, &o->ev);
    }
    oom_open_free(o);
}

void oomlog_close_all(struct oomlog *p)
{
    while (p->n_open)
        close_oldest(p);
}

static size_t open_bytes(const struct oomlog *p)
{
    size_t sum = 0;

    for (size_t i = 0; i < p->n_open; i++)
        sum += p->open[i]->bytes;
    return sum;
}

/* Seconds between an event's last line and this one; false if the log does not tell. */
static bool time_since(const struct oom_open *o, const struct oom_line *line, int64_t *ret_ns)
{
    if (o->last_ts_ns != OOM_NONE && line->ts_ns != OOM_NONE) {
        *ret_ns = line->ts_ns - o->last_ts_ns;
        return true;
    }
    if (o->last_wall_s != OOM_NONE && line->wall_s != OOM_NONE) {
        int64_t s = (line->wall_s - o->last_wall_s + DAY_S) % DAY_S;

        *ret_ns = (s > DAY_S / 2 ? s - DAY_S : s) * OOMLOG_SECOND_NS;
        return true;
    }
    return false;
}

/* Whether the line may still be one of the event's. */
bool oomlog_is_near(const struct oom_open *o, const struct oom_line *line)
{
    int64_t ns;

    if (time_since(o, line, &ns))
        return ns <= NEAR_NS && ns >= -BACKWARDS_NS;
    return line->seq - o->last_seq <= NEAR_LINES;
}

bool oomlog_is_same_moment(const struct oom_open *o, const struct oom_line *line, int64_t limit_ns)
{
    int64_t ns;

    return time_since(o, line, &ns) && ns <= limit_ns && ns >= -limit_ns;
}

struct oom_open *oomlog_open_new(struct oomlog *p, bool real)
{
    struct oom_open *o = oom_open_new(p->line);

    if (!o) {
        p->failed = -ENOMEM;
        return NULL;
    }
    o->real = real;
    if (p->n_open == OOMLOG_OPEN_MAX)
        close_oldest(p);
    /* whoever reads a pipe need not wait for the log's end */
    while (p->n_open && !oomlog_is_near(p->open[0], p->line))
        close_oldest(p);
    p->open[p->n_open++] = o;
    return o;
}

/* The event that the caller of this line is at, or NULL. */
struct oom_open *oomlog_current(struct oomlog *p)
{
    int64_t caller = p->line->caller;

    for (size_t i = p->n_open; i-- > 0;) {
        struct oom_open *o = p->open[i];

        if (caller == OOM_NONE || o->ev.caller == OOM_NONE || o->ev.caller == caller)
            return oomlog_is_near(o, p->line) ? o : NULL;
    }
    return NULL;
}

/* The undecided event of this caller, or a new one that is real only if an anchor follows. */
struct oom_open *oomlog_collecting(struct oomlog *p)
{
    struct oom_open *o = oomlog_current(p);

    if (!o || oom_open_decided(o))
        o = oomlog_open_new(p, false);
    if (o)
        oom_open_touch(o, p->line);
    return o;
}

struct oom_open *oomlog_waiting(struct oomlog *p)
{
    int64_t caller = p->line->caller;

    for (size_t i = p->n_open; i-- > 0;) {
        struct oom_open *o = p->open[i];

        if (o->has_header && !oom_open_decided(o) &&
            (caller == OOM_NONE || o->ev.caller == OOM_NONE || o->ev.caller == caller) &&
            oomlog_is_same_moment(o, p->line, OOMLOG_SECOND_NS))
            return o;
    }
    return NULL;
}

/* The same for an anchor. */
struct oom_open *oomlog_undecided(struct oomlog *p)
{
    struct oom_open *o = oomlog_current(p);

    if (!o || oom_open_decided(o))
        o = oomlog_waiting(p);
    if (o)
        oom_open_touch(o, p->line);
    else
        o = oomlog_collecting(p);
    if (o)
        o->real = true;
    return o;
}

/* The event whose decision fell on pid and which has no victim yet. */
struct oom_open *oomlog_find_selected(struct oomlog *p, int64_t pid)
{
    for (size_t i = p->n_open; i-- > 0;) {
        struct oom_open *o = p->open[i];

        if (o->ev.selected_pid == pid && !o->ev.victims.n && !o->ev.skipped &&
            oomlog_is_near(o, p->line))
            return o;
    }
    return NULL;
}

/* --- who else prints Mem-Info ------------------------------------------------------------------
 */

static size_t foreign_index(const struct oomlog *p)
{
    size_t i = 0;

    while (i < p->n_foreign && p->foreign[i] != p->line->caller)
        i++;
    return i;
}

bool oomlog_is_foreign(const struct oomlog *p)
{
    return foreign_index(p) < p->n_foreign;
}

void oomlog_set_foreign(struct oomlog *p, bool on)
{
    size_t i = foreign_index(p);

    if (on && i == p->n_foreign) {
        if (p->n_foreign == OOMLOG_SPEAKERS_MAX)
            memmove(p->foreign, p->foreign + 1, --p->n_foreign * sizeof(p->foreign[0]));
        p->foreign[p->n_foreign++] = p->line->caller;
    } else if (!on && i < p->n_foreign) {
        p->foreign[i] = p->foreign[--p->n_foreign];
    }
}

int oomlog_line(struct oomlog *p, const struct oom_line *line)
{
    struct span text = line->text;

    /* user space may write anything to /dev/kmsg, but never as the kernel */
    if (p->failed || line->facility > 0)
        return p->failed;
    p->line = line;
    span_skip_blanks(&text);
    while (text.len && (text.s[text.len - 1] == '\r' || text.s[text.len - 1] == '\n'))
        text.len--;
    if (!text.len)
        return 0;
    if (line->continued || !oomlog_try_rules(p, text))
        oomlog_context_line(p, text);
    p->line = NULL;
    while (p->n_open > 1 && open_bytes(p) > OOMLOG_MEMORY_MAX)
        close_oldest(p);
    return p->failed;
}

int oomlog_finish(struct oomlog *p)
{
    oomlog_close_all(p);
    return p->failed;
}

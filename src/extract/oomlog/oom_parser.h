/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXTRACT_OOMLOG_OOM_PARSER_H
#define EXTRACT_OOMLOG_OOM_PARSER_H

#include "extract/oomlog/oom_open.h"

/* The parser between its files: oomlog.c has the open events, oom_kills.c and oom_rules.c the
 * lines. */

enum { OOMLOG_SPEAKERS_MAX = 8 };

#define OOMLOG_SECOND_NS 1000000000LL

struct oomlog {
    uint64_t page_size; /* given, or 0 */
    uint64_t learned_page_size;
    oom_event_fn fn;
    void *arg;
    int failed;
    uint64_t n_events;
    const struct oom_line *line; /* the one at hand */
    struct oom_open *open[OOMLOG_OPEN_MAX];
    size_t n_open;
    /* callers whose Mem-Info is of a failed allocation or SysRq-m, not of the OOM killer */
    int64_t foreign[OOMLOG_SPEAKERS_MAX];
    size_t n_foreign;
    uint64_t sysrq_seq; /* line after which the next header is SysRq-f's; 0 none */
};

/*
 * All of these look at p->line, the line at hand. Where an event is returned, NULL means that there
 * is none, or (open_new, collecting, undecided) that memory is out and p->failed is set.
 */

/* A new event, the oldest handed out if there are too many. real: an anchor was seen. */
struct oom_open *oomlog_open_new(struct oomlog *p, bool real);

/* The event that the caller of this line is at. */
struct oom_open *oomlog_current(struct oomlog *p);

/* The undecided event of this caller, or a new one that becomes real only if an anchor follows. */
struct oom_open *oomlog_collecting(struct oomlog *p);

/* The same for an anchor. */
struct oom_open *oomlog_undecided(struct oomlog *p);

/*
 * The latest event of this moment that has a header and no decision, or NULL. Before oom_lock (4.3)
 * the OOMs of two control groups could be printed at once: two headers, then two decisions.
 */
struct oom_open *oomlog_waiting(struct oomlog *p);

/* The event whose decision fell on pid and which has no victim yet. */
struct oom_open *oomlog_find_selected(struct oomlog *p, int64_t pid);

void oomlog_close_all(struct oomlog *p);

/* Whether the line may still be one of the event's. */
bool oomlog_is_near(const struct oom_open *o, const struct oom_line *line);
/* Whether they are known to be at most limit_ns apart. */
bool oomlog_is_same_moment(const struct oom_open *o, const struct oom_line *line, int64_t limit_ns);

/* Whether this caller is printing the Mem-Info of a failed allocation or SysRq-m. */
bool oomlog_is_foreign(const struct oomlog *p);
void oomlog_set_foreign(struct oomlog *p, bool on);

/* oom_kills.c: decision, kill, group, reaper, panic. */
bool oomlog_try_kill(struct oomlog *p, struct span text);
void oomlog_on_group(struct oomlog *p, struct span rest);
void oomlog_on_sharing(struct oomlog *p, struct span rest);
void oomlog_on_reaped(struct oomlog *p, struct span rest);
void oomlog_on_not_reaped(struct oomlog *p, struct span rest);
void oomlog_on_no_killable(struct oomlog *p, struct span rest);
void oomlog_on_panic(struct oomlog *p, struct span rest);

/* oom_rules.c: lines that begin a record and mean one thing wherever they stand; and the others. */
bool oomlog_try_rules(struct oomlog *p, struct span text);
void oomlog_context_line(struct oomlog *p, struct span text);

#endif

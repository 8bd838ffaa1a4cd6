/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each line of the log means: a table for those that say so themselves, then the blocks. */
#include <string.h>

#include "extract/oomlog/oom_parser.h"
#include "util/cleanup.h"

enum { COMM_LEN_MAX = 15 /* TASK_COMM_LEN - 1 */, SYSRQ_LINES = 100 };

/* --- header, summary ----------------------------------------------------------------------------
 */

static void on_header(struct oomlog *p, struct span comm, struct span rest)
{
    struct oom_open *o = oomlog_open_new(p, true);

    oomlog_set_foreign(p, false);
    if (!o)
        return;
    o->ev.manual = p->sysrq_seq && p->line->seq - p->sysrq_seq <= SYSRQ_LINES;
    p->sysrq_seq = 0;
    oom_parse_header(o, comm, rest);
    o->cut |= p->line->cut;
}

/* Bytes of a name; dmesg shows a byte as "\x1b". */
static size_t comm_length(struct span comm)
{
    size_t n = 0;

    for (size_t i = 0; i < comm.len; i++, n++)
        if (comm.s[i] == '\\' && i + 3 < comm.len && comm.s[i + 1] == 'x')
            i += 3;
    return n;
}

/* "COMM invoked oom-killer: gfp_mask=…"; a longer COMM is another message that quotes this one. */
static bool try_header(struct oomlog *p, struct span text)
{
    static const char invoked[] = "invoked oom-killer";
    size_t at = span_find(text, invoked, 0);
    struct span comm, rest;

    if (at == SPAN_NOT_FOUND || (at && text.s[at - 1] != ' '))
        return false;
    comm = span_sub(text, 0, at ? at - 1 : 0);
    rest = span_from(text, at + sizeof(invoked) - 1);
    if (comm_length(comm) > COMM_LEN_MAX || (span_trim(rest).len && rest.s[0] != ':') ||
        span_starts(comm, "{\"")) /* {"log":"…: a container's output as JSON */
        return false;
    on_header(p, comm, rest);
    return true;
}

static void on_nameless_header(struct oomlog *p, struct span rest)
{
    on_header(p, (struct span){0}, rest);
}

static void on_summary(struct oomlog *p, struct span rest)
{
    struct oom_open *o = oomlog_undecided(p);

    oomlog_set_foreign(p, false);
    if (o) {
        oom_parse_summary(o, rest);
        o->cut |= p->line->cut;
    }
}

/* --- blocks
 * ---------------------------------------------------------------------------------------- */

static void on_task_in(struct oomlog *p, struct span rest)
{
    size_t limit = span_find(rest, " as a result of limit of ", 0);
    size_t killed = span_find(rest, " killed", 0);
    struct oom_open *o = oomlog_collecting(p);

    oomlog_set_foreign(p, false);
    if (!o)
        return;
    o->memcg_message = true;
    o->ev.task_memcg = oom_keep(o, span_sub(rest, 0, killed));
    o->task_in_open = limit == SPAN_NOT_FOUND;
    if (!o->task_in_open)
        o->ev.oom_memcg =
            oom_keep(o, span_trim(span_from(rest, limit + strlen(" as a result of limit of "))));
}

static bool task_in_rest(struct oom_open *o, struct span text)
{
    if (!o->task_in_open)
        return false;
    span_skip_blanks(&text);
    span_skip(&text, "killed");
    span_skip_blanks(&text);
    if (!span_skip(&text, "as a result of limit of "))
        return false;
    o->ev.oom_memcg = oom_keep(o, span_trim(text));
    o->task_in_open = false;
    return true;
}

static void on_limit(struct oomlog *p, struct span rest)
{
    struct oom_open *o = oomlog_collecting(p);

    if (!o)
        return;
    o->memcg_message = true;
    o->ev.oom_memcg = oom_keep(o, span_trim(rest));
}

static void on_charge(struct oomlog *p, size_t offset, struct span rest)
{
    struct oom_open *o = oomlog_collecting(p);

    oomlog_set_foreign(p, false);
    if (!o)
        return;
    o->memcg_seen = true;
    oom_parse_charge((struct oom_charge *)((char *)&o->ev + offset), rest);
    o->cut |= p->line->cut;
}

static void on_memory(struct oomlog *p, struct span rest)
{
    on_charge(p, offsetof(struct oom_event, memory), rest);
}

static void on_memsw(struct oomlog *p, struct span rest)
{
    on_charge(p, offsetof(struct oom_event, memsw), rest);
}

static void on_kmem(struct oomlog *p, struct span rest)
{
    on_charge(p, offsetof(struct oom_event, kmem), rest);
}

static void on_swap(struct oomlog *p, struct span rest)
{
    on_charge(p, offsetof(struct oom_event, swap), rest);
}

static void on_stat(struct oomlog *p, struct span rest)
{
    struct oom_open *o = oomlog_collecting(p);

    if (!o)
        return;
    o->memcg_seen = true;
    o->block = OOM_BLOCK_STAT;
    oom_parse_stat_header(o, rest);
}

static void on_meminfo(struct oomlog *p, struct span rest)
{
    struct oom_open *o;

    (void)rest;
    if (oomlog_is_foreign(p) || !(o = oomlog_collecting(p)))
        return;
    if (o->ev.meminfo.present) /* somebody else's: an event has one */
        oomlog_set_foreign(p, true);
    else
        o->block = OOM_BLOCK_MEMINFO;
}

static void begin_block(struct oomlog *p, enum oom_block block)
{
    struct oom_open *o = oomlog_current(p);

    if (o && !oom_open_decided(o)) {
        o->block = block;
        oom_open_touch(o, p->line);
    }
}

static void on_slabs(struct oomlog *p, struct span rest)
{
    (void)rest;
    oomlog_set_foreign(p, false);
    begin_block(p, OOM_BLOCK_SLABS);
}

static void on_allocations(struct oomlog *p, struct span rest)
{
    (void)rest;
    if (!oomlog_is_foreign(p))
        begin_block(p, OOM_BLOCK_ALLOCATIONS);
}

static void on_tasks(struct oomlog *p, struct span rest)
{
    (void)rest;
    oomlog_set_foreign(p, false);
    begin_block(p, OOM_BLOCK_NONE);
}

static void on_sysrq(struct oomlog *p, struct span rest)
{
    (void)rest;
    p->sysrq_seq = p->line->seq ? p->line->seq : 1;
}

static void on_cpu(struct oomlog *p, struct span rest)
{
    struct oom_open *o = oomlog_current(p);

    if (o && !oom_open_decided(o))
        oom_parse_cpu(o, rest);
}

/* Another boot in the same file. */
static void on_boot(struct oomlog *p, struct span rest)
{
    (void)rest;
    oomlog_close_all(p);
    p->n_foreign = 0;
    p->sysrq_seq = 0;
}

/* What people put where they cut. */
static void on_elision(struct oomlog *p, struct span rest)
{
    struct oom_open *o = oomlog_current(p);

    if (o && !oom_open_decided(o) && !span_trim(rest).len)
        o->elided = true;
}

static const struct rule {
    const char *start;
    bool keep_start; /* the handler wants the whole line */
    void (*fn)(struct oomlog *p, struct span rest);
} rules[] = {
    {"oom-kill:", true, on_summary},
    {"oom-killer: gfp_mask=", true, on_nameless_header},
    {"Kill process ", false, oomlog_on_sharing},
    {"Tasks in ", false, oomlog_on_group},
    {"Task in ", false, on_task_in},
    {"Memory limit reached of cgroup ", false, on_limit},
    {"memory: usage ", true, on_memory},
    {"memory+swap: usage ", true, on_memsw},
    {"kmem: usage ", true, on_kmem},
    {"swap: usage ", true, on_swap},
    {"Memory cgroup stats for ", false, on_stat},
    {"Memory cgroup stats", false, on_stat},
    {"Mem-Info:", false, on_meminfo},
    {"Mem-info:", false, on_meminfo},
    {"Unreclaimable slab info:", false, on_slabs},
    {"Memory allocations", false, on_allocations},
    {"Tasks state (memory values in pages):", false, on_tasks},
    {"Out of memory and no killable processes", false, oomlog_on_no_killable},
    {"Kernel panic - not syncing: ", false, oomlog_on_panic},
    {"oom_reaper: reaped process ", false, oomlog_on_reaped},
    {"oom_reaper: unable to reap pid:", false, oomlog_on_not_reaped},
    {"sysrq: Manual OOM execution", false, on_sysrq},
    {"SysRq : Manual OOM execution", false, on_sysrq},
    {"sysrq: SysRq : Manual OOM execution", false, on_sysrq},
    {"CPU: ", true, on_cpu},
    {"Pid: ", true, on_cpu},
    {"Linux version ", false, on_boot},
    {"...", false, on_elision},
    {"[...]", false, on_elision},
    {"<snip>", false, on_elision},
    {"[snip]", false, on_elision},
};

/* Lines that begin a record and mean one thing wherever they stand. */
bool oomlog_try_rules(struct oomlog *p, struct span text)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        struct span rest = text;

        if (!span_skip(&rest, rules[i].start))
            continue;
        rules[i].fn(p, rules[i].keep_start ? text : rest);
        return true;
    }
    return oomlog_try_kill(p, text) || try_header(p, text);
}

static bool is_other_report(struct span text)
{
    static const char *const texts[] = {
        ": page allocation failure", ": page allocation stall", "vmalloc: allocation failure",
        "SysRq : Show Memory",       "sysrq: Show Memory",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (span_find(text, texts[i], 0) != SPAN_NOT_FOUND)
            return true;
    return false;
}

/* --- lines whose meaning depends on the event ---------------------------------------------------
 */

static bool try_table(struct oomlog *p, struct span text)
{
    struct oom_open *o;

    if (!text.len || text.s[0] != '[')
        return false;
    if (oom_is_table_header(text)) {
        oomlog_set_foreign(p, false);
        if ((o = oomlog_collecting(p)))
            oom_parse_table_header(o, text);
        return true;
    }
    if (!oom_is_row(text))
        return false;
    o = oomlog_collecting(p);
    return o && oom_parse_row(o, text);
}

/* A frame of the call trace that only a control group's OOM has; "? " marks a stale one. */
static bool is_memcg_frame(struct span text)
{
    return (span_find(text, "mem_cgroup_out_of_memory+", 0) != SPAN_NOT_FOUND ||
            span_find(text, "mem_cgroup_oom_synchronize+", 0) != SPAN_NOT_FOUND) &&
           span_find(text, "? ", 0) == SPAN_NOT_FOUND;
}

static bool try_block(struct oom_open *o, struct span text)
{
    switch (o->block) {
    case OOM_BLOCK_STAT:
        return oom_parse_stat(o, text);
    case OOM_BLOCK_SLABS:
        return oom_parse_slab(o, text);
    case OOM_BLOCK_ALLOCATIONS:
        return oom_parse_allocation(o, text);
    case OOM_BLOCK_MEMINFO:
        return oom_parse_meminfo(o, text);
    case OOM_BLOCK_NONE:
        break;
    }
    return false;
}

static bool try_undecided(struct oomlog *p, struct oom_open *o, struct span text)
{
    struct span policy = text;

    if (oom_parse_header_rest(o, text) || task_in_rest(o, text) || oom_parse_cpuset(o, text))
        return true;
    if (span_skip(&policy, "oom_policy=")) {
        o->ev.policy = oom_keep(o, policy);
        return true;
    }
    if (oomlog_is_foreign(p))
        return false;
    if (try_block(o, text))
        return true;
    o->memcg_trace |= o->has_header && is_memcg_frame(text);
    return false;
}

void oomlog_context_line(struct oomlog *p, struct span text)
{
    struct oom_open *o = oomlog_current(p);

    if (o && oom_parse_summary_rest(o, text)) {
        oom_open_touch(o, p->line);
        return;
    }
    if (try_table(p, text))
        return;
    if (o && !oom_open_decided(o) && try_undecided(p, o, text)) {
        oom_open_touch(o, p->line);
        return;
    }
    if (!oomlog_is_foreign(p) && oom_is_meminfo(text) && (o = oomlog_collecting(p))) {
        o->block = OOM_BLOCK_MEMINFO;
        oom_parse_meminfo(o, text);
        return;
    }
    if (!p->line->continued && is_other_report(text))
        oomlog_set_foreign(p, true);
}

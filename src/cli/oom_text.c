/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An OOM event as a paragraph for people. */
#include "cli/oom_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/human.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/math.h"
#include "util/utf8.h"

enum {
    COLUMNS = 80,
    LABEL_WIDTH = 13,
    TEXT_LIMIT = 32 << 10,
    VICTIMS_SHOWN = 8,
    SLABS_SHOWN = 5,
    NAME_COLUMNS = 24,
};

/* --- pieces -------------------------------------------------------------------------------------
 */

static void add_bytes(struct buf *b, int64_t bytes)
{
    if (bytes < 0)
        buf_char(b, '?');
    else
        human_size(b, (uint64_t)bytes);
}

static void add_span(struct buf *b, struct span v)
{
    if (v.s)
        utf8_append_safe(b, v.s, v.len);
}

/* "name (pid 12)" */
static void add_task(struct buf *b, struct span comm, int64_t pid)
{
    if (comm.s)
        add_span(b, comm);
    else
        buf_str(b, "a task");
    if (pid != OOM_NONE)
        buf_printf(b, " (pid %" PRId64 ")", pid);
}

/* --- layout
 * --------------------------------------------------------------------------------------- */

/* How many bytes of text fill at most `columns` columns, cut after a blank where there is one. */
static size_t fitting(const char *text, size_t len, size_t columns)
{
    size_t n = 0, blank = 0, used = 0;

    while (n < len && used < columns) {
        uint32_t cp;
        size_t c = utf8_char(text + n, len - n, &cp);

        /* "64 KiB" stays together */
        if (text[n] == ' ' && n && !(text[n - 1] >= '0' && text[n - 1] <= '9'))
            blank = n;
        n += c ? c : 1;
        used++;
    }
    return n == len || !blank ? n : blank;
}

/* A labelled paragraph, wrapped; text is safe for a terminal already. */
static void print_field(FILE *out, const char *label, const struct buf *text)
{
    const char *s = text->data ? text->data : "";
    size_t left = text->len;

    do {
        size_t n = fitting(s, left, COLUMNS - LABEL_WIDTH - 1);

        fprintf(out, "  %-*s%.*s\n", LABEL_WIDTH - 2, label, (int)n, s);
        label = "";
        s += n;
        left -= n;
        while (left && *s == ' ') {
            s++;
            left--;
        }
    } while (left);
}

static void flush_field(FILE *out, const char *label, struct buf *text)
{
    if (text->len)
        print_field(out, label, text);
    buf_truncate(text, 0);
}

/* --- heading, who asked, what was full -----------------------------------------------------------
 */

static void print_heading(FILE *out, const struct oom_event *e, struct buf *b)
{
    buf_printf(b, "OOM event %" PRIu64, e->seq);
    if (e->ts_ns != OOM_NONE)
        buf_printf(b, ", %" PRId64 ".%06" PRId64 " s after boot", e->ts_ns / 1000000000,
                   e->ts_ns / 1000 % 1000000);
    if (e->time.s) {
        buf_str(b, ", ");
        add_span(b, e->time);
    }
    fprintf(out, "%s%.*s\n", e->seq > 1 ? "\n" : "",
            (int)fitting(b->data ? b->data : "", b->len, COLUMNS), b->data ? b->data : "");
    buf_truncate(b, 0);
}

static void print_asked(FILE *out, const struct oom_event *e, struct buf *b)
{
    if (e->trigger_comm.s)
        add_task(b, e->trigger_comm, e->trigger_pid);
    else if (e->order != OOM_NONE)
        buf_str(b, "a task that this kernel does not name");
    else
        buf_str(b, "unknown: the log lacks the event's first line");
    if (e->manual)
        buf_str(b, ", by hand (SysRq-f)");
    else if (e->order >= 0 && e->order < OOM_ORDERS_MAX) {
        buf_str(b, " wanted ");
        add_bytes(b, oom_pages(e, 1LL << e->order));
        if (e->order)
            buf_printf(b, " in one piece (order %" PRId64 ")", e->order);
    }
    if (e->gfp_flags.len) {
        buf_str(b, ", ");
        add_span(b, e->gfp_flags);
    }
    flush_field(out, "asked", b);
}

static void add_charge(struct buf *b, const char *name, const struct oom_charge *c)
{
    if (c->usage_bytes == OOM_NONE)
        return;
    buf_printf(b, "; %s ", name);
    add_bytes(b, c->usage_bytes);
    if (c->limit_bytes != OOM_NONE) {
        buf_str(b, " of ");
        add_bytes(b, c->limit_bytes);
    } else {
        buf_str(b, ", no limit");
    }
}

static void add_machine(struct buf *b, const struct oom_event *e)
{
    static const struct {
        const char *total, *text;
    } parts[] = {{"ram", "RAM"},
                 {"free", "free"},
                 {"slab_unreclaimable", "unreclaimable slab"},
                 {"shmem", "shared memory"}};

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        int64_t pages = oom_total(e, parts[i].total);

        if (pages == OOM_NONE)
            continue;
        buf_printf(b, "; %s ", parts[i].text);
        add_bytes(b, oom_pages(e, pages));
    }
    if (e->meminfo.swap_total_bytes == OOM_NONE)
        return;
    buf_str(b, "; swap ");
    if (!e->meminfo.swap_total_bytes) {
        buf_str(b, "none");
        return;
    }
    add_bytes(b, e->meminfo.swap_free_bytes);
    buf_str(b, " free of ");
    add_bytes(b, e->meminfo.swap_total_bytes);
}

static void print_scope(FILE *out, const struct oom_event *e, struct buf *b)
{
    static const char *const scopes[] = {
        [OOM_CONSTRAINT_UNKNOWN] = "unknown: the log does not say",
        [OOM_CONSTRAINT_NONE] = "the whole machine",
        [OOM_CONSTRAINT_CPUSET] = "the memory nodes of a cpuset",
        [OOM_CONSTRAINT_MEMORY_POLICY] = "the nodes of a memory policy",
        [OOM_CONSTRAINT_MEMCG] = "a control group",
    };

    if (e->constraint != OOM_CONSTRAINT_MEMCG || !e->oom_memcg.s)
        buf_str(b, scopes[e->constraint]);
    if (e->constraint == OOM_CONSTRAINT_MEMCG) {
        if (e->oom_memcg.s) {
            buf_str(b, "control group ");
            add_span(b, e->oom_memcg);
        }
        add_charge(b, "memory", &e->memory);
        add_charge(b, "memory and swap", &e->memsw);
        add_charge(b, "kernel memory", &e->kmem);
        add_charge(b, "swap", &e->swap);
    } else if (e->constraint == OOM_CONSTRAINT_CPUSET && e->cpuset.s) {
        buf_char(b, ' ');
        add_span(b, e->cpuset);
        if (e->mems_allowed.s) {
            buf_str(b, ", nodes ");
            add_span(b, e->mems_allowed);
        }
    }
    add_machine(b, e);
    flush_field(out, "scope", b);
}

/* --- who was chosen and why ----------------------------------------------------------------------
 */

static const struct oom_victim *first_victim(const struct oom_event *e)
{
    return e->victims.n ? e->victims.data : NULL;
}

/* What the table says of the chosen one against the largest. */
static void add_comparison(struct buf *b, const struct oom_event *e, const struct oom_candidate *c)
{
    const struct oom_candidate *l = &e->largest;
    bool adj_known = c->oom_score_adj != INT32_MIN && l->oom_score_adj != INT32_MIN;

    if (l->pid == c->pid) {
        uint64_t n = (uint64_t)e->candidates.n + e->omitted;

        if (n > 1)
            buf_printf(b, ", the largest of %" PRIu64 " tasks", n);
        else
            buf_str(b, ", the only task in the table");
        return;
    }
    if (oom_candidate_bytes(e, c) == oom_candidate_bytes(e, l)) {
        buf_str(b, ", as large as the largest");
        return;
    }
    if (adj_known && c->oom_score_adj > l->oom_score_adj && c->oom_score_adj > 0)
        buf_printf(b, ", offered by oom_score_adj %d", (int)c->oom_score_adj);
    buf_str(b, "; larger: ");
    add_task(b, l->comm, l->pid);
    buf_str(b, " with ");
    add_bytes(b, oom_candidate_bytes(e, l));
    if (adj_known && l->oom_score_adj < 0)
        buf_printf(b, ", %s oom_score_adj %d",
                   l->oom_score_adj < c->oom_score_adj ? "protected by" : "also with",
                   (int)l->oom_score_adj);
}

static void print_chosen(FILE *out, const struct oom_event *e, struct buf *b)
{
    const struct oom_victim *v = first_victim(e);
    int64_t pid = e->selected_pid != OOM_NONE ? e->selected_pid : v ? v->pid : OOM_NONE;
    struct span comm = e->selected_comm.s ? e->selected_comm : v ? v->comm : (struct span){0};
    const struct oom_candidate *c = pid == OOM_NONE ? NULL : oom_candidate_find(e, pid);

    if (pid == OOM_NONE && !comm.s)
        return;
    add_task(b, comm, pid);
    if (e->selected_score != OOM_NONE)
        buf_printf(b, ", score %" PRId64, e->selected_score);
    if (e->allocating_task)
        buf_str(b, ", for it asked (vm.oom_kill_allocating_task)");
    else if (c && e->has_largest)
        add_comparison(b, e, c);
    else if (e->has_largest) {
        buf_str(b, ", not in the table; largest there: ");
        add_task(b, e->largest.comm, e->largest.pid);
    }
    if (v && v->pid != pid)
        buf_str(b, span_equal(v->comm, comm) ? "; a thread or child of it was killed"
                                             : "; a child of it was killed in its place");
    flush_field(out, "chosen", b);
}

/* --- victims
 * ---------------------------------------------------------------------------------------- */

static void add_part(struct buf *b, const char *name, int64_t bytes)
{
    if (bytes <= 0)
        return;
    buf_str(b, ", ");
    add_bytes(b, bytes);
    buf_printf(b, " %s", name);
}

static void print_victim(FILE *out, const struct oom_victim *v, struct buf *b)
{
    add_task(b, v->comm, v->pid);
    if (v->uid != OOM_NONE)
        buf_printf(b, ", uid %" PRId64, v->uid);
    add_part(b, "anonymous", v->anon_rss_bytes);
    add_part(b, "file", v->file_rss_bytes);
    add_part(b, "shared", v->shmem_rss_bytes);
    add_part(b, "swapped", v->swap_bytes);
    add_part(b, "page tables", v->pgtables_bytes);
    if (v->oom_score_adj != OOM_NONE && v->oom_score_adj)
        buf_printf(b, ", oom_score_adj %" PRId64, v->oom_score_adj);
    if (v->reaped)
        buf_str(b, "; its memory was reaped");
    else if (v->reap_failed)
        buf_str(b, "; its memory could not be reaped");
    flush_field(out, "killed", b);
}

static void print_victims(FILE *out, const struct oom_event *e, struct buf *b)
{
    const struct oom_victim *v = e->victims.data;
    const struct oom_sharer *s = e->sharers.data;

    for (uint32_t i = 0; i < e->victims.n && i < VICTIMS_SHOWN; i++)
        print_victim(out, &v[i], b);
    if (e->victims.n > VICTIMS_SHOWN) {
        buf_printf(b, "and %u more", (unsigned)(e->victims.n - VICTIMS_SHOWN));
        flush_field(out, "", b);
    }
    for (uint32_t i = 0; i < e->sharers.n && i < VICTIMS_SHOWN; i++) {
        add_task(b, s[i].comm, s[i].pid);
        buf_str(b, ", which shares its memory");
        flush_field(out, "killed", b);
    }
    if (e->group_memcg.s) {
        buf_str(b, "together by memory.oom.group of ");
        add_span(b, e->group_memcg);
        flush_field(out, "", b);
    }
}

static void print_outcome(FILE *out, const struct oom_event *e, struct buf *b)
{
    if (e->skipped) {
        human_count(b, e->skipped, "chosen task was already exiting",
                    "chosen tasks were already exiting");
        flush_field(out, "skipped", b);
    }
    if (e->outcome == OOM_OUTCOME_NO_VICTIM && !e->skipped)
        buf_str(b, "nothing could be killed");
    else if (e->outcome == OOM_OUTCOME_UNKNOWN)
        buf_str(b, "unknown: the log does not tell");
    flush_field(out, "outcome", b);
    if (e->panic.s) {
        add_span(b, e->panic);
        if (e->panic_is_consequence)
            buf_str(b, " (a consequence of the kill)");
        flush_field(out, "panic", b);
    }
}

/* --- where memory was
 * ------------------------------------------------------------------------------- */

static int slab_order(const void *a, const void *b)
{
    const struct oom_slab *x = *(const struct oom_slab *const *)a,
                          *y = *(const struct oom_slab *const *)b;

    return x->total_bytes < y->total_bytes ? 1 : x->total_bytes > y->total_bytes ? -1 : 0;
}

static void print_slabs(FILE *out, const struct oom_event *e, struct buf *b)
{
    const struct oom_slab *s = e->slabs.data;
    _cleanup_free_ const struct oom_slab **sorted = calloc(e->slabs.n + 1, sizeof(*sorted));

    if (!sorted)
        return;
    for (uint32_t i = 0; i < e->slabs.n; i++)
        sorted[i] = &s[i];
    qsort(sorted, e->slabs.n, sizeof(*sorted), slab_order);
    for (uint32_t i = 0; i < e->slabs.n && i < SLABS_SHOWN; i++) {
        buf_str(b, i ? ", " : "");
        add_span(b, sorted[i]->name);
        buf_char(b, ' ');
        add_bytes(b, (int64_t)min_u64(sorted[i]->total_bytes, INT64_MAX));
    }
    flush_field(out, "slabs", b);
}

struct ranked {
    const struct oom_candidate *c;
    int64_t bytes;
};

static int task_order(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : 0;
}

static bool is_victim(const struct oom_event *e, int64_t pid)
{
    const struct oom_victim *v = e->victims.data;

    for (uint32_t i = 0; i < e->victims.n; i++)
        if (v[i].pid == pid)
            return true;
    return false;
}

static void print_size(FILE *out, struct buf *b, int64_t bytes)
{
    add_bytes(b, bytes);
    fprintf(out, " %9s", b->data);
    buf_truncate(b, 0);
}

static void print_task(FILE *out, const struct oom_event *e, const struct oom_candidate *c,
                       struct buf *b)
{
    int adj = c->oom_score_adj != INT32_MIN ? c->oom_score_adj : c->oom_adj;

    fprintf(out, "  %15d", (int)c->pid);
    print_size(out, b, oom_pages(e, c->rss));
    print_size(out, b, oom_pages(e, c->swap));
    if (adj < -1000 || adj > 1000) /* not told, or nonsense */
        fputs("     ?", out);
    else
        fprintf(out, " %5d", adj);
    add_span(b, c->comm);
    fprintf(out, "  %.*s%s\n", (int)fitting(b->data ? b->data : "", b->len, NAME_COLUMNS),
            b->data ? b->data : "", is_victim(e, c->pid) ? "  (killed)" : "");
    buf_truncate(b, 0);
}

static void print_tasks(FILE *out, const struct oom_event *e, uint32_t tasks, struct buf *b)
{
    const struct oom_candidate *c = e->candidates.data;
    _cleanup_free_ struct ranked *ranked = calloc(e->candidates.n + 1, sizeof(*ranked));

    if (!ranked || !e->candidates.n || !tasks)
        return;
    for (uint32_t i = 0; i < e->candidates.n; i++)
        ranked[i] = (struct ranked){&c[i], oom_candidate_bytes(e, &c[i])};
    qsort(ranked, e->candidates.n, sizeof(*ranked), task_order);
    fputs("  largest     PID  RESIDENT      SWAP   ADJ  NAME\n", out);
    for (uint32_t i = 0; i < e->candidates.n && i < tasks; i++)
        print_task(out, e, ranked[i].c, b);
}

static void print_missing(FILE *out, const struct oom_event *e, struct buf *b)
{
    static const struct {
        const char *missing, *text;
    } texts[] = {
        {"header", "its first lines are missing: cut, or held back by the rate limit"},
        {"outcome", "its last lines are missing"},
        {"memory", "its memory report is missing"},
        {"lines", "some of its lines are cut or left out"},
    };

    for (size_t i = 0; e->missing && i < ARRAY_SIZE(texts); i++)
        if (!strcmp(e->missing, texts[i].missing))
            buf_str(b, texts[i].text);
    flush_field(out, "incomplete", b);
}

void oom_text_print(FILE *out, const struct oom_event *e, uint32_t tasks)
{
    struct buf b = BUF_INIT(TEXT_LIMIT);

    print_heading(out, e, &b);
    print_asked(out, e, &b);
    print_scope(out, e, &b);
    print_chosen(out, e, &b);
    print_victims(out, e, &b);
    print_outcome(out, e, &b);
    print_slabs(out, e, &b);
    print_tasks(out, e, tasks, &b);
    print_missing(out, e, &b);
    buf_done(&b);
}

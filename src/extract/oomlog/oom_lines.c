/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The single lines of an event: header, "oom-kill:" summary, decision, kill, cgroup charges. */
#include "extract/oomlog/oom_open.h"

#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/math.h"

/* The number that follows key, blanks allowed between, or OOM_NONE. */
static int64_t number_after(struct span text, const char *key)
{
    size_t at = span_find(text, key, 0);
    struct span rest;
    int64_t value;

    if (at == SPAN_NOT_FOUND)
        return OOM_NONE;
    rest = span_from(text, at + strlen(key));
    span_skip_blanks(&rest);
    return span_i64(&rest, &value) ? value : OOM_NONE;
}

/* The same for "key123kB", in bytes; a number without its unit is cut and tells nothing. */
static int64_t kib_after(struct span text, const char *key)
{
    size_t at = span_find(text, key, 0);
    struct span rest;
    uint64_t value;

    if (at == SPAN_NOT_FOUND)
        return OOM_NONE;
    rest = span_from(text, at + strlen(key));
    span_skip_blanks(&rest);
    if (!span_u64(&rest, &value) || !span_starts(rest, "kB"))
        return OOM_NONE;
    return (int64_t)sat_mul_u64(value, 1024);
}

/* --- header ----------------------------------------------------------------------------------- */

static void parse_gfp(struct oom_open *o, struct span text)
{
    size_t at = span_find(text, "gfp_mask=", 0), end;
    struct span rest;

    if (at == SPAN_NOT_FOUND)
        return;
    rest = span_from(text, at + strlen("gfp_mask="));
    span_skip_blanks(&rest);
    if (!span_hex(&rest, &o->ev.gfp_mask))
        return;
    o->ev.has_gfp = true;
    end = span_find(rest, ")", 0);
    if (span_skip_char(&rest, '(') && end != SPAN_NOT_FOUND)
        o->ev.gfp_flags = oom_keep(o, span_sub(rest, 0, end - 1));
}

/* "nodemask=(null)," or "nodemask=0-1,3, order=": its value holds commas. */
static void parse_nodemask(struct oom_open *o, struct span text)
{
    size_t at = span_find(text, "nodemask=", 0), end;

    if (at == SPAN_NOT_FOUND)
        return;
    at += strlen("nodemask=");
    end = span_find(text, "order=", at);
    text = span_trim(span_sub(text, at, end));
    while (span_ends(text, ","))
        text = span_trim(span_sub(text, 0, text.len - 1));
    if (text.len)
        o->ev.nodemask = oom_keep(o, text);
}

static void parse_order(struct oom_open *o, struct span text)
{
    struct oom_event *ev = &o->ev;

    ev->order = number_after(text, "order=");
    ev->trigger_oom_score_adj = number_after(text, "oom_score_adj=");
    ev->trigger_oom_adj = number_after(text, "oom_adj=");
    if (ev->trigger_oom_adj == OOM_NONE)
        ev->trigger_oom_adj = number_after(text, "oomkilladj=");
    ev->manual = ev->manual || ev->order == -1; /* SysRq-f */
}

void oom_parse_header(struct oom_open *o, struct span comm, struct span rest)
{
    o->has_header = true;
    if (comm.s)
        o->ev.trigger_comm = oom_keep(o, comm);
    parse_gfp(o, rest);
    parse_nodemask(o, rest);
    parse_order(o, rest);
    o->header_open = o->ev.order == OOM_NONE;
}

static bool is_node_list(struct span text)
{
    if (span_is(text, "(null)"))
        return true;
    for (size_t i = 0; i < text.len; i++)
        if ((text.s[i] < '0' || text.s[i] > '9') && text.s[i] != ',' && text.s[i] != '-')
            return false;
    return text.len > 0;
}

/* 4.10 to 4.14 build the header of pieces; another CPU's record may have come between them. */
bool oom_parse_header_rest(struct oom_open *o, struct span text)
{
    size_t at;
    struct span before;

    if (!o->header_open)
        return false;
    text = span_trim(text);
    if (!o->ev.has_gfp && span_starts(text, "gfp_mask=")) {
        oom_parse_header(o, (struct span){0}, text);
        return true;
    }
    at = span_find(text, "order=", 0);
    before = span_trim(span_sub(text, 0, at));
    while (span_ends(before, ","))
        before = span_trim(span_sub(before, 0, before.len - 1));
    if (before.len && !is_node_list(before))
        return false;
    if (before.len && !o->ev.nodemask.s)
        o->ev.nodemask = oom_keep(o, before);
    if (at == SPAN_NOT_FOUND)
        return before.len > 0;
    parse_order(o, text);
    o->header_open = o->ev.order == OOM_NONE;
    return true;
}

void oom_parse_cpu(struct oom_open *o, struct span text)
{
    static const char *const forms[][2] = {{" PID: ", " Comm: "}, {"Pid: ", " comm: "}};
    struct oom_event *ev = &o->ev;

    if (!o->has_header || ev->trigger_pid != OOM_NONE || !ev->trigger_comm.s)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        size_t comm = span_find(text, forms[i][1], 0);

        /* another CPU's trace may stand here: the names must agree (this one may be longer) */
        if (comm != SPAN_NOT_FOUND &&
            span_starts(span_from(text, comm + strlen(forms[i][1])), ev->trigger_comm.s))
            ev->trigger_pid = number_after(span_sub(text, 0, comm), forms[i][0]);
    }
}

bool oom_parse_cpuset(struct oom_open *o, struct span text)
{
    struct oom_event *ev = &o->ev;
    size_t at;

    if (!o->has_header || !ev->trigger_comm.s || ev->cpuset.s ||
        !span_skip(&text, ev->trigger_comm.s) || !span_skip(&text, " cpuset="))
        return false;
    at = span_rfind(text, " mems_allowed=");
    ev->cpuset = oom_keep(o, span_sub(text, 0, at));
    if (at != SPAN_NOT_FOUND)
        ev->mems_allowed = oom_keep(o, span_trim(span_from(text, at + strlen(" mems_allowed="))));
    return true;
}

/* --- oom-kill: -------------------------------------------------------------------------------- */

static const char *const summary_keys[] = {
    ",nodemask=", ",cpuset=", ",mems_allowed=", ",oom_memcg=", ",global_oom", ",task_memcg="};

/*
 * The value of key, up to the next known key: lists, names and paths hold commas, so only the keys'
 * names delimit.
 */
static struct span summary_value(struct span text, const char *key)
{
    size_t at = span_find(text, key, 0), end = text.len;

    if (at == SPAN_NOT_FOUND)
        return (struct span){0};
    at += strlen(key);
    for (size_t i = 0; i < ARRAY_SIZE(summary_keys); i++) {
        size_t next = span_find(text, summary_keys[i], at);

        if (next != SPAN_NOT_FOUND && next < end)
            end = next;
    }
    return span_sub(text, at, end);
}

/* ",task=%s,pid=%d,uid=%d" is found from the end: a name or path before may look like it. */
static struct span parse_summary_task(struct oom_open *o, struct span text)
{
    size_t uid = span_rfind(text, ",uid="), pid, task;
    struct span head;

    pid = span_rfind(span_sub(text, 0, uid), ",pid=");
    task = span_rfind(span_sub(text, 0, pid), ",task=");
    if (task == SPAN_NOT_FOUND)
        return text;
    head = span_sub(text, 0, task);
    if (pid == SPAN_NOT_FOUND)
        return head;
    o->ev.selected_comm = oom_keep(o, span_sub(text, task + strlen(",task="), pid));
    if (uid == SPAN_NOT_FOUND) /* the pid may be cut, too */
        return head;
    o->ev.selected_pid = number_after(span_sub(text, pid, uid), ",pid=");
    o->ev.selected_uid = number_after(span_from(text, uid), ",uid=");
    return head;
}

static void keep_value(struct oom_open *o, struct span *ret, struct span value)
{
    if (value.s)
        *ret = oom_keep(o, value);
}

static void parse_whole_summary(struct oom_open *o)
{
    struct span text = span_trim((struct span){o->summary, o->summary_len});
    struct oom_event *ev = &o->ev;
    size_t at;

    text = parse_summary_task(o, text);
    at = span_find(text, "constraint=", 0);
    if (at != SPAN_NOT_FOUND) {
        at += strlen("constraint=");
        keep_value(o, &ev->constraint_text, span_sub(text, at, span_find(text, ",", at)));
    }
    keep_value(o, &ev->nodemask, summary_value(text, ",nodemask="));
    keep_value(o, &ev->cpuset, summary_value(text, ",cpuset="));
    keep_value(o, &ev->mems_allowed, summary_value(text, ",mems_allowed="));
    keep_value(o, &ev->oom_memcg, summary_value(text, ",oom_memcg="));
    keep_value(o, &ev->task_memcg, summary_value(text, ",task_memcg="));
}

static void append_summary(struct oom_open *o, struct span text)
{
    size_t room = OOM_SUMMARY_MAX - o->summary_len;
    size_t len = text.len < room ? text.len : room;
    char *grown = realloc(o->summary, o->summary_len + len + 1);

    if (!grown)
        return;
    memcpy(grown + o->summary_len, text.s, len);
    o->summary = grown;
    o->summary_len += len;
    o->bytes += len;
    o->cut |= len < text.len;
    parse_whole_summary(o);
}

void oom_parse_summary(struct oom_open *o, struct span text)
{
    o->has_summary = true;
    append_summary(o, text);
}

/*
 * The line is one of pr_cont pieces: a record of another CPU, or the record's length limit where a
 * path is long, may have cut it anywhere between two of them.
 */
bool oom_parse_summary_rest(struct oom_open *o, struct span text)
{
    static const char *const starts[] = {
        ",cpuset=",     ",mems_allowed=", ",oom_memcg=", ",global_oom",
        ",task_memcg=", ",task=",         ",pid=",       ",uid=",
    };
    struct span whole = {o->summary, o->summary_len};

    if (!o->summary || span_rfind(whole, ",uid=") != SPAN_NOT_FOUND || !text.len)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
        /* a mail may have been wrapped behind the comma */
        if (span_starts(text, starts[i] + span_ends(span_trim(whole), ","))) {
            append_summary(o, text);
            return true;
        }
    /* a path or a cpuset's name alone */
    if (!span_ends(whole, "memcg=") && !span_ends(whole, "cpuset="))
        return false;
    if (text.s[0] != '/' && span_find(text, " ", 0) != SPAN_NOT_FOUND)
        return false;
    append_summary(o, text);
    return true;
}

/* --- decision and kill ------------------------------------------------------------------------ */

/*
 * Where the name ends. Nothing of a user's choice follows it in any of these lines, so the
 * rightmost place is the true one, whatever the name holds.
 */
static size_t comm_end(struct span text)
{
    static const char *const ends[] = {
        ") total-vm:",
        "), UID ",
        ") score ",
        ") sharing same memory",
        ") is already exiting",
        ") has mm pinned by ",
        "), now ",
    };
    size_t best = SPAN_NOT_FOUND;

    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        size_t at = span_rfind(text, ends[i]);

        if (at != SPAN_NOT_FOUND && (best == SPAN_NOT_FOUND || at > best))
            best = at;
    }
    return best != SPAN_NOT_FOUND ? best : span_rfind(text, ")");
}

bool oom_parse_kill(struct span text, struct oom_kill_text *ret)
{
    struct oom_kill_text k = {.uid = OOM_NONE};
    size_t end;

    span_skip_blanks(&text);
    if (!span_i64(&text, &k.pid))
        return false;
    if (span_skip(&text, ", UID ")) {
        span_i64(&text, &k.uid);
        span_skip_char(&text, ',');
    }
    span_skip_blanks(&text);
    if (!span_skip_char(&text, '(')) {
        k.cut = true;
        k.comm = span_sub(text, 0, 0);
        k.rest = text;
        *ret = k;
        return !text.len;
    }
    end = comm_end(text);
    k.cut = end == SPAN_NOT_FOUND;
    k.comm = span_sub(text, 0, end);
    k.rest = k.cut ? span_sub(text, text.len, text.len) : span_from(text, end + 1);
    *ret = k;
    return true;
}

void oom_parse_victim(struct oom_open *o, const struct oom_kill_text *kill, struct oom_victim *v)
{
    struct span rest = span_trim(kill->rest);

    v->pid = kill->pid;
    v->comm = oom_keep(o, kill->comm);
    v->uid = kill->uid != OOM_NONE ? kill->uid : number_after(rest, "UID:");
    if (v->uid == OOM_NONE)
        v->uid = number_after(rest, "UID ");
    v->total_vm_bytes = kib_after(rest, "total-vm:");
    v->anon_rss_bytes = kib_after(rest, "anon-rss:");
    v->file_rss_bytes = kib_after(rest, "file-rss:");
    v->shmem_rss_bytes = kib_after(rest, "shmem-rss:");
    v->pgtables_bytes = kib_after(rest, "pgtables:");
    v->oom_score_adj = number_after(rest, "oom_score_adj:");
    v->score = v->swap_bytes = OOM_NONE;
    o->cut |= kill->cut || span_ends(rest, ",") || span_ends(rest, ":");
}

/* --- control groups --------------------------------------------------------------------------- */

/* PAGE_COUNTER_MAX in kB, rounded to pages: what stands for "no limit"; 2^31 - 1 pages on 32 bits.
 */
static bool is_unlimited(int64_t bytes)
{
    return bytes >= INT64_MAX - (1 << 20) || bytes == 8589934588LL * 1024;
}

void oom_parse_charge(struct oom_charge *ret, struct span text)
{
    int64_t limit = kib_after(text, "limit ");

    ret->usage_bytes = kib_after(text, "usage ");
    ret->limit_bytes = is_unlimited(limit) ? OOM_NONE : limit;
    ret->failcnt = number_after(text, "failcnt ");
}

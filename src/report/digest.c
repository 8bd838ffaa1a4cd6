/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <string.h>

#include "report/digest_private.h"
#include "report/human.h"
#include "report/rules.h"
#include "summary/vmcore.h"
#include "summary/writer.h"
#include "util/cleanup.h"
#include "util/deadline.h"

#define DEFAULT_COLUMNS 80
#define FACT_LEAD       "  %-9s "
#define TEXT_LIMIT      8192

/* What became of the machine, by the summary's reason. */
static const struct happening {
    const char *reason, *what, *meaning;
} happenings[] = {
    {"oom", "ran out of memory and panicked", NULL},
    {"oops", "panicked after an oops", "The kernel made an invalid access."},
    {"bug", "panicked on a BUG()", "The kernel found itself in a state that must not be."},
    {"sysrq", "was crashed on request (SysRq c)", NULL},
    {"hung_task", "panicked because a task hung", NULL},
    {"soft_lockup", "panicked on a soft lockup", "A CPU did not leave the kernel for too long."},
    {"hard_lockup", "panicked on a hard lockup", "A CPU took no interrupts for too long."},
    {"nmi", "panicked on a non-maskable interrupt", NULL},
    {"mce", "panicked on a machine check", "The hardware reported an error."},
    {"warn", "panicked on a kernel warning (panic_on_warn)", NULL},
    {"rcu_stall", "panicked on an RCU stall", "A CPU or task held up RCU for too long."},
    {"boot", "panicked while it booted", "It found no root file system, or no init to start."},
    {"user", "panicked because its init process died", NULL},
    {"unknown", "panicked", NULL},
    {"none", "was running when its memory was read", NULL},
};

static const struct happening *find_happening(const struct model *m)
{
    static const struct happening unknown = {"", "crashed",
                                             "The summary does not hold the reason."};
    const char *reason = m->live ? "none" : m->reason;

    for (size_t i = 0; i < ARRAY_SIZE(happenings); i++)
        if (!strcmp(reason, happenings[i].reason))
            return &happenings[i];
    return &unknown;
}

static uint64_t uptime_ns(const struct model *m)
{
    uint64_t end = m->live ? 0 : model_end_ns(m);

    /* the log's time stamps are finer */
    return end ? end : m->has_uptime ? m->uptime_s * NSEC_PER_SEC : 0;
}

void report_sentence(const struct model *m, bool local_time, struct buf *b)
{
    const struct happening *h = find_happening(m);

    /* "(none)" is the kernel's own name for no name */
    text_append(b, m->nodename[0] && strcmp(m->nodename, "(none)") ? m->nodename : "The machine");
    if (m->release[0]) {
        buf_str(b, " (kernel ");
        text_append(b, m->release);
        buf_char(b, ')');
    }
    buf_printf(b, " %s", h->what);
    if (m->crash_time > 0) {
        buf_str(b, " on ");
        human_time(b, m->crash_time, local_time);
    }
    if (uptime_ns(m)) {
        buf_str(b, ", ");
        human_duration(b, uptime_ns(m));
        buf_str(b, " after boot");
    }
    buf_printf(b, ".%s%s", h->meaning ? " " : "", h->meaning ? h->meaning : "");
}

static void sentence(struct text *t, const struct model *m, bool local_time)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_LIMIT);

    report_sentence(m, local_time, &b);
    text_style_begin(t, STYLE_ALERT);
    text_paragraph(t, "", b.data);
    text_style_end(t, STYLE_ALERT);
    buf_char(t->out, '\n');
}

static void fact(struct text *t, const char *name, struct buf *value)
{
    char lead[32];

    if (!value->len)
        return;
    snprintf(lead, sizeof(lead), FACT_LEAD, name);
    text_paragraph(t, lead, value->data);
    buf_truncate(value, 0);
}

static void append_load(struct buf *b, const struct model *m)
{
    if (!m->load1[0])
        return;
    buf_str(b, "load ");
    text_append(b, m->load1);
    buf_char(b, ' ');
    text_append(b, m->load5);
    buf_char(b, ' ');
    text_append(b, m->load15);
}

/* The figures rest on a file, not on the dump alone: say so. */
static void profile_fact(struct text *t, const struct model *m)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_LIMIT);

    if (!m->profile_symbols && !m->profile_types)
        return;
    buf_printf(&b, "%s%s%s taken from a kernel profile: the dump has none",
               m->profile_symbols ? "symbols" : "",
               m->profile_symbols && m->profile_types ? " and " : "",
               m->profile_types ? "types" : "");
    fact(t, "Profile", &b);
}

static void crash_facts(struct text *t, const struct model *m)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_LIMIT);

    text_append(&b, m->panic);
    fact(t, "Panic", &b);
    text_append(&b, m->oops);
    fact(t, "Oops", &b);
    if (m->has_cpu || m->comm[0]) {
        text_append(&b, m->comm[0] ? m->comm : "?");
        if (m->has_pid)
            buf_printf(&b, "[%" PRIu64 "]", m->pid);
        if (m->has_cpu)
            buf_printf(&b, " on CPU %" PRIu64, m->cpu);
    }
    fact(t, "Running", &b);
    text_append(&b, m->arch);
    if (m->version[0]) {
        buf_char(&b, ' ');
        text_append(&b, m->version);
    }
    if (m->taint[0]) {
        buf_str(&b, ", tainted ");
        text_append(&b, m->taint);
    }
    fact(t, "Kernel", &b);
    profile_fact(t, m);
    if (m->cpus) {
        human_count(&b, m->cpus, "CPU, ", "CPUs, ");
        if (m->tasks)
            human_count(&b, m->tasks, "task, ", "tasks, ");
        append_load(&b, m);
    }
    fact(t, "Machine", &b);
}

static void append_no_vmcore(struct buf *b, const struct model *m, const struct vmcore_file *v,
                             bool after_reboot)
{
    /* the summary tells what was decided, the hook after the dump what came of it */
    bool left_out = v->recorded ? v->state == VMCORE_SKIPPED : m->no_dump[0];

    if (v->removed)
        buf_str(b, "none: it was removed for want of space");
    else if (left_out && m->no_dump[0]) {
        buf_str(b, "none, left out: ");
        text_append(b, m->no_dump);
    } else if (left_out)
        buf_str(b, "none: left out, as configured");
    else if (after_reboot)
        buf_str(b, "none beside the summary");
}

static void append_vmcore(struct buf *b, const struct model *m, const char *path, bool after_reboot)
{
    struct vmcore_file v = vmcore_beside(path);
    _cleanup_free_ char *copy = strdup(path);

    if (!v.name[0] || !copy) {
        append_no_vmcore(b, m, &v, after_reboot);
        return;
    }
    text_append(b, dirname(copy));
    buf_char(b, '/');
    text_append(b, v.name);
    buf_str(b, " (");
    human_size(b, v.size_bytes);
    if (v.state == VMCORE_INCOMPLETE) {
        buf_str(b, ", ");
        if (v.contents.state == COMPLETE_NO)
            human_complete(b, &v.contents);
        else
            buf_str(b, "incomplete");
    }
    buf_char(b, ')');
}

static void file_facts(struct text *t, const struct model *m, const struct digest_options *opts)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_LIMIT);

    if (opts->path && !m->live)
        append_vmcore(&b, m, opts->path, opts->after_reboot);
    fact(t, "vmcore", &b);
    if (opts->path)
        text_append(&b, opts->path);
    else if (opts->not_saved) {
        buf_str(&b, "not saved: ");
        text_append(&b, opts->not_saved);
    }
    fact(t, "Summary", &b);
}

static void stands_out(struct text *t, const struct model *m)
{
    bool any = false;

    for (size_t i = 0; i < n_rules; i++) {
        _cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_LIMIT);

        if (!rules[i].holds(m, &b))
            continue;
        if (!any)
            text_heading(t, "WHAT STANDS OUT", NULL);
        any = true;
        text_paragraph(t, "  * ", b.data);
    }
}

static const struct model_section *find_section(const struct model *m, const char *name)
{
    for (size_t i = 0; i < m->n_sections; i++)
        if (!strcmp(m->sections[i].name, name))
            return &m->sections[i];
    return NULL;
}

/* Opens the chapter with its first line. */
static void add_missing(struct text *t, bool *any, const char *lead, const char *s)
{
    if (!*any)
        text_heading(t, "WHAT IS MISSING", NULL);
    *any = true;
    text_paragraph(t, lead, s);
}

static void missing_line(struct text *t, bool *any, const char *s)
{
    add_missing(t, any, "  ! ", s);
}

static void append_status(struct buf *b, const char *status)
{
    static const struct {
        const char *status, *text;
    } texts[] = {
        {"partial", " is not whole"}, {"skipped", " was skipped"}, {"timeout", " ran out of time"},
        {"killed", " was killed"},    {"failed", " failed"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (!strcmp(status, texts[i].status)) {
            buf_str(b, texts[i].text);
            return;
        }
    buf_str(b, " ended as ");
    text_append(b, status[0] ? status : "?");
}

/* One line for all of them, without alarm: whoever filtered the dump wanted it so. */
static void filtered_sections(struct text *t, const struct model *m, bool *any)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_LIMIT);
    bool first = true;

    for (size_t i = 0; i < m->n_sections; i++) {
        if (!m->sections[i].filtered)
            continue;
        buf_str(&b,
                first ? "not damage: the dump's filter (makedumpfile) left out pages of " : ", ");
        text_append(&b, m->sections[i].name);
        first = false;
    }
    if (!first)
        add_missing(t, any, "    ", b.data);
}

static void missing_sections(struct text *t, const struct model *m, bool *any)
{
    static const char *const expected[] = {"header", "crash", "dmesg", "oom",   "memory",
                                           "zone",   "slab",  "task",  "module"};
    _cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_LIMIT);

    for (size_t i = 0; i < m->n_sections; i++) {
        const struct model_section *s = &m->sections[i];

        if (!strcmp(s->status, "ok") || s->filtered)
            continue;
        buf_truncate(&b, 0);
        buf_str(&b, "section ");
        text_append(&b, s->name);
        append_status(&b, s->status);
        if (s->reason[0]) {
            buf_str(&b, ": ");
            text_append(&b, s->reason);
        }
        missing_line(t, any, b.data);
    }
    buf_truncate(&b, 0);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        if (!find_section(m, expected[i]))
            buf_printf(&b, "%s%s", b.len ? ", " : "no whole section ", expected[i]);
    if (b.len)
        missing_line(t, any, b.data);
}

static void damage_lines(struct text *t, const struct summary_damage *d, bool *any)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_LIMIT);

    if (d->truncated)
        missing_line(t, any, "the file is cut: it ends inside a section");
    else if (d->no_trailer)
        missing_line(t, any, "the capture did not finish: the summary has no trailer");
    if (d->bad_members) {
        human_count(&b, d->bad_members, "part", "parts");
        buf_str(&b, " of the file damaged (gzip); records before the damage are shown");
        missing_line(t, any, b.data);
    }
    if (d->bad_lines) {
        buf_truncate(&b, 0);
        human_count(&b, d->bad_lines, "line that is", "lines that are");
        buf_str(&b, " no record, left out");
        missing_line(t, any, b.data);
    }
    if (d->gave_up)
        missing_line(t, any, "too much damage: the rest of the file was not read");
}

static void closing(struct text *t, const struct model *m, const struct summary_damage *d)
{
    bool any = false;

    if (m->format > SUMMARY_FORMAT)
        missing_line(t, &any, "the summary's format is newer than this program: it may hold more");
    damage_lines(t, d, &any);
    missing_sections(t, m, &any);
    filtered_sections(t, m, &any);
    buf_char(t->out, '\n');
    text_style_begin(t, STYLE_DIM);
    text_paragraph(t, "",
                   "More: vmcore-summary show --section NAME, with NAME one of crash dmesg oom "
                   "memory zone slab task module; --json for programs.");
    text_style_end(t, STYLE_DIM);
}

int report_digest(struct summary_reader *r, const struct digest_options *opts, struct error *err,
                  struct buf *ret_text)
{
    _cleanup_(model_freep) struct model *m = model_new();
    struct text t = {ret_text, opts->columns ? opts->columns : DEFAULT_COLUMNS, opts->color};
    struct summary_damage damage;
    int status;

    if (!m)
        return error_set(err, -ENOMEM, "out of memory");
    status = model_fill(m, r, err);
    if (status)
        return status;
    damage = summary_reader_damage(r);
    sentence(&t, m, opts->local_time);
    crash_facts(&t, m);
    file_facts(&t, m, opts);
    stands_out(&t, m);
    digest_log(&t, m);
    digest_oom(&t, m);
    digest_memory(&t, m);
    digest_top(&t, m);
    closing(&t, m, &damage);
    if (ret_text->full)
        return error_set(err, -E2BIG, "the digest is too long");
    return 0;
}

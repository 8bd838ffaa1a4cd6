/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "report/model_private.h"
#include "util/cleanup.h"
#include "util/math.h"

static void read_row(struct model_task_row *t, const struct summary_record *rec)
{
    *t = (struct model_task_row){
        .pid = record_u64(rec, "pid", 0),
        .uid = record_u64(rec, "uid", 0),
        .rss_bytes = record_u64(rec, "rss_bytes", 0),
        .anon_bytes = record_u64(rec, "anon_bytes", 0),
        .file_bytes = record_u64(rec, "file_bytes", 0),
        .shmem_bytes = record_u64(rec, "shmem_bytes", 0),
        .swap_bytes = record_u64(rec, "swap_bytes", 0),
        .oom_score_adj = record_i64(rec, "oom_score_adj", 0),
    };
    model_copy_field(t->comm, rec, "comm");
    model_copy_field(t->cgroup, rec, "cgroup");
}

/* "D", and "D (disk sleep)" as /proc/PID/status has it. */
static bool in_dstate(const struct summary_record *rec)
{
    return record_str(rec, "state", "")[0] == 'D';
}

static void keep_dstate(struct model_task *t, const struct model_task_row *row)
{
    t->n_dstate++;
    if (t->kept_dstate < MODEL_DSTATE)
        t->dstate[t->kept_dstate++] = *row;
}

void model_take_task(struct model *m, const struct summary_record *rec)
{
    struct model_task *t = &m->task;
    struct model_task_row row;
    size_t at;

    m->has_task = true;
    read_row(&row, rec);
    if (record_bool(rec, "kthread", false)) {
        t->n_kthreads++;
        return;
    }
    t->n_processes++;
    t->rss_bytes = sat_add_u64(t->rss_bytes, row.rss_bytes);
    for (at = t->kept; at && t->top[at - 1].rss_bytes < row.rss_bytes; at--)
        if (at < MODEL_TOP)
            t->top[at] = t->top[at - 1];
    if (at < MODEL_TOP)
        t->top[at] = row;
    t->kept = (size_t)min_u64(t->kept + 1, MODEL_TOP);
}

/* The section counts all, and may list fewer. */
void model_take_task_total(struct model *m, const struct summary_record *rec)
{
    struct model_task *t = &m->task;

    t->n_processes = record_u64(rec, "processes", t->n_processes);
    t->n_kthreads = record_u64(rec, "kthreads", t->n_kthreads);
    t->n_dstate = record_u64(rec, "uninterruptible", t->n_dstate);
}

/* A thread that is listed on its own because it waits; its process's leader may be it. */
void model_take_thread(struct model *m, const struct summary_record *rec)
{
    struct model_task_row row;

    read_row(&row, rec);
    if (in_dstate(rec))
        keep_dstate(&m->task, &row);
}

/* What the kernel says first when something other than memory is wrong. */
static bool is_trouble(const char *text)
{
    static const char *const starts[] = {
        "BUG: ",
        "kernel BUG at ",
        "Oops: ",
        "Internal error: ",
        "Unable to handle kernel ",
        "general protection fault",
        "divide error: ",
        "invalid opcode: ",
        "stack segment: ",
        "double fault: ",
        /* not what it says when it starts */
        "watchdog: BUG: ",
        "watchdog: Watchdog detected ",
        "NMI watchdog: BUG: ",
        "NMI watchdog: Watchdog detected ",
        "INFO: task ",
        "INFO: rcu",
        "rcu: INFO: ",
        "mce: [Hardware Error]",
        "sysrq: Trigger a crash",
        "sysrq: SysRq : Trigger a crash",
        "SysRq : Trigger a crash",
    };

    for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
        if (!strncmp(text, starts[i], strlen(starts[i])))
            return true;
    return false;
}

void model_take_log(struct model *m, const struct summary_record *rec)
{
    const char *text = record_str(rec, "text", "");
    uint64_t ts_ns = record_u64(rec, "ts_ns", 0);
    /* only the kernel's own words: user space may write what it likes, with another facility */
    bool kernel = !record_u64(rec, "facility", 0);
    bool panic = kernel && !strncmp(text, "Kernel panic - not syncing", 26);
    bool start = (kernel && is_trouble(text)) || (panic && !m->n_log);

    m->n_log_lines++;
    m->last_ts_ns = max_u64(m->last_ts_ns, ts_ns);
    if (panic && !m->panic_ts_ns)
        m->panic_ts_ns = ts_ns;
    /* later trouble replaces earlier trouble, but does not cut short what is being gathered */
    if (start && (!m->n_log || (m->n_log == MODEL_LOG && !m->panic_ts_ns)))
        m->n_log = 0;
    else if (!m->n_log || m->n_log == MODEL_LOG)
        return;
    m->log[m->n_log].ts_ns = ts_ns;
    model_copy_field(m->log[m->n_log].text, rec, "text");
    m->n_log++;
}

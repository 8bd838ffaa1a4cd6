/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The crash: why, where, and the state of the machine. The log alone tells why; what kernel memory
 * adds is optional, field by field. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "extract/extract.h"
#include "extract/paniclog/paniclog.h"
#include "kernel/percpu.h"
#include "kernel/printk.h"
#include "kernel/taint.h"
#include "util/cleanup.h"
#include "util/deadline.h"

#define CMDLINE_CAP 8192
#define COMM_CAP    64

enum {
    PANIC_CPU,
    CRASHING_CPU,
    RUNQUEUES,
    AVENRUN,
    NR_THREADS,
    TAINTED_MASK,
    SAVED_COMMAND_LINE,
    TK_CORE,
    TIMEKEEPER_DATA,
    RQ_CURR,
    TASK_PID,
    TASK_COMM,
    TK_DATA_TIMEKEEPER,
    TIMEKEEPER_KTIME_SEC,
    TIMEKEEPER_OFFS_BOOT,
    N_NEEDS,
};

static const struct need needs[N_NEEDS] = {
    [PANIC_CPU] = OPT_SYMBOL("panic_cpu"),
    [CRASHING_CPU] = OPT_SYMBOL("crashing_cpu"),
    [RUNQUEUES] = OPT_SYMBOL("runqueues"),
    [AVENRUN] = OPT_SYMBOL("avenrun"),
    [NR_THREADS] = OPT_SYMBOL("nr_threads"),
    [TAINTED_MASK] = OPT_SYMBOL("tainted_mask"),
    [SAVED_COMMAND_LINE] = OPT_SYMBOL("saved_command_line"),
    [TK_CORE] = OPT_SYMBOL("tk_core"),
    [TIMEKEEPER_DATA] = OPT_SYMBOL("timekeeper_data"),
    [RQ_CURR] = OPT_MEMBER("rq", "curr"),
    [TASK_PID] = OPT_MEMBER("task_struct", "pid"),
    [TASK_COMM] = OPT_MEMBER("task_struct", "comm"),
    [TK_DATA_TIMEKEEPER] = OPT_MEMBER("tk_data", "timekeeper"),
    [TIMEKEEPER_KTIME_SEC] = OPT_MEMBER("timekeeper", "ktime_sec"),
    [TIMEKEEPER_OFFS_BOOT] = OPT_MEMBER("timekeeper", "offs_boot"),
};

/* What the log tells. */
struct from_log {
    struct paniclog panic;
    uint64_t last_ts_ns;
};

/* The kernel logs with facility 0; user space through /dev/kmsg cannot. */
static int take_record(const struct log_record *rec, void *arg)
{
    struct from_log *log = arg;
    const char *line = rec->text, *end = rec->text + rec->text_len;

    log->last_ts_ns = rec->ts_ns;
    while (rec->facility == 0 && line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t len = (size_t)((newline ? newline : end) - line);

        paniclog_line(&log->panic, line, len);
        line += len + 1;
    }
    return 0;
}

static bool read_symbol_u32(struct extract *x, unsigned need, uint32_t *ret)
{
    return x->found[need].present && kernel_read_u32(x->k, x->found[need].addr, ret) == 0;
}

/* The CPU that panicked: panic_cpu, -1 while none has; an oops that jumps straight to the capture
 * kernel sets crashing_cpu (x86) alone. */
static bool crashed_cpu(struct extract *x, const struct paniclog_where *where, uint32_t *ret)
{
    uint32_t cpu;

    if ((read_symbol_u32(x, PANIC_CPU, &cpu) && percpu_cpu_possible(x->k, cpu)) ||
        (read_symbol_u32(x, CRASHING_CPU, &cpu) && percpu_cpu_possible(x->k, cpu))) {
        *ret = cpu;
        return true;
    }
    if (where->present)
        *ret = (uint32_t)where->cpu;
    return where->present;
}

/* The task that ran on it. */
static bool current_task(struct extract *x, uint32_t cpu, uint64_t *ret)
{
    uint64_t rq;

    return x->found[RUNQUEUES].present && x->found[RQ_CURR].present &&
           percpu_addr(x->k, x->found[RUNQUEUES].addr, cpu, &rq) == 0 &&
           kernel_field(x->k, rq, &x->found[RQ_CURR], ret) == 0 && kernel_is_kva(x->k, *ret);
}

static void emit_where(struct extract *x, const struct paniclog_where *where)
{
    char comm[COMM_CAP];
    uint32_t cpu;
    uint64_t task, pid;

    if (!crashed_cpu(x, where, &cpu))
        return;
    emit_u64(x->emit, "cpu", cpu);
    if (current_task(x, cpu, &task) && kernel_field(x->k, task, &x->found[TASK_PID], &pid) == 0 &&
        kernel_field_str(x->k, task, &x->found[TASK_COMM], comm, sizeof(comm)) >= 0) {
        emit_u64(x->emit, "pid", pid);
        emit_str(x->emit, "comm", comm);
    } else if (where->present && where->cpu == cpu) {
        emit_u64(x->emit, "pid", where->pid);
        emit_str(x->emit, "comm", where->comm);
    }
}

/*
 * Where struct timekeeper lies: behind the sequence counter of tk_core or, where it has become an
 * array (v6.17), of its first element. tk_core's type had no name before struct tk_data (v6.13).
 */
static bool timekeeper(struct extract *x, uint64_t *ret)
{
    const struct resolved *in = &x->found[TK_DATA_TIMEKEEPER];
    const struct resolved *symbol = &x->found[TK_CORE];
    uint32_t after_seqcount = 8;

    if (!symbol->present)
        symbol = &x->found[TIMEKEEPER_DATA];
    *ret = symbol->addr + (in->present ? in->offset : after_seqcount);
    return symbol->present;
}

/* Both clocks stand still in suspend; the log's is not disciplined by NTP. */
static bool agrees_with_log(uint64_t mono_s, uint64_t log_s)
{
    uint64_t tolerance_s = 600 + log_s / 100;

    return mono_s >= log_s ? mono_s - log_s <= tolerance_s : log_s - mono_s <= tolerance_s;
}

/*
 * Seconds since boot as /proc/uptime counts them: the monotonic clock plus the time in suspend; 0
 * if nothing tells. A debug build's larger sequence counter would put the clock elsewhere: it must
 * agree with the log, or the time of the last record stands for it.
 */
static uint64_t uptime_s(struct extract *x, uint64_t last_ts_ns)
{
    uint64_t tk, mono_s, suspended_ns = 0, log_s = last_ts_ns / NSEC_PER_SEC;

    if (!timekeeper(x, &tk) ||
        kernel_field(x->k, tk, &x->found[TIMEKEEPER_KTIME_SEC], &mono_s) < 0 ||
        (log_s && !agrees_with_log(mono_s, log_s)) || mono_s > INT64_MAX / NSEC_PER_SEC)
        return log_s;
    if (kernel_field(x->k, tk, &x->found[TIMEKEEPER_OFFS_BOOT], &suspended_ns) < 0 ||
        suspended_ns > INT64_MAX)
        return mono_s;
    return mono_s + suspended_ns / NSEC_PER_SEC;
}

/* As in /proc/loadavg: fixed point with 11 bits, rounded to hundredths. */
static void emit_load(struct emit *e, const char *name, uint64_t load)
{
    enum { SHIFT = 11, ONE = 1 << SHIFT };
    char text[32];

    load += ONE / 200;
    snprintf(text, sizeof(text), "%llu.%02llu", (unsigned long long)(load >> SHIFT),
             (unsigned long long)((load & (ONE - 1)) * 100 >> SHIFT));
    emit_str(e, name, text);
}

static void emit_loads(struct extract *x)
{
    uint64_t loads[3];

    if (!x->found[AVENRUN].present ||
        kernel_read(x->k, x->found[AVENRUN].addr, loads, sizeof(loads)) < 0)
        return;
    emit_load(x->emit, "load1", loads[0]);
    emit_load(x->emit, "load5", loads[1]);
    emit_load(x->emit, "load15", loads[2]);
}

static void emit_counts(struct extract *x)
{
    unsigned cpus = percpu_online_count(x->k);
    char letters[TAINT_LETTERS_CAP];
    uint32_t threads;
    uint64_t mask;

    if (cpus)
        emit_u64(x->emit, "cpus", cpus);
    if (read_symbol_u32(x, NR_THREADS, &threads))
        emit_u64(x->emit, "tasks", threads);
    if (x->found[TAINTED_MASK].present &&
        kernel_read_u64(x->k, x->found[TAINTED_MASK].addr, &mask) == 0) {
        taint_letters(mask, letters);
        emit_str(x->emit, "taint", letters);
    }
}

static void emit_cmdline(struct extract *x)
{
    _cleanup_free_ char *cmdline = malloc(CMDLINE_CAP);
    uint64_t pointer;

    if (cmdline && x->found[SAVED_COMMAND_LINE].present &&
        kernel_read_u64(x->k, x->found[SAVED_COMMAND_LINE].addr, &pointer) == 0 &&
        kernel_read_str(x->k, pointer, cmdline, CMDLINE_CAP) >= 0)
        emit_str(x->emit, "cmdline", cmdline);
}

/* A machine that runs did not crash; it may have survived an oops. */
static void emit_survived(struct emit *e, const struct paniclog *p)
{
    emit_str(e, "reason", "none");
    if (p->oops[0])
        emit_str(e, "oops", p->oops);
}

static void emit_reason(struct emit *e, const struct paniclog *p)
{
    if (p->panic[0] || p->oops[0])
        emit_str(e, "panic", p->panic[0] ? p->panic : p->oops);
    emit_str(e, "reason", paniclog_reason(p));
    if (paniclog_oops_is_cause(p))
        emit_str(e, "oops", p->oops);
}

static int run(struct extract *x)
{
    struct from_log log = {0};
    struct error err = {0};
    bool live = image_is_live(kernel_image(x->k));
    int r = printk_foreach(x->k, take_record, &log, &err, NULL);
    uint64_t uptime;

    if (r < 0)
        emit_partial(x->emit, "%s", error_text(&err, r));
    emit_begin(x->emit, "crash");
    if (live)
        emit_survived(x->emit, &log.panic);
    else {
        emit_reason(x->emit, &log.panic);
        emit_where(x, &log.panic.where);
    }
    uptime = uptime_s(x, log.last_ts_ns);
    if (uptime)
        emit_u64(x->emit, "uptime_s", uptime);
    emit_loads(x);
    emit_counts(x);
    emit_cmdline(x);
    return emit_end(x->emit);
}

const struct extractor extract_crash = {
    .name = "crash",
    .title = "why and where the kernel crashed",
    .needs = needs,
    .n_needs = N_NEEDS,
    .budget = {.time_ms = 10000, .memory_bytes = 4 << 20, .output_bytes = 64 << 10},
    .run = run,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/section.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/child.h"
#include "capture/lines.h"
#include "util/cleanup.h"
#include "util/deadline.h"
#include "util/io.h"
#include "util/math.h"

#define TAIL_BYTES  16384
#define BLOCK_BYTES 16384

/* How often the parent looks whether a child that says nothing is still there: one whose own child
 * holds the pipe open shows no end of file. */
#define LOOK_MS 100

/*
 * What a child leaves outside itself while it runs, so that its sudden end loses nothing: counters,
 * and the lines that are not in the pipe yet. The parent believes none of it.
 */
struct shared {
    _Atomic bool done; /* those below, up to the tail, are final */
    bool failed;
    bool partial;
    char reason[256];
    uint64_t bytes_read, faults, filtered;
    _Atomic uint64_t tail_offset; /* of tail in all that the child said */
    _Atomic uint32_t tail_len;
    char tail[TAIL_BYTES];
};

/* ---- in the child --------------------------------------------------------------------------- */

struct outlet {
    const struct section_job *job;
    struct shared *shared;
    int fd;
};

/* The length goes first: killed between the two, the tail is empty rather than told twice. */
static int flush_tail(struct outlet *o)
{
    uint32_t len = o->shared->tail_len;
    int r = write_all(o->fd, o->shared->tail, len);

    if (r < 0)
        return r;
    o->shared->tail_len = 0;
    o->shared->tail_offset += len;
    return 0;
}

static void update_counters(struct outlet *o)
{
    struct kernel_stats stats = {0};

    if (o->job->k)
        stats = kernel_stats(o->job->k);
    else if (o->job->im)
        stats.bytes_read = image_bytes_read(o->job->im);
    o->shared->bytes_read = stats.bytes_read;
    o->shared->faults = stats.faults;
    o->shared->filtered = stats.filtered;
}

/* emit_sink_fn */
static int outlet_line(void *arg, const char *line, size_t len)
{
    struct outlet *o = arg;
    int r = 0;

    update_counters(o);
    if (len > TAIL_BYTES - o->shared->tail_len)
        r = flush_tail(o);
    if (r < 0)
        return r;
    if (len > TAIL_BYTES) {
        r = write_all(o->fd, line, len);
        o->shared->tail_offset += len;
        return r;
    }
    memcpy(o->shared->tail + o->shared->tail_len, line, len);
    o->shared->tail_len += (uint32_t)len;
    return 0;
}

/* The child keeps the dump, its pipe and stderr (where sanitizers speak). */
static void enter_child(const struct section_job *job)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        close(null);
    }
    if (job->writer)
        summary_writer_after_fork(job->writer);
    if (job->im)
        image_after_fork(job->im);
    /* RLIMIT_CORE does not hold back a core_pattern that is a pipe (core(5)) */
    prctl(PR_SET_DUMPABLE, 0);
}

static void tell_result(struct shared *s, int r, const struct emit *e, const struct error *err)
{
    const char *partial = emit_partial_reason(e), *reason = partial ? partial : "";
    int stopped = emit_failed(e);

    s->failed = r < 0;
    s->partial = partial || stopped;
    if (r < 0)
        reason = error_text(err, r);
    else if (stopped && !partial)
        reason = stopped == -E2BIG ? "a record is too long; it and those after it are left out"
                                   : strerror(-stopped);
    snprintf(s->reason, sizeof(s->reason), "%s", reason);
    s->done = true;
}

__attribute__((noreturn)) static void run_child(const struct section_job *job, struct shared *s,
                                                int fd)
{
    struct outlet o = {job, s, fd};
    struct error err = {0};
    struct emit *e;
    int r;

    enter_child(job);
    e = emit_new(job->name, outlet_line, &o);
    if (!e)
        _exit(EXIT_FAILURE);
    r = job->run(job->arg, e, &err);
    update_counters(&o);
    tell_result(s, r, e, &err);
    _exit(EXIT_SUCCESS);
}

/* ---- in the parent -------------------------------------------------------------------------- */

/* Why the parent ended a child. */
enum stop {
    STOP_NOT,
    STOP_DEADLINE,
    STOP_WHOLE_DEADLINE,
    STOP_OUTPUT,
    STOP_SINK,
};

struct run {
    const struct section_job *job;
    struct shared *shared;
    pid_t pid;
    int fd;
    uint64_t deadline_ns;
    enum stop deadline_kind, stop;
    int sink_error;
    struct lines lines;
    uint64_t received;
    bool gone; /* reaped: `exit` holds */
    struct child_exit exit;
};

void section_result_set(struct section_result *ret, enum section_status status, const char *fmt,
                        ...)
{
    va_list ap;

    ret->end.status = status;
    va_start(ap, fmt);
    vsnprintf(ret->reason, sizeof(ret->reason), fmt, ap);
    va_end(ap);
    ret->end.reason = ret->reason;
}

static void feed(struct run *run, const char *data, size_t len, struct error *err)
{
    int r = lines_feed(&run->lines, data, len, err);

    if (r < 0)
        run->stop = r == -E2BIG ? STOP_OUTPUT : STOP_SINK;
    if (run->stop == STOP_SINK)
        run->sink_error = r;
}

/* Takes what the pipe holds now; false at its end. */
static bool drain(struct run *run, struct error *err)
{
    char block[BLOCK_BYTES];

    while (run->stop == STOP_NOT) {
        ssize_t n = read(run->fd, block, sizeof(block));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        if (!n)
            return false;
        run->received += (uint64_t)n;
        feed(run, block, (size_t)n, err);
        if (deadline_passed(run->deadline_ns))
            run->stop = run->stop == STOP_NOT ? run->deadline_kind : run->stop;
    }
    return true;
}

/* Until the child is gone or has to be. */
static void watch(struct run *run, struct error *err)
{
    struct pollfd p = {run->fd, POLLIN, 0};

    while (drain(run, err)) {
        int left = deadline_left_ms(run->deadline_ns), n;

        if (run->stop != STOP_NOT)
            return;
        if (!left) {
            run->stop = run->deadline_kind;
            return;
        }
        n = poll(&p, 1, left < LOOK_MS ? left : LOOK_MS);
        if (n == 0 && child_wait(run->pid, 0, &run->exit)) {
            run->gone = true;
            drain(run, err); /* what came between the last look and its end */
            return;
        }
    }
    /* it closed the pipe, as a rule by its end */
    run->gone = child_wait(run->pid, run->deadline_ns, &run->exit);
    if (!run->gone)
        run->stop = run->deadline_kind;
}

/* The lines that had not gone into the pipe when the child ended. */
static void take_tail(struct run *run, struct error *err)
{
    uint64_t offset = run->shared->tail_offset, len = run->shared->tail_len, skip;

    if (len > TAIL_BYTES || run->received < offset)
        return;
    skip = run->received - offset;
    if (skip < len && run->stop != STOP_OUTPUT && run->stop != STOP_SINK)
        feed(run, run->shared->tail + skip, (size_t)(len - skip), err);
}

static void format_ms(char *ret, size_t cap, uint64_t ms)
{
    if (ms % 1000)
        snprintf(ret, cap, "%llu ms", (unsigned long long)ms);
    else
        snprintf(ret, cap, "%llu s", (unsigned long long)ms / 1000);
}

static void judge_stopped(const struct run *run, struct section_result *ret)
{
    const char *left = run->gone ? "" : "; the process cannot be killed";
    char span[40];

    format_ms(span, sizeof(span),
              run->stop == STOP_DEADLINE ? run->job->budget.time_ms : run->job->whole_ms);
    if (run->stop == STOP_DEADLINE)
        section_result_set(ret, SECTION_TIMEOUT, "deadline of %s passed%s", span, left);
    else if (run->stop == STOP_WHOLE_DEADLINE)
        section_result_set(ret, SECTION_TIMEOUT, "deadline of %s for the whole capture passed%s",
                           span, left);
    else if (run->stop == STOP_OUTPUT)
        section_result_set(ret, SECTION_KILLED, "output limit of %u bytes passed%s",
                           run->job->budget.output_bytes, left);
    else
        section_result_set(ret, SECTION_FAILED, "the summary cannot be written%s", left);
}

/* What a walk over a running kernel's memory misses may have moved, rather than be damaged. */
static const char *unstable(const struct run *run)
{
    return run->job->im && image_is_live(run->job->im) ? "; unstable: the kernel went on running"
                                                       : "";
}

static void judge_ended(const struct run *run, struct section_result *ret)
{
    const struct shared *s = run->shared;
    int status = run->exit.status;
    bool dropped = run->lines.dropped > 0;

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        section_result_set(ret, SECTION_TIMEOUT, "used too much CPU time");
    else if (WIFSIGNALED(status))
        section_result_set(ret, SECTION_KILLED, "killed by %s",
                           child_signal_name(WTERMSIG(status)));
    else if (!s->done)
        section_result_set(ret, SECTION_FAILED, "ended without a result, exit status %d",
                           WEXITSTATUS(status));
    else if (s->failed || s->partial || !dropped)
        section_result_set(ret,
                           s->failed    ? SECTION_FAILED
                           : s->partial ? SECTION_PARTIAL
                                        : SECTION_OK,
                           "%.*s%s", (int)sizeof(s->reason) - 1, s->reason,
                           s->failed || s->partial ? unstable(run) : "");
    else
        section_result_set(ret, SECTION_PARTIAL, "%llu lines were no records and are left out",
                           (unsigned long long)run->lines.dropped);
}

/*
 * What a filter left out is missing on purpose: the reason begins with that, so that nobody looks
 * for damage where there is none. A section that met it without a word is not whole either.
 */
static void judge_filtered(struct section_result *ret)
{
    unsigned long long filtered = ret->end.filtered, faults = ret->end.faults;
    char why[sizeof(ret->reason)], share[80];

    if (!filtered || ret->end.status == SECTION_TIMEOUT || ret->end.status == SECTION_KILLED)
        return;
    memcpy(why, ret->reason, sizeof(why));
    if (filtered == faults)
        snprintf(share, sizeof(share), "(%llu %s)", filtered, filtered == 1 ? "read" : "reads");
    else
        snprintf(share, sizeof(share), "and damaged (%llu and %llu reads)", filtered,
                 faults - filtered);
    section_result_set(ret, ret->end.status == SECTION_OK ? SECTION_PARTIAL : ret->end.status,
                       "pages filtered %s%s%.160s", share, why[0] ? ": " : "", why);
}

/*
 * Extractors pass over what they cannot read, field by field, and need not say so: a section of
 * which a read failed is not whole. Of a running kernel what failed may have been read again.
 */
static void judge_faults(const struct run *run, struct section_result *ret)
{
    unsigned long long faults = ret->end.faults;

    if (faults && ret->end.status == SECTION_OK && !(run->job->im && image_is_live(run->job->im)))
        section_result_set(ret, SECTION_PARTIAL, "%llu %s of kernel memory failed", faults,
                           faults == 1 ? "read" : "reads");
}

static void conclude(struct run *run, uint64_t start_ns, struct section_result *ret)
{
    if (run->stop != STOP_NOT)
        judge_stopped(run, ret);
    else
        judge_ended(run, ret);
    ret->end.rows = run->lines.rows;
    ret->end.duration_us = (now_ns() - start_ns) / NSEC_PER_USEC;
    ret->end.bytes_read = run->shared->bytes_read;
    ret->end.faults = run->shared->faults;
    ret->end.filtered = min_u64(run->shared->filtered, ret->end.faults);
    judge_filtered(ret);
    judge_faults(run, ret);
    ret->max_rss_bytes = run->gone ? run->exit.max_rss_bytes : 0;
}

/* The earlier of the section's own deadline and that of the capture. */
static void set_deadline(struct run *run)
{
    run->deadline_ns = deadline_after_ms(run->job->budget.time_ms);
    run->deadline_kind = STOP_DEADLINE;
    if (run->job->deadline_ns < run->deadline_ns) {
        run->deadline_ns = run->job->deadline_ns;
        run->deadline_kind = STOP_WHOLE_DEADLINE;
    }
}

/* Forks; in the parent, run->pid and run->fd are set. */
static int start(struct run *run, struct section_result *ret)
{
    struct child_limits limits = {run->job->budget.time_ms, run->job->budget.memory_bytes, true};
    int pipe_fds[2];

    if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
        section_result_set(ret, SECTION_FAILED, "no pipe: %s", strerror(errno));
        return -1;
    }
    run->pid = child_fork(&limits);
    if (!run->pid) {
        close(pipe_fds[0]);
        run_child(run->job, run->shared, pipe_fds[1]);
    }
    close(pipe_fds[1]);
    if (run->pid < 0) {
        close(pipe_fds[0]);
        section_result_set(ret, SECTION_FAILED, "no process: %s", strerror(-run->pid));
        return -1;
    }
    run->fd = pipe_fds[0];
    fcntl(run->fd, F_SETFL, O_NONBLOCK);
    return 0;
}

int section_run(const struct section_job *job, section_sink_fn sink, void *arg, struct error *err,
                struct section_result *ret)
{
    struct run run = {.job = job, .fd = -1};
    uint64_t start_ns = now_ns();

    *ret = (struct section_result){0};
    run.shared =
        mmap(NULL, sizeof(*run.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (run.shared == MAP_FAILED) {
        section_result_set(ret, SECTION_FAILED, "no shared memory: %s", strerror(errno));
        return 0;
    }
    lines_init(&run.lines, job->name, job->budget.output_bytes, sink, arg);
    set_deadline(&run);
    if (!start(&run, ret)) {
        watch(&run, err);
        if (!run.gone)
            run.gone = child_end(run.pid, &run.exit);
        take_tail(&run, err);
        conclude(&run, start_ns, ret);
        close(run.fd);
    }
    lines_done(&run.lines);
    munmap(run.shared, sizeof(*run.shared));
    return run.sink_error;
}

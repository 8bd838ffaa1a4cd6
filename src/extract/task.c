/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "extract/extract.h"
#include "kernel/cgroup.h"
#include "kernel/list.h"
#include "kernel/percpu.h"
#include "kernel/task.h"
#include "util/cleanup.h"
#include "util/math.h"

/*
 * Every process and kernel thread, with its memory by kind and the score by which the OOM killer
 * would choose its next victim; every thread that waits uninterruptibly. Command lines are left out
 * on purpose: they hold secrets.
 */
enum {
    REAL_PARENT = N_TASK_NEEDS,
    REAL_CRED,
    CRED_UID,
    VFORK_DONE,
    CPU_OLD,
    CPU,
    LAST_ARRIVAL,
    CGROUPS,
    OOM_SCORE_ADJ,
    TOTAL_VM,
    PGTABLES_BYTES,
    MM_FLAGS,
    CHOSEN_POINTS,
    TOTALRAM_OLD,
    TOTALRAM,
    TOTAL_SWAP,
    NR_THREADS,
    RUNQUEUES,
    RQ_CLOCK,
    CGROUP_FIRST,
    N_NEEDS = CGROUP_FIRST + N_CGROUP_NEEDS
};

static const struct need needs[N_NEEDS] = {
    TASK_NEEDS,
    [REAL_PARENT] = OPT_MEMBER("task_struct", "real_parent"),
    [REAL_CRED] = OPT_MEMBER("task_struct", "real_cred"),
    [CRED_UID] = OPT_MEMBER("cred", "uid"),
    [VFORK_DONE] = OPT_MEMBER("task_struct", "vfork_done"),
    /* "sched: move CPU field back into thread_info if THREAD_INFO_IN_TASK=y" (bcf9033e5449, v5.16)
     */
    [CPU_OLD] = OPT_MEMBER("task_struct", "cpu"),
    [CPU] = OPT_MEMBER("task_struct", "thread_info.cpu"),
    [LAST_ARRIVAL] = OPT_MEMBER("task_struct", "sched_info.last_arrival"),
    [CGROUPS] = OPT_MEMBER("task_struct", "cgroups"),
    [OOM_SCORE_ADJ] = OPT_MEMBER("signal_struct", "oom_score_adj"),
    [TOTAL_VM] = OPT_MEMBER("mm_struct", "total_vm"),
    [PGTABLES_BYTES] = OPT_MEMBER("mm_struct", "pgtables_bytes"),
    [MM_FLAGS] = OPT_MEMBER("mm_struct", "flags"),
    [CHOSEN_POINTS] = OPT_MEMBER("oom_control", "chosen_points"),
    [TOTALRAM_OLD] = OPT_SYMBOL("totalram_pages"),
    [TOTALRAM] = OPT_SYMBOL("_totalram_pages"),
    [TOTAL_SWAP] = OPT_SYMBOL("total_swap_pages"),
    [NR_THREADS] = OPT_SYMBOL("nr_threads"),
    [RUNQUEUES] = OPT_SYMBOL("runqueues"),
    [RQ_CLOCK] = OPT_MEMBER("rq", "clock"),
    CGROUP_NEEDS(CGROUP_FIRST),
};

/* Beyond so many lines only tasks that stand out get one: a fork bomb must not hide the rest. */
#define MAX_TASK_LINES   20000
#define MAX_THREAD_LINES 5000
/* Reads of per-CPU counters before exact sums are kept for the large processes. */
#define MAX_PERCPU_READS 1000000
/* include/linux/mm_types.h; the number has been the same since v4.10 */
#define MMF_OOM_SKIP 21
#define ADJ_MIN      (-1000) /* OOM_SCORE_ADJ_MIN */

struct run {
    struct extract *x;
    uint64_t page_size, total_pages; /* RAM and swap, as out_of_memory() sees them; 0 unknown */
    uint64_t now_ns;                 /* the latest scheduler clock of any CPU; 0 unknown */
    unsigned cpus;
    uint64_t percpu_reads;
    uint64_t processes, threads, kthreads, running, uninterruptible, zombies;
    uint64_t task_lines, thread_lines, omitted_tasks, omitted_threads, broken_thread_lists;
    uint64_t path_css_set; /* whose path is in `path`: neighbours in the list often share it */
    ssize_t path_len;
    char path[CGROUP_PATH_CAP];
};

struct process {
    struct task leader;
    uint64_t threads, mm, mm_owner; /* mm_owner: the first thread that still has one */
    bool uninterruptible;
    int64_t cached[N_RSS]; /* not yet published by its threads */
    int64_t rss[N_RSS];    /* as the kernel's counters have it */
    bool exact;            /* false where a CPU's differences were left out */
    uint64_t vsz_pages, pgtables_bytes;
    int64_t oom_score_adj;
    bool has_rss, has_vsz, has_pgtables, has_adj; /* a process without mm has all, zero */
};

/* --- threads ---------------------------------------------------------------------------------- */

/* Since when a task in D state has not run. */
static void emit_wait(struct run *run, const struct task *t)
{
    uint64_t since;

    if (t->state != 'D' || kernel_field(run->x->k, t->addr, &run->x->found[LAST_ARRIVAL], &since))
        return;
    emit_u64(run->x->emit, "last_run_ns", since);
    if (run->now_ns >= since)
        emit_u64(run->x->emit, "waiting_ns", run->now_ns - since);
}

static void emit_waiting_thread(struct run *run, const struct task *t)
{
    struct emit *e = run->x->emit;

    if (run->thread_lines++ >= MAX_THREAD_LINES) {
        run->omitted_threads++;
        return;
    }
    emit_begin(e, "thread");
    emit_u64(e, "pid", t->pid);
    emit_u64(e, "tgid", t->tgid);
    emit_strn(e, "comm", t->comm, t->comm_len);
    emit_strn(e, "state", &t->state, 1);
    emit_wait(run, t);
    emit_end(e);
}

static void count_thread(struct run *run, struct process *p, const struct task *t)
{
    run->threads++;
    run->running += t->state == 'R';
    run->zombies += t->state == 'Z';
    p->threads++;
    if (t->state == 'D') {
        run->uninterruptible++;
        p->uninterruptible = true;
        if (t->addr != p->leader.addr) /* which has its task record */
            emit_waiting_thread(run, t);
    }
    /* as find_lock_task_mm(): an exiting leader has no mm, its threads may */
    if (t->mm && !p->mm) {
        p->mm = t->mm;
        p->mm_owner = t->addr;
    }
    if (t->mm)
        task_add_cached_pages(run->x->k, run->x->found, t->addr, p->cached);
}

static void walk_threads(struct run *run, struct process *p)
{
    const struct resolved *found = run->x->found;
    struct list_walk w = list_walk_init(
        run->x->k, p->leader.signal + found[TASK_SIGNAL_THREAD_HEAD].offset,
        TASK_PID_LIMIT - min_u64(run->threads, TASK_PID_LIMIT)); /* all processes together */
    bool leader_seen = false;
    struct task t;
    uint64_t node;
    int r;

    while ((r = list_walk_next(&w, &node)) > 0) {
        uint64_t addr = kernel_container(node, &found[TASK_THREAD_NODE]);

        if ((r = task_read(run->x->k, found, addr, &t)) < 0)
            break;
        leader_seen |= addr == p->leader.addr;
        count_thread(run, p, &t);
    }
    if (r < 0)
        run->broken_thread_lists++;
    if (!leader_seen)
        count_thread(run, p, &p->leader);
}

/* --- memory ----------------------------------------------------------------------------------- */

static uint64_t sum_pages(const int64_t pages[static N_RSS])
{
    return sat_add_u64(sat_add_u64(clamp_count(pages[RSS_FILE]), clamp_count(pages[RSS_ANON])),
                       clamp_count(pages[RSS_SHMEM]));
}

/*
 * Percpu counters are summed exactly until that gets expensive (processes times CPUs), then for the
 * processes that hold a thousandth of memory.
 */
static int read_rss(struct run *run, struct process *p)
{
    const struct resolved *found = run->x->found;
    bool percpu = found[TASK_MM_RSS_STAT].elem_count;

    if (percpu && run->percpu_reads >= MAX_PERCPU_READS) {
        int r = task_mm_pages(run->x->k, found, p->mm, false, p->rss);

        if (r || sum_pages(p->rss) < run->total_pages / 1000)
            return r;
    }
    run->percpu_reads += percpu ? (uint64_t)N_RSS * run->cpus : 0;
    p->exact = true;
    return task_mm_pages(run->x->k, found, p->mm, true, p->rss);
}

static void read_memory(struct run *run, struct process *p)
{
    const struct resolved *found = run->x->found;
    struct kernel *k = run->x->k;

    p->has_adj = !kernel_field_i64(k, p->leader.signal, &found[OOM_SCORE_ADJ], &p->oom_score_adj);
    p->has_rss = !p->mm || !read_rss(run, p);
    p->has_vsz = !p->mm || !kernel_field(k, p->mm, &found[TOTAL_VM], &p->vsz_pages);
    p->has_pgtables = !p->mm || !kernel_field(k, p->mm, &found[PGTABLES_BYTES], &p->pgtables_bytes);
}

static uint64_t bytes_of(const struct run *run, const struct process *p, enum task_rss kind)
{
    int64_t pages;

    if (__builtin_add_overflow(p->rss[kind], p->cached[kind], &pages))
        pages = p->rss[kind];
    return sat_mul_u64(clamp_count(pages), run->page_size);
}

static void emit_rss(struct run *run, const struct process *p)
{
    struct emit *e = run->x->emit;
    uint64_t anon = bytes_of(run, p, RSS_ANON), file = bytes_of(run, p, RSS_FILE),
             shmem = bytes_of(run, p, RSS_SHMEM);

    emit_u64(e, "rss_bytes", sat_add_u64(sat_add_u64(anon, file), shmem));
    emit_u64(e, "anon_bytes", anon);
    emit_u64(e, "file_bytes", file);
    emit_u64(e, "shmem_bytes", shmem);
    emit_u64(e, "swap_bytes", bytes_of(run, p, RSS_SWAP));
    if (p->mm && !p->exact)
        emit_bool(e, "exact", false);
}

static void emit_memory(struct run *run, const struct process *p)
{
    if (p->has_vsz)
        emit_u64(run->x->emit, "vsz_bytes", sat_mul_u64(p->vsz_pages, run->page_size));
    if (p->has_rss)
        emit_rss(run, p);
    if (p->has_pgtables)
        emit_u64(run->x->emit, "pgtables_bytes", p->pgtables_bytes);
}

/* --- the OOM killer's view -------------------------------------------------------------------- */

/* in_vfork(): the mm is its parent's, lent until it executes another program. */
static bool in_vfork(struct run *run, const struct process *p)
{
    const struct resolved *found = run->x->found;
    struct kernel *k = run->x->k;
    uint64_t done, parent, parent_mm;

    return !kernel_field(k, p->mm_owner, &found[VFORK_DONE], &done) && done &&
           !kernel_field(k, p->mm_owner, &found[REAL_PARENT], &parent) &&
           !kernel_field(k, parent, &found[TASK_MM], &parent_mm) && parent_mm == p->mm;
}

/* What makes oom_badness() (mm/oom_kill.c) give LONG_MIN, before v5.9 zero. */
static bool is_killable(struct run *run, const struct process *p)
{
    const struct resolved *mm_flags = &run->x->found[MM_FLAGS];
    uint64_t flags;

    if (p->leader.kthread || p->leader.tgid == 1 || !p->mm || p->oom_score_adj == ADJ_MIN)
        return false;
    /* a bitmap of growing size in "mm: add bitmap mm->flags field" (v6.18), a long before */
    if (mm_flags->present && !kernel_read_u64(run->x->k, p->mm + mm_flags->offset, &flags) &&
        flags >> MMF_OOM_SKIP & 1)
        return false;
    return !in_vfork(run, p);
}

/*
 * oom_badness(), in pages, for a killable process. Up to v6.1 it does not see what threads have not
 * published yet; from v6.2 on the exact sum stands for the counters' shared part, which the kernel
 * itself read until it went over to exact sums too (v7.0).
 */
static int64_t badness(const struct run *run, const struct process *p)
{
    uint64_t pages =
        sat_add_u64(sum_pages(p->rss),
                    sat_add_u64(clamp_count(p->rss[RSS_SWAP]), p->pgtables_bytes / run->page_size));
    int64_t adj, points;

    /* both operands are hostile: the kernel's own arithmetic would wrap */
    if (__builtin_mul_overflow(p->oom_score_adj, (int64_t)(run->total_pages / 1000), &adj) ||
        __builtin_add_overflow((int64_t)pages, adj, &points))
        return 0;
    /* Scores became signed in "mm, oom: make the calculation of oom badness more accurate"
     * (9066e5cfb73c, v5.9); an eligible process had at least one point before. */
    if (run->x->found[CHOSEN_POINTS].present && !run->x->found[CHOSEN_POINTS].is_signed)
        return points > 0 ? points : 1;
    return points;
}

/* /proc/PID/oom_score: proc_oom_score(), fs/proc/base.c, before and after that change. */
static int64_t proc_score(const struct run *run, int64_t points)
{
    int64_t per_mille = (int64_t)((__int128)points * 1000 / (int64_t)run->total_pages);

    if (run->x->found[CHOSEN_POINTS].present && !run->x->found[CHOSEN_POINTS].is_signed)
        return per_mille;
    return (int64_t)((1000 + (__int128)per_mille) * 2 / 3);
}

static void emit_oom(struct run *run, const struct process *p)
{
    struct emit *e = run->x->emit;
    int64_t points;

    if (!p->has_adj)
        return;
    emit_i64(e, "oom_score_adj", p->oom_score_adj);
    if (!is_killable(run, p)) {
        emit_i64(e, "oom_score", 0);
        emit_bool(e, "oom_killable", false);
        return;
    }
    if (run->total_pages && p->has_rss && p->has_pgtables) {
        points = badness(run, p);
        emit_i64(e, "oom_score", proc_score(run, points));
        emit_i64(e, "oom_badness_pages", points);
    }
    emit_bool(e, "oom_killable", true);
}

/* --- a process -------------------------------------------------------------------------------- */

static void emit_cgroup(struct run *run, const struct process *p)
{
    const struct resolved *found = run->x->found, *cg = found + CGROUP_FIRST;
    struct kernel *k = run->x->k;
    uint64_t css_set, cgroup;

    if (kernel_field(k, p->leader.addr, &found[CGROUPS], &css_set))
        return;
    if (css_set != run->path_css_set) {
        run->path_css_set = css_set;
        run->path_len = -EFAULT;
        if (!cgroup_of_css_set(k, cg, css_set, &cgroup))
            run->path_len = cgroup_path(k, cg, cgroup, run->path);
    }
    if (run->path_len >= 0)
        emit_strn(run->x->emit, "cgroup", run->path, (size_t)run->path_len);
}

static void emit_identity(struct run *run, const struct process *p)
{
    const struct resolved *found = run->x->found;
    const struct resolved *cpu = &found[found[CPU].present ? CPU : CPU_OLD];
    struct kernel *k = run->x->k;
    struct emit *e = run->x->emit;
    uint64_t addr, v;

    emit_u64(e, "pid", p->leader.pid);
    emit_u64(e, "tgid", p->leader.tgid);
    if (!kernel_field(k, p->leader.addr, &found[REAL_PARENT], &addr) &&
        !kernel_field(k, addr, &found[TASK_TGID], &v))
        emit_u64(e, "ppid", v);
    emit_strn(e, "comm", p->leader.comm, p->leader.comm_len);
    emit_strn(e, "state", &p->leader.state, 1);
    emit_bool(e, "kthread", p->leader.kthread);
    emit_u64(e, "threads", p->threads);
    if (!kernel_field(k, p->leader.addr, cpu, &v))
        emit_u64(e, "cpu", v);
    emit_wait(run, &p->leader);
    if (!kernel_field(k, p->leader.addr, &found[REAL_CRED], &addr) &&
        !kernel_field(k, addr, &found[CRED_UID], &v))
        emit_u64(e, "uid", v);
}

static bool stands_out(const struct run *run, const struct process *p)
{
    return p->uninterruptible || sum_pages(p->rss) >= run->total_pages / 1000;
}

static int visit_process(const struct task *leader, void *arg)
{
    struct run *run = arg;
    struct process p = {.leader = *leader};

    run->processes += !leader->kthread;
    run->kthreads += leader->kthread;
    walk_threads(run, &p);
    read_memory(run, &p);
    if (run->task_lines >= MAX_TASK_LINES && (leader->kthread || !stands_out(run, &p))) {
        run->omitted_tasks++;
        return 0;
    }
    run->task_lines++;
    emit_begin(run->x->emit, "task");
    emit_identity(run, &p);
    emit_memory(run, &p);
    emit_oom(run, &p);
    emit_cgroup(run, &p);
    return emit_end(run->x->emit);
}

/* --- the section ------------------------------------------------------------------------------ */

static uint64_t read_symbol(struct extract *x, size_t need)
{
    uint64_t v = 0;

    if (x->found[need].present)
        kernel_read_u64(x->k, x->found[need].addr, &v);
    return v;
}

static void prepare(struct run *run)
{
    struct extract *x = run->x;
    uint64_t addr, clock;

    run->page_size = kernel_page_size(x->k);
    /* totalram_pages became an atomic of another name in v5.0 (ca79b0c211af) */
    run->total_pages =
        sat_add_u64(read_symbol(x, x->found[TOTALRAM].present ? TOTALRAM : TOTALRAM_OLD),
                    clamp_count((int64_t)read_symbol(x, TOTAL_SWAP)));
    run->cpus = percpu_cpu_end(x->k);
    if (!x->found[RUNQUEUES].present)
        return;
    percpu_foreach(x->k, cpu)
    {
        if (!percpu_addr(x->k, x->found[RUNQUEUES].addr, cpu, &addr) &&
            !kernel_field(x->k, addr, &x->found[RQ_CLOCK], &clock))
            run->now_ns = max_u64(run->now_ns, clock);
    }
}

static void say_what_is_lost(struct run *run, const struct task_walk_result *walk)
{
    struct emit *e = run->x->emit;
    uint32_t nr_threads;

    if (walk->list_error && walk->tree_error)
        emit_partial(e, "the list of tasks breaks off after %zu (%s), the tree of pids: %s",
                     walk->list_count, error_text(NULL, walk->list_error),
                     error_text(NULL, walk->tree_error));
    else if (walk->list_error)
        emit_partial(e, "the list of tasks breaks off after %zu (%s); the rest is found by pid",
                     walk->list_count, error_text(NULL, walk->list_error));
    if (walk->unreadable)
        emit_partial(e, "%zu tasks cannot be read", walk->unreadable);
    if (run->broken_thread_lists)
        emit_partial(e, "the threads of %llu processes cannot all be read",
                     (unsigned long long)run->broken_thread_lists);
    if (run->omitted_tasks || run->omitted_threads)
        emit_partial(e, "%llu small tasks and %llu waiting threads are counted, not listed",
                     (unsigned long long)run->omitted_tasks,
                     (unsigned long long)run->omitted_threads);
    /* A task is linked and counted under one lock, but others may have been stopped before it. */
    if (run->x->found[NR_THREADS].present &&
        !kernel_read_u32(run->x->k, run->x->found[NR_THREADS].addr, &nr_threads) &&
        (run->threads > nr_threads + 16ULL + nr_threads / 8 ||
         run->threads + 16 + run->threads / 8 < nr_threads))
        emit_partial(e, "the kernel counts %u threads, %llu were found", nr_threads,
                     (unsigned long long)run->threads);
}

/* `threads` counts every task, kernel threads included; so do the states. */
static int emit_total(const struct run *run)
{
    struct emit *e = run->x->emit;

    emit_begin(e, "total");
    emit_u64(e, "processes", run->processes);
    emit_u64(e, "kthreads", run->kthreads);
    emit_u64(e, "threads", run->threads);
    emit_u64(e, "running", run->running);
    emit_u64(e, "uninterruptible", run->uninterruptible);
    emit_u64(e, "zombies", run->zombies);
    return emit_end(e);
}

static int run_section(struct extract *x)
{
    struct run run = {.x = x};
    struct task_walk_result walk;
    int r;

    prepare(&run);
    r = task_foreach(x->k, x->found, visit_process, &run, &walk);
    if (r)
        return error_set(x->err, r, "tasks: %s", error_text(NULL, r));
    if (!walk.processes)
        return error_set(x->err, walk.list_error ? walk.list_error : -EBADMSG,
                         "no task can be read: %s", error_text(NULL, walk.list_error));
    say_what_is_lost(&run, &walk);
    return emit_total(&run);
}

const struct extractor extract_task = {
    .name = "task",
    .title = "Processes and kernel threads with their memory and OOM score",
    .needs = needs,
    .n_needs = ARRAY_SIZE(needs),
    .budget = {.time_ms = 10000, .memory_bytes = 16 << 20, .output_bytes = 16 << 20},
    .run = run_section,
};

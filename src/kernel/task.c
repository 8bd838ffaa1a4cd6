/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/task.h"

#include <errno.h>
#include <stdlib.h>

#include "kernel/list.h"
#include "kernel/percpu.h"
#include "kernel/xarray.h"
#include "util/cleanup.h"

/* include/linux/sched.h: the same values in every kernel with VMCOREINFO that we read */
#define PF_KTHREAD           0x00200000
#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_REPORT          0x007f
#define TASK_IDLE            0x0402 /* TASK_UNINTERRUPTIBLE | TASK_NOLOAD */
#define TASK_RTLOCK_WAIT     0x1000
#define TASK_FROZEN          0x8000

char task_state_letter(uint64_t state, uint64_t exit_state)
{
    /* by the highest bit set: task_index_to_char() */
    static const char letters[] = "RSDTtXZP";
    uint64_t bits = (state | exit_state) & TASK_REPORT;
    unsigned index = 0;

    if ((state & TASK_IDLE) == TASK_IDLE && !exit_state)
        return 'I';
    /* The kernel shows these two as the D that they stand for: __task_state_index(). */
    if (state & (TASK_RTLOCK_WAIT | TASK_FROZEN) && !exit_state)
        bits = TASK_UNINTERRUPTIBLE;
    while (bits >> index)
        index++;
    return index < sizeof(letters) - 1 ? letters[index] : '?';
}

static char read_state(struct kernel *k, const struct resolved *found, uint64_t addr)
{
    const struct resolved *f =
        found[TASK_STATE].present ? &found[TASK_STATE] : &found[TASK_STATE_OLD];
    uint64_t state, exit_state;

    if (kernel_field(k, addr, f, &state) ||
        kernel_field(k, addr, &found[TASK_EXIT_STATE], &exit_state))
        return '?';
    return task_state_letter(state, exit_state);
}

int task_read(struct kernel *k, const struct resolved *found, uint64_t addr, struct task *ret)
{
    struct task t = {.addr = addr};
    uint64_t pid, tgid, flags;
    ssize_t len;
    int r;

    if ((r = kernel_field(k, addr, &found[TASK_PID], &pid)) ||
        (r = kernel_field(k, addr, &found[TASK_TGID], &tgid)) ||
        (r = kernel_field(k, addr, &found[TASK_FLAGS], &flags)) ||
        (r = kernel_field(k, addr, &found[TASK_SIGNAL], &t.signal)) ||
        (r = kernel_field(k, addr, &found[TASK_MM], &t.mm)))
        return r;
    if (pid >= TASK_PID_LIMIT || tgid >= TASK_PID_LIMIT)
        return -EBADMSG;
    len = kernel_field_str(k, addr, &found[TASK_COMM], t.comm, sizeof(t.comm));
    if (len < 0)
        return (int)len;
    t.comm_len = (size_t)len;
    t.pid = (uint32_t)pid;
    t.tgid = (uint32_t)tgid;
    t.kthread = flags & PF_KTHREAD;
    if (t.kthread)
        t.mm = 0;
    t.state = read_state(k, found, addr);
    *ret = t;
    return 0;
}

/* One walk over all processes, through the list and perhaps through the tree of pids after it. */
struct walk {
    struct kernel *k;
    const struct resolved *found;
    int (*fn)(const struct task *leader, void *arg);
    void *arg;
    uint8_t *seen; /* a bit a pid: what was handed out */
    struct task_walk_result result;
    int stop; /* fn's non-zero return */
};

static int hand_out(struct walk *w, uint64_t addr)
{
    struct task t;

    if (task_read(w->k, w->found, addr, &t)) {
        w->result.unreadable++;
        return 0;
    }
    if (w->seen[t.pid / 8] >> t.pid % 8 & 1)
        return 0;
    w->seen[t.pid / 8] = (uint8_t)(w->seen[t.pid / 8] | 1U << t.pid % 8);
    w->result.processes++;
    return w->stop = w->fn(&t, w->arg);
}

static void walk_list(struct walk *w)
{
    const struct resolved *tasks = &w->found[TASK_TASKS];
    struct list_walk list =
        list_walk_init(w->k, w->found[TASK_INIT_TASK].addr + tasks->offset, TASK_PID_LIMIT);
    uint64_t node;
    int r;

    while ((r = list_walk_next(&list, &node)) > 0)
        if (hand_out(w, kernel_container(node, tasks)))
            return;
    w->result.list_error = r;
    w->result.list_count = w->result.processes;
}

/* An entry of the pid tree: a struct pid, whose tasks[PIDTYPE_TGID] heads a list of one leader. */
static int pid_entry(uint64_t index, uint64_t pid, void *arg)
{
    struct walk *w = arg;
    const struct resolved *found = w->found;
    const struct resolved *links = &found[TASK_PID_LINKS];
    size_t type = (size_t)found[TASK_PIDTYPE_TGID].value;
    uint64_t node;

    (void)index;
    if (kernel_read_u64(w->k,
                        pid + found[TASK_PID_TASKS].offset + type * found[TASK_PID_TASKS].elem_size,
                        &node)) {
        w->result.unreadable++;
        return 0;
    }
    if (!node) /* a thread's pid, or one that only names a session */
        return 0;
    return hand_out(w, node - type * links->elem_size - links->offset);
}

static int walk_tree(struct walk *w)
{
    const struct resolved *found = w->found;
    const struct resolved *tasks = &found[TASK_PID_TASKS], *links = &found[TASK_PID_LINKS];
    int64_t type = found[TASK_PIDTYPE_TGID].value;
    struct xarray xa;
    int r;

    if (!found[TASK_INIT_PID_NS].present || !found[TASK_PID_NS_IDR_HEAD].present ||
        !found[TASK_XA_NODE_SLOTS].present || !found[TASK_XA_NODE_SHIFT].present ||
        !tasks->present || !links->present || !found[TASK_PIDTYPE_TGID].present)
        return -ENOENT;
    if (type < 0 || type >= tasks->elem_count || type >= links->elem_count)
        return -EBADMSG;
    xa = (struct xarray){
        .k = w->k,
        .head_va = found[TASK_INIT_PID_NS].addr + found[TASK_PID_NS_IDR_HEAD].offset,
        .slots = &found[TASK_XA_NODE_SLOTS],
        .shift = &found[TASK_XA_NODE_SHIFT],
        .max_entries = TASK_PID_LIMIT,
    };
    r = xarray_foreach(&xa, pid_entry, w);
    return w->stop ? 0 : r;
}

int task_foreach(struct kernel *k, const struct resolved *found,
                 int (*fn)(const struct task *leader, void *arg), void *arg,
                 struct task_walk_result *ret)
{
    _cleanup_free_ uint8_t *seen = calloc(TASK_PID_LIMIT / 8, 1);
    struct walk w = {.k = k, .found = found, .fn = fn, .arg = arg, .seen = seen};

    if (!seen)
        return -ENOMEM;
    walk_list(&w);
    if (!w.stop && w.result.list_error)
        w.result.tree_error = walk_tree(&w);
    *ret = w.result;
    return w.stop;
}

/* ≥ v6.2: an array of struct percpu_counter. */
static int percpu_pages(struct kernel *k, const struct resolved *found, uint64_t mm, bool exact,
                        int64_t ret[static N_RSS])
{
    const struct resolved *stat = &found[TASK_MM_RSS_STAT];
    int64_t pages[N_RSS];
    int r;

    if (stat->elem_count < N_RSS)
        return -EBADMSG;
    for (size_t i = 0; i < N_RSS; i++) {
        uint64_t counter = mm + stat->offset + i * stat->elem_size;

        r = exact ? percpu_counter_sum(k, counter, &pages[i])
                  : kernel_field_i64(k, counter, &found[TASK_COUNTER_COUNT], &pages[i]);
        if (r)
            return r;
    }
    for (size_t i = 0; i < N_RSS; i++)
        ret[i] = pages[i];
    return 0;
}

int task_mm_pages(struct kernel *k, const struct resolved *found, uint64_t mm, bool exact,
                  int64_t ret[static N_RSS])
{
    const struct resolved *count = &found[TASK_MM_RSS_COUNT];
    int64_t pages[N_RSS];
    int r;

    if (!found[TASK_MM_RSS_STAT].present)
        return -ENOENT;
    if (found[TASK_MM_RSS_STAT].elem_count)
        return percpu_pages(k, found, mm, exact, ret);
    for (size_t i = 0; i < N_RSS; i++)
        if ((r = kernel_field_at_i64(k, mm, count, i, &pages[i])))
            return r;
    for (size_t i = 0; i < N_RSS; i++)
        ret[i] = pages[i];
    return 0;
}

void task_add_cached_pages(struct kernel *k, const struct resolved *found, uint64_t task,
                           int64_t sum[static N_RSS])
{
    int64_t pages;

    if (!found[TASK_RSS_CACHE].present)
        return;
    for (size_t i = 0; i < N_RSS; i++)
        /* The kernel publishes at 64 page faults; a fault maps 2 MiB at most. More is damage. */
        if (!kernel_field_at_i64(k, task, &found[TASK_RSS_CACHE], i, &pages) &&
            pages > -(64 << 9) && pages < 64 << 9)
            sum[i] += pages;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_TASK_H
#define KERNEL_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"

/*
 * Processes and threads. The functions take `found`, the answers to a needs table that begins with
 * TASK_NEEDS; an extractor's own entries follow from N_TASK_NEEDS on.
 */
enum task_need {
    TASK_INIT_TASK,
    TASK_TASKS,
    TASK_THREAD_NODE,
    TASK_SIGNAL,
    TASK_PID,
    TASK_TGID,
    TASK_COMM,
    TASK_FLAGS,
    TASK_EXIT_STATE,
    TASK_MM,
    TASK_STATE_OLD,
    TASK_STATE,
    TASK_PID_LINKS,
    TASK_RSS_CACHE,
    TASK_SIGNAL_THREAD_HEAD,
    TASK_MM_RSS_STAT,
    TASK_MM_RSS_COUNT,
    TASK_COUNTER_COUNT,
    TASK_INIT_PID_NS,
    TASK_PID_NS_IDR_HEAD,
    TASK_XA_NODE_SLOTS,
    TASK_XA_NODE_SHIFT,
    TASK_PID_TASKS,
    TASK_PIDTYPE_TGID,
    N_TASK_NEEDS
};

/*
 * task_struct.state became __state in "sched: Change task_struct::state" (2f064a59a11f, v5.14).
 * mm_struct.rss_stat was a struct of atomics and became an array of percpu counters in "mm: convert
 * mm's rss stats into percpu_counter" (f1a7941243c1, v6.2), which also removed
 * task_struct.rss_stat.
 */
#define TASK_NEEDS                                                                                 \
    [TASK_INIT_TASK] = NEED_SYMBOL("init_task"),                                                   \
    [TASK_TASKS] = NEED_MEMBER("task_struct", "tasks"),                                            \
    [TASK_THREAD_NODE] = NEED_MEMBER("task_struct", "thread_node"),                                \
    [TASK_SIGNAL] = NEED_MEMBER("task_struct", "signal"),                                          \
    [TASK_PID] = NEED_MEMBER("task_struct", "pid"),                                                \
    [TASK_TGID] = NEED_MEMBER("task_struct", "tgid"),                                              \
    [TASK_COMM] = NEED_MEMBER("task_struct", "comm"),                                              \
    [TASK_FLAGS] = NEED_MEMBER("task_struct", "flags"),                                            \
    [TASK_EXIT_STATE] = NEED_MEMBER("task_struct", "exit_state"),                                  \
    [TASK_MM] = NEED_MEMBER("task_struct", "mm"),                                                  \
    [TASK_STATE_OLD] = OPT_MEMBER("task_struct", "state"),                                         \
    [TASK_STATE] = OPT_MEMBER("task_struct", "__state"),                                           \
    [TASK_PID_LINKS] = OPT_MEMBER("task_struct", "pid_links"),                                     \
    [TASK_RSS_CACHE] = OPT_MEMBER("task_struct", "rss_stat.count"),                                \
    [TASK_SIGNAL_THREAD_HEAD] = NEED_MEMBER("signal_struct", "thread_head"),                       \
    [TASK_MM_RSS_STAT] = OPT_MEMBER("mm_struct", "rss_stat"),                                      \
    [TASK_MM_RSS_COUNT] = OPT_MEMBER("mm_struct", "rss_stat.count"),                               \
    [TASK_COUNTER_COUNT] = OPT_MEMBER("percpu_counter", "count"),                                  \
    [TASK_INIT_PID_NS] = OPT_SYMBOL("init_pid_ns"),                                                \
    [TASK_PID_NS_IDR_HEAD] = OPT_MEMBER("pid_namespace", "idr.idr_rt.xa_head"),                    \
    [TASK_XA_NODE_SLOTS] = OPT_MEMBER("xa_node", "slots"),                                         \
    [TASK_XA_NODE_SHIFT] = OPT_MEMBER("xa_node", "shift"),                                         \
    [TASK_PID_TASKS] = OPT_MEMBER("pid", "tasks"),                                                 \
    [TASK_PIDTYPE_TGID] = OPT_ENUMERATOR("pid_type", "PIDTYPE_TGID")

/* More tasks than Linux can number (PID_MAX_LIMIT, include/linux/threads.h). */
#define TASK_PID_LIMIT (4U << 20)

/* What every reader of a task wants. */
struct task {
    uint64_t addr;
    uint64_t signal, mm; /* mm is 0 for kernel threads, also while they borrow one */
    uint32_t pid, tgid;
    char state; /* the letter that ps and /proc/PID/stat show, '?' for none */
    bool kthread;
    char comm[16];
    size_t comm_len;
};

/* Reads the task_struct at addr. -EFAULT and the like; -EBADMSG if its pid is no pid. */
int task_read(struct kernel *k, const struct resolved *found, uint64_t addr, struct task *ret);

/*
 * The letter for a task's state bits, as fs/proc/array.c and get_task_state() give it: the kernel's
 * idle (I), frozen and RT-lock waits included. `state` and `exit_state` are the members' values.
 */
char task_state_letter(uint64_t state, uint64_t exit_state);

struct task_walk_result {
    size_t processes;  /* leaders handed out */
    size_t unreadable; /* leaders passed over: a damaged task costs only itself */
    int list_error;    /* why init_task.tasks ended early, 0 if it did not */
    size_t list_count; /* entries it gave before that */
    int tree_error;    /* why the tree of pids, the list's stand-in, could not help; else 0 */
};

/*
 * Calls fn for each thread-group leader (a process or a kernel thread, not the idle tasks), oldest
 * first, until fn returns non-zero (returned as it is). Where the list of tasks is broken, the rest
 * comes from init_pid_ns's tree of pids; nothing is handed out twice. 0, or -ENOMEM.
 */
int task_foreach(struct kernel *k, const struct resolved *found,
                 int (*fn)(const struct task *leader, void *arg), void *arg,
                 struct task_walk_result *ret);

/* Kinds of memory of an mm; enum { MM_FILEPAGES … } (include/linux/mm_types_task.h). */
enum task_rss { RSS_FILE, RSS_ANON, RSS_SWAP, RSS_SHMEM, N_RSS };

/*
 * The mm's counters in pages, negative where another CPU was stopped half-way. `exact` adds every
 * CPU's difference where they are percpu counters, which costs a read per CPU and kind; otherwise
 * the shared part alone is read. -ENOENT if this kernel has neither form.
 */
int task_mm_pages(struct kernel *k, const struct resolved *found, uint64_t mm, bool exact,
                  int64_t ret[static N_RSS]);

/*
 * Adds a thread's own not yet published pages (SPLIT_RSS_COUNTING) to sum[]. Nothing on kernels
 * without that cache, nothing where it cannot be read.
 */
void task_add_cached_pages(struct kernel *k, const struct resolved *found, uint64_t task,
                           int64_t sum[static N_RSS]);

#endif

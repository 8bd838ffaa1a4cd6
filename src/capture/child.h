/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_CHILD_H
#define CAPTURE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Forked children that may crash, spin or hang on damaged memory, and a parent that never waits for
 * one longer than it said: a process in uninterruptible sleep cannot be killed, and is left.
 */

/* What a child may use. 0 for no limit. */
struct child_limits {
    uint64_t cpu_ms;       /* a fallback should the parent not be there to end it */
    uint64_t memory_bytes; /* RLIMIT_DATA above what the parent had */
    bool expendable;       /* the first to go when memory is short */
};

/*
 * fork(2). The child leads a process group, dies with its parent, leaves no core file and has
 * default signal handlers. Returns as fork does, or negative errno.
 */
pid_t child_fork(const struct child_limits *limits);

struct child_exit {
    int status;             /* as waitpid(2) */
    uint64_t max_rss_bytes; /* of the child */
};

/*
 * Reaps pid if it ends before the deadline (now_ns() clock; 0 for a look without waiting), and
 * kills what it forked.
 */
bool child_wait(pid_t pid, uint64_t deadline_ns, struct child_exit *ret);

/* SIGKILL to the child and what it forked. */
void child_kill(pid_t pid);

/* child_kill(), then child_wait() for as long as a killed process may take to be gone. */
bool child_end(pid_t pid, struct child_exit *ret);

/*
 * Runs fn(arg) in a child that exits with what it returns. The exit status (0 to 255); -ETIME if it
 * had not ended after timeout_ms and was killed or left; -ECHILD if a signal ended it, which is in
 * *ret_signal; negative errno of fork.
 */
int child_run(int (*fn)(void *arg), void *arg, uint64_t timeout_ms,
              const struct child_limits *limits, int *ret_signal);

/* "SIGSEGV"; "another signal" for the unusual. */
const char *child_signal_name(int signal);

#endif

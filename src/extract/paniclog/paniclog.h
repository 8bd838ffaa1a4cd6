/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXTRACT_PANICLOG_H
#define EXTRACT_PANICLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Why a machine died, from its log: fed line by line, oldest first, in constant memory. Words of
 * the log, not of kernel memory: it knows nothing of dumps.
 */
#define PANICLOG_TEXT_CAP 256
#define PANICLOG_COMM_CAP 32

/* A "CPU: 1 PID: 1 Comm: init" line of a stack dump. */
struct paniclog_where {
    bool present;
    uint64_t cpu, pid;
    char comm[PANICLOG_COMM_CAP];
};

/* Zeroed is the start. Texts are "" where the log has none, and cut to their caps. */
struct paniclog {
    char panic[PANICLOG_TEXT_CAP]; /* what follows "Kernel panic - not syncing: ", the last one */
    char oops[PANICLOG_TEXT_CAP];  /* the first line of the last oops or BUG() */
    struct paniclog_where where;   /* of the last of both */
    bool oops_ended;               /* its header line was seen: another one begins another oops */
    bool oops_by_sysrq;
    bool expects_where;
};

/* One line of the kernel's own (facility 0: user space may write what it likes), without prefix. */
void paniclog_line(struct paniclog *p, const char *line, size_t len);

/* The record's `reason`: "oom", "oops" … "unknown". Borrowed, constant. */
const char *paniclog_reason(const struct paniclog *p);

/* true if the oops is the cause: the panic says no more than that there was one, or never came. */
bool paniclog_oops_is_cause(const struct paniclog *p);

#endif

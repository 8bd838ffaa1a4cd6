/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_PRINTK_H
#define KERNEL_PRINTK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"

/*
 * The kernel log, from VMCOREINFO alone: the lockless ring buffer ("printk: use the lockless
 * ringbuffer", v5.10) or the record buffer before it (3.5 to 5.9). Which one is told by the symbols
 * that VMCOREINFO names.
 */
struct log_record {
    uint64_t seq; /* counted from the first record where the format has none (before 5.10) */
    uint64_t ts_ns;
    uint8_t facility, level;
    bool has_caller;
    uint32_t caller;  /* bit 31 set: CPU number, else thread id (printk_caller) */
    const char *text; /* raw bytes, may hold '\n'; not terminated; valid until the next call */
    size_t text_len;
    bool truncated; /* the record says it is longer than what could be read */
};

struct log_stats {
    uint64_t records, damaged;
};

/*
 * Calls fn for each readable record, oldest first, until fn returns non-zero (returned as it is).
 * Damaged and half-written records are passed over and counted. 0; -ENOENT if VMCOREINFO names no
 * log; -EFAULT/-EBADMSG if nothing of it can be read.
 */
int printk_foreach(struct kernel *k, int (*fn)(const struct log_record *rec, void *arg), void *arg,
                   struct error *err, struct log_stats *ret_stats);

#endif

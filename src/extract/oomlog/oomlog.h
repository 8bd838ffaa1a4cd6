/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXTRACT_OOMLOG_OOMLOG_H
#define EXTRACT_OOMLOG_OOMLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "extract/oomlog/oom_span.h"

/*
 * The OOM killer's words, line by line, into events. It knows every text that mm/oom_kill.c,
 * mm/memcontrol.c and mm/show_mem.c have printed since 2.6.18, by their tokens and never by a
 * kernel version. It knows neither dumps nor files: extract/oom.c hands it the ring buffer of a
 * dump, textlog.h a log as people have it.
 *
 * Memory is bounded: at most OOMLOG_OPEN_MAX events wait for late lines (the reaper speaks seconds
 * after the kill), each with a bounded number of rows; what a bound cuts is counted and makes the
 * event incomplete.
 */
struct oomlog;

enum {
    OOMLOG_OPEN_MAX = 16,
    OOMLOG_MEMORY_MAX = 2 << 20,
    OOMLOG_CANDIDATES_MAX = 4096,
    OOMLOG_VICTIMS_MAX = 1024,
    OOMLOG_SLABS_MAX = 1024,
    OOMLOG_ZONES_MAX = 128,
};

/* A number the log does not tell. */
#define OOM_NONE INT64_MIN

/* One line of the log. All text is borrowed and need live only during the call. */
struct oom_line {
    uint64_t seq; /* record number, or line number of a text log */
    int64_t ts_ns;
    int64_t caller;   /* printk_caller's value, or OOM_NONE */
    int64_t wall_s;   /* second of the day, for logs that have no other time, or OOM_NONE */
    int facility;     /* 0 is the kernel, others are user space; -1 unknown */
    int level;        /* -1 unknown */
    bool continued;   /* not the first line of its record: may belong to a block, begins nothing */
    bool cut;         /* its end is missing */
    struct span text; /* without prefix and newline */
    struct span time; /* what the log's prefix says for people, or absent */
};

enum oom_constraint {
    OOM_CONSTRAINT_UNKNOWN, /* the log is cut before it says */
    OOM_CONSTRAINT_NONE,
    OOM_CONSTRAINT_CPUSET,
    OOM_CONSTRAINT_MEMORY_POLICY,
    OOM_CONSTRAINT_MEMCG,
};

enum oom_outcome {
    OOM_OUTCOME_UNKNOWN,
    OOM_OUTCOME_KILLED,
    OOM_OUTCOME_PANIC,
    OOM_OUTCOME_NO_VICTIM,
};

/* A growing array of one of the structs below; data is NULL while n == 0. */
struct oom_vec {
    void *data;
    uint32_t n, capacity;
};

/* A killed process. Fields the log does not tell are OOM_NONE. */
struct oom_victim {
    int64_t ts_ns, pid, uid, oom_score_adj, score;
    int64_t total_vm_bytes, anon_rss_bytes, file_rss_bytes, shmem_rss_bytes, pgtables_bytes,
        swap_bytes;
    struct span comm;
    bool reaped, reap_failed;
    bool kill_line; /* false: its "Killed process" line is missing, the reaper's proves the kill */
};

/* Killed along because it shares the victim's memory (before 4.9). */
struct oom_sharer {
    int64_t ts_ns, pid;
    struct span comm;
};

/* A row of the task table, in pages as it is printed; oom_pages() converts. */
struct oom_candidate {
    int32_t pid;
    int64_t tgid, uid;
    int64_t total_vm, rss, rss_anon, rss_file, rss_shmem; /* pages */
    int64_t swap;                                         /* pages */
    int64_t pgtables_bytes, pgtables_pages;               /* one or the other is printed */
    int32_t oom_score_adj;                                /* INT32_MIN if not printed */
    int32_t oom_adj;                                      /* 2.6 alone, INT32_MIN else */
    struct span comm;
};

/* "name:value" of a Mem-Info or memory.stat line; name is lower case letters, digits and '_'. */
struct oom_value {
    const char *name;
    uint64_t value;
};

enum { OOM_ORDERS_MAX = 20 };

/* A zone, or a whole node where name is absent. values are bytes. */
struct oom_zone {
    int64_t node; /* OOM_NONE on machines without NUMA */
    struct span name;
    struct oom_value *values;
    uint32_t n_values, n_orders;
    uint64_t blocks[OOM_ORDERS_MAX]; /* free blocks by order */
};

struct oom_hugepages {
    int64_t node;
    uint64_t total, free, surplus, size_bytes;
};

struct oom_slab {
    struct span name;
    uint64_t used_bytes, total_bytes;
};

/* A row of CONFIG_MEM_ALLOC_PROFILING's table. */
struct oom_allocation {
    uint64_t bytes, calls;
    bool exact; /* false: printed with three digits */
    struct span site, module, function;
};

/* memory.stat of a control group: bytes, and counts for what counts events. */
struct oom_memcg_stat {
    struct span path;
    struct oom_vec values; /* struct oom_value */
};

/* "memory: usage 1kB, limit 2kB, failcnt 3"; limit is OOM_NONE when there is none. */
struct oom_charge {
    int64_t usage_bytes, limit_bytes, failcnt;
};

struct oom_meminfo {
    bool present;
    struct oom_vec totals;    /* struct oom_value, in pages */
    struct oom_vec nodes;     /* struct oom_zone without name */
    struct oom_vec zones;     /* struct oom_zone */
    struct oom_vec hugepages; /* struct oom_hugepages */
    int64_t swap_free_bytes, swap_total_bytes;
};

/* One OOM decision, whole. Absent spans and OOM_NONE: not told. */
struct oom_event {
    uint64_t seq;      /* 1, 2, … in the order of the log */
    uint64_t line_seq; /* of its first line */
    int64_t ts_ns, caller;
    struct span time;

    struct span trigger_comm;
    int64_t trigger_pid, trigger_oom_score_adj, trigger_oom_adj;
    bool has_gfp, manual, allocating_task;
    uint64_t gfp_mask;
    struct span gfp_flags, nodemask, cpuset, mems_allowed, policy;
    int64_t order;

    enum oom_constraint constraint;
    struct span constraint_text; /* verbatim, where the kernel prints one */
    struct span oom_memcg, task_memcg, group_memcg;
    struct oom_charge memory, memsw, kmem, swap;

    int64_t selected_pid, selected_uid, selected_score; /* the decision; a child may have died */
    struct span selected_comm;

    enum oom_outcome outcome;
    struct span panic;
    bool panic_is_consequence; /* init died of the kill */
    uint32_t skipped;          /* "already exiting. Skip killing the task" */
    const char *missing;       /* NULL when complete, else what the log lacks */

    uint64_t page_size;
    bool page_size_known; /* false: 4096 was assumed */
    struct oom_vec victims, sharers, candidates, slabs, allocations, memcg_stats;
    uint32_t omitted; /* rows and victims beyond a bound */
    /* The largest row by resident, swapped and page-table memory, kept even when omitted. */
    struct oom_candidate largest;
    bool has_largest;
    struct oom_meminfo meminfo;
};

/* Takes a complete event, which is freed afterwards. Non-zero stops the parser. */
typedef int (*oom_event_fn)(void *arg, const struct oom_event *event);

/* page_size 0: infer it from the log. NULL if memory is out. */
struct oomlog *oomlog_new(uint64_t page_size, oom_event_fn fn, void *arg);
void oomlog_free(struct oomlog *p);
void oomlog_freep(struct oomlog **p);

/* 0, -ENOMEM, or what fn said; after a failure every further call returns the same. */
int oomlog_line(struct oomlog *p, const struct oom_line *line);

/* Hands out the events that still waited. */
int oomlog_finish(struct oomlog *p);

uint64_t oomlog_events(const struct oomlog *p);

/* pages as bytes of that event's machine; OOM_NONE stays. */
int64_t oom_pages(const struct oom_event *e, int64_t pages);

/* What of a row counts for the OOM score before oom_score_adj: resident, swapped, page tables. */
int64_t oom_candidate_bytes(const struct oom_event *e, const struct oom_candidate *c);

/* The row of that process, or NULL. */
const struct oom_candidate *oom_candidate_find(const struct oom_event *e, int64_t pid);

/* The value in pages of a Mem-Info total ("slab_unreclaimable"), or OOM_NONE. */
int64_t oom_total(const struct oom_event *e, const char *name);

const char *oom_constraint_name(enum oom_constraint c);
const char *oom_outcome_name(enum oom_outcome o);

#endif

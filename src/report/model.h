/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_MODEL_H
#define REPORT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "summary/reader.h"

/*
 * What the digest knows of a summary: filled record by record in one pass, its size fixed. Of
 * everything that may be long only the top few are kept, with counts and sums of the whole. Texts
 * are as the summary has them (not yet safe for a terminal), cut at whole characters.
 */
enum {
    MODEL_NAME = 64,
    MODEL_PATH = 256,
    MODEL_LINE = 400,
    MODEL_EVENTS = 24,
    MODEL_EVENTS_FIRST = 4, /* of those: the first ones; the rest are the last ones */
    MODEL_VICTIMS = 4,
    MODEL_TOP = 8,
    MODEL_ZONES = 32,
    MODEL_ORDERS = 16,
    MODEL_MODULES = 12,
    MODEL_SECTIONS = 32,
    MODEL_DSTATE = 6,
    MODEL_LOG = 14,
    MODEL_COMMS = 32,
    MODEL_PARTS = 40,
};

struct model_victim {
    char comm[MODEL_NAME];
    uint64_t pid, ts_ns;
    uint64_t anon_bytes, file_bytes, shmem_bytes;
    int64_t oom_score_adj;
    bool has_rss, has_adj, reaped, reap_failed;
};

/* The largest process of an event's task table. */
struct model_candidate {
    char comm[MODEL_NAME];
    uint64_t pid, rss_bytes;
    int64_t oom_score_adj;
};

struct model_event {
    uint64_t seq, ts_ns;
    char trigger_comm[MODEL_NAME], gfp[MODEL_LINE], constraint[24], outcome[24];
    char oom_memcg[MODEL_PATH], task_memcg[MODEL_PATH];
    char missing[MODEL_NAME]; /* what the log lacks, "" for nothing */
    uint64_t trigger_pid, memcg_limit_bytes;
    int64_t order;
    bool has_trigger, has_order, has_trigger_pid, has_limit, has_time, manual;
    struct model_victim victims[MODEL_VICTIMS];
    uint64_t n_victims, n_candidates, killed_bytes;
    struct model_candidate largest;
};

struct model_comm {
    char comm[MODEL_NAME];
    uint64_t kills;
};

struct model_oom {
    struct model_event events[MODEL_EVENTS]; /* the first few and the last ones, in order */
    size_t kept;
    uint64_t n_events, n_victims, n_memcg, n_reaped;
    struct model_comm comms[MODEL_COMMS]; /* killed more than once, as far as there was room */
    size_t n_comms;
};

/* The names of /proc/meminfo that the digest speaks of; MEM_* indexes model.memory. */
enum model_mem {
    MEM_TOTAL,
    MEM_FREE,
    MEM_AVAILABLE,
    MEM_BUFFERS,
    MEM_CACHED,
    MEM_SWAP_CACHED,
    MEM_SHMEM,
    MEM_ANON,
    MEM_MLOCKED,
    MEM_RECLAIMABLE,
    MEM_UNRECLAIM,
    MEM_KRECLAIMABLE,
    MEM_PAGE_TABLES,
    MEM_SEC_PAGE_TABLES,
    MEM_KERNEL_STACK,
    MEM_PERCPU,
    MEM_VMALLOC,
    MEM_HUGETLB,
    MEM_HUGETLB_FREE,
    MEM_BOUNCE,
    MEM_SWAP_TOTAL,
    MEM_SWAP_FREE,
    MEM_COMMIT_LIMIT,
    MEM_COMMITTED,
    MEM_UNACCOUNTED,
    MEM_COUNT,
};

/* A piece of MemTotal; together with Unaccounted they are disjoint and add up to it. */
struct model_part {
    char name[32];
    uint64_t bytes;
    bool estimate;
};

struct model_memory {
    uint64_t bytes[MEM_COUNT];
    bool known[MEM_COUNT];
    struct model_part parts[MODEL_PARTS];
    size_t n_parts;
    char hidden[MODEL_PATH]; /* what this kernel does not count and Unaccounted therefore holds */
};

struct model_cache {
    char name[MODEL_NAME];
    uint64_t bytes, objects_total, objects_active, object_size_bytes;
    bool reclaimable, estimate;
};

struct model_slab {
    struct model_cache top[MODEL_TOP];
    size_t kept;
    uint64_t n_caches, bytes, reclaimable_bytes, unreclaimable_bytes;
};

struct model_task_row {
    char comm[MODEL_NAME];
    uint64_t pid, uid, rss_bytes, anon_bytes, file_bytes, shmem_bytes, swap_bytes;
    int64_t oom_score_adj;
    char cgroup[MODEL_PATH];
};

struct model_task {
    struct model_task_row top[MODEL_TOP];
    size_t kept;
    uint64_t n_processes, n_kthreads, n_dstate, rss_bytes;
    struct model_task_row dstate[MODEL_DSTATE];
    size_t kept_dstate;
};

struct model_zone {
    uint64_t node;
    char name[24];
    uint64_t free_bytes, min_bytes, low_bytes, high_bytes, managed_bytes;
    uint64_t free_blocks[MODEL_ORDERS];
    size_t n_orders;
};

struct model_module {
    char name[MODEL_NAME], taint[24];
    uint64_t bytes;
};

struct model_section {
    char name[MODEL_NAME], status[24], reason[MODEL_PATH];
    uint64_t rows;
    bool filtered; /* all that it lacks was left out of the dump by a filter */
};

struct model_log_line {
    uint64_t ts_ns;
    char text[MODEL_LINE];
};

struct model {
    bool has_header, has_crash, has_trailer, has_memory, has_slab, has_task, has_module, has_oom;
    char tool[MODEL_NAME], arch[24], release[128], version[MODEL_PATH], nodename[128];
    char build_id[MODEL_NAME], core_kind[MODEL_NAME];
    uint64_t format, page_size_bytes;
    bool live;          /* of a running kernel: no crash */
    int64_t crash_time; /* of the capture, if live */

    char panic[MODEL_LINE], oops[MODEL_LINE], reason[24], comm[MODEL_NAME], taint[80];
    char load1[16], load5[16], load15[16];
    uint64_t pid, cpu, cpus, tasks, uptime_s;
    char no_dump[MODEL_LINE]; /* why the full dump was left out, by policy; "" if it was not */
    bool has_pid, has_cpu, has_uptime;
    bool profile_symbols, profile_types; /* taken from a kernel profile */

    struct model_oom oom;
    struct model_memory memory;
    struct model_slab slab;
    struct model_task task;
    struct model_zone zones[MODEL_ZONES];
    size_t n_zones;
    struct model_module tainted[MODEL_MODULES];
    uint64_t n_modules, n_tainted, module_bytes;
    struct model_section sections[MODEL_SECTIONS];
    size_t n_sections;
    struct model_log_line log[MODEL_LOG]; /* from the first sign of trouble on */
    size_t n_log;
    uint64_t n_log_lines, last_ts_ns, panic_ts_ns;
};

/* Zeroed, by malloc: a few tens of KiB. NULL if memory is out. */
struct model *model_new(void);
void model_freep(struct model **m);

/* Takes what it knows from one record, in any order of sections. */
void model_add(struct model *m, const struct summary_record *rec);

/* Reads r to its end. */
int model_fill(struct model *m, struct summary_reader *r, struct error *err);

/* bytes of a total, 0 if the summary does not have it. */
uint64_t model_mem(const struct model *m, enum model_mem which);

#endif

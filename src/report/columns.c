/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/table.h"
#include "util/cleanup.h"

/* Field names are those of summary/FORMAT.md; tests/t/format_doc.sh holds them to it. */

static const struct column total_columns[] = {
    {"name", "NAME", COLUMN_TEXT},   {"bytes", "kB", COLUMN_EXACT},
    {"bytes", "SIZE", COLUMN_SIZE},  {"count", "COUNT", COLUMN_NUMBER},
    {"exact", "EXACT", COLUMN_FLAG},
};

static const struct column part_columns[] = {
    {"name", "PART OF MEMTOTAL", COLUMN_TEXT},
    {"bytes", "kB", COLUMN_EXACT},
    {"bytes", "SIZE", COLUMN_SIZE},
    {"exact", "EXACT", COLUMN_FLAG},
};

static const struct column kmem_columns[] = {
    {"name", "AS CRASH'S kmem -i", COLUMN_TEXT},
    {"bytes", "kB", COLUMN_EXACT},
    {"bytes", "SIZE", COLUMN_SIZE},
    {"exact", "EXACT", COLUMN_FLAG},
};

static const struct column zone_columns[] = {
    {"node", "NODE", COLUMN_NUMBER},
    {"name", "ZONE", COLUMN_TEXT},
    {"free_bytes", "FREE", COLUMN_SIZE},
    {"min_bytes", "MIN", COLUMN_SIZE},
    {"low_bytes", "LOW", COLUMN_SIZE},
    {"high_bytes", "HIGH", COLUMN_SIZE},
    {"present_bytes", "PRESENT", COLUMN_SIZE},
    {"managed_bytes", "MANAGED", COLUMN_SIZE},
    {"free_blocks", "FREE BLOCKS BY ORDER", COLUMN_LIST},
};

static const struct column cache_columns[] = {
    {"name", "NAME", COLUMN_TEXT},
    {"bytes", "SIZE", COLUMN_SIZE},
    {"objects_active", "ACTIVE", COLUMN_NUMBER},
    {"objects_total", "TOTAL", COLUMN_NUMBER},
    {"objects_allocated", "ALLOCATED", COLUMN_NUMBER},
    {"object_size_bytes", "OBJSIZE", COLUMN_NUMBER},
    {"stride_bytes", "STRIDE", COLUMN_NUMBER},
    {"slabs", "SLABS", COLUMN_NUMBER},
    {"order", "ORDER", COLUMN_NUMBER},
    {"reclaimable", "RECL", COLUMN_FLAG},
    {"exact", "EXACT", COLUMN_FLAG},
};

static const struct column task_columns[] = {
    {"pid", "PID", COLUMN_NUMBER},           {"ppid", "PPID", COLUMN_NUMBER},
    {"uid", "UID", COLUMN_NUMBER},           {"state", "S", COLUMN_TEXT},
    {"threads", "THR", COLUMN_NUMBER},       {"comm", "COMM", COLUMN_TEXT},
    {"rss_bytes", "RSS", COLUMN_SIZE},       {"anon_bytes", "ANON", COLUMN_SIZE},
    {"file_bytes", "FILE", COLUMN_SIZE},     {"shmem_bytes", "SHMEM", COLUMN_SIZE},
    {"swap_bytes", "SWAP", COLUMN_SIZE},     {"pgtables_bytes", "PGTBL", COLUMN_SIZE},
    {"oom_score_adj", "ADJ", COLUMN_NUMBER}, {"oom_score", "SCORE", COLUMN_NUMBER},
    {"cgroup", "CGROUP", COLUMN_TEXT},
};

static const struct column thread_columns[] = {
    {"pid", "PID", COLUMN_NUMBER}, {"tgid", "TGID", COLUMN_NUMBER},
    {"state", "S", COLUMN_TEXT},   {"waiting_ns", "WAITING", COLUMN_SPAN},
    {"comm", "COMM", COLUMN_TEXT},
};

static const struct column module_columns[] = {
    {"name", "NAME", COLUMN_TEXT},       {"bytes", "SIZE", COLUMN_SIZE},
    {"refcount", "USED", COLUMN_NUMBER}, {"state", "STATE", COLUMN_TEXT},
    {"taint", "TAINT", COLUMN_TEXT},     {"users", "BY", COLUMN_LIST},
};

static const struct column victim_columns[] = {
    {"event", "EVENT", COLUMN_NUMBER},
    {"ts_ns", "TIME", COLUMN_TIME},
    {"pid", "PID", COLUMN_NUMBER},
    {"uid", "UID", COLUMN_NUMBER},
    {"comm", "VICTIM", COLUMN_TEXT},
    {"total_vm_bytes", "VM", COLUMN_SIZE},
    {"anon_rss_bytes", "ANON", COLUMN_SIZE},
    {"file_rss_bytes", "FILE", COLUMN_SIZE},
    {"shmem_rss_bytes", "SHMEM", COLUMN_SIZE},
    {"pgtables_bytes", "PGTBL", COLUMN_SIZE},
    {"oom_score_adj", "ADJ", COLUMN_NUMBER},
    {"reaped", "REAPED", COLUMN_FLAG},
};

static const struct column candidate_columns[] = {
    {"event", "EVENT", COLUMN_NUMBER},
    {"pid", "PID", COLUMN_NUMBER},
    {"uid", "UID", COLUMN_NUMBER},
    {"comm", "CANDIDATE", COLUMN_TEXT},
    {"total_vm_bytes", "VM", COLUMN_SIZE},
    {"rss_bytes", "RSS", COLUMN_SIZE},
    {"pgtables_bytes", "PGTBL", COLUMN_SIZE},
    {"swap_bytes", "SWAP", COLUMN_SIZE},
    {"oom_score_adj", "ADJ", COLUMN_NUMBER},
};

static const struct column oom_slab_columns[] = {
    {"event", "EVENT", COLUMN_NUMBER},
    {"name", "UNRECLAIMABLE SLAB", COLUMN_TEXT},
    {"used_bytes", "USED", COLUMN_SIZE},
    {"total_bytes", "TOTAL", COLUMN_SIZE},
};

static const struct column sharer_columns[] = {
    {"event", "EVENT", COLUMN_NUMBER},
    {"ts_ns", "TIME", COLUMN_TIME},
    {"pid", "PID", COLUMN_NUMBER},
    {"comm", "KILLED WITH IT", COLUMN_TEXT},
};

static const struct column allocation_columns[] = {
    {"event", "EVENT", COLUMN_NUMBER}, {"bytes", "SIZE", COLUMN_SIZE},
    {"calls", "CALLS", COLUMN_NUMBER}, {"site", "ALLOCATED AT", COLUMN_TEXT},
    {"module", "MODULE", COLUMN_TEXT}, {"function", "FUNCTION", COLUMN_TEXT},
};

#define TABLE(section_, record_, columns_)                                                         \
    {                                                                                              \
        section_, record_, columns_, ARRAY_SIZE(columns_)                                          \
    }

const struct table tables[] = {
    TABLE("memory", "total", total_columns),        TABLE("memory", "part", part_columns),
    TABLE("memory", "kmem", kmem_columns),          TABLE("zone", "zone", zone_columns),
    TABLE("slab", "cache", cache_columns),          TABLE("task", "task", task_columns),
    TABLE("task", "thread", thread_columns),        TABLE("module", "module", module_columns),
    TABLE("oom", "victim", victim_columns),         TABLE("oom", "candidate", candidate_columns),
    TABLE("oom", "slab", oom_slab_columns),         TABLE("oom", "sharer", sharer_columns),
    TABLE("oom", "allocation", allocation_columns),
};
const size_t n_tables = ARRAY_SIZE(tables);

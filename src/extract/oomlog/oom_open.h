/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXTRACT_OOMLOG_OOM_OPEN_H
#define EXTRACT_OOMLOG_OOM_OPEN_H

#include "extract/oomlog/oomlog.h"

/* The parser's own side of an event that is still being written. */

/* Which kind of rows the next lines may be. */
enum oom_block {
    OOM_BLOCK_NONE,
    OOM_BLOCK_MEMINFO,
    OOM_BLOCK_STAT,
    OOM_BLOCK_SLABS,
    OOM_BLOCK_ALLOCATIONS,
};

enum { OOM_COLUMNS_MAX = 24, OOM_SUMMARY_MAX = 8192 };

/* What a column of the task table means. */
enum oom_column {
    OOM_COL_UNKNOWN,
    OOM_COL_UID,
    OOM_COL_TGID,
    OOM_COL_TOTAL_VM,
    OOM_COL_RSS,
    OOM_COL_RSS_ANON,
    OOM_COL_RSS_FILE,
    OOM_COL_RSS_SHMEM,
    OOM_COL_PGTABLES_BYTES,
    OOM_COL_PGTABLES_PAGES,
    OOM_COL_SWAP,
    OOM_COL_ADJ,
    OOM_COL_OLD_ADJ,
};

struct oom_chunk {
    struct oom_chunk *next;
    size_t used, size;
    char data[];
};

struct oom_open {
    struct oom_event ev;
    struct oom_chunk *arena; /* every string and value of ev */
    size_t bytes;            /* all of its memory */

    /* The last line that was its own. */
    uint64_t last_seq;
    int64_t last_ts_ns, first_wall_s, last_wall_s;

    bool real; /* an anchor was seen; a block without one is no event */
    bool has_header, has_summary, has_decision, no_killable, elided, cut, totals_seen, memcg_seen;
    bool memcg_message, global_message; /* which "out of memory" was printed */
    bool memcg_trace;                   /* the call trace passes through the memcg OOM code */
    bool header_open;                   /* its header line lacks the end */
    bool task_in_open;         /* "Task in X" waits for " killed as a result of limit of" */
    bool buddy_open;           /* the last zone's free list has no "= NkB" yet */
    bool group;                /* memory.oom.group: kills that follow are its members */
    bool group_implied;        /* the same, concluded without the line that says so */
    uint32_t victims_at_group; /* victims there were when the group line came */

    enum oom_block block;
    char *summary; /* "oom-kill:…" as far as it is there, or NULL */
    size_t summary_len;
    uint8_t columns[OOM_COLUMNS_MAX];
    uint32_t n_columns; /* 0 while no table header was seen */
    uint64_t buddy_page_size;
};

struct oom_open *oom_open_new(const struct oom_line *line);
void oom_open_free(struct oom_open *o);

/* Notes that line was one of the event's. */
void oom_open_touch(struct oom_open *o, const struct oom_line *line);

/* A copy that lives as long as the event; at most 4096 bytes of it. Absent if memory is out. */
struct span oom_keep(struct oom_open *o, struct span text);

/* The same as a name for the output: lower-case letters, digits and '_'. NULL if memory is out. */
const char *oom_keep_name(struct oom_open *o, struct span text);

/* A new zeroed element of vec; NULL beyond max (counted as omitted) or if memory is out. */
void *oom_push(struct oom_open *o, struct oom_vec *vec, size_t size, uint32_t max);

/* Whether the decision, its kill or its failure was seen: what follows belongs to the next. */
bool oom_open_decided(const struct oom_open *o);

/*
 * What is concluded once no more lines come: constraint, outcome, what is missing. page_size is 0
 * where it is unknown.
 */
void oom_open_conclude(struct oom_open *o, uint64_t page_size);

/* The page size that its own lines prove, or 0. */
uint64_t oom_open_page_size(const struct oom_open *o);

/*
 * The lines of an event, each a function that takes the text after (or with) its known start and
 * fills what it tells. oom_lines.c, oom_meminfo.c, oom_table.c.
 */
void oom_parse_header(struct oom_open *o, struct span comm, struct span rest);
bool oom_parse_header_rest(struct oom_open *o, struct span text);
void oom_parse_summary(struct oom_open *o, struct span text);
bool oom_parse_summary_rest(struct oom_open *o, struct span text);
void oom_parse_cpu(struct oom_open *o, struct span text);
bool oom_parse_cpuset(struct oom_open *o, struct span text);
void oom_parse_charge(struct oom_charge *ret, struct span text);

/* "… process 12 (comm) …": fields of a decision or a kill line after the word "process ". */
struct oom_kill_text {
    int64_t pid, uid; /* uid only where it stands before the name */
    struct span comm;
    struct span rest; /* after the comm's ')' */
    bool cut;         /* the line ends before they do */
};
bool oom_parse_kill(struct span text, struct oom_kill_text *ret);
/* Sizes, uid and oom_score_adj from rest. */
void oom_parse_victim(struct oom_open *o, const struct oom_kill_text *kill,
                      struct oom_victim *victim);

/* true if text is a line of a Mem-Info block after its "Mem-Info:"; takes it. */
bool oom_parse_meminfo(struct oom_open *o, struct span text);
/* true if text can stand nowhere but in a Mem-Info block: what begins one in a cut log. */
bool oom_is_meminfo(struct span text);

bool oom_is_table_header(struct span text);
void oom_parse_table_header(struct oom_open *o, struct span text);
/* true if text looks like "[  123]   0  123  456  …". */
bool oom_is_row(struct span text);
bool oom_parse_row(struct oom_open *o, struct span text);
bool oom_parse_slab(struct oom_open *o, struct span text);
bool oom_parse_allocation(struct oom_open *o, struct span text);
void oom_parse_stat_header(struct oom_open *o, struct span text);
bool oom_parse_stat(struct oom_open *o, struct span text);

#endif

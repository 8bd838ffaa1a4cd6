/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_SECTION_H
#define CAPTURE_SECTION_H

#include <stddef.h>
#include <stdint.h>

#include "core/image.h"
#include "extract/emit.h"
#include "extract/extract.h"
#include "kernel/kernel.h"
#include "summary/writer.h"
#include "util/error.h"

/*
 * One piece of work on damaged memory, done in a child of its own: it may do anything to itself and
 * costs nothing but its own result.
 */
struct section_job {
    const char *name;
    struct budget budget;
    struct image *im;              /* gets image_after_fork(); NULL if the job reads no dump */
    struct kernel *k;              /* counts faults; may be NULL */
    struct summary_writer *writer; /* closed in the child; may be NULL */
    uint64_t deadline_ns;          /* of the whole capture, now_ns() clock */
    uint64_t whole_ms;             /* what that deadline was, for the reason's text */
    /* As struct extractor's run(). */
    int (*run)(void *arg, struct emit *emit, struct error *err);
    void *arg;
};

struct section_result {
    struct section_end end; /* its reason points to `reason` */
    char reason[256];
    uint64_t max_rss_bytes;
};

/* Takes one whole line, newline included. Negative errno stops everything. */
typedef int (*section_sink_fn)(void *arg, const char *line, size_t len, struct error *err);

/*
 * Runs the job and hands each line that is whole and looks like a record of this section to sink,
 * as it comes; sink may be NULL if nobody wants them. What goes wrong in the job is told by *ret
 * alone; negative errno only when the sink failed. Returns when the child is gone, or cannot be
 * killed, at the latest a second after its deadline.
 */
int section_run(const struct section_job *job, section_sink_fn sink, void *arg, struct error *err,
                struct section_result *ret);

/* *ret becomes a result without a run. */
__attribute__((format(printf, 3, 4))) void section_result_set(struct section_result *ret,
                                                              enum section_status status,
                                                              const char *fmt, ...);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_DIGEST_H
#define REPORT_DIGEST_H

#include <stdbool.h>

#include "summary/reader.h"
#include "util/buf.h"
#include "util/error.h"

/*
 * The digest: what a person reads first. One pass over the summary, memory bounded by constants
 * (the model keeps the top few of everything), so that it runs in the capture kernel as well.
 */
struct digest_options {
    const char *path;      /* of the summary, to say where it and its vmcore are; NULL: not said */
    const char *not_saved; /* without a path: why there is no file; NULL: not said */
    unsigned columns;      /* 0: 80 */
    bool color;            /* SGR sequences; nothing else ever steers the terminal */
    bool local_time;       /* else UTC */
    /* What is not beside the summary will not come any more: say that there is no vmcore. At the
     * capture it may be saved later, so that nothing is said then. */
    bool after_reboot;
};

/*
 * Reads r to its end and appends the digest to ret_text (the caller's; its limit holds, 64 KiB are
 * plenty). Everything from the summary is made safe for a terminal. 0, also for a damaged summary:
 * the text says what is missing; a negative errno for an I/O error, -ENOMEM, or -E2BIG if ret_text
 * is full.
 */
int report_digest(struct summary_reader *r, const struct digest_options *opts, struct error *err,
                  struct buf *ret_text);

struct model;

/* What happened, when and to which machine, in one sentence on one line, safe for a terminal. */
void report_sentence(const struct model *m, bool local_time, struct buf *b);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_LINES_H
#define CAPTURE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/section.h"
#include "util/buf.h"

/*
 * Cuts a child's bytes into lines and lets only records of its section pass. A child that read
 * damaged memory may write anything: what is no record, or claims to be the `end` that the parent
 * writes, is dropped and counted. A cut last line is never passed on.
 */
struct lines {
    section_sink_fn sink;
    void *arg;
    char prefix[96]; /* how every line of the section begins */
    struct buf partial;
    bool overlong;      /* the line being read is dropped up to its end */
    uint64_t bytes_max; /* of output */
    uint64_t bytes, rows, dropped;
};

/* sink may be NULL: the lines are counted alone. */
void lines_init(struct lines *l, const char *section, uint64_t bytes_max, section_sink_fn sink,
                void *arg);
void lines_done(struct lines *l);

/* 0; -E2BIG once bytes_max are passed; what the sink said. */
int lines_feed(struct lines *l, const char *data, size_t len, struct error *err);

#endif

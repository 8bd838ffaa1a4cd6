/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_REHEARSAL_H
#define CLI_REHEARSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* A capture as a crash would have it run, without the crash. */
struct rehearsal {
    const char *program; /* that captures */
    const char *vmcore;  /* NULL: the running kernel */
    const char *output;  /* directory of the summary */
    uint64_t memory_bytes;
    uint64_t timeout_ms;
};

enum { REHEARSAL_SECTIONS = 32 };

/* What it wrote. */
struct rehearsal_result {
    struct rehearsal_section {
        char name[32], status[16], reason[256]; /* not safe for a terminal */
        uint64_t rows, duration_us;
    } sections[REHEARSAL_SECTIONS];
    size_t n_sections;
    uint64_t bytes; /* of the summary */
    uint64_t peak_memory_bytes, duration_us;
    bool complete;
};

/*
 * Runs the program under a limit of memory_bytes for the private memory of each of its processes,
 * which it cannot lift, and reads what it wrote. What it says goes to stderr. Negative errno with
 * text if there is no summary to be read.
 */
int rehearse(const struct rehearsal *r, struct error *err, struct rehearsal_result *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXTRACT_EXTRACT_H
#define EXTRACT_EXTRACT_H

#include <stddef.h>
#include <stdint.h>

#include "extract/emit.h"
#include "kernel/kernel.h"
#include "util/error.h"

/* What a section may use before the runner ends it. */
struct budget {
    uint32_t time_ms;      /* wall time on a slow single CPU */
    uint32_t memory_bytes; /* heap and anonymous mappings of its process (RLIMIT_DATA) */
    uint32_t output_bytes; /* JSON lines, before compression */
};

struct extract {
    struct kernel *k;
    const struct resolved *found; /* answers to the descriptor's needs, same indexes */
    struct emit *emit;
    struct error *err; /* set it when run() fails */
};

/*
 * One section of the summary. HOWTO.md says how to add one. `needs` whose required entries are not
 * found make the section `skipped` with the name of what is missing; a section with
 * EXTRACT_VITAL runs before symbols and types are known, from VMCOREINFO alone.
 */
struct extractor {
    const char *name;  /* the section's name in the format */
    const char *title; /* one line for people */
    const struct need *needs;
    size_t n_needs;
    unsigned flags;
    struct budget budget;
    /* 0, also after emit_partial(); negative with x->err set: the section is `failed`. */
    int (*run)(struct extract *x);
};

enum {
    EXTRACT_VITAL = 1 << 0,
};

/* Every section between header and trailer, in the order they run and stand in the summary. */
extern const struct extractor *const extractors[];
extern const size_t n_extractors;

const struct extractor *extractor_find(const char *name);

extern const struct extractor extract_crash, extract_dmesg, extract_oom, extract_memory,
    extract_zone, extract_slab, extract_task, extract_module;

#endif

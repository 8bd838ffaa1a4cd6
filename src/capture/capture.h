/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/policy.h"
#include "core/image.h"
#include "extract/extract.h"
#include "summary/writer.h"
#include "util/error.h"

/*
 * A whole capture: header, the vital sections, then, once symbols and types are known, the others,
 * then the trailer. Each reads the dump in a child of its own with its own limits; whatever happens
 * to it, its `end` record says so and the next one runs.
 */
struct capture_options {
    const struct extractor *const *extractors;
    size_t n_extractors;
    uint64_t deadline_ms;         /* for reading the dump in all */
    uint64_t section_deadline_ms; /* for each section; 0: its own */
    const char *sections;         /* names wanted, by blanks or commas; NULL or "" for all */
    const char *profile;          /* file of a kernel profile, if there is one; may be NULL */
    const struct policy *policy;  /* NULL: there is nothing to decide */
    int dump_target;              /* a directory of the file system for the dump; -1: not known */
    bool keeps_summary;           /* the writer's file has a place that stays */
    /*
     * Asked before a dump is left out for want of room, when the sections are written: to make
     * free_bytes free on its target, if old summaries may be removed for that. true if something
     * may have changed. May be NULL.
     */
    bool (*make_room)(void *arg, uint64_t free_bytes);
    /* Told when a section has ended; may be NULL. */
    void (*progress)(void *arg, const char *section, const struct section_end *end);
    void *arg;
};

struct capture_result {
    unsigned sections; /* without the trailer */
    unsigned bad;      /* of them: timeout, killed or failed */
    uint64_t duration_us, bytes_read;
    bool skip_dump; /* policy: the full dump need not be written, if this summary is published */
    uint64_t peak_memory_bytes; /* resident, of this process and the largest child together */
};

/* true if name is among the words of list, or the list is empty. */
bool capture_wants(const char *list, const char *name);

/*
 * Captures im into w, which is not published yet then. Negative errno only if the writer failed
 * where memory could not take its place.
 */
int capture_run(struct image *im, const struct capture_options *options, struct summary_writer *w,
                struct error *err, struct capture_result *ret);

#endif

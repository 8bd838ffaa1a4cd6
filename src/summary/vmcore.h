/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUMMARY_VMCORE_H
#define SUMMARY_VMCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/complete.h"

/*
 * The vmcore in the directory of a summary: what is there, by the names that kdump-utils,
 * kdump-tools and SUSE's kdump give it, what the hook that ran after the dump wrote of it, and the
 * file itself. The record tells what names cannot: a vmcore that was left out on purpose, one whose
 * useless half was removed; and both it and the file, that one is cut short under the name of a
 * whole one.
 */

/* The hooks of conf/ write it beside the summary, in the form of vmcore_record_parse(). */
#define VMCORE_RECORD_NAME "vmcore-summary.dump"

enum vmcore_state {
    VMCORE_MISSING,
    VMCORE_SKIPPED,    /* left out, as the configuration says */
    VMCORE_INCOMPLETE, /* its writer did not finish it */
    VMCORE_SAVED,
};

struct vmcore_file {
    enum vmcore_state state;
    bool recorded;            /* by a hook; else names are all there is */
    bool removed;             /* incomplete, and removed: it took what space there was */
    char name[256];           /* empty if there is no file */
    uint64_t size_bytes;      /* as stored: a vmcore is compressed and may have holes */
    struct complete contents; /* what the file says of itself, if there is one */
};

struct vmcore_record {
    enum vmcore_state state;
    bool known; /* a line said the state */
    bool removed;
};

/*
 * Lines of "key: value": `vmcore` is saved, skipped, incomplete or missing; `removed: yes` says
 * that an incomplete one was removed. Other keys, and empty lines, are for people. Text without a
 * line that is understood is as if there were no record: missing.
 */
struct vmcore_record vmcore_record_parse(const char *text, size_t len);

/* summary_path is the file's. Never fails: what cannot be read is missing. */
struct vmcore_file vmcore_beside(const char *summary_path);

/* Whether some kdump gives a vmcore, whole or not, this file name. */
bool vmcore_is_name(const char *name);
/* Whether it is the name of a whole one. */
bool vmcore_is_whole_name(const char *name);

/* "saved", "incomplete", "skipped", "missing". */
const char *vmcore_state_name(enum vmcore_state state);

#endif

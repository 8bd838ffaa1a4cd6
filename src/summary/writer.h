/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUMMARY_WRITER_H
#define SUMMARY_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/*
 * Writes a summary file: one gzip member a section, synced as soon as the section ends, so that
 * every finished section survives a power cut. The file grows under a temporary name
 * (.vmcore-summary.jsonl.gz.XXXXXX), mode 0600, and gets its own by rename in
 * summary_writer_publish(). FORMAT.md is normative.
 *
 * A target that stops taking data (ENOSPC, EIO, EROFS …) costs nothing that was said: the writer
 * cuts the file back to its last finished section and goes on in memory with everything, the
 * section it was in included. summary_writer_lost() tells. The functions below fail only when
 * memory cannot hold it either.
 */
struct summary_writer;

#define SUMMARY_FILE_NAME   "vmcore-summary.jsonl.gz"
#define SUMMARY_DIGEST_NAME "vmcore-summary.txt"
#define SUMMARY_FORMAT      1 /* the `format` field of the header record */

/* Why a section ended. Names in FORMAT.md: ok partial skipped timeout killed failed. */
enum section_status {
    SECTION_OK,
    SECTION_PARTIAL,
    SECTION_SKIPPED,
    SECTION_TIMEOUT,
    SECTION_KILLED,
    SECTION_FAILED,
};
const char *section_status_name(enum section_status s);

/* What an `end` record says. */
struct section_end {
    enum section_status status;
    const char *reason; /* NULL or "" for none; may hold any byte */
    uint64_t rows, duration_us, bytes_read;
    uint64_t faults, filtered; /* reads that failed; of those, on pages that a filter left out */
};

/* Creates the temporary file in the directory dirfd (borrowed; outlives the writer). Negative
 * errno. */
int summary_writer_open(int dirfd, struct error *err, struct summary_writer **ret);
/* The same into memory (memfd), where no target can be written: nothing to publish. */
int summary_writer_open_memory(struct error *err, struct summary_writer **ret);
/* Closes; an unpublished temporary file stays (it holds what was finished) unless empty. */
void summary_writer_close(struct summary_writer *w);
void summary_writer_closep(struct summary_writer **w);

int summary_section_begin(struct summary_writer *w, const char *section, struct error *err);
/* One or more whole lines, newlines included. Compressed at once, written in chunks. */
int summary_section_lines(struct summary_writer *w, const char *lines, size_t len,
                          struct error *err);
/* Writes the `end` record, ends the gzip member, fsyncs. */
int summary_section_end(struct summary_writer *w, const struct section_end *end, struct error *err);

/*
 * Renames to SUMMARY_FILE_NAME (replacing one that is there) and fsyncs the directory. After a lost
 * target the sections that it holds are published all the same, if any, and the loss is returned.
 * 0 and nothing to do for a summary that was in memory from the start.
 */
int summary_writer_publish(struct summary_writer *w, struct error *err);

/* What ended the target, or NULL while it takes data. Borrowed. */
const struct error *summary_writer_lost(const struct summary_writer *w);
/* Finished sections, and those of them that the target holds: all, unless it was lost; none if the
 * file could not be given its name. */
unsigned summary_writer_sections(const struct summary_writer *w);
unsigned summary_writer_sections_kept(const struct summary_writer *w);

/* Closes the writer's descriptors in a forked child, which must not use it any more. */
void summary_writer_after_fork(struct summary_writer *w);

/* The descriptor of the file, for reading it back (pread). Borrowed. */
int summary_writer_fd(const struct summary_writer *w);
uint64_t summary_writer_bytes(const struct summary_writer *w);

#endif

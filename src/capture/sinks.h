/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_SINKS_H
#define CAPTURE_SINKS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Where the digest goes besides standard error. Each sink is written by a child of its own, all at
 * once: one that blocks costs nothing but the time that was given to all.
 */

/* More than that is cut off, at the end of a line. */
#define SINK_KMSG_BYTES (8 << 10)
#define SINK_PMSG_BYTES (16 << 10)

struct sink {
    const char *path; /* of the device, or the name of the file in dirfd; NULL: not wanted */
    /* In the child. 0 or negative errno. */
    int (*write)(const struct sink *s, const char *text, size_t len);
    int dirfd;      /* for sink_to_file */
    int kmsg_level; /* for sink_to_kmsg */
    int result;     /* of sinks_write(): 0, negative errno, -ETIME if it was not done in time */
};

/* A new file, mode 0600, that replaces one of that name. */
int sink_to_file(const struct sink *s, const char *text, size_t len);

/* A terminal: done when the last byte has left for the line. */
int sink_to_device(const struct sink *s, const char *text, size_t len);

/*
 * A record a line, "vmcore-summary: " before each. A descriptor may write ten records in five
 * seconds and the kernel drops the others without an error (printk.devkmsg=ratelimit, the default
 * since "printk: add kernel parameter to control writes to /dev/kmsg", 4.9): each has its own.
 */
int sink_to_kmsg(const struct sink *s, const char *text, size_t len);

/*
 * One write, of whole lines that fit: pstore keeps the end of what is longer than its zone
 * (persistent_ram_write_user() and psz_record_write(), fs/pstore), and the beginning matters most.
 */
int sink_to_pmsg(const struct sink *s, const char *text, size_t len);

/*
 * How much of a text survives in pstore, by the modules' parameters below that directory: three
 * quarters of the zone, for its header and the bytes for error correction, up to SINK_PMSG_BYTES.
 * Of a zone whose size is not told: of the smallest that is usual.
 */
size_t sink_pmsg_room(const char *modules);

/* So many are written to at most. */
#define SINKS_MAX 8

/* Writes the text to every sink that has a path, and returns when all have ended or are late. */
void sinks_write(struct sink *io_sinks, size_t n, const char *text, size_t len,
                 uint64_t timeout_ms);

#endif

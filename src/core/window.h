/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CORE_WINDOW_H
#define CORE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads a large file through a few small windows, least recently used replaced first. /proc/vmcore
 * maps one old page a read(), so that system calls are what costs; and a mapped page counts as
 * resident, so that windows are few and small. Where mmap is refused the windows are page copies
 * filled by pread.
 *
 * A file that shrinks while it is mapped raises SIGBUS at the next touch. /proc/vmcore does not
 * shrink; reading any other file, the process must be one that may die (capture/ forks one for each
 * section).
 */
#define WINDOW_BYTES      65536
#define WINDOW_COPY_BYTES 4096
#define WINDOW_COUNT      32

struct window {
    uint8_t *data; /* NULL: unused */
    uint64_t offset;
    size_t len;     /* bytes of the file from offset */
    size_t map_len; /* 0 for a copy */
    uint64_t last_used;
};

struct windows {
    struct window slots[WINDOW_COUNT];
    uint64_t clock;
    bool no_mmap;
};

/*
 * len bytes at an offset, all of which must lie within file_bytes. Long reads go straight to pread.
 * -EFAULT if the file ends early or cannot be read there, -ENOMEM.
 */
int windows_read(struct windows *w, int fd, uint64_t file_bytes, uint64_t offset, void *ret,
                 size_t len);
/* Unmaps all; what follows maps anew. */
void windows_drop(struct windows *w);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_RETENTION_H
#define CAPTURE_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/*
 * How many summaries are kept, as coredump.conf(5) limits core dumps. What may be removed is a
 * directory that target_open_new() made, of this user, on the file system of its parent, in which
 * lie regular files under names of ours and nothing else: a vmcore, or anything that someone put
 * beside it, keeps the whole directory. The oldest goes first, by the time in its name; the newest
 * stays whatever the limits say. No symbolic link is followed.
 *
 * With remove_vmcore, the newest whole vmcore stays too and does not count, unless a newer one is
 * about to be written: no limit costs the only dump that there is.
 */

enum space_unit {
    SPACE_UNLIMITED,
    SPACE_BYTES,
    SPACE_PERCENT, /* of the file system */
};

struct space {
    uint64_t value;
    enum space_unit unit;
};

/* What the administrator wants kept. */
struct retention {
    uint64_t keep_max;      /* summaries of crashes; 0: as many as there are */
    uint64_t baseline_keep; /* live summaries; 0: likewise. The other limits are not for them */
    struct space max_use;   /* what summaries of crashes may take */
    struct space keep_free; /* what is left to others */
    bool remove_vmcore;     /* a vmcore does not keep its directory, and is removed with it */
};

/* "" for no limit, a size like 64M (powers of 1024), or one like 10%. -EINVAL with text. */
int space_parse(const char *value, struct error *err, struct space *ret);

/* true if name is one that target_open_new() gives: crash- or live-YYYYMMDDTHHMMSSZ, -1, -2 … */
bool retention_is_ours(const char *name);

/* The full dump of the crash whose summary was just written. */
struct retention_dump {
    bool follows;               /* it is about to be written */
    uint64_t wanted_free_bytes; /* removes nothing where that would not be free then; 0: whatever */
};

/*
 * Removes from the directory base_fd what is beyond the limits, but never what is called spare: a
 * summary just written, whose time may be that of a clock at 1970. *ret: how many went.
 * Negative errno if the directory cannot be read; what cannot be removed stays without a word.
 */
int retention_apply(int base_fd, const char *spare, const struct retention *r,
                    struct retention_dump dump, struct error *err, unsigned *ret);

/*
 * The same in a child of at most five seconds, for the directory at path, or for the parent of
 * summary_fd if that is given (not -1) and the last part of path a name of ours: other directories
 * are not ours to clean, and that one stays. For callers that must not fail: they are told nothing.
 */
void retention_run(const char *path, int summary_fd, const struct retention *r,
                   struct retention_dump dump);

#endif

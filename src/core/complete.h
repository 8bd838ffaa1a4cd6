/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CORE_COMPLETE_H
#define CORE_COMPLETE_H

#include <stdint.h>

/*
 * Whether a dump file holds all that its writer set out to write. The status of that writer is
 * often lost (a shell sees the last program of a pipe alone), and a dump that was cut short has the
 * name of a whole one; the file itself tells: each form says in its first part how long it is, or
 * ends in a mark.
 */
enum completeness {
    COMPLETE_UNKNOWN, /* a form without such marks, or one that is not read */
    COMPLETE_YES,
    COMPLETE_NO,
};

struct complete {
    enum completeness state;
    /* Of a dump that is not whole: the memory that it holds and that it was to hold, to the
     * precision of its writer's buffers; want_bytes is 0 where that cannot be told. */
    uint64_t have_bytes, want_bytes;
    char why[96]; /* unless COMPLETE_YES: a clause without a full stop */
};

/*
 * Reads a few pages of the file, of a compressed dump also its bitmap (32 MiB of a machine of 1
 * TiB), of a flattened one the head of each piece. Trusts nothing that it reads, never fails, and
 * leaves the file's position alone. Holes count as written: `cp` and makedumpfile leave some.
 */
struct complete complete_check(int fd);

#endif

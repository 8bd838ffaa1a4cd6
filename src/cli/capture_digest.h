/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_CAPTURE_DIGEST_H
#define CLI_CAPTURE_DIGEST_H

#include <stdbool.h>

#include "util/error.h"

/* Where the digest of a summary that was just written goes. */
struct capture_digest {
    int summary_fd;      /* borrowed */
    const char *path;    /* of the summary, NULL if it is nowhere */
    int dirfd;           /* SUMMARY_DIGEST_NAME is written there; -1: nowhere */
    const char *console; /* a device to print it on; NULL: none */
    bool on_stderr;      /* print it there, if there is no console or it takes nothing */
};

/*
 * Makes the digest and puts it there, in a child with a deadline of its own: a console may hang as
 * well as anything else. -errno with text if a part of it failed.
 */
int capture_digest(const struct capture_digest *d, struct error *err);

#endif

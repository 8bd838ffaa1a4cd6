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
    const char *kmsg;    /* likewise the kernel's log */
    const char *pmsg;    /* likewise pstore's device */
    bool pmsg_expected;  /* it is said if that is not there */
    bool on_stderr;      /* print it there, if there is no console or it takes nothing */
    bool verbose;        /* tell on stderr what took it */
};

/*
 * Makes the digest and puts it there, in a child with a deadline of its own: a console may hang as
 * well as anything else. A place that does not take it is told on stderr. -errno with text if there
 * is no digest.
 */
int capture_digest(const struct capture_digest *d, struct error *err);

#endif

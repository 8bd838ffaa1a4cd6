/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_CAPTURE_DIGEST_H
#define CLI_CAPTURE_DIGEST_H

#include <stdbool.h>

#include "capture/config.h"
#include "capture/consoles.h"
#include "util/error.h"

/* The devices that the digest goes to. */
struct digest_places {
    struct consoles consoles; /* to print it on, maybe none */
    const char *kmsg;         /* the kernel's log; NULL: not there */
    const char *pmsg;         /* likewise pstore's device */
    bool pmsg_expected;       /* it is said if that is not there */
};

/* Those by Console=, Kmsg= and Pmsg= of the configuration, which *ret borrows from. */
void digest_places_find(const struct config *config, bool in_capture_kernel,
                        struct digest_places *ret);

/* A summary that was just written. */
struct capture_digest {
    int summary_fd;        /* borrowed */
    const char *path;      /* NULL if it is not whole on a target */
    const char *no_target; /* why it is nowhere, NULL if a part of it is */
    int dirfd;             /* SUMMARY_DIGEST_NAME is written there; -1: nowhere */
    const struct digest_places *places;
    bool on_stderr; /* print it there, if there is no console or it takes nothing */
    bool verbose;   /* tell on stderr what took it */
};

/*
 * Makes the digest and puts it there, in a child with a deadline of its own: a console may hang as
 * well as anything else. A place that does not take it is told on stderr. -errno with text if there
 * is no digest.
 */
int capture_digest(const struct capture_digest *d, struct error *err);

#endif

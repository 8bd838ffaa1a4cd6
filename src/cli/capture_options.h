/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_CAPTURE_OPTIONS_H
#define CLI_CAPTURE_OPTIONS_H

#include <stdbool.h>

#include "capture/config.h"

#define PROC_VMCORE "/proc/vmcore"

/* What was asked for, by the configuration and over it by the command line. */
struct capture_request {
    struct config config;
    const char *vmcore;
    const char *output;      /* NULL: a new directory below config.directory; "": no file */
    const char *no_target;   /* why there is no file, if output is "" */
    const char *dump_target; /* NULL: where the summary goes */
    bool quiet, verbose;
    bool policy; /* the exit status tells the decision */
};

/*
 * Fills *ret, which borrows from argv, with the configuration and what argv says over it; prints
 * the help and complaints. EXIT_SUCCESS to go on, or to end if *ret_done is true; else the exit
 * status.
 */
int capture_options_parse(int argc, char **argv, struct capture_request *ret, bool *ret_done);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

/*
 * Where a command's text goes: stdout, through a pager if that is a terminal. The pager is
 * $SYSTEMD_PAGER, $PAGER, less or more, in this order, as systemd's tools have it; "" or "cat"
 * means none.
 */
enum color_when {
    COLOR_AUTO, /* on a terminal, unless NO_COLOR is set or the terminal is dumb */
    COLOR_ALWAYS,
    COLOR_NEVER,
};

struct output {
    bool terminal; /* a person sees it: control bytes must not get through */
    bool color;
    unsigned columns; /* 80, or fewer on a narrower terminal */
    pid_t pager;      /* 0: none */
};

/* "auto", "always", "never"; -EINVAL for anything else. */
int color_parse(const char *word, enum color_when *ret);

/* Until output_close() stdout may lead to the pager. */
void output_open(struct output *o, enum color_when color, bool use_pager);

/* Writes to stdout; arg is unused. -EPIPE and the like when nobody reads any more. */
int output_write(void *arg, const char *text, size_t len);

/* Waits for the pager. The end of a pager that was left early is no failure of ours. */
void output_close(struct output *o);

#endif

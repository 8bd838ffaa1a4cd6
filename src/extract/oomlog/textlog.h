/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXTRACT_OOMLOG_TEXTLOG_H
#define EXTRACT_OOMLOG_TEXTLOG_H

#include "extract/oomlog/oomlog.h"

/*
 * A kernel log as people have it, cut into lines without prefix: see logprefix.h for what prefixes
 * it knows. Feed it bytes as they come; it needs the memory of one line.
 *
 * What is not the kernel's is left out where the log tells it: other programs in a syslog file,
 * records of another facility. Plain dmesg output tells nothing, and there a program that writes to
 * /dev/kmsg cannot be told from the kernel.
 */
struct textlog;

enum { TEXTLOG_LINE_MAX = 64 << 10 }; /* what is longer is cut there */

/* Takes a line; non-zero stops. */
typedef int (*textlog_fn)(void *arg, const struct oom_line *line);

/* NULL if memory is out. */
struct textlog *textlog_new(textlog_fn fn, void *arg);
void textlog_free(struct textlog *t);
void textlog_freep(struct textlog **t);

/* 0 or what fn said, -ENOMEM. */
int textlog_feed(struct textlog *t, const char *data, size_t len);

/* The last line, if no newline ended it. */
int textlog_finish(struct textlog *t);

/* Lines so far. */
uint64_t textlog_lines(const struct textlog *t);

#endif

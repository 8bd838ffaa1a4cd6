/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_RULES_H
#define REPORT_RULES_H

#include <stddef.h>

#include "report/model.h"
#include "util/buf.h"

/*
 * The diagnosis: one rule, one sentence, with the figures it rests on. A rule states what the
 * summary shows and never a cause that it does not. To add one: a function that appends its
 * sentence (safe for a terminal) if its condition holds, a line in rules[], a case in
 * test_report.c.
 */
struct rule {
    const char *name; /* stable: what a fleet may count */
    /* true if it holds; then one sentence was appended to b */
    bool (*holds)(const struct model *m, struct buf *b);
};

/* In the order in which a reader wants them. */
extern const struct rule rules[];
extern const size_t n_rules;

#endif

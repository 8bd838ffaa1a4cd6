/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_SUMMARIES_H
#define CLI_SUMMARIES_H

#include "summary/find.h"
#include "util/error.h"

/*
 * The summaries of this machine, oldest first: in directory if it is not NULL, else below
 * /var/crash and the Directory= of the configuration. The list is the caller's
 * (summary_list_done()).
 */
int summaries_find(const char *directory, struct error *err, struct summary_list *list);

/* Says on stderr that there is none, and why that may be. */
void summaries_complain(const char *command, const char *directory,
                        const struct summary_list *list);

#endif

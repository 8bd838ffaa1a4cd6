/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_OOM_TEXT_H
#define CLI_OOM_TEXT_H

#include <stdio.h>

#include "extract/oomlog/oomlog.h"

/* Prints the event for people, on 80 columns, with its `tasks` largest tasks. */
void oom_text_print(FILE *out, const struct oom_event *event, uint32_t tasks);

#endif

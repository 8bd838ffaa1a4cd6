/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_TOOL_H
#define CLI_TOOL_H

#include "util/buf.h"

/*
 * Runs a program of PATH, without input and with its errors thrown away, for some seconds at most,
 * and appends what it wrote to *ret. argv ends in NULL. Its exit status; 127 if there is no such
 * program; -ETIME, -ECHILD or another negative errno if it did not end by itself or wrote more than
 * *ret holds.
 */
int tool_output(const char *const *argv, unsigned seconds, struct buf *ret);

#endif

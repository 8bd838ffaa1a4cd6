/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_ESTIMATE_MACHINE_H
#define CLI_ESTIMATE_MACHINE_H

#include "capture/estimate.h"
#include "util/error.h"

/*
 * The estimate for the running machine from /proc/meminfo and /proc/zoneinfo alone, where its
 * memory cannot be read. What the pages hold is then not known: none is taken to be all zeros, and
 * each to shrink to half, so that it is rather too large; what /proc/iomem says is reserved for the
 * capture kernel does not count. proc is "/proc". -errno with text.
 */
int estimate_machine(const char *proc, struct estimate *io, struct error *err);

#endif

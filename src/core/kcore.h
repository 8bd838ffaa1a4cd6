/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CORE_KCORE_H
#define CORE_KCORE_H

#include <stdbool.h>

#include "util/error.h"

/* The memory of the kernel that runs: an ELF core whose virtual areas without a physical address of
 * their own have p_paddr -1 ("/proc/kcore: update physical address for kcore ram and text", v4.12).
 */
#define PROC_KCORE "/proc/kcore"

/*
 * Says in *err why PROC_KCORE could not be opened, and what to do; returns r. r: -errno of open(),
 * -ENOTSUP if it is no regular file. lockdown: what /sys/kernel/security/lockdown says, "" if
 * nobody knows.
 */
int kcore_refused(int r, bool root, const char *lockdown, struct error *err);

/* The same with what this process finds. */
int kcore_refused_here(int r, struct error *err);

#endif

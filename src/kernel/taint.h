/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_TAINT_H
#define KERNEL_TAINT_H

#include <stdint.h>

/* Room for the letters of all 64 bits and the NUL. */
#define TAINT_LETTERS_CAP 65

/*
 * The letters of a taint mask, lowest bit first, as in an Oops's "Tainted:" line and in
 * /proc/modules, without the blanks: `tainted_mask` of the kernel or `taints` of a module. An
 * untainted mask is "". The kernel's 'G' ("no proprietary module") says that a bit is not set, and
 * is left out. Bits that mainline has not given a letter (distributions use some) are '?'.
 *
 * Letters: kernel/panic.c taint_flags[]; Documentation/admin-guide/tainted-kernels.rst.
 */
void taint_letters(uint64_t mask, char ret[static TAINT_LETTERS_CAP]);

#endif

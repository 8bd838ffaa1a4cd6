/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_RESERVED_H
#define CAPTURE_RESERVED_H

#include <stddef.h>

#include "core/image.h"

/* crashkernel= gives two ranges at most, of low and of high memory. */
#define RESERVED_MAX 4

/*
 * The ranges of physical memory that the running kernel has reserved for its capture kernel, from
 * /proc/iomem, into ret; returns their number. No dump has them: kexec leaves them out of
 * /proc/vmcore. None for who may not see addresses, to whom they all are 0. proc is "/proc".
 */
size_t reserved_ranges(const char *proc, struct image_range ret[RESERVED_MAX]);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_IDENTIFY_H
#define KERNEL_IDENTIFY_H

#include "core/vmcoreinfo_scan.h"
#include "util/error.h"

/*
 * Host build only: completes what a dump of a virtual machine does not say. Its VMCOREINFO is
 * searched for in memory where the dump has no note, and taken if the kernel that it describes is
 * there: the release in init_uts_ns is its OSRELEASE, and that kernel's page tables map
 * init_uts_ns to where it was read, so that what an earlier boot left does not win. And the
 * machine, which QEMU leaves out of its kdump files, is told by what VMCOREINFO has. 0 also where
 * nothing is amiss; as vmcoreinfo_scan(), with text, where the search finds nothing, and the image
 * is then as it was.
 */
int kernel_identify(struct image *im, const struct vmcoreinfo_search *search, struct error *err);

#endif

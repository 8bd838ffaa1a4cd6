/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_LOADED_IMAGE_H
#define CLI_LOADED_IMAGE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "cli/machine.h"
#include "util/error.h"

/*
 * Whether an image on the disk is the one that a crash would boot. The kernel does not say which
 * file was loaded, nor when; but kexec(8) copies an initramfs as it is, to the begin of a page, and
 * a running kernel's memory can be read.
 */

/*
 * Looks for the file, whole, in the memory that is reserved for a capture kernel. 1 if it is there,
 * 0 if something else is, negative errno with text if that memory cannot be seen.
 */
int loaded_image_find(const struct machine *m, int image_fd, struct error *err);

/* Whether the file has not changed since the machine has booted. */
bool loaded_image_is_older_than_boot(const struct machine *m, const struct stat *image);

/* Whether this unit of the running machine started after the file's last change. */
bool loaded_image_is_older_than_unit(const struct machine *m, const struct stat *image,
                                     const char *unit);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_TARGET_H
#define CAPTURE_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/*
 * Where a summary is put. Directories that are made are of mode 0700, files of mode 0600. Symbolic
 * links are followed where the administrator's path leads over them, never under a name of ours.
 */

/* Opens the directory at path and makes it, with its parents, if it is not there. -errno with text.
 */
int target_open(const char *path, struct error *err, int *ret_fd);

/*
 * Makes and opens a new directory for a summary in the directory `base` (made if it is not there,
 * refused if it is a symbolic link): KIND-YYYYMMDDTHHMMSSZ ("crash", "live"), or that with -1, -2 …
 * after it. The name does not begin with a digit, for Debian's kdump-tools remove what is named 2*
 * in /var/crash.
 */
int target_open_new(const char *base, const char *kind, uint64_t time_s, struct error *err,
                    char *ret_path, size_t cap, int *ret_fd);

/*
 * What its file system has free, as df(1) shows it: f_bavail, not f_bfree. Root, as which a dump is
 * written, may use what ext4 keeps for it, but nobody else can write when it has; and what btrfs or
 * an NFS server counts in f_bfree is not root's either. fd may be one of O_PATH. -errno.
 */
int target_free_bytes(int fd, uint64_t *ret);

/* Writes a whole file under a temporary name, syncs it and gives it its name; or leaves nothing. */
int target_write_file(int dirfd, const char *name, const void *data, size_t len, struct error *err);

#endif

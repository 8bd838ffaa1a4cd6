/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "util/buf.h"
#include "util/error.h"

/*
 * The files of a machine: the running one, or the tree below a directory, as systemctl --root takes
 * it. Absolute symbolic links of a tree stay in it. What is read is not trusted: only regular
 * files, and no more of them than the caller has room for.
 */
struct machine {
    int fd; /* of the root directory */
    const char *root;
    bool running; /* this machine: its root is "/" */
};
#define MACHINE_INIT ((struct machine){.fd = -1})

/* root: NULL or "/" for this machine. Borrowed. -errno with text. */
int machine_open(const char *root, struct error *err, struct machine *ret);
void machine_done(struct machine *m);

/* open(2) of an absolute path; a descriptor or -errno. Never blocks on a FIFO. */
int machine_openat(const struct machine *m, const char *path, int flags);

/* Of what the path leads to. 0 or -errno. */
int machine_stat(const struct machine *m, const char *path, struct stat *ret);
bool machine_has(const struct machine *m, const char *path);

/* What a symbolic link says; -EINVAL if it is none. */
int machine_link(const struct machine *m, const char *path, char *ret, size_t size);

/* Appends a regular file, up to b's limit. 0 or -errno. */
int machine_read(const struct machine *m, const char *path, struct buf *b);

/* Its first line without blanks at either end; cut to size. 0, or -errno and ret is "". */
int machine_line(const struct machine *m, const char *path, char *ret, size_t size);

/*
 * A value of a file of settings: "KEY VALUE" for separator ' ', "KEY=VALUE" for '='. Quotes around
 * it and comments after it are taken away, the last line of several counts. false, and ret is "",
 * if there is none.
 */
bool machine_setting(const struct machine *m, const char *path, const char *key, char separator,
                     char *ret, size_t size);

#endif

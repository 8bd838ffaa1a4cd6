/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUMMARY_FIND_H
#define SUMMARY_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/*
 * Finding the summaries of a machine.
 */

/* Where summaries are looked for unless the caller says otherwise: kdump's own directory, in which
 * each crash has a directory of its own on every distribution. */
#define SUMMARY_DEFAULT_ROOT "/var/crash"

struct summary_file {
    char *path;
    uint64_t size_bytes;
    int64_t time_s;   /* of the crash, or of a live capture; else of the file's last change */
    bool live;        /* of a running kernel: no crash */
    bool unpublished; /* a capture that did not finish left it under its temporary name */
};

struct summary_list {
    struct summary_file *files; /* oldest first */
    size_t n, capacity;
    bool incomplete; /* bounds were hit, or a directory could not be read: there may be more */
};

void summary_list_done(struct summary_list *list);

/*
 * Adds every summary in root and in the directories below it, three levels deep, symbolic links not
 * followed. A root that does not exist holds none. Call summary_list_sort() after the last root.
 */
int summary_find(const char *root, struct error *err, struct summary_list *list);
void summary_list_sort(struct summary_list *list);

/* Whether path's file name is that of a summary not yet published. */
bool summary_is_unpublished(const char *path);

#endif

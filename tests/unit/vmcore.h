/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_VMCORE_H
#define UNIT_VMCORE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * A vmcore built by tests/tools/mkvmcore.c from tests/data/vmcore/NAME.txt, under a temporary name
 * that vmcore_remove() unlinks. Tests run from the top of the source.
 */
static inline void vmcore_build(const char *name, char path[static 32])
{
    const char *build = getenv("BUILD");
    char command[256];
    int fd;

    snprintf(path, 32, "/tmp/vmcore.XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    snprintf(command, sizeof(command), "%s/tools/mkvmcore tests/data/vmcore/%s.txt %s",
             build ? build : "build", name, path);
    ck_assert_int_eq(system(command), 0);
}

static inline void vmcore_remove(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
}

#endif

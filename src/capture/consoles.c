/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/consoles.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

#define ACTIVE "/sys/class/tty/console/active"
#define BLANKS " \t\n"

static void add(struct consoles *c, const char *name, size_t len)
{
    if (c->n < CONSOLES_MAX && len < sizeof(c->path[0]) - sizeof("/dev/") &&
        !memchr(name, '/', len) && name[0] != '.')
        snprintf(c->path[c->n++], sizeof(c->path[0]), "/dev/%.*s", (int)len, name);
}

void consoles_parse(const char *active, struct consoles *ret)
{
    struct consoles c = {.n = 0};

    while (*(active += strspn(active, BLANKS))) {
        size_t len = strcspn(active, BLANKS);

        add(&c, active, len);
        active += len;
    }
    if (!c.n)
        add(&c, "console", sizeof("console") - 1);
    *ret = c;
}

void consoles_find(struct consoles *ret)
{
    char text[1024];
    _cleanup_close_ int fd = open(ACTIVE, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

    text[n > 0 ? n : 0] = '\0';
    consoles_parse(text, ret);
}

void consoles_one(const char *path, struct consoles *ret)
{
    ret->n = 1;
    snprintf(ret->path[0], sizeof(ret->path[0]), "%s", path);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_CONSOLES_H
#define CAPTURE_CONSOLES_H

#include <stddef.h>

/*
 * The terminals that the kernel prints its messages on. /dev/console is only the one that console=
 * names last, and on a machine with "console=ttyS0 console=tty0" not the one whose log is kept.
 */
#define CONSOLES_MAX 6

struct consoles {
    char path[CONSOLES_MAX][256];
    size_t n;
};

/* Those of the running kernel by sysfs, /dev/console if it does not tell. */
void consoles_find(struct consoles *ret);

/* The same from what /sys/class/tty/console/active has; what is no name of a device is left out. */
void consoles_parse(const char *active, struct consoles *ret);

/* The one device that was named in their place. */
void consoles_one(const char *path, struct consoles *ret);

#endif

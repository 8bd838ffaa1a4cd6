/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/command.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

void command_error(const char *name, const char *fmt, ...)
{
    va_list ap;

    fflush(stdout);
    fprintf(stderr, "vmcore-summary %s: ", name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

int command_usage_error(const char *name)
{
    fprintf(stderr, "Try 'vmcore-summary %s --help'.\n", name);
    return COMMAND_USAGE;
}

int command_no_arguments(const char *name, int argc)
{
    if (argc <= optind)
        return -1;
    command_error(name, "takes no argument");
    return command_usage_error(name);
}

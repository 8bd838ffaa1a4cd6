/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "util/cleanup.h"

/* NULL-terminated, for a build may have no command of some kind; a line each. */
/* clang-format off */
static const struct command *const commands[] = {
    &cmd_capture,
    &cmd_show,
    &cmd_list,
#ifndef STATIC_BUILD
    &cmd_diff,
#endif
    &cmd_oom,
    &cmd_harvest,
    &cmd_verify,
#ifndef STATIC_BUILD
    &cmd_profile,
    &cmd_estimate,
    &cmd_check,
    &cmd_enable,
    &cmd_disable,
    &cmd_test,
#endif
    NULL,
};
/* clang-format on */

static void print_help(FILE *out)
{
    fputs("Usage: vmcore-summary COMMAND [OPTION]...\n"
          "Writes and shows a compact summary of a crashed kernel's memory, without\n"
          "debuginfo.\n\n"
          "Commands:\n",
          out);
    for (const struct command *const *c = commands; *c; c++)
        fprintf(out, "  %-10s %s\n", (*c)->name, (*c)->summary);
    fputs("\nOptions:\n"
          "  -h, --help     show this help\n"
          "      --version  show the version\n\n"
          "'vmcore-summary COMMAND --help' tells more; so does vmcore-summary(1).\n",
          out);
}

static int run_command(int argc, char **argv)
{
    char name[64]; /* getopt(3) begins its messages with argv[0], and they are to look like ours */

    for (const struct command *const *c = commands; *c; c++) {
        if (strcmp((*c)->name, argv[0]))
            continue;
        snprintf(name, sizeof(name), "vmcore-summary %s", argv[0]);
        argv[0] = name;
        return (*c)->run(argc, argv);
    }
    fprintf(stderr, "vmcore-summary: unknown command '%s'\n", argv[0]);
    fputs("Try 'vmcore-summary --help'.\n", stderr);
    return COMMAND_USAGE;
}

int main(int argc, char **argv)
{
    int status = EXIT_SUCCESS;

    if (argc < 2) {
        print_help(stderr);
        return COMMAND_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        print_help(stdout);
    else if (!strcmp(argv[1], "--version"))
        puts("vmcore-summary " VERSION);
    else
        status = run_command(argc - 1, argv + 1);
    /* a full disk or a closed pipe behind stdout is a failure that must be seen */
    if (fflush(stdout) || ferror(stdout))
        return EXIT_FAILURE;
    return status;
}

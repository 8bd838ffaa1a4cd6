/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

/*
 * A subcommand. Its file defines one const struct command and main.c lists it. run() parses its own
 * options with getopt_long (argv[0] is the command's name), prints `--help` to stdout, and returns
 * an exit status: EXIT_SUCCESS, EXIT_FAILURE, or COMMAND_USAGE for a wrong command line.
 */
struct command {
    const char *name;
    const char *summary; /* one line, for `vmcore-summary --help` */
    int (*run)(int argc, char **argv);
};

#define COMMAND_USAGE 2

/* The commands, in the order of `--help`. Each lives in cli/cmd_NAME.c. */
extern const struct command cmd_capture;
extern const struct command cmd_show;
extern const struct command cmd_list;
extern const struct command cmd_diff; /* in the host's build alone */
extern const struct command cmd_oom;
extern const struct command cmd_harvest;
extern const struct command cmd_verify;
extern const struct command cmd_profile; /* likewise, and these: */
extern const struct command cmd_estimate;
extern const struct command cmd_check;
extern const struct command cmd_enable;
extern const struct command cmd_disable;
extern const struct command cmd_test;

/* Prints "vmcore-summary NAME: message" to stderr; the one place where commands complain. */
__attribute__((format(printf, 2, 3))) void command_error(const char *name, const char *fmt, ...);

/* "Try 'vmcore-summary NAME --help'." to stderr; returns COMMAND_USAGE. */
int command_usage_error(const char *name);

/* -1 if getopt_long() left nothing of argv; otherwise complains and returns COMMAND_USAGE. */
int command_no_arguments(const char *name, int argc);

#endif

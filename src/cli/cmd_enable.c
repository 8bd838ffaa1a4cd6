/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/hook_setup.h"

/* All was done that could be, and something is left for a person. */
#define EXIT_LEFT 3

static void print_help(const char *name, bool enable)
{
    printf("Usage: vmcore-summary %s [OPTION]...\n%s\n\n"
           "      --dry-run   say what would be done, and do nothing\n"
           "      --root DIR  for the machine whose tree is below DIR\n"
           "  -h, --help      show this help\n\n"
           "Exit status: 0; 3 if something is left to be done by hand, which is said; 1 if\n"
           "something failed; 2 for a wrong command line.\n",
           name,
           enable
               ? "Has the kdump of this machine call vmcore-summary. No other package's file is\n"
                 "changed."
               : "Has the kdump of this machine call vmcore-summary no more.");
}

static int parse_options(int argc, char **argv, struct hook_setup *s, const char **ret_root)
{
    enum { OPT_ROOT = 256, OPT_DRY_RUN };
    static const struct option options[] = {
        {"root", required_argument, NULL, OPT_ROOT},
        {"dry-run", no_argument, NULL, OPT_DRY_RUN},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
        switch (c) {
        case OPT_ROOT:
            *ret_root = optarg;
            break;
        case OPT_DRY_RUN:
            s->dry_run = true;
            break;
        case 'h':
            print_help(s->name, s->enable);
            return EXIT_SUCCESS;
        default:
            return command_usage_error(s->name);
        }
    return command_no_arguments(s->name, argc);
}

static int set_up(int argc, char **argv, struct hook_setup *s)
{
    struct machine m = MACHINE_INIT;
    const char *root = NULL;
    struct error err = {0};
    enum kdump_kind kind;
    int status = parse_options(argc, argv, s, &root);

    if (status >= 0)
        return status;
    if (machine_open(root, &err, &m)) {
        command_error(s->name, "%s", err.text);
        return EXIT_FAILURE;
    }
    s->m = &m;
    kind = kdump_find(&m);
    printf("kdump: %s\n", kdump_words[kind].name);
    hook_setup_run(s, kind);
    machine_done(&m);
    return s->failed ? EXIT_FAILURE : s->left ? EXIT_LEFT : EXIT_SUCCESS;
}

static int run_enable(int argc, char **argv)
{
    return set_up(argc, argv, &(struct hook_setup){.name = "enable", .enable = true});
}

static int run_disable(int argc, char **argv)
{
    return set_up(argc, argv, &(struct hook_setup){.name = "disable"});
}

const struct command cmd_enable = {"enable", "put the hook into this machine's kdump", run_enable};
const struct command cmd_disable = {"disable", "take it out again", run_disable};

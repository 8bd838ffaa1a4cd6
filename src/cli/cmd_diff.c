/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "report/diff.h"
#include "util/cleanup.h"

#define NAME "diff"

struct diff_command {
    struct diff_options options;
    enum color_when color;
    bool json, no_pager;
};

static void print_help(void)
{
    puts("Usage: vmcore-summary diff [OPTION]... OLD NEW\n"
         "Compares two summaries and names what grew. OLD and NEW are summaries, or\n"
         "directories that hold one.\n\n"
         "  -s, --section=NAME    every difference in a section: memory zone slab task\n"
         "                        module\n"
         "  -a, --all             every difference in every section\n"
         "  -j, --json            one JSON object a difference, and a limit\n"
         "      --no-pager        do not use a pager\n"
         "      --color=WHEN      auto, always or never\n"
         "  -h, --help            show this help\n\n"
         "Exit status 0 whether they differ or not. See vmcore-summary-diff(1).");
}

static int set_section(struct diff_command *c, const char *section)
{
    if (diff_section_index(section) == DIFF_SECTIONS) {
        command_error(NAME, "--section is memory, zone, slab, task or module");
        return command_usage_error(NAME);
    }
    c->options.section = section;
    return -1;
}

/* An exit status to end with, or -1 to go on. */
static int take_option(struct diff_command *c, int option)
{
    switch (option) {
    case 's':
        return set_section(c, optarg);
    case 'a':
        c->options.all = true;
        return -1;
    case 'j':
        c->json = true;
        return -1;
    case 'P':
        c->no_pager = true;
        return -1;
    case 'C':
        if (!color_parse(optarg, &c->color))
            return -1;
        command_error(NAME, "--color is auto, always or never");
        return command_usage_error(NAME);
    case 'h':
        print_help();
        return EXIT_SUCCESS;
    default:
        return command_usage_error(NAME);
    }
}

static int parse_options(int argc, char **argv, struct diff_command *c)
{
    static const struct option options[] = {
        {"section", required_argument, NULL, 's'},
        {"all", no_argument, NULL, 'a'},
        {"json", no_argument, NULL, 'j'},
        {"no-pager", no_argument, NULL, 'P'},
        {"color", required_argument, NULL, 'C'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option, status = -1;

    while (status < 0 && (option = getopt_long(argc, argv, "s:ajh", options, NULL)) >= 0)
        status = take_option(c, option);
    if (status >= 0)
        return status;
    if (argc - optind != DIFF_SIDES) {
        command_error(NAME, "takes two summaries, the old one first");
        return command_usage_error(NAME);
    }
    c->options.paths[DIFF_OLD] = argv[optind];
    c->options.paths[DIFF_NEW] = argv[optind + 1];
    return -1;
}

static int fill_side(struct diff *d, const char *path, enum diff_side side)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    struct error err = {0};
    int status = summary_reader_open(path, &err, &r);

    if (!status)
        status = diff_fill(d, side, r, &err);
    if (status)
        command_error(NAME, "%s: %s", path, error_text(&err, status));
    return status;
}

static int print(const struct diff *d, struct diff_command *c)
{
    struct output o;
    int r;

    output_open(&o, c->color, !c->no_pager);
    c->options.columns = o.columns;
    c->options.color = o.color;
    c->options.local_time = true;
    if (c->json)
        r = diff_print_json(d, c->options.section, output_write, NULL);
    else
        r = diff_print(d, &c->options, output_write, NULL);
    output_close(&o);
    if (!r || r == -EPIPE)
        return EXIT_SUCCESS;
    command_error(NAME, "cannot print: %s", strerror(-r));
    return EXIT_FAILURE;
}

static int run(int argc, char **argv)
{
    _cleanup_(diff_done) struct diff d = {0};
    struct diff_command c = {0};
    int status = parse_options(argc, argv, &c);

    if (status >= 0)
        return status;
    for (enum diff_side side = DIFF_OLD; side < DIFF_SIDES; side++)
        if (fill_side(&d, c.options.paths[side], side))
            return EXIT_FAILURE;
    diff_merge(&d);
    return print(&d, &c);
}

const struct command cmd_diff = {NAME, "compare two summaries, name what grew", run};

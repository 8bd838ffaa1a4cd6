/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/summaries.h"
#include "report/digest.h"
#include "report/table.h"
#include "summary/writer.h"
#include "util/cleanup.h"

#define NAME               "show"
#define DIGEST_LIMIT_BYTES (256 << 10)

struct show {
    const char *directory, *section;
    bool json, no_pager;
    enum color_when color;
    char *path; /* of the summary file */
};

static void print_help(void)
{
    puts("Usage: vmcore-summary show [OPTION]... [SUMMARY|DIRECTORY]\n"
         "Shows the summary of a crash: the latest of this machine, or the one named.\n\n"
         "  -s, --section=NAME    a whole section: header crash dmesg oom memory zone slab\n"
         "                        task module\n"
         "  -j, --json            the records as JSON Lines\n"
         "  -D, --directory=DIR   look for summaries in DIR and below\n"
         "      --no-pager        do not use a pager\n"
         "      --color=WHEN      auto, always or never\n"
         "  -h, --help            show this help\n\n"
         "See vmcore-summary-show(1).");
}

/* COMMAND_USAGE, or -1 to go on, or the status to end with. */
static int parse_options(int argc, char **argv, struct show *s)
{
    enum { OPT_NO_PAGER = 256, OPT_COLOR };
    static const struct option options[] = {
        {"section", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"directory", required_argument, NULL, 'D'},
        {"no-pager", no_argument, NULL, OPT_NO_PAGER},
        {"color", required_argument, NULL, OPT_COLOR},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "s:jD:h", options, NULL)) >= 0)
        switch (c) {
        case 's':
            s->section = optarg;
            break;
        case 'j':
            s->json = true;
            break;
        case 'D':
            s->directory = optarg;
            break;
        case OPT_NO_PAGER:
            s->no_pager = true;
            break;
        case OPT_COLOR:
            if (!color_parse(optarg, &s->color))
                break;
            command_error(NAME, "--color is auto, always or never");
            return command_usage_error(NAME);
        case 'h':
            print_help();
            return EXIT_SUCCESS;
        default:
            return command_usage_error(NAME);
        }
    if (argc - optind > 1 || (argc > optind && s->directory)) {
        command_error(NAME, "one summary at a time");
        return command_usage_error(NAME);
    }
    return -1;
}

static bool is_directory(const char *path)
{
    struct stat st;

    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* The last of a crash or, where none crashed, the last: list is not empty. */
static size_t latest_crash(const struct summary_list *list)
{
    size_t i = list->n - 1;

    while (i && list->files[i].live)
        i--;
    return list->files[i].live ? list->n - 1 : i;
}

/* The latest summary in directory (NULL: of the machine); NULL after complaining. */
static char *latest_summary(const char *directory)
{
    _cleanup_(summary_list_done) struct summary_list list = {0};
    struct error err = {0};
    int r = summaries_find(directory, &err, &list);

    if (r)
        command_error(NAME, "%s", error_text(&err, r));
    else if (!list.n)
        summaries_complain(NAME, directory, &list);
    else
        return TAKE_PTR(list.files[latest_crash(&list)].path);
    return NULL;
}

static char *choose_summary(const struct show *s, const char *named)
{
    struct stat st;
    char *path;

    if (!named)
        return latest_summary(s->directory);
    if (!is_directory(named))
        return strdup(named);
    if (asprintf(&path, "%s/%s", named, SUMMARY_FILE_NAME) < 0)
        return NULL;
    if (!stat(path, &st))
        return path;
    free(path);
    return latest_summary(named);
}

static int show_digest(const struct show *s, const struct output *o, struct summary_reader *r,
                       struct error *err)
{
    _cleanup_(buf_done) struct buf text = BUF_INIT(DIGEST_LIMIT_BYTES);
    const struct digest_options options = {.path = s->path,
                                           .columns = o->columns,
                                           .color = o->color,
                                           .local_time = true,
                                           .after_reboot = true};
    int status = report_digest(r, &options, err, &text);

    return status ? status : output_write(NULL, text.data, text.len);
}

static int show_reader(const struct show *s, const struct output *o, struct summary_reader *r,
                       struct error *err)
{
    if (s->json)
        return report_json(r, s->section, output_write, NULL, err);
    if (!s->section)
        return show_digest(s, o, r, err);
    if (!strcmp(s->section, "dmesg"))
        return report_dmesg(r, o->terminal, output_write, NULL, err);
    return report_section(r, s->section, o->color, output_write, NULL, err);
}

/* To stderr, so that what is printed stays the records alone, and a script sees it, too. */
static int warn_of_lack(const struct show *s, struct summary_reader *r, struct error *err)
{
    _cleanup_(buf_done) struct buf lack = BUF_INIT(4096);
    int status = s->section ? report_section_lack(r, s->section, err, &lack) : 0;

    if (lack.len)
        command_error(NAME, "%s: section %s %s", s->path, s->section, lack.data);
    return status;
}

static int show_summary(const struct show *s)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    struct error err = {0};
    struct output o;
    int status = summary_reader_open(s->path, &err, &r);

    if (!status) {
        output_open(&o, s->color, !s->no_pager);
        status = show_reader(s, &o, r, &err);
        output_close(&o);
        if (!status)
            status = warn_of_lack(s, r, &err);
    }
    if (!status || status == -EPIPE)
        return EXIT_SUCCESS;
    command_error(NAME, "%s: %s", s->path, error_text(&err, status));
    return EXIT_FAILURE;
}

static int run(int argc, char **argv)
{
    struct show s = {0};
    int status = parse_options(argc, argv, &s);

    if (status >= 0)
        return status;
    s.path = choose_summary(&s, argv[optind]);
    status = s.path ? show_summary(&s) : EXIT_FAILURE;
    free(s.path);
    return status;
}

const struct command cmd_show = {NAME, "show the summary of a crash", run};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/summaries.h"
#include "report/human.h"
#include "report/model.h"
#include "report/text.h"
#include "summary/vmcore.h"
#include "util/cleanup.h"
#include "util/json.h"
#include "util/utf8.h"

#define NAME "list"

struct list {
    const char *directory;
    bool json, no_legend, reverse, no_pager;
    long max; /* 0: all */
};

/* What a line says of one summary. */
struct entry {
    const struct summary_file *file;
    struct model *model; /* NULL if it cannot be read */
    struct vmcore_file vmcore;
    const char *state; /* "complete", "incomplete", "damaged", "unreadable" */
};

static void print_help(void)
{
    puts("Usage: vmcore-summary list [OPTION]...\n"
         "Lists the summaries of this machine's crashes, and live ones, the latest last.\n\n"
         "  -n N                  the latest N only\n"
         "  -r, --reverse         the latest first\n"
         "  -j, --json            one JSON object a line\n"
         "  -D, --directory=DIR   look for summaries in DIR and below\n"
         "      --no-legend       without the line of headings\n"
         "      --no-pager        do not use a pager\n"
         "  -h, --help            show this help\n\n"
         "Exit status 1 if there is none. See vmcore-summary-list(1).");
}

static bool parse_max(const char *text, long *ret)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(text, &end, 10);
    if (errno || *end || end == text || n <= 0)
        return false;
    *ret = n;
    return true;
}

static int parse_options(int argc, char **argv, struct list *l)
{
    enum { OPT_NO_LEGEND = 256, OPT_NO_PAGER };
    static const struct option options[] = {
        {"reverse", no_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'},
        {"directory", required_argument, NULL, 'D'},
        {"no-legend", no_argument, NULL, OPT_NO_LEGEND},
        {"no-pager", no_argument, NULL, OPT_NO_PAGER},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "n:rjD:h", options, NULL)) >= 0)
        switch (c) {
        case 'n':
            if (parse_max(optarg, &l->max))
                break;
            command_error(NAME, "-n takes a number above 0");
            return command_usage_error(NAME);
        case 'r':
            l->reverse = true;
            break;
        case 'j':
            l->json = true;
            break;
        case 'D':
            l->directory = optarg;
            break;
        case OPT_NO_LEGEND:
            l->no_legend = true;
            break;
        case OPT_NO_PAGER:
            l->no_pager = true;
            break;
        case 'h':
            print_help();
            return EXIT_SUCCESS;
        default:
            return command_usage_error(NAME);
        }
    return command_no_arguments(NAME, argc);
}

static const char *state_of(const struct summary_file *file, struct summary_damage d)
{
    if (d.bad_members || d.bad_lines || d.gave_up)
        return "damaged";
    return file->unpublished || d.truncated || d.no_trailer ? "incomplete" : "complete";
}

static void read_entry(const struct summary_file *file, struct entry *e)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;

    *e = (struct entry){file, NULL, vmcore_beside(file->path), "unreadable"};
    if (summary_reader_open(file->path, NULL, &r))
        return;
    e->model = model_new();
    if (!e->model || model_fill(e->model, r, NULL))
        return;
    e->state = state_of(file, summary_reader_damage(r));
}

static void put_column(struct buf *line, const char *s, size_t width, bool right)
{
    size_t columns;
    _cleanup_(buf_done) struct buf cell = BUF_INIT(4096);

    text_append(&cell, *s ? s : "-");
    columns = utf8_columns(cell.data, cell.len);
    if (right)
        text_pad(line, columns, width);
    buf_str(line, cell.data);
    if (!right)
        text_pad(line, columns, width);
    buf_char(line, ' ');
}

static void print_entry(const struct entry *e)
{
    _cleanup_(buf_done) struct buf line = BUF_INIT(16384), time = BUF_INIT(100),
                                   size = BUF_INIT(100);

    human_time(&time, e->file->time_s, true);
    human_size(&size, e->file->size_bytes);
    put_column(&line, time.data, 27, false);
    put_column(&line, e->model ? e->model->release : "", 24, false);
    put_column(&line, e->file->live ? "live" : e->model ? e->model->reason : "", 11, false);
    put_column(&line, e->model ? e->model->comm : "", 15, false);
    put_column(&line, e->file->live ? "" : vmcore_state_name(e->vmcore.state), 10, false);
    put_column(&line, e->state, 10, false);
    put_column(&line, size.data, 8, true);
    text_append(&line, e->file->path);
    buf_char(&line, '\n');
    (void)output_write(NULL, line.data, line.len);
}

static void print_entry_json(const struct entry *e)
{
    _cleanup_(buf_done) struct buf line = BUF_INIT(65536);
    struct json j = {&line, false};
    const struct model *m = e->model;

    json_object_begin(&j, NULL);
    json_str(&j, "path", e->file->path);
    json_str(&j, "state", e->state);
    json_i64(&j, e->file->live ? "capture_time" : "crash_time", e->file->time_s);
    if (e->file->live)
        json_bool(&j, "live", true);
    json_u64(&j, "size_bytes", e->file->size_bytes);
    json_str(&j, "vmcore", vmcore_state_name(e->vmcore.state));
    if (e->vmcore.name[0]) {
        json_str(&j, "vmcore_name", e->vmcore.name);
        json_u64(&j, "vmcore_bytes", e->vmcore.size_bytes);
        if (e->vmcore.contents.state == COMPLETE_NO)
            json_str(&j, "vmcore_reason", e->vmcore.contents.why);
    }
    if (m) {
        json_str(&j, "nodename", m->nodename);
        json_str(&j, "release", m->release);
        json_str(&j, "reason", m->reason);
        json_str(&j, "panic", m->panic);
        json_str(&j, "comm", m->comm);
        json_u64(&j, "oom_events", m->oom.n_events);
        json_u64(&j, "oom_victims", m->oom.n_victims);
    }
    json_object_end(&j);
    buf_char(&line, '\n');
    (void)output_write(NULL, line.data, line.len);
}

static void print_legend(void)
{
    static const char legend[] =
        "TIME                        KERNEL                   REASON      COMM            "
        "VMCORE     SUMMARY        SIZE PATH\n";

    (void)output_write(NULL, legend, sizeof(legend) - 1);
}

static void print_list(const struct list *l, const struct summary_list *found)
{
    size_t n = l->max && (size_t)l->max < found->n ? (size_t)l->max : found->n;

    if (!l->json && !l->no_legend)
        print_legend();
    for (size_t i = 0; i < n; i++) {
        size_t at = l->reverse ? found->n - 1 - i : found->n - n + i;
        struct entry e;

        read_entry(&found->files[at], &e);
        if (l->json)
            print_entry_json(&e);
        else
            print_entry(&e);
        model_freep(&e.model);
    }
}

static int run(int argc, char **argv)
{
    _cleanup_(summary_list_done) struct summary_list found = {0};
    struct list l = {0};
    struct error err = {0};
    struct output o;
    int status = parse_options(argc, argv, &l);

    if (status >= 0)
        return status;
    status = summaries_find(l.directory, &err, &found);
    if (status) {
        command_error(NAME, "%s", error_text(&err, status));
        return EXIT_FAILURE;
    }
    if (!found.n) {
        summaries_complain(NAME, l.directory, &found);
        return EXIT_FAILURE;
    }
    output_open(&o, COLOR_NEVER, !l.no_pager);
    print_list(&l, &found);
    output_close(&o);
    return EXIT_SUCCESS;
}

const struct command cmd_list = {NAME, "list the summaries of this machine", run};

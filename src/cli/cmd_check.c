/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/readiness.h"
#include "report/text.h"
#include "util/cleanup.h"
#include "util/json.h"

#define NAME      "check"
#define MAX_ITEMS 32

struct request {
    const char *root;
    const char *ignore[MAX_ITEMS];
    size_t n_ignore;
    bool json, quiet;
};

static void print_help(void)
{
    puts("Usage: vmcore-summary check [OPTION]...\n"
         "Says whether this machine is ready to leave a summary when it crashes, and what\n"
         "to do where it is not.\n\n"
         "      --root DIR     look at the machine whose tree is below DIR\n"
         "      --ignore ITEM  leave this one out; may be repeated\n"
         "      --json         one JSON object\n"
         "      --quiet        the first line alone\n"
         "  -h, --help         show this help\n\n"
         "Exit status: 0 if all is well, 1 with a warning, 2 if a summary will not be\n"
         "written, 3 if that cannot be known, or for a wrong command line.\n\n"
         "Items, which vmcore-summary-check(8) explains:");
    for (size_t i = 0; i < n_ready_checks; i++)
        printf("  %s\n", ready_checks[i].name);
}

static bool is_item(const char *name)
{
    for (size_t i = 0; i < n_ready_checks; i++)
        if (!strcmp(ready_checks[i].name, name))
            return true;
    return false;
}

/* A monitoring system takes 2 for an alarm: a wrong command line is 3 here. */
static int usage(void)
{
    command_usage_error(NAME);
    return READY_UNKNOWN;
}

static int parse_options(int argc, char **argv, struct request *ret)
{
    enum { OPT_ROOT = 256, OPT_IGNORE, OPT_JSON, OPT_QUIET };
    static const struct option options[] = {
        {"root", required_argument, NULL, OPT_ROOT},
        {"ignore", required_argument, NULL, OPT_IGNORE},
        {"json", no_argument, NULL, OPT_JSON},
        {"quiet", no_argument, NULL, OPT_QUIET},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
        switch (c) {
        case OPT_ROOT:
            ret->root = optarg;
            break;
        case OPT_IGNORE:
            if (!is_item(optarg) || ret->n_ignore == MAX_ITEMS) {
                command_error(NAME, "there is no item '%s'", optarg);
                return usage();
            }
            ret->ignore[ret->n_ignore++] = optarg;
            break;
        case OPT_JSON:
            ret->json = true;
            break;
        case OPT_QUIET:
            ret->quiet = true;
            break;
        case 'h':
            print_help();
            return EXIT_SUCCESS;
        default:
            return usage();
        }
    return command_no_arguments(NAME, argc) < 0 ? -1 : READY_UNKNOWN;
}

static bool is_ignored(const struct request *req, const char *name)
{
    for (size_t i = 0; i < req->n_ignore; i++)
        if (!strcmp(req->ignore[i], name))
            return true;
    return false;
}

/* The first line, as monitoring systems show it: how it is, and of what is worst the first. */
static void append_headline(struct buf *b, const struct ready_item *items, size_t n)
{
    static const char *const words[N_READINESS] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    enum readiness worst = ready_worst(items, n);
    size_t count = 0;

    buf_printf(b, "VMCORE-SUMMARY %s - ", words[worst]);
    if (worst == READY_OK) {
        buf_str(b, "a crash will leave a summary");
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (items[i].state == worst && !count++)
            text_append(b, items[i].found);
    if (count > 1)
        buf_printf(b, " (and %zu more)", count - 1);
}

/* What was read of files is not safe to print. */
static void append_paragraph(struct text *t, const char *lead, const char *s)
{
    _cleanup_(buf_done) struct buf safe = BUF_INIT(16 << 10);

    text_append(&safe, s);
    text_paragraph(t, lead, safe.data ? safe.data : "");
}

static void append_items(struct buf *b, const struct ready_item *items, size_t n)
{
    struct text t = {b, 80, false};

    for (size_t i = 0; i < n; i++) {
        char lead[64];

        snprintf(lead, sizeof(lead), "%-7s  %-14s ", readiness_names[items[i].state],
                 items[i].name);
        append_paragraph(&t, lead, items[i].found);
        if (items[i].todo[0])
            append_paragraph(&t, "           -> ", items[i].todo);
    }
}

static void append_json(struct buf *b, const struct ready_machine *m,
                        const struct ready_item *items, size_t n)
{
    struct json j = {.out = b};

    json_object_begin(&j, NULL);
    json_str(&j, "state", readiness_names[ready_worst(items, n)]);
    json_str(&j, "kdump", kdump_words[m->kind].name);
    json_str(&j, "target", m->target.directory);
    json_str(&j, "summaries", m->summaries.directory);
    json_array_begin(&j, "items");
    for (size_t i = 0; i < n; i++) {
        json_object_begin(&j, NULL);
        json_str(&j, "item", items[i].name);
        json_str(&j, "state", readiness_names[items[i].state]);
        json_str(&j, "found", items[i].found);
        if (items[i].todo[0])
            json_str(&j, "do", items[i].todo);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
}

static int check(const struct request *req, const struct ready_machine *m)
{
    _cleanup_(buf_done) struct buf out = BUF_INIT(1 << 20);
    struct ready_item items[MAX_ITEMS] = {0};
    size_t n = 0;

    for (size_t i = 0; i < n_ready_checks && n < MAX_ITEMS; i++) {
        if (is_ignored(req, ready_checks[i].name))
            continue;
        items[n].name = ready_checks[i].name;
        ready_checks[i].run(m, &items[n++]);
    }
    if (req->json) {
        append_json(&out, m, items, n);
    } else {
        append_headline(&out, items, n);
        if (!req->quiet) {
            buf_char(&out, '\n');
            append_items(&out, items, n);
        }
    }
    if (out.data)
        fputs(out.data, stdout);
    if (!out.len || out.data[out.len - 1] != '\n')
        putchar('\n');
    return (int)ready_worst(items, n);
}

static int run(int argc, char **argv)
{
    struct ready_machine m = {.machine = MACHINE_INIT};
    struct request req = {0};
    struct error err = {0};
    int status = parse_options(argc, argv, &req);

    if (status >= 0)
        return status;
    if (machine_open(req.root, &err, &m.machine)) {
        command_error(NAME, "%s", err.text);
        return READY_UNKNOWN;
    }
    m.kind = kdump_find(&m.machine);
    kdump_find_target(&m.machine, m.kind, &m.target);
    kdump_find_summaries(&m.machine, m.kind, &m.summaries);
    status = check(&req, &m);
    machine_done(&m.machine);
    return status;
}

const struct command cmd_check = {NAME, "whether a crash would leave a summary", run};

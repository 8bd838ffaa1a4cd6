/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `vmcore-summary oom`: the OOM killer's words in any kernel log, in order. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "cli/command.h"
#include "cli/oom_text.h"
#include "extract/oomlog/oom_records.h"
#include "extract/oomlog/oomlog.h"
#include "extract/oomlog/textlog.h"
#include "util/cleanup.h"

enum { READ_SIZE = 64 << 10, STATUS_NO_EVENT = 3, TASKS_DEFAULT = 5 };

struct oom_options {
    bool json, exit_code;
    uint64_t page_size;
    uint32_t tasks;
    const char *path;
};

struct oom_run {
    const struct oom_options *options;
    struct oomlog *parser;
    struct emit *emit;
    int status;
};

static void print_help(void)
{
    puts("Usage: vmcore-summary oom [OPTION]... [FILE|-]\n"
         "Prints what the OOM killer did, from a kernel log: dmesg in any of its formats,\n"
         "journalctl -k, /var/log/messages (also gzipped), vmcore-dmesg.txt, /dev/kmsg,\n"
         "a serial console. Reads standard input without FILE.\n\n"
         "  -j, --json             JSON Lines, the records of the summary's oom section\n"
         "  -t, --tasks=N          largest tasks to list of each event (default 5)\n"
         "      --page-size=BYTES  of the machine that wrote the log; else inferred\n"
         "  -e, --exit-code        exit with 3 if no event is found\n"
         "  -h, --help             show this help\n\n"
         "Exit status: 0, also when no event is found; 1 if the log cannot be read;\n"
         "2 for a wrong command line. See vmcore-summary-oom(1).");
}

/* --- output ------------------------------------------------------------------------------------
 */

static int write_json(void *arg, const char *line, size_t len)
{
    (void)arg;
    return fwrite(line, 1, len, stdout) == len ? 0 : -EIO;
}

static int take_event(void *arg, const struct oom_event *event)
{
    struct oom_run *run = arg;

    if (run->emit)
        return oom_records_emit(run->emit, event);
    oom_text_print(stdout, event, run->options->tasks);
    return ferror(stdout) ? -EIO : 0;
}

static int take_line(void *arg, const struct oom_line *line)
{
    struct oom_run *run = arg;

    return oomlog_line(run->parser, line);
}

/* --- input -------------------------------------------------------------------------------------
 */

static bool is_dump(const char *data, size_t len)
{
    static const char *const magics[] = {"\177ELF", "KDUMP   ", "makedumpfile"};

    for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
        if (len >= strlen(magics[i]) && !memcmp(data, magics[i], strlen(magics[i])))
            return true;
    return false;
}

static const char *shown_path(const struct oom_options *o)
{
    return strcmp(o->path, "-") ? o->path : "standard input";
}

static int feed_all(const struct oom_options *o, gzFile in, struct textlog *text)
{
    _cleanup_free_ char *data = malloc(READ_SIZE);
    bool first = true;
    int n, r = 0;

    if (!data)
        return -ENOMEM;
    while (!r && (n = gzread(in, data, READ_SIZE)) > 0) {
        if (first && is_dump(data, (size_t)n)) {
            command_error("oom",
                          "%s: a memory dump, not a log; try 'vmcore-summary capture --vmcore'",
                          shown_path(o));
            return -ENOTSUP;
        }
        first = false;
        r = textlog_feed(text, data, (size_t)n);
    }
    if (!r && n < 0) {
        int code;
        const char *what = gzerror(in, &code);

        command_error("oom", "%s: %s", shown_path(o), code == Z_ERRNO ? strerror(errno) : what);
        return -EIO;
    }
    return r ? r : textlog_finish(text);
}

/* gzip or not: zlib looks. */
static gzFile open_log(const struct oom_options *o)
{
    bool is_stdin = !strcmp(o->path, "-");
    int fd = is_stdin ? dup(STDIN_FILENO) : open(o->path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    gzFile in;

    if (fd >= 0 && !fstat(fd, &st) && S_ISDIR(st.st_mode)) {
        close(fd);
        fd = -1;
        errno = EISDIR;
    }
    in = fd >= 0 ? gzdopen(fd, "rb") : NULL;
    if (!in) {
        command_error("oom", "%s: %s", shown_path(o), strerror(errno));
        if (fd >= 0)
            close(fd);
    }
    return in;
}

static int read_log(struct oom_run *run)
{
    _cleanup_(textlog_freep) struct textlog *text = textlog_new(take_line, run);
    gzFile in = open_log(run->options);
    int r;

    if (!in)
        return -ENOENT;
    r = text ? feed_all(run->options, in, text) : -ENOMEM;
    if (gzclose(in) == Z_BUF_ERROR && !r) {
        command_error("oom", "%s: ends in the middle of its gzip data", shown_path(run->options));
        r = -EIO;
    }
    /* what was read before an error is still worth showing */
    return oomlog_finish(run->parser) ? -EIO : r;
}

static int run_options(const struct oom_options *o)
{
    struct oom_run run = {.options = o};
    uint64_t events;
    int r;

    run.parser = oomlog_new(o->page_size, take_event, &run);
    run.emit = o->json ? emit_new("oom", write_json, NULL) : NULL;
    if (!run.parser || (o->json && !run.emit)) {
        command_error("oom", "%s", strerror(ENOMEM));
        r = -ENOMEM;
    } else {
        r = read_log(&run);
        if (r == -ENOMEM)
            command_error("oom", "%s", strerror(ENOMEM));
    }
    events = run.parser ? oomlog_events(run.parser) : 0;
    oomlog_free(run.parser);
    emit_free(run.emit);
    if (r)
        return EXIT_FAILURE;
    if (!events)
        command_error("oom", "%s: no OOM event", shown_path(o));
    return !events && o->exit_code ? STATUS_NO_EVENT : EXIT_SUCCESS;
}

/* --- command line --------------------------------------------------------------------------------
 */

static bool parse_number(const char *text, uint64_t max, uint64_t *ret)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || value > max)
        return false;
    *ret = value;
    return true;
}

static bool parse_page_size(const char *text, uint64_t *ret)
{
    uint64_t value;

    if (!parse_number(text, 1 << 20, &value) || value < 1024 || value & (value - 1))
        return false;
    *ret = value;
    return true;
}

static int run_oom_command(int argc, char **argv)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'},
        {"tasks", required_argument, NULL, 't'},
        {"page-size", required_argument, NULL, 'p'},
        {"exit-code", no_argument, NULL, 'e'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct oom_options o = {.tasks = TASKS_DEFAULT, .path = "-"};
    uint64_t tasks = TASKS_DEFAULT;
    bool ok = true;
    int c;

    optind = 0;
    while (ok && (c = getopt_long(argc, argv, "jt:eh", longs, NULL)) != -1) {
        if (c == 'h') {
            print_help();
            return EXIT_SUCCESS;
        }
        o.json |= c == 'j';
        o.exit_code |= c == 'e';
        ok = c != '?';
        if (c == 't' && !(ok = parse_number(optarg, UINT32_MAX, &tasks)))
            command_error("oom", "--tasks=%s: not a number", optarg);
        if (c == 'p' && !(ok = parse_page_size(optarg, &o.page_size)))
            command_error("oom", "--page-size=%s: not a page size", optarg);
    }
    if (ok && argc - optind > 1) {
        command_error("oom", "more than one log given");
        ok = false;
    }
    if (!ok)
        return command_usage_error("oom");
    if (optind < argc)
        o.path = argv[optind];
    o.tasks = (uint32_t)tasks;
    return run_options(&o);
}

const struct command cmd_oom = {
    .name = "oom",
    .summary = "print what the OOM killer did, from any kernel log",
    .run = run_oom_command,
};

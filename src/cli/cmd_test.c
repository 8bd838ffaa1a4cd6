/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/config.h"
#include "cli/command.h"
#include "cli/kdump_setup.h"
#include "cli/rehearsal.h"
#include "core/kcore.h"
#include "report/human.h"
#include "report/text.h"
#include "util/cleanup.h"

#define NAME "test"

/* The rehearsal itself could not be held, which says nothing of a crash. */
#define EXIT_NO_REHEARSAL 3

/* What a capture kernel must have for us: the least that we are tested with. */
#define DEFAULT_MEMORY (32 << 20)

/* Beyond the configuration's time for reading: what comes after it, and a slow start. */
#define MORE_MS 60000

static void print_help(void)
{
    puts("Usage: vmcore-summary test [OPTION]...\n"
         "Rehearses a crash without one: captures the running kernel, with no more memory\n"
         "than a capture kernel has, and says what a crash would have left.\n\n"
         "      --vmcore FILE   this dump in place of the running kernel\n"
         "      --memory SIZE   for the capture (default: 32M)\n"
         "      --program FILE  that captures (default: that of the capture image,\n"
         "                      " KDUMP_LIBDIR "/vmcore-summary,\n"
         "                      if it is there; with --vmcore, this one)\n"
         "      --output DIR    keep the summary there\n"
         "  -h, --help          show this help\n\n"
         "Exit status: 0 if the summary is complete; 1 if it is not, or there is none; 3\n"
         "if that cannot be rehearsed here; 2 for a wrong command line.");
}

static int parse_options(int argc, char **argv, struct rehearsal *ret)
{
    enum { OPT_VMCORE = 256, OPT_MEMORY, OPT_PROGRAM, OPT_OUTPUT };
    static const struct option options[] = {
        {"vmcore", required_argument, NULL, OPT_VMCORE},
        {"memory", required_argument, NULL, OPT_MEMORY},
        {"program", required_argument, NULL, OPT_PROGRAM},
        {"output", required_argument, NULL, OPT_OUTPUT},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct error err = {0};
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
        switch (c) {
        case OPT_VMCORE:
            ret->vmcore = optarg;
            break;
        case OPT_MEMORY:
            if (config_parse_size(optarg, &ret->memory_bytes, sizeof(ret->memory_bytes), &err) <
                0) {
                command_error(NAME, "%s", err.text);
                return command_usage_error(NAME);
            }
            break;
        case OPT_PROGRAM:
            ret->program = optarg;
            break;
        case OPT_OUTPUT:
            ret->output = optarg;
            break;
        case 'h':
            print_help();
            return EXIT_SUCCESS;
        default:
            return command_usage_error(NAME);
        }
    return command_no_arguments(NAME, argc);
}

/* Whether the memory can be read at all; if not, it is no use to start. */
static int check_source(const struct rehearsal *r, struct error *err)
{
    const char *path = r->vmcore ? r->vmcore : PROC_KCORE;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    int error = 0;

    if (fd < 0 || fstat(fd, &st))
        error = -errno;
    else if (!S_ISREG(st.st_mode))
        error = -ENOTSUP;
    if (!error)
        return 0;
    return r->vmcore ? error_set(err, error, "%s: %s", path, strerror(-error))
                     : kcore_refused_here(error, err);
}

/* ---- what is said --------------------------------------------------------------------------- */

static void append_sections(struct buf *b, const struct rehearsal_result *result)
{
    buf_printf(b, "  %-10s %-8s %8s %10s\n", "SECTION", "STATUS", "ROWS", "TIME");
    for (size_t i = 0; i < result->n_sections; i++) {
        const struct rehearsal_section *s = &result->sections[i];

        buf_str(b, "  ");
        text_append(b, s->name);
        text_pad(b, strlen(s->name), 11);
        text_append(b, s->status);
        text_pad(b, strlen(s->status), 9);
        buf_printf(b, "%8llu %7llu ms", (unsigned long long)s->rows,
                   (unsigned long long)(s->duration_us + 999) / 1000);
        if (s->reason[0]) {
            buf_str(b, "  ");
            text_append(b, s->reason);
        }
        buf_char(b, '\n');
    }
}

/* Where kdump would have it written. */
static void append_where(struct buf *b)
{
    struct machine m = MACHINE_INIT;
    struct kdump_target target;
    enum kdump_kind kind;

    if (machine_open(NULL, NULL, &m))
        return;
    kind = kdump_find(&m);
    kdump_find_summaries(&m, kind, &target);
    buf_printf(b, "  Where   %s: ", kdump_words[kind].name);
    text_append(b, target.directory);
    if (!target.mounted) {
        buf_str(b, " on ");
        text_append(b, target.device);
    }
    buf_char(b, '\n');
    machine_done(&m);
}

/* A section that is skipped is no fault of the capture, but what someone will miss. */
static bool is_whole(const struct rehearsal_result *result)
{
    bool whole = result->complete;

    for (size_t i = 0; i < result->n_sections; i++)
        whole &= strcmp(result->sections[i].status, "skipped") != 0;
    return whole;
}

static bool is_good(const struct rehearsal *r, const struct rehearsal_result *result)
{
    return is_whole(result) && result->peak_memory_bytes <= r->memory_bytes;
}

static void print_result(const struct rehearsal *r, const struct rehearsal_result *result)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(256 << 10);

    buf_printf(&b, "A crash %s leave a %s summary.\n\n",
               r->vmcore ? "like this would" : "now would",
               is_whole(result) ? "complete" : "partial");
    append_sections(&b, result);
    buf_str(&b, "\n  Size    ");
    human_size(&b, result->bytes);
    buf_str(&b, "\n  Time    ");
    human_duration(&b, result->duration_us > UINT64_MAX / 1000 ? 0 : result->duration_us * 1000);
    buf_str(&b, "\n  Memory  at most ");
    human_size(&b, result->peak_memory_bytes);
    buf_str(&b, " of ");
    human_size(&b, r->memory_bytes);
    if (result->peak_memory_bytes > r->memory_bytes)
        buf_str(&b, ", which is too much");
    buf_char(&b, '\n');
    append_where(&b);
    if (b.data)
        fputs(b.data, stdout);
}

/* ---- the directory -------------------------------------------------------------------------- */

/* Files alone: whatever else someone put there, and with it the directory, stays. */
static void remove_directory(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *d;

    while (dir && (d = readdir(dir)))
        unlinkat(dirfd(dir), d->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(path);
}

static int test(struct rehearsal *r)
{
    char temporary[] = "/tmp/vmcore-summary-test-XXXXXX";
    _cleanup_free_ struct rehearsal_result *result = calloc(1, sizeof(*result));
    struct error err = {0};
    int status = result ? check_source(r, &err) : error_set(&err, -ENOMEM, "out of memory");

    if (!status && !r->output) {
        r->output = mkdtemp(temporary);
        if (!r->output)
            status = error_set(&err, -errno, "%s: %s", temporary, strerror(errno));
    }
    if (status) {
        command_error(NAME, "%s", err.text);
        return EXIT_NO_REHEARSAL;
    }
    status = rehearse(r, &err, result);
    if (r->output == temporary)
        remove_directory(temporary);
    if (status < 0) {
        command_error(NAME, "%s", error_text(&err, status));
        return EXIT_FAILURE;
    }
    print_result(r, result);
    return is_good(r, result) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(int argc, char **argv)
{
    struct rehearsal r = {.memory_bytes = DEFAULT_MEMORY};
    struct config config;
    int status = parse_options(argc, argv, &r);

    if (status >= 0)
        return status;
    config_read(CONFIG_PATH, &config);
    r.timeout_ms = config.deadline_ms + MORE_MS;
    if (!r.program)
        r.program = r.vmcore || access(KDUMP_LIBDIR "/vmcore-summary", X_OK) ? "/proc/self/exe"
                                                                             : KDUMP_LIBDIR
                        "/vmcore-summary";
    return test(&r);
}

const struct command cmd_test = {NAME, "rehearse a crash: what it would leave", run};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "capture/config.h"
#include "capture/estimate.h"
#include "capture/section.h"
#include "capture/target.h"
#include "cli/command.h"
#include "cli/estimate_machine.h"
#include "core/image.h"
#include "core/kcore.h"
#include "kernel/kernel.h"
#include "report/human.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/deadline.h"
#include "util/json.h"

#define NAME "estimate"

static const struct budget budget = {60000, 64 << 20, 1 << 20};

struct estimate_command {
    const char *vmcore; /* NULL: the running machine */
    const char *target; /* NULL: not asked for */
    struct policy policy;
    bool one_level; /* policy.level alone */
    bool json;
};

/* What was found out. */
struct answer {
    struct estimate *estimate; /* in shared memory */
    struct error no_memory;    /* why memory itself could not be looked at; empty if it was */
    bool has_free;
    uint64_t free_bytes;
};

static void print_help(void)
{
    puts("Usage: vmcore-summary estimate [OPTION]...\n"
         "How large a full dump would be, for each level of makedumpfile -d, of the\n"
         "running machine or of a dump that is there.\n\n"
         "      --vmcore FILE       of this dump\n"
         "  -l, --level N           only this level\n"
         "      --compression NAME  none, lzo, snappy, zlib or zstd (default:\n"
         "                          Compression= of the configuration)\n"
         "      --target DIR        where a dump would be written: whether it has room\n"
         "      --min-free SIZE     what must stay free there (default: MinFree=)\n"
         "  -j, --json              one JSON object a level\n"
         "  -h, --help              show this help\n\n"
         "Exit status: 0; 1 if nothing can be said; with --target and --level, 3 if there\n"
         "is no room; 2 for a wrong command line. See vmcore-summary-estimate(8).");
}

#define EXIT_NO_ROOM 3

/* ---- options -------------------------------------------------------------------------------- */

static int apply_option(struct estimate_command *c, int option, const char *arg, struct error *err)
{
    switch (option) {
    case 'v':
        c->vmcore = arg;
        return 0;
    case 't':
        c->target = arg;
        return 0;
    case 'l':
        c->one_level = true;
        return config_parse_level(arg, &c->policy.level, sizeof(c->policy.level), err);
    case 'c':
        return config_parse_compression(arg, &c->policy.compression, sizeof(c->policy.compression),
                                        err);
    case 'm':
        return config_parse_size(arg, &c->policy.min_free_bytes, sizeof(uint64_t), err);
    default:
        c->json = true;
        return 0;
    }
}

static void warn_config(void *arg, const char *text)
{
    (void)arg;
    command_error(NAME, "%s", text);
}

/* An exit status to end with, or -1 to go on. */
static int parse_options(int argc, char **argv, struct estimate_command *c)
{
    static const struct option options[] = {
        {"vmcore", required_argument, NULL, 'v'}, {"level", required_argument, NULL, 'l'},
        {"target", required_argument, NULL, 't'}, {"compression", required_argument, NULL, 'c'},
        {"json", no_argument, NULL, 'j'},         {"min-free", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},         {0},
    };
    struct error err = {0};
    struct config config;
    int option, r = 0;

    config_init(&config);
    config_load(CONFIG_PATH, &config, warn_config, NULL, NULL);
    c->policy = config.policy;
    while (!r && (option = getopt_long(argc, argv, "l:jh", options, NULL)) >= 0) {
        if (option == 'h') {
            print_help();
            return EXIT_SUCCESS;
        }
        if (option == '?')
            return command_usage_error(NAME);
        r = apply_option(c, option, optarg, &err);
    }
    if (!r && optind < argc)
        r = error_set(&err, -EINVAL, "unexpected argument '%s'", argv[optind]);
    if (!r)
        return -1;
    command_error(NAME, "%s", err.text);
    return command_usage_error(NAME);
}

/* ---- the estimate --------------------------------------------------------------------------- */

/* By looking at the memory that a file holds, in a child: the file may be damaged. */
static int estimate_image(const char *path, struct estimate *io, struct error *err)
{
    _cleanup_(image_closep) struct image *im = NULL;
    _cleanup_(kernel_closep) struct kernel *k = NULL;
    struct section_job job = {.name = NAME, .budget = budget};
    struct section_result result = {0};
    struct estimate_source source;
    int r = image_open(path, err, &im);

    if (!r)
        r = kernel_open(im, NULL, 0, err, &k);
    if (r < 0)
        return r;
    source = (struct estimate_source){im, k, io};
    job.im = im;
    job.k = k;
    job.deadline_ns = deadline_after_ms(budget.time_ms);
    job.whole_ms = budget.time_ms;
    job.run = estimate_run;
    job.arg = &source;
    r = section_run(&job, NULL, NULL, err, &result);
    if (r < 0)
        return r;
    if (!io->valid || result.end.status != SECTION_OK)
        return error_set(err, -EBADMSG, "%s", result.reason);
    return 0;
}

static int make_estimate(const struct estimate_command *c, struct answer *a, struct error *err)
{
    int r;

    a->estimate->compression = c->policy.compression;
    if (c->vmcore)
        return estimate_image(c->vmcore, a->estimate, err);
    r = estimate_image(PROC_KCORE, a->estimate, &a->no_memory);
    return r < 0 ? estimate_machine("/proc", a->estimate, err) : 0;
}

static int look_at_target(const struct estimate_command *c, struct answer *a, struct error *err)
{
    _cleanup_close_ int fd = -1;
    int r;

    if (!c->target)
        return 0;
    fd = open(c->target, O_PATH | O_CLOEXEC);
    r = fd < 0 ? -errno : target_free_bytes(fd, &a->free_bytes);
    a->has_free = !r;
    return r ? error_set(err, r, "%s: %s", c->target, strerror(-r)) : 0;
}

/* ---- the answer ----------------------------------------------------------------------------- */

static bool fits(const struct estimate_command *c, const struct answer *a, unsigned level)
{
    return estimate_fits(&a->estimate->levels[level], c->policy.min_free_bytes, a->free_bytes);
}

static void print_json(const struct estimate_command *c, const struct answer *a, unsigned level)
{
    const struct estimate_level *l = &a->estimate->levels[level];

    struct buf text = BUF_INIT(1024);
    struct json j = {.out = &text};

    json_object_begin(&j, NULL);
    json_u64(&j, "level", level);
    json_u64(&j, "bytes", l->bytes);
    json_u64(&j, "bytes_uncompressed", l->bytes_uncompressed);
    json_u64(&j, "error_bytes", l->error_bytes);
    json_str(&j, "compression", compression_name(c->policy.compression));
    json_bool(&j, "sampled", a->estimate->samples);
    if (a->has_free) {
        json_u64(&j, "free_bytes", a->free_bytes);
        json_bool(&j, "fits", fits(c, a, level));
    }
    json_object_end(&j);
    puts(text.data ? text.data : "");
    buf_done(&text);
}

/* "zero cache user free", as makedumpfile(8) orders its bits. */
static void append_left_out(struct buf *b, unsigned level)
{
    static const char *const names[] = {"zero", "cache without private data", "cache", "user",
                                        "free"};
    const char *separator = "";

    for (unsigned bit = 0; bit < ARRAY_SIZE(names); bit++) {
        if (!(level & 1u << bit) || (bit == 1 && level & 4)) /* 4 covers what 2 does */
            continue;
        buf_printf(b, "%s%s", separator, names[bit]);
        separator = ", ";
    }
    if (!level)
        buf_str(b, "nothing");
}

static void print_row(const struct estimate_command *c, const struct answer *a, unsigned level)
{
    const struct estimate_level *l = &a->estimate->levels[level];
    struct buf size = BUF_INIT(64), raw = BUF_INIT(64), out = BUF_INIT(128);

    human_size(&size, l->bytes);
    human_size(&raw, l->bytes_uncompressed);
    append_left_out(&out, level);
    printf("%5u  %11s  %12s  %s%s\n", level, size.data, raw.data,
           !a->has_free        ? ""
           : fits(c, a, level) ? "yes   "
                               : "no    ",
           out.data);
    buf_done(&size);
    buf_done(&raw);
    buf_done(&out);
}

static void print_notes(const struct estimate_command *c, const struct answer *a)
{
    const struct estimate_level *l = &a->estimate->levels[c->policy.level];
    struct buf text = BUF_INIT(512);

    human_size(&text, a->estimate->memory_bytes);
    buf_printf(&text, " of memory; SIZE with %s, and about %.0f %% of doubt at level %u",
               compression_name(c->policy.compression),
               l->bytes ? 100.0 * (double)l->error_bytes / (double)l->bytes : 0, c->policy.level);
    if (a->has_free) {
        buf_printf(&text, "\n%s: ", c->target);
        human_size(&text, a->free_bytes);
        buf_str(&text, " free, of which ");
        human_size(&text, c->policy.min_free_bytes);
        buf_str(&text, " are to stay so");
    }
    if (a->no_memory.text[0])
        buf_printf(&text,
                   "\n%s\nSo this is made from /proc/meminfo alone: no page is taken to be zero,"
                   " each to shrink to half",
                   a->no_memory.text);
    printf("\n%s.\n", text.data ? text.data : "");
    buf_done(&text);
}

static void print_answer(const struct estimate_command *c, const struct answer *a)
{
    if (!c->json)
        printf("LEVEL         SIZE  UNCOMPRESSED  %sLEAVES OUT\n", a->has_free ? "FITS  " : "");
    for (unsigned level = 0; level < ESTIMATE_LEVELS; level++)
        if (c->one_level && level != c->policy.level)
            continue;
        else if (c->json)
            print_json(c, a, level);
        else
            print_row(c, a, level);
    if (!c->json)
        print_notes(c, a);
}

static int run(int argc, char **argv)
{
    struct estimate_command c = {0};
    struct answer a = {0};
    struct error err = {0};
    int r, status = parse_options(argc, argv, &c);

    if (status >= 0)
        return status;
    a.estimate =
        mmap(NULL, sizeof(*a.estimate), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (a.estimate == MAP_FAILED) {
        command_error(NAME, "no memory");
        return EXIT_FAILURE;
    }
    r = make_estimate(&c, &a, &err);
    if (!r)
        r = look_at_target(&c, &a, &err);
    if (!r)
        print_answer(&c, &a);
    else
        command_error(NAME, "%s", error_text(&err, r));
    status = r                                                            ? EXIT_FAILURE
             : c.one_level && a.has_free && !fits(&c, &a, c.policy.level) ? EXIT_NO_ROOM
                                                                          : EXIT_SUCCESS;
    munmap(a.estimate, sizeof(*a.estimate));
    return status;
}

const struct command cmd_estimate = {NAME, "size of a full dump at each level of makedumpfile",
                                     run};

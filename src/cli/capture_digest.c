/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/capture_digest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/child.h"
#include "capture/sinks.h"
#include "cli/command.h"
#include "report/digest.h"
#include "summary/reader.h"
#include "summary/writer.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/math.h"

#define NAME      "capture"
#define KMSG_PATH "/dev/kmsg"
#define PMSG_PATH "/dev/pmsg0"

/*
 * Four kilobytes take a third of a second on a serial line of 115200 baud, and four seconds on one
 * of 9600. The kernel's log comes last, for it depends on what the console did.
 */
#define DIGEST_MS         11000
#define SINKS_MS          7000
#define KMSG_MS           2000
#define DIGEST_MEMORY     (32u << 20)
#define DIGEST_TEXT_LIMIT (64 << 10)

/* Levels of printk(): kept in the log alone, and printed on consoles even with "quiet". */
enum {
    LEVEL_ERROR = 3,
    LEVEL_DEBUG = 7,
};

/* Exit statuses of the child. */
enum {
    DIGEST_DONE,
    DIGEST_NOT_MADE,
};

/* NULL for none. */
static const char *choose(const char *value, bool in_capture_kernel, const char *device)
{
    if (!strcmp(value, "no") || (!strcmp(value, "auto") && !in_capture_kernel))
        return NULL;
    return value[0] == '/' ? value : device;
}

void digest_places_find(const struct config *config, bool in_capture_kernel,
                        struct digest_places *ret)
{
    const char *console = choose(config->console, in_capture_kernel, "");
    struct digest_places places = {.kmsg = choose(config->kmsg, in_capture_kernel, KMSG_PATH),
                                   .pmsg = choose(config->pmsg, in_capture_kernel, PMSG_PATH),
                                   .pmsg_expected = strcmp(config->pmsg, "auto") != 0};

    if (console && console[0])
        consoles_one(console, &places.consoles);
    else if (console)
        consoles_find(&places.consoles);
    *ret = places;
}

static int make_text(const struct capture_digest *d, struct buf *ret_text)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    struct digest_options options = {.path = d->path, .not_saved = d->no_target};
    int fd = fcntl(d->summary_fd, F_DUPFD_CLOEXEC, 3), e;

    if (fd < 0)
        return -errno;
    e = summary_reader_open_fd(fd, NULL, &r);
    return e < 0 ? e : report_digest(r, &options, NULL, ret_text);
}

static bool print_on_stderr(const struct buf *text)
{
    return fwrite(text->data, 1, text->len, stderr) == text->len;
}

static void tell(const struct capture_digest *d, const struct sink *s, uint64_t limit_ms)
{
    if (!s->path)
        return;
    if (!s->result && d->verbose)
        fprintf(stderr, "vmcore-summary: the digest is in %s\n", s->path);
    if (!s->result ||
        (s->path == d->places->pmsg && s->result == -ENOENT && !d->places->pmsg_expected))
        return;
    if (s->result == -ETIME)
        command_error(NAME, "%s: the digest was not done in %d s", s->path, (int)(limit_ms / 1000));
    else if (s->write == sink_to_file)
        command_error(NAME, "%s cannot be written and is left out: %s", s->path,
                      strerror(-s->result));
    else
        command_error(NAME, "%s: no digest: %s", s->path, strerror(-s->result));
}

/* To the kernel's log, which prints it on the consoles only if one of them was to show it and did
 * not: nobody wants it twice on a serial line. */
static void log_text(const struct capture_digest *d, const struct buf *text, bool shown)
{
    struct sink kmsg = {.path = d->places->kmsg,
                        .write = sink_to_kmsg,
                        .kmsg_level = d->places->consoles.n && !shown ? LEVEL_ERROR : LEVEL_DEBUG};

    sinks_write(&kmsg, 1, text->data, text->len, KMSG_MS);
    tell(d, &kmsg, KMSG_MS);
}

/* To all but the kernel's log; whether every console has it. */
static bool write_text(const struct capture_digest *d, const struct buf *text)
{
    struct sink sinks[2 + CONSOLES_MAX] = {
        {.path = d->dirfd >= 0 ? SUMMARY_DIGEST_NAME : NULL,
         .write = sink_to_file,
         .dirfd = d->dirfd},
        {.path = d->places->pmsg, .write = sink_to_pmsg},
    };
    const size_t first = 2, end = first + d->places->consoles.n;
    bool shown = d->places->consoles.n > 0;

    _Static_assert(ARRAY_SIZE(sinks) <= SINKS_MAX, "each must be written to");
    for (size_t i = first; i < end; i++)
        sinks[i] =
            (struct sink){.path = d->places->consoles.path[i - first], .write = sink_to_device};
    sinks_write(sinks, end, text->data, text->len, SINKS_MS);
    for (size_t i = 0; i < end; i++)
        tell(d, &sinks[i], SINKS_MS);
    for (size_t i = first; i < end; i++)
        shown &= !sinks[i].result;
    return shown;
}

static int run_digest(void *arg)
{
    const struct capture_digest *d = arg;
    _cleanup_(buf_done) struct buf text = BUF_INIT(DIGEST_TEXT_LIMIT);
    bool shown;

    signal(SIGPIPE, SIG_IGN); /* a closed stderr costs no other place */
    if (make_text(d, &text) < 0 || !text.len)
        return DIGEST_NOT_MADE;
    shown = write_text(d, &text);
    if (d->on_stderr && !shown)
        shown = print_on_stderr(&text);
    log_text(d, &text, shown);
    return DIGEST_DONE;
}

int capture_digest(const struct capture_digest *d, struct error *err)
{
    struct child_limits limits = {DIGEST_MS, DIGEST_MEMORY, true};
    struct capture_digest copy = *d;
    int sig = 0, r = child_run(run_digest, &copy, DIGEST_MS, &limits, &sig);

    if (r == -ETIME)
        return error_set(err, r, "the digest was not done in %d s", DIGEST_MS / 1000);
    if (r == -ECHILD)
        return error_set(err, r, "the digest was ended by %s", child_signal_name(sig));
    if (r < 0)
        return error_set(err, r, "no process for the digest: %s", strerror(-r));
    return r ? error_set(err, -EBADMSG, "the digest cannot be made") : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture/capture.h"
#include "capture/child.h"
#include "capture/retention.h"
#include "capture/target.h"
#include "cli/capture_digest.h"
#include "cli/capture_options.h"
#include "cli/command.h"
#include "core/image.h"
#include "extract/extract.h"
#ifndef STATIC_BUILD
#include "kernel/identify.h"
#endif
#include "summary/writer.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/deadline.h"
#include "util/math.h"
#include "util/utf8.h"

#define NAME "capture"

/* The exit status that tells a hook to leave out the full dump; no other one does. */
#define EXIT_SKIP_DUMP 10

/* What comes after reading the dump: a child a second late, the file's name, the digest. */
#define AFTER_MS 15000

/* A capture under way, in the worker. */
struct work {
    const struct capture_request *req;
    struct image *im;
    uint64_t searched_ms; /* of the time for the dump, before the capture began; at most all */
    int dirfd;            /* -1: there is no target */
    char directory[PATH_MAX];
    struct summary_writer *w;
    struct capture_result result;
    struct error no_target; /* why the summary is not where it belongs; empty if it is */
};

/* ---- progress ------------------------------------------------------------------------------- */

static void print_progress(void *arg, const char *section, const struct section_end *end)
{
    struct buf line = BUF_INIT(1024);

    (void)arg;
    buf_printf(&line, "vmcore-summary: %s: %s", section, section_status_name(end->status));
    if (end->reason && end->reason[0]) {
        buf_str(&line, ": ");
        utf8_append_safe(&line, end->reason, strlen(end->reason));
    }
    buf_printf(&line, ", %llu rows, %.2f s\n", (unsigned long long)end->rows,
               (double)end->duration_us / 1e6);
    if (!line.full)
        fputs(line.data, stderr);
    buf_done(&line);
}

/* ---- the target ----------------------------------------------------------------------------- */

static uint64_t crash_time(const struct image *im)
{
    uint64_t t;

    return vmcoreinfo_decimal(image_vmcoreinfo(im), "CRASHTIME", &t) ? (uint64_t)time(NULL) : t;
}

static int open_target(struct work *work, struct error *err)
{
    const struct capture_request *req = work->req;
    int r;

    if (req->output && !req->output[0])
        return error_set(err, -ENOENT, "%s",
                         req->no_target ? req->no_target : "no directory to write to");
    if (!req->output)
        return target_open_new(req->config.directory, image_is_live(work->im) ? "live" : "crash",
                               crash_time(work->im), err, work->directory, sizeof(work->directory),
                               &work->dirfd);
    snprintf(work->directory, sizeof(work->directory), "%s", req->output);
    r = target_open(req->output, err, &work->dirfd);
    return r;
}

/* The target's writer or, where there is none, memory's. */
static int open_writer(struct work *work, struct error *err)
{
    int r = open_target(work, &work->no_target);

    if (!r) {
        r = summary_writer_open(work->dirfd, &work->no_target, &work->w);
        if (r < 0)
            error_prepend(&work->no_target, r, "%s", work->directory);
    }
    if (!r)
        return 0;
    command_error(NAME, "%s; the summary is not saved, its digest follows", work->no_target.text);
    return summary_writer_open_memory(err, &work->w);
}

/* Gives the file its name. A target that was lost on the way is told now. */
static void publish(struct work *work)
{
    int r = summary_writer_publish(work->w, &work->no_target);

    if (r < 0)
        command_error(NAME, "%s: %s; %u of %u sections are saved, the digest follows",
                      work->directory, work->no_target.text, summary_writer_sections_kept(work->w),
                      summary_writer_sections(work->w));
}

static void print_result(const struct work *work)
{
    const struct capture_result *r = &work->result;
    char bad[64] = "";

    if (r->bad)
        snprintf(bad, sizeof(bad), ", %u of them cut short", r->bad);
    fprintf(stderr, "vmcore-summary: wrote %s/%s (%llu KiB, %u sections%s, %.1f s)\n",
            work->directory, SUMMARY_FILE_NAME,
            (unsigned long long)(summary_writer_bytes(work->w) + 1023) / 1024, r->sections, bad,
            (double)r->duration_us / 1e6);
}

/* ---- the work ------------------------------------------------------------------------------- */

/* Without a summary that is saved the digest is all there is: then it is shown in any case. */
static void digest(const struct work *work)
{
    char path[PATH_MAX + sizeof(SUMMARY_FILE_NAME)];
    const struct capture_request *req = work->req;
    bool saved = !work->no_target.text[0];
    bool none_saved = !saved && !summary_writer_sections_kept(work->w);
    struct digest_places places;
    struct capture_digest d = {.summary_fd = summary_writer_fd(work->w),
                               .path = saved ? path : NULL,
                               .no_target = none_saved ? work->no_target.text : NULL,
                               .dirfd = saved ? work->dirfd : -1,
                               .places = &places,
                               .on_stderr = !saved,
                               .verbose = req->verbose};
    struct error err = {0};

    digest_places_find(&req->config, !strcmp(req->vmcore, PROC_VMCORE), &places);
    snprintf(path, sizeof(path), "%s/%s", work->directory, SUMMARY_FILE_NAME);
    if (capture_digest(&d, &err) < 0)
        command_error(NAME, "%s", err.text);
}

/* A descriptor of the directory that the full dump would go to, -1 if there is none. */
static int open_dump_target(const struct work *work)
{
    const char *path = work->req->dump_target;

    if (path)
        return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return work->dirfd < 0 ? -1 : fcntl(work->dirfd, F_DUPFD_CLOEXEC, 3);
}

/* capture_options.make_room: what the limits of retention let go, where the dump would go too. */
static bool make_room(void *arg, uint64_t free_bytes)
{
    const struct work *work = arg;
    struct retention_dump dump = {.follows = true, .wanted_free_bytes = free_bytes};
    _cleanup_close_ int target = open_dump_target(work);
    struct stat here, there;

    if (work->dirfd < 0 || fstat(work->dirfd, &here) || fstat(target, &there) ||
        here.st_dev != there.st_dev)
        return false;
    retention_run(work->directory, work->dirfd, &work->req->config.retention, dump);
    return true;
}

static int exit_status(const struct work *work)
{
    const struct capture_request *req = work->req;
    bool kept = !work->no_target.text[0];

    if (req->policy && work->result.skip_dump && kept)
        return EXIT_SKIP_DUMP;
    return req->config.strict && (!kept || work->result.bad) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int capture(struct work *work)
{
    const struct capture_request *req = work->req;
    _cleanup_close_ int dump_target = -1;
    struct capture_options options = {.extractors = extractors,
                                      .n_extractors = n_extractors,
                                      .deadline_ms = req->config.deadline_ms - work->searched_ms,
                                      .section_deadline_ms = req->config.section_deadline_ms,
                                      .sections = req->config.sections,
                                      .make_room = make_room,
                                      .arg = work,
                                      .profile = req->config.profile};
    struct error err = {0};
    int r;

    if (!req->quiet && (req->verbose || isatty(STDERR_FILENO)))
        options.progress = print_progress;
    r = open_writer(work, &err);
    if (req->policy) /* else nobody would act on it */
        options.policy = &req->config.policy;
    options.dump_target = dump_target = open_dump_target(work);
    options.keeps_summary = !work->no_target.text[0];
    if (!r)
        r = capture_run(work->im, &options, work->w, &err, &work->result);
    if (r < 0) {
        command_error(NAME, "%s", error_text(&err, r));
        return EXIT_FAILURE;
    }
    publish(work);
    digest(work);
    if (!work->no_target.text[0])
        retention_run(work->directory, work->dirfd, &req->config.retention,
                      (struct retention_dump){.follows = req->policy && !work->result.skip_dump});
    if (!work->no_target.text[0] && !req->quiet)
        print_result(work);
    return exit_status(work);
}

#ifndef STATIC_BUILD
/* ---- what a dump of a virtual machine does not say ------------------------------------------- */

#define SEARCH_REPORT_NS (5 * NSEC_PER_SEC)

/* A search, for people who wait for it. */
struct search_report {
    uint64_t next_ns;
};

static void print_search(void *arg, uint64_t done_bytes, uint64_t total_bytes)
{
    struct search_report *report = arg;
    uint64_t now = now_ns();

    if (now < report->next_ns)
        return;
    report->next_ns = now + SEARCH_REPORT_NS;
    fprintf(stderr, "vmcore-summary: a dump without VMCOREINFO: searched %llu of %llu MiB for it\n",
            (unsigned long long)(done_bytes >> 20), (unsigned long long)(total_bytes >> 20));
}

/* Takes what it needs of the time, at most half. Without success the sections say what is missing.
 */
static void identify(struct work *work)
{
    uint64_t start = now_ns(), deadline_ms = work->req->config.deadline_ms;
    struct search_report report = {start + SEARCH_REPORT_NS};
    struct vmcoreinfo_search search = {.deadline_ns = deadline_after_ms(deadline_ms / 2),
                                       .progress = work->req->quiet ? NULL : print_search,
                                       .arg = &report};
    struct error err = {0};

    if (kernel_identify(work->im, &search, &err) < 0)
        command_error(NAME, "%s: %s", work->req->vmcore, err.text);
    work->searched_ms = min_u64((now_ns() - start) / NSEC_PER_MSEC, deadline_ms - 1);
}
#endif

/* In a child, for damaged memory or a target that hangs may take it along. */
static int run_work(void *arg)
{
    struct work work = {.req = arg, .dirfd = -1};
    struct error err = {0};
    int status;

    signal(SIGPIPE, SIG_IGN); /* a closed stderr ends no capture */
    signal(SIGTTOU, SIG_IGN); /* nor does the terminal of another process group */
    if (image_open(work.req->vmcore, &err, &work.im) < 0) {
        command_error(NAME, "%s", err.text);
        return EXIT_FAILURE;
    }
#ifndef STATIC_BUILD
    identify(&work);
#endif
    status = capture(&work);
    summary_writer_close(work.w);
    image_close(work.im);
    if (work.dirfd >= 0)
        close(work.dirfd);
    return status;
}

/* A hook may call us with some of the first three descriptors closed: none of our files may get
 * such a number, or a message would land in it. */
static void fill_standard_fds(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static int run(int argc, char **argv)
{
    struct capture_request req = {.vmcore = PROC_VMCORE};
    struct child_limits no_limits = {0};
    bool done = false;
    int status = capture_options_parse(argc, argv, &req, &done), sig = 0;

    if (done || status)
        return status;
    fill_standard_fds();
    status = child_run(run_work, &req, req.config.deadline_ms + AFTER_MS, &no_limits, &sig);
    if (status >= 0)
        return status;
    if (status == -ECHILD) {
        command_error(NAME, "the capture was ended by %s", child_signal_name(sig));
        return EXIT_FAILURE;
    }
    if (status == -ETIME)
        command_error(NAME, "gave up: the dump or the target does not answer");
    else
        command_error(NAME, "no process: %s", strerror(-status));
    return req.config.strict ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command cmd_capture = {
    .name = NAME,
    .summary = "write a summary of a crashed kernel's memory",
    .run = run,
};

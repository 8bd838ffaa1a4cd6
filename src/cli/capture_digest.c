/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/capture_digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/child.h"
#include "capture/target.h"
#include "report/digest.h"
#include "summary/reader.h"
#include "summary/writer.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* Four kilobytes take a third of a second on a serial line of 115200 baud. */
#define DIGEST_MS         10000
#define DIGEST_MEMORY     (32u << 20)
#define DIGEST_TEXT_LIMIT (64 << 10)

/* Exit statuses of the child. */
enum {
    DIGEST_DONE,
    DIGEST_NOT_MADE,
    DIGEST_NOT_WRITTEN,
};

static int make_text(const struct capture_digest *d, struct buf *ret_text)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    struct digest_options options = {.path = d->path};
    int fd = fcntl(d->summary_fd, F_DUPFD_CLOEXEC, 3), e;

    if (fd < 0)
        return -errno;
    e = summary_reader_open_fd(fd, NULL, &r);
    return e < 0 ? e : report_digest(r, &options, NULL, ret_text);
}

static bool print_on(int fd, const struct buf *text)
{
    for (size_t done = 0; done < text->len;) {
        ssize_t n = write(fd, text->data + done, text->len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool print_on_console(const char *device, const struct buf *text)
{
    _cleanup_close_ int fd = open(device, O_WRONLY | O_NOCTTY | O_CLOEXEC);

    return fd >= 0 && print_on(fd, text);
}

static int run_digest(void *arg)
{
    const struct capture_digest *d = arg;
    _cleanup_(buf_done) struct buf text = BUF_INIT(DIGEST_TEXT_LIMIT);
    int status = DIGEST_DONE;
    bool shown;

    if (make_text(d, &text) < 0 || !text.len)
        return DIGEST_NOT_MADE;
    if (d->dirfd >= 0 &&
        target_write_file(d->dirfd, SUMMARY_DIGEST_NAME, text.data, text.len, NULL) < 0)
        status = DIGEST_NOT_WRITTEN;
    shown = d->console && print_on_console(d->console, &text);
    if (d->on_stderr && !shown)
        print_on(STDERR_FILENO, &text);
    return status;
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
    if (r == DIGEST_NOT_WRITTEN)
        return error_set(err, -ENOSPC, "%s cannot be written and is left out", SUMMARY_DIGEST_NAME);
    return r ? error_set(err, -EBADMSG, "the digest cannot be made") : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/sinks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "capture/child.h"
#include "capture/target.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/deadline.h"
#include "util/io.h"
#include "util/math.h"

#define KILLED_WAIT_MS 100

/* The kernel takes 992 bytes a record, 1024 since printk has its lockless ring buffer (5.10). */
#define KMSG_LINE 900

/* What ramoops and pstore_blk give a zone unless they are told otherwise, and the latter's least.
 */
#define PMSG_ZONE_BYTES 4096

static int open_sink(const struct sink *s)
{
    int fd = open(s->path, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* The length of the whole lines at the beginning that do not exceed limit. */
static size_t whole_lines(const char *text, size_t len, size_t limit)
{
    if (len <= limit)
        return len;
    while (limit && text[limit - 1] != '\n')
        limit--;
    return limit;
}

int sink_to_file(const struct sink *s, const char *text, size_t len)
{
    return target_write_file(s->dirfd, s->path, text, len, NULL);
}

int sink_to_device(const struct sink *s, const char *text, size_t len)
{
    _cleanup_close_ int fd = open_sink(s);
    int r = fd < 0 ? fd : write_all(fd, text, len);

    /* a serial driver takes 4 KiB at once, and the reboot that follows waits for nobody */
    if (!r)
        tcdrain(fd);
    return r;
}

static int write_record(const struct sink *s, const char *line, size_t len)
{
    _cleanup_(buf_done) struct buf record = BUF_INIT(KMSG_LINE + 64);
    _cleanup_close_ int fd = open_sink(s);

    if (fd < 0)
        return fd;
    buf_printf(&record, "<%d>vmcore-summary: ", s->kmsg_level);
    buf_append(&record, line, len);
    buf_char(&record, '\n');
    return record.full ? -ENOMEM : write_all(fd, record.data, record.len);
}

/* The first piece of a line that fits in a record: no character of UTF-8 is torn. */
static size_t piece_length(const char *line, size_t len)
{
    size_t n = KMSG_LINE;

    if (len <= n)
        return len;
    while (n > KMSG_LINE - 4 && ((unsigned char)line[n] & 0xc0) == 0x80)
        n--;
    return n;
}

int sink_to_kmsg(const struct sink *s, const char *text, size_t len)
{
    static const char more[] = "(more is left out here)";
    size_t limit = whole_lines(text, len, SINK_KMSG_BYTES);
    int r = 0;

    for (size_t at = 0; !r && at < limit;) {
        const char *end = memchr(text + at, '\n', limit - at);
        size_t line = end ? (size_t)(end - text) - at : limit - at;
        size_t n = piece_length(text + at, line);

        if (n)
            r = write_record(s, text + at, n);
        at += n + (n == line && end);
    }
    return r || limit == len ? r : write_record(s, more, sizeof(more) - 1);
}

/* A number in a file of sysfs, 0 if there is none. */
static uint64_t read_number(const char *dir, const char *name)
{
    char path[256], text[32];
    _cleanup_close_ int fd = -1;
    ssize_t n;

    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
        return 0;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    if (n <= 0)
        return 0;
    text[n] = '\0';
    return text[0] == '-' ? 0 : strtoull(text, NULL, 10); /* pstore_blk has -1 for none */
}

size_t sink_pmsg_room(const char *modules)
{
    static const struct {
        const char *parameter;
        unsigned unit_bytes;
    } zones[] = {{"ramoops/parameters/pmsg_size", 1}, {"pstore_blk/parameters/pmsg_size", 1024}};
    uint64_t least = 0;

    for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
        uint64_t bytes = read_number(modules, zones[i].parameter);

        bytes = sat_mul_u64(bytes, zones[i].unit_bytes);
        if (bytes && (!least || bytes < least))
            least = bytes;
    }
    return (size_t)min_u64((least ? least : PMSG_ZONE_BYTES) / 4 * 3, SINK_PMSG_BYTES);
}

int sink_to_pmsg(const struct sink *s, const char *text, size_t len)
{
    _cleanup_close_ int fd = open_sink(s);

    return fd < 0 ? fd : write_all(fd, text, whole_lines(text, len, sink_pmsg_room("/sys/module")));
}

static pid_t start(const struct sink *s, const char *text, size_t len)
{
    struct child_limits limits = {.expendable = true};
    pid_t pid = s->path ? child_fork(&limits) : -ENOENT;

    if (!pid)
        _exit(-s->write(s, text, len) & 0xff); /* every errno value fits */
    return pid;
}

static int end(pid_t pid, uint64_t deadline_ns)
{
    struct child_exit end;

    if (pid < 0)
        return pid;
    if (!child_wait(pid, deadline_ns, &end)) {
        child_kill(pid);
        child_wait(pid, deadline_after_ms(KILLED_WAIT_MS), &end);
        return -ETIME;
    }
    return WIFSIGNALED(end.status) ? -EIO : -WEXITSTATUS(end.status);
}

void sinks_write(struct sink *io_sinks, size_t n, const char *text, size_t len, uint64_t timeout_ms)
{
    uint64_t deadline_ns = deadline_after_ms(timeout_ms);
    pid_t pids[SINKS_MAX];

    n = min_u64(n, SINKS_MAX);
    for (size_t i = 0; i < n; i++)
        pids[i] = start(&io_sinks[i], text, len);
    for (size_t i = 0; i < n; i++)
        io_sinks[i].result = end(pids[i], deadline_ns);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/machine.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"

int machine_open(const char *root, struct error *err, struct machine *ret)
{
    int fd = open(root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC), r;

    if (fd < 0) {
        r = -errno;
        return error_set(err, r, "%s: %s", root, strerror(-r));
    }
    *ret = (struct machine){fd, root ? root : "", !root || !strcmp(root, "/")};
    return 0;
}

void machine_done(struct machine *m)
{
    if (m->fd >= 0)
        close(m->fd);
    m->fd = -1;
}

int machine_openat(const struct machine *m, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned)flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NONBLOCK | O_NOCTTY),
        .resolve = RESOLVE_IN_ROOT,
    };
    int fd;

    if (m->running)
        fd = open(path, (int)how.flags);
    else
        fd = (int)syscall(SYS_openat2, m->fd, path, &how, sizeof(how));
    return fd < 0 ? -errno : fd;
}

int machine_stat(const struct machine *m, const char *path, struct stat *ret)
{
    _cleanup_close_ int fd = machine_openat(m, path, O_PATH);
    struct stat st;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st))
        return -errno;
    *ret = st;
    return 0;
}

bool machine_has(const struct machine *m, const char *path)
{
    struct stat st;

    return !machine_stat(m, path, &st);
}

int machine_link(const struct machine *m, const char *path, char *ret, size_t size)
{
    _cleanup_close_ int fd = machine_openat(m, path, O_PATH | O_NOFOLLOW);
    ssize_t n;

    if (fd < 0)
        return fd;
    n = readlinkat(fd, "", ret, size);
    if (n < 0) /* ENOENT is how Linux says that fd is no link */
        return errno == ENOENT ? -EINVAL : -errno;
    if ((size_t)n >= size)
        return -ENAMETOOLONG;
    ret[n] = '\0';
    return 0;
}

int machine_read(const struct machine *m, const char *path, struct buf *b)
{
    _cleanup_close_ int fd = machine_openat(m, path, O_RDONLY);
    struct stat st;
    char piece[4096];
    ssize_t n;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st))
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    while ((n = read(fd, piece, sizeof(piece))) > 0 && b->len < b->limit) {
        size_t room = b->limit - b->len;

        buf_append(b, piece, (size_t)n < room ? (size_t)n : room);
    }
    return n < 0 ? -errno : b->full ? -ENOMEM : 0;
}

/* Copies [s, end) without blanks at either end. */
static void copy_trimmed(char *ret, size_t size, const char *s, const char *end)
{
    while (s < end && isspace((unsigned char)*s))
        s++;
    while (end > s && isspace((unsigned char)end[-1]))
        end--;
    snprintf(ret, size, "%.*s", (int)(end - s), s);
}

int machine_line(const struct machine *m, const char *path, char *ret, size_t size)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(4096);
    int r = machine_read(m, path, &b);

    ret[0] = '\0';
    if (!r && b.len)
        copy_trimmed(ret, size, b.data, b.data + strcspn(b.data, "\n"));
    return r;
}

/* The value in [s, end): what its quotes hold, or the text up to a comment. */
static void take_value(char *ret, size_t size, const char *s, const char *end)
{
    const char *close;

    while (s < end && isspace((unsigned char)*s))
        s++;
    if (s < end && (*s == '"' || *s == '\'') &&
        (close = memchr(s + 1, *s, (size_t)(end - s - 1)))) {
        snprintf(ret, size, "%.*s", (int)(close - s - 1), s + 1);
        return;
    }
    close = memchr(s, '#', (size_t)(end - s));
    copy_trimmed(ret, size, s, close ? close : end);
}

bool machine_setting(const struct machine *m, const char *path, const char *key, char separator,
                     char *ret, size_t size)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);
    size_t len = strlen(key);
    bool found = false;

    ret[0] = '\0';
    if (machine_read(m, path, &b) || !b.len)
        return false;
    for (const char *line = b.data, *end; *line; line = *end ? end + 1 : end) {
        end = line + strcspn(line, "\n");
        while (*line == ' ' || *line == '\t')
            line++;
        if (strncmp(line, key, len))
            continue;
        if (line[len] != separator && !(separator == ' ' && line[len] == '\t'))
            continue;
        take_value(ret, size, line + len + 1, end);
        found = true;
    }
    return found;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/image_ops.h"
#include "core/kcore.h"
#include "util/cleanup.h"
#include "util/math.h"

static const struct image_ops *const formats[] = {
    &image_elf,
#ifndef STATIC_BUILD
    &image_kdump,
    &image_flattened,
#endif
};

static int read_head(int fd, struct image_head *ret)
{
    struct image_head head = {0};

    while (head.len < sizeof(head.bytes)) {
        ssize_t n =
            pread(fd, head.bytes + head.len, sizeof(head.bytes) - head.len, (off_t)head.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        head.len += (size_t)n;
    }
    *ret = head;
    return 0;
}

/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
static int open_file(const char *path, struct error *err, int *ret_fd, uint64_t *ret_bytes)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return error_set(err, -errno, "%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return error_set(err, -ENOTSUP, "%s: a directory, not a vmcore", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, -ENOTSUP, "%s: not a regular file", path);
    if (st.st_size == 0)
        return error_set(err, -ENOTSUP, "%s: an empty file, not a vmcore", path);
    *ret_bytes = (uint64_t)st.st_size;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static const struct image_ops *find_format(const struct image_head *head)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (formats[i]->probe(head))
            return formats[i];
    return NULL;
}

static int refuse(const struct image_head *head, struct error *err)
{
    bool host;
    const char *what = image_identify(head, &host);

    return error_set(err, -ENOTSUP,
                     host ? "%s; this program for capture kernels reads ELF alone: "
                            "/usr/bin/vmcore-summary capture --vmcore FILE reads it"
                          : "%s, not an ELF vmcore",
                     what);
}

int image_open_format(struct image *im, struct error *err)
{
    struct image_head head;
    int r = read_head(im->fd, &head);

    im->ops = NULL;
    if (r < 0)
        return error_set(err, r, "%s", strerror(-r));
    im->ops = find_format(&head);
    return im->ops ? im->ops->open(im, err) : refuse(&head, err);
}

int image_open(const char *path, struct error *err, struct image **ret)
{
    _cleanup_(image_closep) struct image *im = calloc(1, sizeof(*im));
    int r;

    if (!im)
        return error_set(err, -ENOMEM, "%s: out of memory", path);
    im->fd = -1;
    r = open_file(path, err, &im->fd, &im->file_bytes);
    if (r < 0)
        return strcmp(path, PROC_KCORE) ? r : kcore_refused_here(r, err);
    r = image_open_format(im, err);
    if (r < 0)
        return error_prepend(err, r, "%s", path);
    *ret = TAKE_PTR(im);
    return 0;
}

void image_close(struct image *im)
{
    if (!im)
        return;
    if (im->ops)
        im->ops->close(im);
    vmcoreinfo_done(&im->vmcoreinfo);
    free(im->ranges);
    if (im->fd >= 0)
        close(im->fd);
    free(im);
}

void image_closep(struct image **im)
{
    image_close(*im);
}

int image_read(struct image *im, uint64_t phys, void *ret, size_t len)
{
    uint64_t end;
    int r;

    if (!len)
        return 0;
    if (!add_u64(phys, len, &end))
        return -EFAULT;
    r = im->ops->read(im, phys, ret, len);
    if (r < 0)
        return r;
    im->bytes_read += len;
    return 0;
}

const struct vmcoreinfo *image_vmcoreinfo(const struct image *im)
{
    return &im->vmcoreinfo;
}

uint16_t image_machine(const struct image *im)
{
    return im->machine;
}

void image_set_machine(struct image *im, uint16_t machine)
{
    im->machine = machine;
}

uint64_t image_bytes(const struct image *im)
{
    return im->file_bytes;
}

const char *image_kind(const struct image *im)
{
    if (im->live)
        return "kcore";
    return im->flattened ? im->ops->flattened_name : im->ops->name;
}

bool image_is_live(const struct image *im)
{
    return im->live;
}

bool image_has_absurd_segment(const struct image *im)
{
    return im->absurd_segment;
}

void image_refresh(struct image *im)
{
    im->ops->drop_caches(im);
}

size_t image_ranges(const struct image *im, const struct image_range **ret)
{
    *ret = im->ranges;
    return im->n_ranges;
}

uint64_t image_bytes_read(const struct image *im)
{
    return im->bytes_read;
}

/*
 * Through /proc/self/fd, which opens the same file even if its name now leads elsewhere. Where that
 * is refused the descriptor stays shared, which does no harm: every read says its own offset.
 */
int image_after_fork(struct image *im)
{
    char path[64];
    int fd;

    im->ops->drop_caches(im);
    im->bytes_read = 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", im->fd);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return 0;
    close(im->fd);
    im->fd = fd;
    return 0;
}

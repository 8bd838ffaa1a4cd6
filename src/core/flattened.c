/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flattened dumps: what makedumpfile -F sends through a pipe, and what QEMU and libvirt write for
 * kdump-zlib. A page of header, then pieces that each say where in the dump they belong, and may
 * come twice. They are put in their places in an unnamed temporary file, as makedumpfile -R does.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/image_ops.h"
#include "util/cleanup.h"
#include "util/math.h"

/* struct makedumpfile_header, padded; its type and version are 1, big-endian like all the rest. */
#define HEADER_BYTES 4096
#define SIGNATURE    "makedumpfile\0\0\0"
#define COPY_BYTES   65536

struct piece {
    int64_t offset, bytes; /* -1, -1: the end */
};

static bool flattened_probe(const struct image_head *head)
{
    return head->len >= sizeof(SIGNATURE) && memcmp(head->bytes, SIGNATURE, sizeof(SIGNATURE)) == 0;
}

static int open_temporary(struct error *err)
{
    const char *dir = getenv("TMPDIR");
    int fd;

    dir = dir && *dir ? dir : "/var/tmp";
    fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd < 0 ? error_set(err, -errno, "no temporary file in %s (TMPDIR): %s", dir,
                              strerror(errno))
                  : fd;
}

static int write_at(int fd, const uint8_t *data, size_t len, uint64_t offset)
{
    while (len) {
        ssize_t n = pwrite(fd, data, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ENOSPC;
        data += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

/* len bytes from one place of a file to one of another. -EBADMSG if the source ends. */
static int copy(int from, uint64_t at, int to, uint64_t offset, uint64_t len)
{
    uint8_t buf[COPY_BYTES];

    while (len) {
        ssize_t n = pread(from, buf, (size_t)min_u64(len, sizeof(buf)), (off_t)at);
        int r;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EBADMSG;
        r = write_at(to, buf, (size_t)n, offset);
        if (r < 0)
            return r;
        at += (uint64_t)n;
        offset += (uint64_t)n;
        len -= (uint64_t)n;
    }
    return 0;
}

static int read_piece(int fd, uint64_t at, struct piece *ret)
{
    uint64_t raw[2];

    if (pread(fd, raw, sizeof(raw), (off_t)at) != (ssize_t)sizeof(raw))
        return -EBADMSG;
    *ret = (struct piece){(int64_t)be64toh(raw[0]), (int64_t)be64toh(raw[1])};
    return 0;
}

/* A dump whose pipe broke has no end mark: what came is restored, and its readers meet the gap. */
static int restore(const struct image *im, int to)
{
    uint64_t at = HEADER_BYTES, end;
    struct piece p;

    while (read_piece(im->fd, at, &p) == 0 && p.offset >= 0) {
        int r;

        if (p.bytes <= 0 || !add_u64((uint64_t)p.offset, (uint64_t)p.bytes, &end) ||
            end > INT64_MAX)
            return -EBADMSG;
        at += sizeof(struct piece);
        r = copy(im->fd, at, to, (uint64_t)p.offset,
                 min_u64((uint64_t)p.bytes, im->file_bytes - min_u64(at, im->file_bytes)));
        if (r < 0)
            return r;
        at += (uint64_t)p.bytes;
    }
    return 0;
}

static int flattened_open(struct image *im, struct error *err)
{
    _cleanup_close_ int fd = open_temporary(err);
    struct stat st;
    int r;

    if (fd < 0)
        return fd;
    r = restore(im, fd);
    if (r == 0 && fstat(fd, &st) < 0)
        r = -errno;
    if (r == 0 && st.st_size == 0)
        r = -EBADMSG;
    if (r == -EBADMSG)
        return error_set(err, r, "a flattened dump that is damaged");
    if (r < 0)
        return error_set(err, r, "a flattened dump cannot be restored to a temporary file: %s",
                         strerror(-r));
    close(im->fd);
    im->fd = TAKE_FD(fd);
    im->file_bytes = (uint64_t)st.st_size;
    im->flattened = true;
    return image_open_format(im, err);
}

static void flattened_drop_caches(struct image *im)
{
    (void)im;
}

/* image_open_format() puts the restored dump's own operations in place of these. */
const struct image_ops image_flattened = {
    .name = "flattened",
    .flattened_name = "flattened",
    .probe = flattened_probe,
    .open = flattened_open,
    .drop_caches = flattened_drop_caches,
    .close = flattened_drop_caches,
};

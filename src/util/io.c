/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/io.h"

#include <errno.h>
#include <unistd.h>

int write_some(int fd, const void *data, size_t len, size_t *io_done)
{
    while (*io_done < len) {
        ssize_t n = write(fd, (const char *)data + *io_done, len - *io_done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        *io_done += (size_t)n;
    }
    return 0;
}

int write_all(int fd, const void *data, size_t len)
{
    size_t done = 0;

    return write_some(fd, data, len, &done);
}

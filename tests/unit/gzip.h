/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_GZIP_H
#define UNIT_GZIP_H

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

/* Gzip members for tests, built with zlib alone so that they do not rest on the code under test. */

/* Appends one member with len bytes of text to *file; returns the file's new size. */
static size_t gzip_append(char **file, size_t size, const char *text, size_t len, int level)
{
    z_stream z = {0};
    size_t room = len + len / 100 + 1024;

    ck_assert_int_eq(deflateInit2(&z, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    *file = realloc(*file, size + room);
    ck_assert_ptr_nonnull(*file);
    z.next_in = (Bytef *)text;
    z.avail_in = (uInt)len;
    z.next_out = (Bytef *)*file + size;
    z.avail_out = (uInt)room;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    size += z.total_out;
    deflateEnd(&z);
    return size;
}

/* A descriptor whose file holds the bytes. */
static int memory_file(const char *data, size_t len)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
    return fd;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole file that may be a vmcore: opened, and each range read at its ends and across them. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void);

/* libkdumpfile 0.5.1 keeps a table of 24 KiB of every dump that it opened, and asks for as much
 * memory as a header says. Whoever opens one here is a child with a limit that ends soon. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libkdumpfile";
}

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=512";
}

/* More than a window, so that both ways of reading are taken. */
#define LONG_READ 70000
#define MAX_READS 1000

static void read_ranges(struct image *im)
{
    static uint8_t buf[LONG_READ];
    const struct image_range *r;
    size_t n = image_ranges(im, &r);

    for (size_t i = 0; i < n && i < MAX_READS; i++) {
        uint64_t end = r[i].phys + r[i].mem_bytes;

        /* ascending, not overlapping, not empty */
        if (!r[i].mem_bytes || end < r[i].phys ||
            (i && r[i - 1].phys + r[i - 1].mem_bytes > r[i].phys))
            abort();
        (void)image_read(im, r[i].phys, buf, 8);
        (void)image_read(im, end - 4, buf, 8);
        (void)image_read(im, end - 1, buf, 1);
        (void)image_read(im, r[i].phys, buf, sizeof(buf));
        (void)image_read(im, r[i].phys - 1, buf, 4096);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("vmcore", MFD_CLOEXEC);
    struct error err = {0};
    struct image *im;
    char path[64];

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (image_open(path, &err, &im) == 0) {
        read_ranges(im);
        image_after_fork(im);
        read_ranges(im);
        image_close(im);
    } else if (!err.text[0]) {
        abort(); /* a failure says why */
    }
    close(fd);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/math.h"

static int pread_all(int fd, uint64_t offset, uint8_t *ret, size_t len)
{
    while (len) {
        ssize_t n = pread(fd, ret, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -EFAULT;
        ret += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

static void window_drop(struct window *s)
{
    if (s->map_len)
        munmap(s->data, s->map_len);
    else
        free(s->data);
    *s = (struct window){0};
}

void windows_drop(struct windows *w)
{
    for (size_t i = 0; i < WINDOW_COUNT; i++)
        window_drop(&w->slots[i]);
}

static bool window_map(struct window *s, int fd, uint64_t offset, size_t len)
{
    void *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)offset);

    if (p == MAP_FAILED)
        return false;
    *s = (struct window){.data = p, .offset = offset, .len = len, .map_len = len};
    return true;
}

static int window_copy(struct window *s, int fd, uint64_t offset, size_t len)
{
    uint8_t *data = malloc(len);
    int r;

    if (!data)
        return -ENOMEM;
    r = pread_all(fd, offset, data, len);
    if (r < 0) {
        free(data);
        return r;
    }
    *s = (struct window){.data = data, .offset = offset, .len = len};
    return 0;
}

static struct window *least_recently_used(struct windows *w)
{
    struct window *oldest = &w->slots[0];

    for (size_t i = 1; i < WINDOW_COUNT && oldest->data; i++)
        if (!w->slots[i].data || w->slots[i].last_used < oldest->last_used)
            oldest = &w->slots[i];
    return oldest;
}

static int window_open(struct windows *w, int fd, uint64_t file_bytes, uint64_t offset,
                       struct window **ret)
{
    struct window *s = least_recently_used(w);
    uint64_t start = offset - offset % WINDOW_BYTES;
    int r;

    window_drop(s);
    if (!w->no_mmap) {
        if (window_map(s, fd, start, (size_t)min_u64(WINDOW_BYTES, file_bytes - start)))
            goto done;
        w->no_mmap = true;
    }
    start = offset - offset % WINDOW_COPY_BYTES;
    r = window_copy(s, fd, start, (size_t)min_u64(WINDOW_COPY_BYTES, file_bytes - start));
    if (r < 0)
        return r;
done:
    *ret = s;
    return 0;
}

static int window_get(struct windows *w, int fd, uint64_t file_bytes, uint64_t offset,
                      struct window **ret)
{
    struct window *s = NULL;
    int r;

    for (size_t i = 0; i < WINDOW_COUNT && !s; i++)
        if (w->slots[i].data && offset - w->slots[i].offset < w->slots[i].len)
            s = &w->slots[i];
    if (!s) {
        r = window_open(w, fd, file_bytes, offset, &s);
        if (r < 0)
            return r;
    }
    s->last_used = ++w->clock;
    *ret = s;
    return 0;
}

int windows_read(struct windows *w, int fd, uint64_t file_bytes, uint64_t offset, void *ret,
                 size_t len)
{
    uint8_t *to = ret;

    if (!range_within(offset, len, file_bytes))
        return -EFAULT;
    if (len >= WINDOW_BYTES)
        return pread_all(fd, offset, ret, len);
    while (len) {
        struct window *s;
        size_t skip, n;
        int r = window_get(w, fd, file_bytes, offset, &s);

        if (r < 0)
            return r;
        skip = (size_t)(offset - s->offset);
        n = (size_t)min_u64(len, s->len - skip);
        memcpy(to, s->data + skip, n);
        to += n;
        offset += n;
        len -= n;
    }
    return 0;
}

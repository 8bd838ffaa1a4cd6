/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/loaded_image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/child.h"
#include "cli/tool.h"
#include "core/image.h"
#include "core/kcore.h"
#include "util/cleanup.h"
#include "util/math.h"

#define FIND_SECONDS 30
#define PIECE_BYTES  (64u << 10)
#define PAGE_BYTES   4096u /* segments begin at a page; larger pages are multiples of it */

/* ---- in its memory -------------------------------------------------------------------------- */

enum verdict { FOUND, NOT_FOUND, NO_PLACE, NO_MEMORY, ALL_ZERO, N_VERDICTS };

struct search {
    const struct machine *m;
    int image_fd, memory_fd;
    struct image *im;
    uint64_t image_bytes;
    char first[PAGE_BYTES]; /* of the image */
    bool any_memory;        /* that is not all zeros */
};

static bool is_zero(const char *data, size_t len)
{
    return !data[0] && !memcmp(data, data + 1, len - 1);
}

/* Whether the whole file lies there. */
static bool lies_at(struct search *s, uint64_t phys)
{
    char want[PIECE_BYTES], got[PIECE_BYTES];

    for (uint64_t done = 0; done < s->image_bytes; done += PIECE_BYTES) {
        size_t len = (size_t)min_u64(PIECE_BYTES, s->image_bytes - done);

        if (pread(s->image_fd, want, len, (off_t)done) != (ssize_t)len ||
            image_read(s->im, phys + done, got, len) || memcmp(want, got, len))
            return false;
    }
    return true;
}

/* Whether it begins in that piece of [phys, end). */
static bool begins_in(struct search *s, uint64_t phys, uint64_t end)
{
    size_t len = (size_t)min_u64(PIECE_BYTES, end - phys),
           first = (size_t)min_u64(PAGE_BYTES, s->image_bytes);
    char piece[PIECE_BYTES];

    if (image_read(s->im, phys, piece, len))
        return false; /* a page in it is not to be read: nothing of ours */
    s->any_memory |= !is_zero(piece, len);
    for (size_t at = 0; at + first <= len; at += PAGE_BYTES)
        if (end - phys - at >= s->image_bytes && !memcmp(piece + at, s->first, first) &&
            lies_at(s, phys + at))
            return true;
    return false;
}

/* "  2d000000-3cffffff : Crash kernel", of which there may be two; zeros for who may not know. */
static enum verdict find_in_iomem(struct search *s, char *iomem)
{
    enum verdict v = NO_PLACE;
    char *save = NULL;

    for (char *line = strtok_r(iomem, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        uint64_t phys, last;

        if (!strstr(line, " : Crash kernel") ||
            sscanf(line, " %" SCNx64 "-%" SCNx64, &phys, &last) != 2 || last <= phys ||
            last == UINT64_MAX)
            continue;
        for (v = NOT_FOUND; phys <= last; phys += PIECE_BYTES)
            if (begins_in(s, phys, last + 1))
                return FOUND;
    }
    return v == NOT_FOUND && !s->any_memory ? ALL_ZERO : v;
}

/* In a child, which a tree's /proc/kcore that changes in the meantime may end. */
static int run_search(void *arg)
{
    struct search *s = arg;
    _cleanup_(buf_done) struct buf iomem = BUF_INIT(1 << 20);
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", s->memory_fd);
    if (machine_read(s->m, "/proc/iomem", &iomem) || !iomem.len)
        return NO_PLACE;
    return image_open(path, NULL, &s->im) ? NO_MEMORY : (int)find_in_iomem(s, iomem.data);
}

int loaded_image_find(const struct machine *m, int image_fd, struct error *err)
{
    static const char *const texts[N_VERDICTS] = {
        [NO_PLACE] = "/proc/iomem does not say where it is",
        [NO_MEMORY] = PROC_KCORE " cannot be read",
        /* arm64: arch_kexec_protect_crashkres() took it out of the kernel's own map, until "arm64:
         * kdump : take off the protection on crashkernel memory region", v6.4 */
        [ALL_ZERO] = "this kernel hides it",
    };
    _cleanup_close_ int memory_fd = machine_openat(m, PROC_KCORE, O_RDONLY);
    struct search s = {.m = m, .image_fd = image_fd, .memory_fd = memory_fd};
    struct stat st;
    int v, sig;

    if (memory_fd < 0 || fstat(memory_fd, &st) || !S_ISREG(st.st_mode))
        return kcore_refused_here(memory_fd < 0 ? memory_fd : -ENOTSUP, err);
    if (fstat(image_fd, &st) || st.st_size <= 0 ||
        pread(image_fd, s.first, sizeof(s.first), 0) <= 0)
        return error_set(err, -EIO, "it cannot be read");
    s.image_bytes = (uint64_t)st.st_size;
    v = child_run(run_search, &s, FIND_SECONDS * 1000, &(struct child_limits){0}, &sig);
    if (v == FOUND || v == NOT_FOUND)
        return v == FOUND;
    return error_set(err, -ENODATA, "%s",
                     v > 0 && v < N_VERDICTS ? texts[v] : PROC_KCORE " cannot be read");
}

/* ---- by its time ---------------------------------------------------------------------------- */

/* A file that was built elsewhere and moved here, or unpacked, keeps its time of modification. */
static time_t changed(const struct stat *st)
{
    return st->st_mtime > st->st_ctime ? st->st_mtime : st->st_ctime;
}

/* Seconds since 1970; 0 if that is not known. */
static time_t boot_time(const struct machine *m)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);
    const char *line;

    if (machine_read(m, "/proc/stat", &b) || !b.len)
        return 0;
    line = strstr(b.data, "\nbtime ");
    return line ? (time_t)strtoll(line + 7, NULL, 10) : 0;
}

bool loaded_image_is_older_than_boot(const struct machine *m, const struct stat *image)
{
    return changed(image) < boot_time(m);
}

bool loaded_image_is_older_than_unit(const struct machine *m, const struct stat *image,
                                     const char *unit)
{
    const char *const argv[] = {"systemctl", "show", "--property=ActiveEnterTimestampMonotonic",
                                unit, NULL};
    _cleanup_(buf_done) struct buf b = BUF_INIT(4096);
    time_t booted = boot_time(m);
    const char *equals;

    if (!m->running || !booted || tool_output(argv, 10, &b) || !b.len)
        return false;
    equals = strchr(b.data, '=');
    return equals && changed(image) < booted + (time_t)(strtoull(equals + 1, NULL, 10) / 1000000);
}

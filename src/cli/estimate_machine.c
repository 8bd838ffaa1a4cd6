/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/estimate_machine.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/reserved.h"
#include "util/cleanup.h"
#include "util/math.h"

/* Of what pages hold nothing is known here: a byte of them takes so much of a compressed dump. */
#define ASSUMED_PERCENT 50

struct counters {
    uint64_t present_bytes, free_bytes, anon_bytes, lru_bytes, buffer_bytes, huge_bytes;
};

static FILE *open_proc(const char *proc, const char *name, struct error *err)
{
    char path[PATH_MAX];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", proc, name);
    f = fopen(path, "re");
    if (!f)
        error_set(err, -errno, "%s: %s", path, strerror(errno));
    return f;
}

/* proc_meminfo(5), in kB. LRU pages that are not anonymous are the page cache, tmpfs included. */
static const struct {
    const char *name;
    size_t offset;
} meminfo_lines[] = {
    {"MemFree:", offsetof(struct counters, free_bytes)},
    {"AnonPages:", offsetof(struct counters, anon_bytes)},
    {"Active:", offsetof(struct counters, lru_bytes)},
    {"Inactive:", offsetof(struct counters, lru_bytes)},
    {"Unevictable:", offsetof(struct counters, lru_bytes)},
    {"Buffers:", offsetof(struct counters, buffer_bytes)},
    {"Hugetlb:", offsetof(struct counters, huge_bytes)},
};

static void add_meminfo_line(struct counters *c, const char *line)
{
    for (size_t i = 0; i < ARRAY_SIZE(meminfo_lines); i++) {
        size_t len = strlen(meminfo_lines[i].name);
        uint64_t *to = (uint64_t *)(void *)((char *)c + meminfo_lines[i].offset);

        if (!strncmp(line, meminfo_lines[i].name, len))
            *to = sat_add_u64(*to, sat_mul_u64(strtoull(line + len, NULL, 10), 1024));
    }
}

static int read_counters(const char *proc, struct counters *ret, struct error *err)
{
    _cleanup_fclose_ FILE *meminfo = open_proc(proc, "meminfo", err);
    _cleanup_fclose_ FILE *zoneinfo = meminfo ? open_proc(proc, "zoneinfo", err) : NULL;
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE), pages;
    char line[256];

    if (!zoneinfo)
        return err ? err->code : -EIO;
    while (fgets(line, sizeof(line), meminfo))
        add_meminfo_line(ret, line);
    while (fgets(line, sizeof(line), zoneinfo)) {
        const char *word = line + strspn(line, " ");

        if (strncmp(word, "present ", 8))
            continue;
        pages = strtoull(word + 8, NULL, 10);
        ret->present_bytes = sat_add_u64(ret->present_bytes, sat_mul_u64(pages, page_bytes));
    }
    return ret->present_bytes ? 0 : error_set(err, -EBADMSG, "%s/zoneinfo tells no memory", proc);
}

static uint64_t reserved_bytes(const char *proc)
{
    struct image_range ranges[RESERVED_MAX];
    size_t n = reserved_ranges(proc, ranges);
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = sat_add_u64(sum, ranges[i].mem_bytes);
    return sum;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

int estimate_machine(const char *proc, struct estimate *io, struct error *err)
{
    struct counters c = {0};
    int r = read_counters(proc, &c, err);
    uint64_t bytes[N_PAGE_CLASSES] = {0}, known;

    if (r < 0)
        return r;
    known = less(c.lru_bytes, c.anon_bytes);
    bytes[PAGE_CACHE_PRIVATE] = min_u64(c.buffer_bytes, known);
    bytes[PAGE_CACHE] = known - bytes[PAGE_CACHE_PRIVATE];
    bytes[PAGE_USER] = sat_add_u64(c.anon_bytes, c.huge_bytes);
    bytes[PAGE_FREE] = c.free_bytes;
    known = sat_add_u64(sat_add_u64(known, bytes[PAGE_USER]), bytes[PAGE_FREE]);
    known = sat_add_u64(known, reserved_bytes(proc));
    bytes[PAGE_KERNEL] = less(c.present_bytes, known);
    estimate_by_bytes(io, bytes, (uint64_t)sysconf(_SC_PAGESIZE), ASSUMED_PERCENT);
    return 0;
}

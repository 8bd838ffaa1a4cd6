/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wipe_core VMCORE [symbols|types][:FROM-TO]...: overwrites the kallsyms tables, or the BTF, of a
 * vmcore in place with zeros, so that it looks like one of a kernel without them; with FROM-TO (per
 * cent) a part of them, so that they look damaged. Works on a copy, please.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/kallsyms.h"
#include "kernel/private.h"
#include "util/cleanup.h"

struct region {
    const char *what;
    uint64_t start, end; /* virtual */
};

/* The place in the file of a physical address; 0 for none. */
static uint64_t file_offset(const struct image *im, uint64_t phys)
{
    const struct image_range *ranges;
    size_t n = image_ranges(im, &ranges);

    for (size_t i = 0; i < n; i++)
        if (phys >= ranges[i].phys && phys - ranges[i].phys < ranges[i].file_bytes)
            return ranges[i].file_offset + (phys - ranges[i].phys);
    return 0;
}

static int wipe(struct kernel *k, int fd, const struct region *r)
{
    static const char zeros[4096];
    uint64_t va = r->start, phys, left, at;

    while (va < r->end) {
        size_t n = sizeof(zeros) - va % sizeof(zeros);

        n = n > r->end - va ? (size_t)(r->end - va) : n;
        if (arch_translate(&k->mm, k->im, va, &phys, &left) < 0)
            return -1;
        at = file_offset(k->im, phys);
        if (!at || pwrite(fd, zeros, n, (off_t)at) != (ssize_t)n)
            return -1;
        va += n;
    }
    return 0;
}

static int find_btf(const char *name, char type, uint64_t addr, void *arg)
{
    struct region *r = arg;

    (void)type;
    if (!strcmp(name, "__start_BTF"))
        r->start = addr;
    if (!strcmp(name, "__stop_BTF"))
        r->end = addr;
    return 0;
}

static int find_regions(struct kernel *k, struct region ret[2])
{
    struct kallsyms ks, layouts[KALLSYMS_LAYOUTS];

    if (kallsyms_from_vmcoreinfo(k, &ks, NULL) < 0) {
        if (kallsyms_scan(k, NULL, layouts) < 0)
            return -1;
        ks = layouts[0];
    }
    /* the names come first and the index of the tokens behind them, in every layout */
    ret[0] = (struct region){"symbols", ks.names, ks.token_index + 512};
    ret[1] = (struct region){"types", 0, 0};
    return kallsyms_foreach(k, find_btf, &ret[1], NULL);
}

/* The region that the argument names, or the part of it; false if it names none. */
static bool choose(const char *argument, const struct region all[2], struct region *ret)
{
    unsigned from = 0, to = 100;
    char what[16];

    if (sscanf(argument, "%15[a-z]:%u-%u", what, &from, &to) < 1 || from >= to || to > 100)
        return false;
    for (size_t i = 0; i < 2; i++) {
        uint64_t len = all[i].end - all[i].start;

        if (strcmp(what, all[i].what) != 0)
            continue;
        *ret = (struct region){all[i].what, all[i].start + len * from / 100,
                               all[i].start + len * to / 100};
        return all[i].start && all[i].end > all[i].start;
    }
    return false;
}

int main(int argc, char *argv[])
{
    _cleanup_(image_closep) struct image *im = NULL;
    _cleanup_(kernel_closep) struct kernel *k = NULL;
    _cleanup_close_ int fd = argc > 2 ? open(argv[1], O_WRONLY | O_CLOEXEC) : -1;
    struct region regions[2];

    if (fd < 0 || image_open(argv[1], NULL, &im) < 0 || kernel_open(im, NULL, 0, NULL, &k) < 0 ||
        find_regions(k, regions) < 0) {
        fprintf(stderr, "usage: wipe_core VMCORE [symbols|types][:FROM-TO]...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        struct region r;

        if (!choose(argv[i], regions, &r) || wipe(k, fd, &r) < 0)
            return 1;
    }
    return 0;
}

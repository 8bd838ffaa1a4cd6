/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CORE_IMAGE_OPS_H
#define CORE_IMAGE_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/image.h"
#include "core/vmcoreinfo.h"
#include "util/error.h"

/* What every format has; inside core/ only. */
struct image {
    const struct image_ops *ops;
    void *priv; /* the format's own state */
    int fd;
    uint64_t file_bytes;
    uint16_t machine;
    struct image_range *ranges; /* ascending, not overlapping */
    size_t n_ranges;
    struct vmcoreinfo vmcoreinfo;
    uint64_t bytes_read;
    bool live;           /* /proc/kcore */
    bool absurd_segment; /* image_has_absurd_segment() */
    bool flattened;      /* restored to a temporary file, which fd is */
};

/* The first bytes of a file, by which formats know their own. */
struct image_head {
    uint8_t bytes[512];
    size_t len;
};

/*
 * A dump format. image.c lists them; the first whose probe() says yes opens the file. Another
 * format is a file that defines one of these and a line in that list.
 */
struct image_ops {
    const char *name;           /* image_kind(): part of the summary's header record */
    const char *flattened_name; /* the same of one that was restored from its flattened form */
    bool (*probe)(const struct image_head *head);
    /* Fills machine, ranges, vmcoreinfo and priv from fd; what it filled when it fails is freed by
     * the caller, with close(). */
    int (*open)(struct image *im, struct error *err);
    /* As image_read(); phys + len does not overflow, len > 0. */
    int (*read)(struct image *im, uint64_t phys, void *ret, size_t len);
    /* Forgets what it maps or caches of im->fd, which image_after_fork() replaces. */
    void (*drop_caches)(struct image *im);
    void (*close)(struct image *im); /* takes a half-open image too */
};

extern const struct image_ops image_elf;
/* Host build only. */
extern const struct image_ops image_kdump, image_flattened;

/* Finds the format of im->fd and opens it: image.c, and again for what a format restored. */
int image_open_format(struct image *im, struct error *err);

/*
 * What a file that no format claims is, for people: "a gzip file", "a LiME dump". Never NULL.
 * *ret_host: the host build reads it.
 */
const char *image_identify(const struct image_head *head, bool *ret_host);

#endif

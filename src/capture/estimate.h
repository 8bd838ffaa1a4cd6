/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_ESTIMATE_H
#define CAPTURE_ESTIMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/image.h"
#include "extract/emit.h"
#include "kernel/kernel.h"
#include "kernel/memmap.h"
#include "util/error.h"

/*
 * How large a full dump would be, at each of makedumpfile's levels: some thousand pages, spread
 * evenly over all memory, are told apart as makedumpfile does (kernel/memmap.h), and a few hundred
 * of them compressed. Its cost does not depend on the amount of memory.
 */
#define ESTIMATE_LEVELS 32 /* makedumpfile -d 0 … 31 */

/* How makedumpfile compresses. */
enum compression {
    COMPRESS_NONE,   /* -E: an ELF file */
    COMPRESS_LZO,    /* -l, what most distributions configure */
    COMPRESS_SNAPPY, /* -p */
    COMPRESS_ZLIB,   /* -c */
    COMPRESS_ZSTD,   /* -z */
    N_COMPRESSIONS
};
const char *compression_name(enum compression c);
/* By name. -EINVAL with text. */
int compression_find(const char *name, struct error *err, enum compression *ret);

struct estimate_level {
    uint64_t bytes;              /* with the compression; the file's size */
    uint64_t bytes_uncompressed; /* as makedumpfile -E */
    uint64_t error_bytes;        /* of `bytes`: twice its standard error */
};

/* Plain values: it crosses a fork in shared memory. */
struct estimate {
    bool valid;
    enum compression compression;
    uint64_t memory_bytes; /* what the dump describes */
    uint64_t samples;      /* pages that were looked at */
    struct estimate_level levels[ESTIMATE_LEVELS];
};

/* Whether a dump of this level has room in free_bytes with min_free_bytes to be left of them. */
bool estimate_fits(const struct estimate_level *l, uint64_t min_free_bytes, uint64_t free_bytes);

/* Fills *io from the bytes of each class of pages, each of which keeps `percent` of its size. */
void estimate_by_bytes(struct estimate *io, const uint64_t bytes[N_PAGE_CLASSES],
                       uint64_t page_bytes, unsigned percent);

struct estimate_source {
    struct image *im;
    struct kernel *k;
    struct estimate *estimate; /* compression is set; the rest is filled, also in a child */
};

/*
 * The section `estimate`: as a section_job's run(), with a struct estimate_source. Fails where
 * there is no array of struct page to be read.
 */
int estimate_run(void *arg, struct emit *e, struct error *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/estimate.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <zlib.h>

#include "capture/reserved.h"
#include "kernel/memmap.h"
#include "util/cleanup.h"
#include "util/deadline.h"
#include "util/math.h"

/* A pass looks at so many pages; there are further passes while too few of the pages that every
 * level keeps were met, but not for long. */
#define PASS_SAMPLES  4096
#define PASSES_MAX    8
#define SAMPLES_MAX   (2 * PASS_SAMPLES * PASSES_MAX)
#define KERNEL_WANTED 400
#define SAMPLING_MS   150

/* Pages of a class that are compressed. */
#define EXAMINED_MAX        256
#define EXAMINED_KERNEL_MAX 400

#define PAGE_BYTES_MAX 65536
#define BLOCK_BYTES    4096 /* of the file's headers */
#define PAGE_DESC      24   /* struct page_desc of makedumpfile's diskdump_mod.h */

/*
 * makedumpfile's compressions by what zlib's level 1 makes of the same pages, in percent: measured
 * on OOM and sysrq dumps of 1 to 8 GB (tests/t/estimate.sh), where lzo needs 121 to 150 % of
 * zlib.
 */
static const struct {
    const char *name;
    unsigned percent;
} compressions[N_COMPRESSIONS] = {
    [COMPRESS_NONE] = {"none", 0},       [COMPRESS_LZO] = {"lzo", 148},
    [COMPRESS_SNAPPY] = {"snappy", 150}, [COMPRESS_ZLIB] = {"zlib", 103},
    [COMPRESS_ZSTD] = {"zstd", 100},
};

const char *compression_name(enum compression c)
{
    return compressions[c].name;
}

int compression_find(const char *name, struct error *err, enum compression *ret)
{
    for (unsigned i = 0; i < N_COMPRESSIONS; i++)
        if (!strcmp(name, compressions[i].name)) {
            *ret = (enum compression)i;
            return 0;
        }
    return error_set(err, -EINVAL, "'%s' is none of none, lzo, snappy, zlib and zstd", name);
}

/* ---- sampling ------------------------------------------------------------------------------- */

struct class_sample {
    uint64_t met;      /* pages of this class */
    uint64_t examined; /* of them read and compressed */
    uint64_t zero;     /* of those all zeros */
    double stored, stored_squares;
};

struct sampler {
    struct image *im;
    struct memmap map;
    uint64_t page_bytes, pages; /* of all memory */
    uint64_t dumped_pages;      /* of them; the capture kernel's own are not */
    struct image_range reserved[RESERVED_MAX];
    size_t n_reserved;
    uint64_t twice_bytes; /* of them in two PT_LOADs */
    uint64_t deadline_ns;
    unsigned percent;
    double zero_stored; /* bytes of a compressed page of zeros */
    z_stream z;
    struct class_sample classes[N_PAGE_CLASSES];
    uint64_t met; /* of pfns and kinds */
    uint64_t pfns[SAMPLES_MAX];
    uint8_t kinds[SAMPLES_MAX]; /* enum page_class */
    uint8_t page[PAGE_BYTES_MAX], out[PAGE_BYTES_MAX];
};

static bool is_zero(const uint8_t *p, size_t len)
{
    return !p[0] && !memcmp(p, p + 1, len - 1);
}

/* Bytes that the page takes in a compressed dump: makedumpfile keeps as it is what does not shrink.
 */
static double stored_bytes(struct sampler *s)
{
    uint64_t n;

    s->z.next_in = s->page;
    s->z.avail_in = (uInt)s->page_bytes;
    s->z.next_out = s->out;
    s->z.avail_out = (uInt)s->page_bytes;
    deflateReset(&s->z);
    if (!s->percent || deflate(&s->z, Z_FINISH) != Z_STREAM_END)
        return (double)s->page_bytes;
    n = (s->page_bytes - s->z.avail_out) * s->percent / 100;
    return (double)min_u64(n, s->page_bytes);
}

static void examine(struct sampler *s, uint64_t pfn, struct class_sample *c)
{
    double n;

    if (image_read(s->im, pfn * s->page_bytes, s->page, s->page_bytes) < 0)
        return;
    c->examined++;
    if (is_zero(s->page, s->page_bytes)) {
        c->zero++;
        return;
    }
    n = stored_bytes(s);
    c->stored += n;
    c->stored_squares += n * n;
}

/* Pages spread over all that were met of the class: neighbours are alike. */
static void examine_class(struct sampler *s, enum page_class class)
{
    struct class_sample *c = &s->classes[class];
    uint64_t wanted = class == PAGE_KERNEL ? EXAMINED_KERNEL_MAX : EXAMINED_MAX, seen = 0,
             taken = 0;

    for (uint64_t i = 0; i < s->met; i++) {
        if (s->kinds[i] != class)
            continue;
        if (++seen * wanted / c->met == taken && c->met > wanted)
            continue;
        taken++;
        examine(s, s->pfns[i], c);
    }
}

static bool is_reserved(const struct sampler *s, uint64_t pfn)
{
    for (size_t i = 0; i < s->n_reserved; i++)
        if (pfn * s->page_bytes - s->reserved[i].phys < s->reserved[i].mem_bytes)
            return true;
    return false;
}

static void sample_page(struct sampler *s, uint64_t pfn)
{
    enum page_class class = PAGE_KERNEL; /* what a filter knows nothing of, it keeps */

    if (s->met == SAMPLES_MAX || is_reserved(s, pfn))
        return;
    memmap_class(&s->map, pfn, &class);
    s->classes[class].met++;
    s->pfns[s->met] = pfn;
    s->kinds[s->met++] = (uint8_t) class;
}

/* The n-th page of all ranges; *io_range and *io_before (pages before it) move on with n. */
static uint64_t nth_page(const struct sampler *s, uint64_t n, size_t *io_range, uint64_t *io_before)
{
    const struct image_range *ranges;
    size_t count = image_ranges(s->im, &ranges);

    while (*io_range < count && n - *io_before >= ranges[*io_range].mem_bytes / s->page_bytes) {
        *io_before += ranges[*io_range].mem_bytes / s->page_bytes;
        ++*io_range;
    }
    return *io_range < count ? ranges[*io_range].phys / s->page_bytes + (n - *io_before) : 0;
}

/* A fixed sequence of numbers: the same dump gives the same estimate. (splitmix64, S. Vigna) */
static uint64_t scatter(uint64_t n)
{
    n += 0x9e3779b97f4a7c15ULL;
    n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9ULL;
    n = (n ^ n >> 27) * 0x94d049bb133111ebULL;
    return n ^ n >> 31;
}

/* One page of each stretch of memory, at random within it: even, and no pattern of use hides. */
static void sample_pass(struct sampler *s, unsigned pass)
{
    uint64_t step = max_u64(s->pages / PASS_SAMPLES, 1), before = 0;
    size_t range = 0;

    for (uint64_t start = 0; start < s->pages; start += step) {
        uint64_t n = start + scatter(start * PASSES_MAX + pass) % min_u64(step, s->pages - start);

        sample_page(s, nth_page(s, n, &range, &before));
    }
}

static void sample(struct sampler *s)
{
    for (unsigned pass = 0; pass < PASSES_MAX; pass++) {
        sample_pass(s, pass);
        if (s->classes[PAGE_KERNEL].met >= KERNEL_WANTED || deadline_passed(s->deadline_ns) ||
            s->pages <= PASS_SAMPLES)
            break;
    }
    for (unsigned c = 0; c < N_PAGE_CLASSES; c++)
        examine_class(s, (enum page_class)c);
}

/* ---- levels --------------------------------------------------------------------------------- */

/* The level bits that leave a class out; 1 is zero pages. */
static const unsigned excluded_by[N_PAGE_CLASSES] = {
    [PAGE_CACHE] = 2 | 4, [PAGE_CACHE_PRIVATE] = 4,     [PAGE_USER] = 8,
    [PAGE_FREE] = 16,     [PAGE_GONE] = 2 | 4 | 8 | 16,
};

bool estimate_fits(const struct estimate_level *l, uint64_t min_free_bytes, uint64_t free_bytes)
{
    return l->bytes <= free_bytes && min_free_bytes <= free_bytes - l->bytes;
}

static bool excludes(unsigned level, enum page_class class)
{
    return level & excluded_by[class];
}

void estimate_by_bytes(struct estimate *io, const uint64_t bytes[N_PAGE_CLASSES],
                       uint64_t page_bytes, unsigned percent)
{
    io->memory_bytes = 0;
    for (unsigned c = 0; c < N_PAGE_CLASSES; c++)
        io->memory_bytes = sat_add_u64(io->memory_bytes, bytes[c]);
    for (unsigned level = 0; level < ESTIMATE_LEVELS; level++) {
        struct estimate_level *l = &io->levels[level];
        uint64_t raw = 0;

        for (unsigned c = 0; c < N_PAGE_CLASSES; c++)
            if (!(level & excluded_by[c]))
                raw = sat_add_u64(raw, bytes[c]);
        l->bytes_uncompressed = raw;
        l->bytes = io->compression == COMPRESS_NONE
                       ? raw
                       : raw / 100 * percent + raw / page_bytes * PAGE_DESC +
                             io->memory_bytes / page_bytes / 4;
        l->error_bytes = l->bytes / 2;
    }
    io->valid = io->memory_bytes > 0;
}

/*
 * What one class adds to a dump: bytes, and the variances of these estimates. A compressed dump
 * keeps the descriptors of zero pages whether it keeps the pages or not (write_kdump_pages_cyclic()
 * of makedumpfile); an ELF dump does not.
 */
struct amount {
    double stored, raw, stored_variance, raw_variance;
};

/*
 * makedumpfile -E leaves a run of unwanted pages in the file if it is shorter than 256
 * (PFN_EXCLUDED), which zero pages among those of the kernel often are: half of them are counted.
 */
static double raw_share(double zero, bool drop_zero, bool kernel)
{
    return drop_zero ? 1 - zero * (kernel ? 0.5 : 1) : 1;
}

static struct amount class_amount(const struct sampler *s, const struct class_sample *c,
                                  bool drop_zero)
{
    double share = (double)c->met / (double)s->met, pages = share * (double)s->dumped_pages;
    double examined = (double)max_u64(c->examined, 1), zero = (double)c->zero / examined;
    double mean = c->stored / examined + (drop_zero ? 0 : zero * s->zero_stored) + PAGE_DESC;
    double kept = raw_share(zero, drop_zero, c == &s->classes[PAGE_KERNEL]);
    double page = (double)s->page_bytes;
    double spread = c->stored_squares / examined - c->stored / examined * c->stored / examined;
    double of_count = c->met ? (1 - share) / (double)c->met : 0; /* relative variance */
    struct amount a = {.stored = pages * mean, .raw = pages * kept * page};

    a.stored_variance = a.stored * a.stored * of_count + pages * pages * spread / examined;
    a.raw_variance = a.raw * a.raw * of_count +
                     (drop_zero ? pages * page * pages * page * zero * (1 - zero) / examined : 0);
    return a;
}

static uint64_t to_bytes(double v)
{
    return v <= 0 ? 0 : v >= (double)INT64_MAX ? INT64_MAX : (uint64_t)v;
}

/* Two bitmaps with a bit for each page frame up to the last, and headers of a few blocks. */
static uint64_t overhead_bytes(const struct sampler *s)
{
    const struct image_range *ranges;
    size_t n = image_ranges(s->im, &ranges);
    uint64_t end = n ? ranges[n - 1].phys + ranges[n - 1].mem_bytes : 0;

    return sat_add_u64(sat_mul_u64(end / s->page_bytes / 8 + BLOCK_BYTES, 2), 4 * BLOCK_BYTES);
}

static double error_of(double variance)
{
    return variance > 0 ? sqrt(variance) : 0;
}

/* The estimates lean to the safe side by their standard error. */
static struct estimate_level level_amount(const struct sampler *s, unsigned level)
{
    struct amount sum = {0};
    double error, raw_error;

    for (unsigned c = 0; c < N_PAGE_CLASSES; c++) {
        struct amount a;

        if (excludes(level, (enum page_class)c))
            continue;
        a = class_amount(s, &s->classes[c], level & 1);
        sum.stored += a.stored;
        sum.raw += a.raw;
        sum.stored_variance += a.stored_variance;
        sum.raw_variance += a.raw_variance;
    }
    error = error_of(sum.stored_variance);
    raw_error = level ? error_of(sum.raw_variance) : 0;
    if (!level)
        sum.raw = (double)s->dumped_pages * (double)s->page_bytes;
    sum.raw += (double)s->twice_bytes;
    return (struct estimate_level){
        .bytes = sat_add_u64(to_bytes(sum.stored + error), overhead_bytes(s)),
        .bytes_uncompressed = sat_add_u64(to_bytes(sum.raw + raw_error), BLOCK_BYTES),
        .error_bytes = to_bytes(2 * error),
    };
}

static void fill_estimate(const struct sampler *s, struct estimate *e)
{
    e->memory_bytes = sat_mul_u64(s->dumped_pages, s->page_bytes);
    e->samples = s->met;
    for (unsigned level = 0; level < ESTIMATE_LEVELS; level++) {
        e->levels[level] = level_amount(s, level);
        if (e->compression == COMPRESS_NONE)
            e->levels[level].bytes = e->levels[level].bytes_uncompressed;
    }
    e->valid = s->met > 0;
}

/* ---- the section ---------------------------------------------------------------------------- */

static int emit_classes(struct emit *e, const struct sampler *s)
{
    for (unsigned i = 0; i < N_PAGE_CLASSES && !emit_failed(e); i++) {
        const struct class_sample *c = &s->classes[i];
        double bytes = class_amount(s, c, false).raw;

        emit_begin(e, "class");
        emit_str(e, "name", page_class_name((enum page_class)i));
        emit_u64(e, "bytes", to_bytes(bytes));
        if (c->examined)
            emit_u64(e, "zero_bytes", to_bytes(bytes * (double)c->zero / (double)c->examined));
        emit_u64(e, "samples", c->met);
        emit_end(e);
    }
    return emit_failed(e);
}

static int emit_estimate(struct emit *e, const struct estimate *estimate)
{
    emit_begin(e, "estimate");
    emit_u64(e, "memory_bytes", estimate->memory_bytes);
    emit_str(e, "compression", compression_name(estimate->compression));
    emit_u64(e, "samples", estimate->samples);
    emit_end(e);
    for (unsigned level = 0; level < ESTIMATE_LEVELS && !emit_failed(e); level++) {
        const struct estimate_level *l = &estimate->levels[level];

        emit_begin(e, "level");
        emit_u64(e, "level", level);
        emit_u64(e, "bytes", l->bytes);
        emit_u64(e, "bytes_uncompressed", l->bytes_uncompressed);
        emit_u64(e, "error_bytes", l->error_bytes);
        emit_end(e);
    }
    return emit_failed(e);
}

/* /proc/vmcore has the kernel's image in a PT_LOAD of its own besides, and makedumpfile -E keeps it
 * so. */
static uint64_t twice_bytes(const struct sampler *s)
{
    uint64_t memory = sat_mul_u64(s->pages, s->page_bytes), file = image_bytes(s->im);

    return !strcmp(image_kind(s->im), "elf") && file > memory && file - memory < memory / 2
               ? file - memory
               : 0;
}

static uint64_t shared_bytes(const struct image_range *a, const struct image_range *b)
{
    uint64_t start = max_u64(a->phys, b->phys);
    uint64_t end = min_u64(sat_add_u64(a->phys, a->mem_bytes), sat_add_u64(b->phys, b->mem_bytes));

    return end > start ? end - start : 0;
}

/* A running kernel's memory has what it reserved for its capture kernel, too. */
static void leave_out_reserved(struct sampler *s)
{
    const struct image_range *ranges;
    size_t n = image_ranges(s->im, &ranges);
    uint64_t pages = 0;

    if (image_is_live(s->im))
        s->n_reserved = reserved_ranges("/proc", s->reserved);
    for (size_t i = 0; i < s->n_reserved; i++)
        for (size_t j = 0; j < n; j++)
            pages += shared_bytes(&s->reserved[i], &ranges[j]) / s->page_bytes;
    s->dumped_pages = s->pages > pages ? s->pages - pages : 0;
}

static int init_sampler(struct sampler *s, const struct estimate_source *source, struct error *err)
{
    const struct image_range *ranges;
    size_t n = image_ranges(source->im, &ranges);
    int r = memmap_init(&s->map, source->k, err);

    if (r < 0)
        return r;
    s->im = source->im;
    s->page_bytes = s->map.page_bytes;
    s->percent = compressions[source->estimate->compression].percent;
    s->deadline_ns = deadline_after_ms(SAMPLING_MS);
    if (s->page_bytes > PAGE_BYTES_MAX)
        return error_set(err, -ENOTSUP, "pages of more than 64 KiB");
    for (size_t i = 0; i < n; i++)
        s->pages = sat_add_u64(s->pages, ranges[i].mem_bytes / s->page_bytes);
    leave_out_reserved(s);
    if (!s->dumped_pages)
        return error_set(err, -ENODATA, "the dump describes no memory");
    s->twice_bytes = twice_bytes(s);
    if (deflateInit(&s->z, Z_BEST_SPEED) != Z_OK)
        return error_set(err, -ENOMEM, "no memory");
    s->zero_stored = stored_bytes(s);
    return 0;
}

int estimate_run(void *arg, struct emit *e, struct error *err)
{
    const struct estimate_source *source = arg;
    _cleanup_free_ struct sampler *s = calloc(1, sizeof(*s));
    int r = s ? init_sampler(s, source, err) : error_set(err, -ENOMEM, "no memory");

    if (r < 0)
        return r;
    sample(s);
    deflateEnd(&s->z);
    fill_estimate(s, source->estimate);
    r = emit_estimate(e, source->estimate);
    return r ? r : emit_classes(e, s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressed dumps by makedumpfile, QEMU and libvirt, through libkdumpfile (the latter two leave
 * out what names the machine, which kernel/identify.h then finds). Host build only: a capture
 * kernel reads /proc/vmcore, which is ELF, and the library is as large as the program.
 *
 * The library parses the headers in the process that opens the dump. That is never the one that a
 * user started: `capture` opens and reads in a child, whose end by a signal it reports, and each
 * section reads in a child of that one, which opens the dump anew.
 */
#include <elf.h>
#include <errno.h>
#include <libkdumpfile/kdumpfile.h>
#include <stdlib.h>
#include <string.h>

#include "core/image_ops.h"
#include "core/kdump_head.h"
#include "core/ranges.h"
#include "util/cleanup.h"
#include "util/math.h"

/* As core/elf.c: NT_PRSTATUS of 8192 CPUs take 3 MiB. */
#define KDUMP_MAX_NOTES_BYTES (64 << 20)
/* A bitmap of alternating bits would make a range of every other page. */
#define KDUMP_MAX_RANGES (1 << 20)

struct kdump {
    kdump_ctx_t *ctx; /* NULL until the next read opens it: see kdump_drop_caches() */
    bool failed;      /* to open: not tried again */
};

/* Of the leak sanitizer, where there is one. */
__attribute__((weak)) void __lsan_ignore_object(const void *p);

/*
 * What the library (0.5.1) failed to open it must not free: it would use what it has freed already,
 * for open_common() of its diskdump.c leaves an attribute override behind. It is one a process.
 */
static void leave_behind(kdump_ctx_t *ctx)
{
    if (__lsan_ignore_object)
        __lsan_ignore_object(ctx);
}

static bool kdump_probe(const struct image_head *head)
{
    return head->len >= 8 &&
           (memcmp(head->bytes, "KDUMP   ", 8) == 0 || memcmp(head->bytes, "DISKDUMP", 8) == 0);
}

static bool read_at(const struct image *im, uint64_t offset, void *ret, size_t len)
{
    return range_within(offset, len, im->file_bytes) &&
           pread(im->fd, ret, len, (off_t)offset) == (ssize_t)len;
}

static bool notes_fit(const struct image *im, uint64_t at, uint64_t len)
{
    return len <= KDUMP_MAX_NOTES_BYTES && range_within(at, len, im->file_bytes);
}

/*
 * The library (0.5.1) believes the headers, and dies of sizes that cannot be. max_mapnr is at most
 * the bits of one bitmap, or of both, where the dump is of a kind that has one alone.
 */
static int check_head(const struct image *im, struct error *err)
{
    uint8_t bytes[KDUMP_HEAD_BYTES], sub_bytes[KDUMP_SUB_HEAD_BYTES];
    struct kdump_sub_head sub;
    struct kdump_head h;

    if (!read_at(im, 0, bytes, sizeof(bytes)) || !kdump_head_parse(bytes, &h))
        return error_set(err, -EBADMSG,
                         "a compressed dump, but its header is damaged, or of a 32-bit or "
                         "big-endian machine");
    if (!read_at(im, h.block_bytes, sub_bytes, sizeof(sub_bytes)) ||
        kdump_table_at(&h) > im->file_bytes)
        return error_set(err, -EBADMSG, "a compressed dump, but the file ends inside its headers");
    kdump_sub_head_parse(sub_bytes, &sub);
    /* makedumpfile --split: each part has all headers and a slice of the pages */
    if (sub.is_split)
        return error_set(err, -ENOTSUP,
                         "one part of a dump that makedumpfile --split made: join the parts with "
                         "makedumpfile --reassemble PART... DUMP");
    /* the field of old versions counts, too */
    if (h.max_pages / 8 > 2 * kdump_bitmap_bytes(&h) ||
        (h.version >= KDUMP_MAX_PAGES_VERSION && sub.max_pages / 8 > 2 * kdump_bitmap_bytes(&h)))
        return error_set(err, -EBADMSG,
                         "a compressed dump, but its header has more pages than its map of them");
    if ((h.version >= KDUMP_INFO_VERSION &&
         !notes_fit(im, sub.vmcoreinfo_at, sub.vmcoreinfo_bytes)) ||
        (h.version >= KDUMP_NOTES_VERSION && !notes_fit(im, sub.note_at, sub.note_bytes)))
        return error_set(err, -EBADMSG, "a compressed dump, but its notes lie outside the file");
    return 0;
}

/* Without mmap: where the file is shorter than its headers say, that would be a SIGBUS. */
static int attach(struct image *im, struct error *err)
{
    struct kdump *d = im->priv;
    int fd = im->fd;
    kdump_status status;
    kdump_ctx_t *ctx = kdump_new();

    if (!ctx)
        return error_set(err, -ENOMEM, "out of memory");
    status = kdump_set_number_attr(ctx, KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER);
    if (status == KDUMP_OK)
        status = kdump_open_fdset(ctx, 1, &fd);
    if (status != KDUMP_OK) {
        d->failed = true;
        error_set(err, -EBADMSG, "a compressed dump, but %s", kdump_get_err(ctx));
        leave_behind(ctx);
        return -EBADMSG;
    }
    d->ctx = ctx;
    return 0;
}

static int find_machine(struct image *im, struct error *err)
{
    static const struct {
        const char *name;
        uint16_t machine;
    } machines[] = {
        {KDUMP_ARCH_X86_64, EM_X86_64}, {KDUMP_ARCH_AARCH64, EM_AARCH64},
        {KDUMP_ARCH_PPC64, EM_PPC64},   {KDUMP_ARCH_S390X, EM_S390},
        {KDUMP_ARCH_IA64, EM_IA_64},    {KDUMP_ARCH_ALPHA, EM_ALPHA},
    };
    struct kdump *d = im->priv;
    kdump_num_t ptr_size = 8, order = KDUMP_LITTLE_ENDIAN;
    const char *name = "";

    kdump_get_number_attr(d->ctx, KDUMP_ATTR_PTR_SIZE, &ptr_size);
    kdump_get_number_attr(d->ctx, KDUMP_ATTR_BYTE_ORDER, &order);
    if (ptr_size != 8 || order != KDUMP_LITTLE_ENDIAN)
        return error_set(err, -ENOTSUP,
                         "a dump of a %s machine: only 64-bit little-endian ones are read",
                         ptr_size != 8 ? "32-bit" : "big-endian");
    kdump_get_string_attr(d->ctx, KDUMP_ATTR_ARCH_NAME, &name);
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
        if (strcmp(machines[i].name, name) == 0)
            im->machine = machines[i].machine;
    return 0;
}

/* The pages that were memory; of an old library the pages that are in the file. */
static int page_map(kdump_ctx_t *ctx, kdump_bmp_t **ret)
{
    kdump_attr_t attr = {.type = KDUMP_BITMAP};

    if (kdump_get_typed_attr(ctx, KDUMP_ATTR_MEMORY_PAGEMAP, &attr) != KDUMP_OK) {
        attr.type = KDUMP_BITMAP;
        if (kdump_get_typed_attr(ctx, KDUMP_ATTR_FILE_PAGEMAP, &attr) != KDUMP_OK)
            return -EBADMSG;
    }
    *ret = attr.val.bitmap;
    return 0;
}

static int add_range(struct image *im, size_t *cap, uint64_t phys, uint64_t bytes)
{
    if (im->n_ranges == *cap) {
        size_t grown = *cap ? 2 * *cap : 64;
        struct image_range *r = reallocarray(im->ranges, grown, sizeof(*r));

        if (!r)
            return -ENOMEM;
        im->ranges = r;
        *cap = grown;
    }
    im->ranges[im->n_ranges++] =
        (struct image_range){.phys = phys, .mem_bytes = bytes, .file_bytes = bytes};
    return 0;
}

static int find_ranges(struct image *im, uint64_t page_size, kdump_bmp_t *map)
{
    kdump_addr_t first = 0;
    size_t cap = 0;

    while (kdump_bmp_find_set(map, &first) == KDUMP_OK && im->n_ranges < KDUMP_MAX_RANGES) {
        kdump_addr_t end = first;
        uint64_t phys, bytes, past;
        int r;

        if (kdump_bmp_find_clear(map, &end) != KDUMP_OK || end <= first)
            return -EBADMSG;
        if (!mul_u64(first, page_size, &phys) || !mul_u64(end - first, page_size, &bytes) ||
            !add_u64(phys, bytes, &past))
            return -EBADMSG;
        r = add_range(im, &cap, phys, bytes);
        if (r < 0)
            return r;
        first = end;
    }
    return im->n_ranges ? 0 : -EBADMSG;
}

static int read_ranges(struct image *im, struct error *err)
{
    struct kdump *d = im->priv;
    kdump_num_t page_size;
    kdump_bmp_t *map = NULL;
    int r = -EBADMSG;

    if (kdump_get_number_attr(d->ctx, KDUMP_ATTR_PAGE_SIZE, &page_size) == KDUMP_OK &&
        page_map(d->ctx, &map) == 0)
        r = find_ranges(im, page_size, map);
    return r < 0 ? error_set(err, r, "a compressed dump whose map of pages is %s",
                             r == -ENOMEM ? "too large for this machine" : "damaged or empty")
                 : 0;
}

static int read_vmcoreinfo(struct image *im, struct error *err)
{
    struct kdump *d = im->priv;
    _cleanup_free_ char *raw = NULL;

    kdump_set_string_attr(d->ctx, KDUMP_ATTR_OSTYPE, "linux"); /* its failure shows below */
    /* one without it opens, as an ELF core does */
    if (kdump_vmcoreinfo_raw(d->ctx, &raw) != KDUMP_OK || !raw)
        return 0;
    return vmcoreinfo_init(&im->vmcoreinfo, raw, strlen(raw), err);
}

static int kdump_image_open(struct image *im, struct error *err)
{
    int r = check_head(im, err);

    if (r < 0)
        return r;
    im->priv = calloc(1, sizeof(struct kdump));
    if (!im->priv)
        return error_set(err, -ENOMEM, "out of memory");
    r = attach(im, err);
    if (r == 0)
        r = find_machine(im, err);
    if (r == 0)
        r = read_ranges(im, err);
    return r < 0 ? r : read_vmcoreinfo(im, err);
}

/* 0 if [phys, end) was memory from end to end. */
static int check_memory(const struct image *im, uint64_t phys, uint64_t end)
{
    const struct image_range *r = ranges_find(im->ranges, im->n_ranges, phys);
    const struct image_range *last = im->ranges + im->n_ranges;

    for (; phys < end; r++) {
        if (!r || r == last || r->phys > phys)
            return -EFAULT;
        phys = range_end(r);
    }
    return 0;
}

static int read_into(struct kdump *d, uint64_t phys, void *to, size_t len)
{
    size_t got = len;
    kdump_status status = kdump_read(d->ctx, KDUMP_MACHPHYSADDR, phys, to, &got);

    if (status == KDUMP_OK && got == len)
        return 0;
    return status == KDUMP_ERR_NODATA ? -ENODATA : -EFAULT;
}

static int kdump_image_read(struct image *im, uint64_t phys, void *ret, size_t len)
{
    struct kdump *d = im->priv;
    _cleanup_free_ uint8_t *whole = NULL;
    uint8_t few[4096], *to = few;
    int r = check_memory(im, phys, phys + len);

    if (r == 0 && !d->ctx)
        r = d->failed || attach(im, NULL) < 0 ? -EFAULT : 0;
    if (r < 0)
        return r;
    /* the library writes what it has before it meets a page that it has not */
    if (len > sizeof(few)) {
        to = whole = malloc(len);
        if (!whole)
            return -ENOMEM;
    }
    r = read_into(d, phys, to, len);
    if (r == 0)
        memcpy(ret, to, len);
    return r;
}

/* The library keeps the descriptor's number, which a fork's new descriptor does not share; so the
 * next read opens the dump again. */
static void kdump_drop_caches(struct image *im)
{
    struct kdump *d = im->priv;

    if (d && d->ctx)
        kdump_free(d->ctx);
    if (d)
        d->ctx = NULL;
}

static void kdump_image_close(struct image *im)
{
    kdump_drop_caches(im);
    free(im->priv);
    im->priv = NULL;
}

const struct image_ops image_kdump = {
    .name = "kdump",
    .flattened_name = "kdump-flattened",
    .probe = kdump_probe,
    .open = kdump_image_open,
    .read = kdump_image_read,
    .drop_caches = kdump_drop_caches,
    .close = kdump_image_close,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/vmcoreinfo_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/image_ops.h"
#include "util/cleanup.h"
#include "util/deadline.h"
#include "util/math.h"

/* crash_save_vmcoreinfo_init() (kernel/vmcore_info.c) begins with it. */
#define FIRST_KEY   "OSRELEASE="
#define FIRST_LEN   (sizeof(FIRST_KEY) - 1)
#define PIECE_BYTES (1u << 20)
#define PAGE_BYTES  4096u
/* The shortest of real kernels (3.10) has 1500 bytes. */
#define SHORTEST_TEXT 256
/* Each costs a few reads; a machine has two or three, and some more in files. */
#define MAX_TRIED 1024

struct scan {
    struct image *im;
    const struct vmcoreinfo_search *search;
    bool (*accept)(struct image *im);
    struct vmcoreinfo best;
    uint8_t *piece;
    char *text; /* VMCOREINFO_MAX_BYTES */
    unsigned tried;
};

static bool is_text(char c)
{
    return c == '\n' || (c >= ' ' && c <= '~');
}

/* The text from phys up to the first byte that is none, page by page, for the next may be absent.
 */
static size_t read_text(struct scan *s, uint64_t phys)
{
    size_t len = 0;

    while (len < VMCOREINFO_MAX_BYTES) {
        size_t n = (size_t)min_u64(PAGE_BYTES - phys % PAGE_BYTES, VMCOREINFO_MAX_BYTES - len);

        if (image_read(s->im, phys, s->text + len, n) < 0)
            return len;
        for (size_t end = len + n; len < end; len++)
            if (!is_text(s->text[len]))
                return len;
        phys += n;
    }
    return len;
}

/* What every kernel writes, in whole lines. */
static bool looks_whole(const struct vmcoreinfo *vi)
{
    uint64_t v;

    return vi->len >= SHORTEST_TEXT && vi->text[vi->len - 1] == '\n' &&
           !vmcoreinfo_decimal(vi, "PAGESIZE", &v) && !vmcoreinfo_symbol(vi, "init_uts_ns", &v) &&
           !vmcoreinfo_symbol(vi, "_stext", &v);
}

/* Keeps the text if it is longer than the best so far and accepted. */
static int try_text(struct scan *s, size_t len)
{
    struct vmcoreinfo vi = {0};
    int r;

    if (len <= s->best.len)
        return 0;
    r = vmcoreinfo_init(&vi, s->text, len, NULL);
    if (r < 0)
        return r;
    if (looks_whole(&vi) && s->tried++ < MAX_TRIED) {
        s->im->vmcoreinfo = vi;
        if (s->accept(s->im)) {
            vmcoreinfo_done(&s->best);
            s->best = vi;
            vi = (struct vmcoreinfo){0};
        }
        s->im->vmcoreinfo = (struct vmcoreinfo){0};
    }
    vmcoreinfo_done(&vi);
    return 0;
}

static bool is_done(const struct scan *s)
{
    uint64_t v;

    return s->tried >= MAX_TRIED || !vmcoreinfo_decimal(&s->best, "CRASHTIME", &v);
}

/* Every text that begins in the len bytes of s->piece, which are those at phys. */
static int scan_piece(struct scan *s, uint64_t phys, size_t len)
{
    const uint8_t *at = s->piece, *end = s->piece + len;

    while (!is_done(s) && (at = memmem(at, (size_t)(end - at), FIRST_KEY, FIRST_LEN))) {
        size_t text = read_text(s, phys + (uint64_t)(at - s->piece));
        int r = try_text(s, text);

        if (r < 0)
            return r;
        at += min_u64(max_u64(text, FIRST_LEN), (uint64_t)(end - at));
    }
    return 0;
}

/* A piece that is not there as a whole is read page by page. A text's first key lies within a page:
 * the kernel has its texts at the start of one, or a note's head behind it. */
static int scan_span(struct scan *s, uint64_t phys, size_t len)
{
    int r = 0;

    if (image_read(s->im, phys, s->piece, len) == 0)
        return scan_piece(s, phys, len);
    for (size_t n; r == 0 && len; phys += n, len -= n) {
        n = (size_t)min_u64(PAGE_BYTES - phys % PAGE_BYTES, len);
        if (image_read(s->im, phys, s->piece, n) == 0)
            r = scan_piece(s, phys, n);
    }
    return r;
}

static int scan_range(struct scan *s, const struct image_range *range, uint64_t total,
                      uint64_t *io_done)
{
    uint64_t left = range->file_bytes, phys = range->phys;
    int r = 0;

    while (r == 0 && left && !is_done(s)) {
        /* to a whole piece's end, so that the pages of the next ones are whole */
        size_t n = (size_t)min_u64(PIECE_BYTES - phys % PIECE_BYTES, left);

        if (deadline_passed(s->search->deadline_ns))
            return -ETIME;
        r = scan_span(s, phys, n);
        phys += n;
        left -= n;
        *io_done = sat_add_u64(*io_done, n);
        if (s->search->progress)
            s->search->progress(s->search->arg, *io_done, total);
    }
    return r;
}

static int scan_ranges(struct scan *s)
{
    const struct image_range *ranges;
    size_t n = image_ranges(s->im, &ranges);
    uint64_t total = 0, done = 0;
    int r = 0;

    for (size_t i = 0; i < n; i++)
        total = sat_add_u64(total, ranges[i].file_bytes);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = scan_range(s, &ranges[i], total, &done);
    return r;
}

int vmcoreinfo_scan(struct image *im, const struct vmcoreinfo_search *search,
                    bool (*accept)(struct image *im))
{
    _cleanup_free_ uint8_t *piece = malloc(PIECE_BYTES);
    _cleanup_free_ char *text = malloc(VMCOREINFO_MAX_BYTES);
    struct scan s = {.im = im, .search = search, .accept = accept, .piece = piece, .text = text};
    int r;

    if (!piece || !text)
        return -ENOMEM;
    vmcoreinfo_done(&im->vmcoreinfo);
    r = scan_ranges(&s);
    im->vmcoreinfo = s.best;
    if (s.best.len)
        return 0;
    return r < 0 ? r : -ENOENT;
}

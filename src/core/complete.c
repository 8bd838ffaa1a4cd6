/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The three forms as their writers lay them out (makedumpfile.c, makedumpfile.h and diskdump_mod.h
 * of makedumpfile 1.7; dump/dump.c of QEMU 8): an ELF core, whose program headers say where its
 * memory ends; a compressed dump of headers, two bitmaps, a descriptor a page, the pages; and the
 * flattened form of either, a stream of pieces that ends in a mark. This parser is not the one that
 * reads dumps: that one needs a library, and makes the best of a damaged file.
 */
#include "core/complete.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/kdump_head.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/math.h"

struct file {
    int fd;
    uint64_t bytes;
};

static bool read_at(const struct file *f, uint64_t offset, void *ret, size_t len)
{
    uint8_t *to = ret;

    if (!range_within(offset, len, f->bytes))
        return false;
    while (len) {
        ssize_t n = pread(f->fd, to, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        to += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

static void say(struct complete *ret, enum completeness state, const char *why)
{
    ret->state = state;
    snprintf(ret->why, sizeof(ret->why), "%s", why);
}

static void not_whole(struct complete *ret, const char *why)
{
    say(ret, COMPLETE_NO, why);
}

static const char unfinished[] = "its writer ran out of space and marked it so";

/* --- ELF ---------------------------------------------------------------------------------- */
#define ELF_MAX_PHDRS  (1 << 17) /* as core/elf.c */
#define ELF_CHUNK      128       /* program headers read at once */
#define MAX_FILE_BYTES (1ULL << 56)
/* DUMP_ELF_INCOMPLETE of makedumpfile, in e_flags, which kernels leave 0. */
#define ELF_INCOMPLETE 1

struct loads {
    size_t beyond, unwritten; /* segments past the file's end, headers that are all zero */
    bool absurd;
};

static void count_segment(const struct file *f, const Elf64_Phdr *ph, struct loads *l,
                          struct complete *io)
{
    uint64_t there = 0;

    if (ph->p_type == PT_NULL && !ph->p_offset && !ph->p_filesz && !ph->p_memsz)
        l->unwritten++;
    if (ph->p_type != PT_LOAD || !ph->p_filesz)
        return;
    if (ph->p_filesz > MAX_FILE_BYTES || ph->p_offset > MAX_FILE_BYTES) {
        l->absurd = true; /* image_has_absurd_segment(): the fault of the kernel that crashed */
        return;
    }
    if (ph->p_offset < f->bytes)
        there = min_u64(ph->p_filesz, f->bytes - ph->p_offset);
    l->beyond += there < ph->p_filesz;
    io->have_bytes = sat_add_u64(io->have_bytes, there);
    io->want_bytes = sat_add_u64(io->want_bytes, ph->p_filesz);
}

/* false if the file ends before its program headers do. */
static bool count_segments(const struct file *f, uint64_t offset, uint64_t n, struct loads *l,
                           struct complete *io)
{
    Elf64_Phdr chunk[ELF_CHUNK];

    while (n) {
        size_t k = (size_t)min_u64(n, ELF_CHUNK);

        if (!read_at(f, offset, chunk, k * sizeof(chunk[0])))
            return false;
        for (size_t i = 0; i < k; i++)
            count_segment(f, &chunk[i], l, io);
        offset += k * sizeof(chunk[0]);
        n -= k;
    }
    return true;
}

static void judge_segments(const Elf64_Ehdr *eh, const struct loads *l, struct complete *io)
{
    if (l->absurd)
        say(io, COMPLETE_UNKNOWN, "an ELF core with a segment that no machine has room for");
    else if (eh->e_flags & ELF_INCOMPLETE)
        not_whole(io, unfinished);
    else if (l->beyond)
        not_whole(io, "the file ends before its segments do");
    else if (l->unwritten) {
        not_whole(io, "its program headers were not all written");
        io->want_bytes = 0; /* they would have told */
    } else
        io->state = COMPLETE_YES;
}

static void check_elf(const struct file *f, struct complete *io)
{
    Elf64_Ehdr eh;
    Elf64_Shdr first;
    struct loads l = {0};
    uint64_t n;

    if (!read_at(f, 0, &eh, sizeof(eh))) {
        not_whole(io, "the file ends inside its header");
        return;
    }
    if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB ||
        eh.e_type != ET_CORE || eh.e_phentsize != sizeof(Elf64_Phdr)) {
        say(io, COMPLETE_UNKNOWN, "an ELF file that is not read");
        return;
    }
    n = eh.e_phnum;
    if (n == PN_XNUM && eh.e_shoff && read_at(f, eh.e_shoff, &first, sizeof(first)))
        n = first.sh_info;
    if (n > ELF_MAX_PHDRS)
        say(io, COMPLETE_UNKNOWN, "an ELF core with too many program headers");
    else if (!count_segments(f, eh.e_phoff, n, &l, io)) {
        not_whole(io, "the file ends inside its program headers");
        io->want_bytes = 0;
    } else
        judge_segments(&eh, &l, io);
}

/* --- compressed --------------------------------------------------------------------------- */
#define KDUMP_INCOMPLETE 0x8 /* DUMP_DH_COMPRESSED_INCOMPLETE */

#define BITMAP_CHUNK    65536
#define DESC_BYTES      24 /* page_desc_t */
#define DESC_CHUNK      2048
#define DESC_MAX_CHUNKS 2048 /* all-zero pages at the end of memory: 16 GiB */

/* The descriptors of the pages in the dump, and behind them the pages. A part of a split dump has
 * room for the descriptors of all, and writes those of its own. */
struct page_table {
    uint64_t at, n, data_at;
    uint32_t block_bytes;
};

struct page_span {
    uint64_t first, end; /* page frame numbers */
};

struct page_desc {
    uint64_t offset;
    uint32_t size;
};

/* The pages that this file holds, which are all unless it is part of a split dump. */
static bool find_span(const struct file *f, const struct kdump_head *h, struct page_span *ret)
{
    uint8_t bytes[KDUMP_SUB_HEAD_BYTES];
    struct kdump_sub_head sub;

    if (!read_at(f, h->block_bytes, bytes, sizeof(bytes)))
        return false;
    kdump_sub_head_parse(bytes, &sub);
    *ret = (struct page_span){0, UINT64_MAX};
    if (sub.is_split)
        *ret = (struct page_span){sub.first_pfn, sub.end_pfn};
    return true;
}

/* The bits of the byte of eight pages that lie in the span. */
static uint8_t span_mask(uint64_t page, struct page_span span)
{
    uint8_t mask = 0;

    if (page >= span.first && page < span.end && span.end - page >= 8)
        return 0xff;
    for (unsigned int i = 0; i < 8; i++)
        if (page + i >= span.first && page + i < span.end)
            mask |= (uint8_t)(1U << i);
    return mask;
}

/* Bits that are set in the second bitmap. false if the file ends in it. */
static bool count_pages(const struct file *f, const struct kdump_head *h, struct page_span span,
                        uint64_t *ret_own, uint64_t *ret_all)
{
    uint64_t len = kdump_bitmap_bytes(h), own = 0, all = 0, page = 0;
    _cleanup_free_ uint8_t *chunk = malloc(BITMAP_CHUNK);

    for (uint64_t at = 0; at < len; at += BITMAP_CHUNK) {
        size_t k = (size_t)min_u64(BITMAP_CHUNK, len - at);

        if (!chunk || !read_at(f, kdump_bitmap_at(h) + len + at, chunk, k))
            return false;
        for (size_t i = 0; i < k; i++, page += 8)
            if (chunk[i]) {
                all += (unsigned int)__builtin_popcount(chunk[i]);
                own += (unsigned int)__builtin_popcount(chunk[i] & span_mask(page, span));
            }
    }
    *ret_own = own;
    *ret_all = all;
    return true;
}

static bool read_descs(const struct file *f, const struct page_table *t, uint64_t first, size_t n,
                       struct page_desc *ret)
{
    uint8_t bytes[64 * DESC_BYTES];

    for (size_t i = 0; i < n; i += 64) {
        size_t k = (size_t)min_u64(64, n - i);
        struct cursor c = cursor_init(bytes, k * DESC_BYTES);

        if (!read_at(f, t->at + (first + i) * DESC_BYTES, bytes, k * DESC_BYTES))
            return false;
        for (size_t j = 0; j < k; j++) {
            cursor_seek(&c, j * DESC_BYTES);
            ret[i + j].offset = cursor_u64(&c);
            ret[i + j].size = cursor_u32(&c);
        }
    }
    return true;
}

/* One page of zeros stands for all, before the others. */
static bool is_zero_page(const struct page_table *t, struct page_desc d)
{
    return d.offset == t->data_at && d.size == t->block_bytes;
}

/* A descriptor that was never written is all zero. */
static bool is_there(const struct file *f, struct page_desc d)
{
    return d.offset && range_within(d.offset, d.size, f->bytes);
}

/* Whether page i is in the file. One of zeros says nothing: the next that is not answers for it. */
static bool page_is_there(const struct file *f, const struct page_table *t, uint64_t i)
{
    struct page_desc d[256];
    size_t n = (size_t)min_u64(ARRAY_SIZE(d), t->n - i);

    if (!read_descs(f, t, i, n, d))
        return false;
    for (size_t k = 0; k < n; k++)
        if (!is_zero_page(t, d[k]))
            return is_there(f, d[k]);
    return true;
}

/* Pages are written in their order, so that those that are there come before those that are not. */
static uint64_t pages_there(const struct file *f, const struct page_table *t)
{
    uint64_t low = 0, high = t->n;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (page_is_there(f, t, middle))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/*
 * The last descriptors: down to one that is no page of zeros, whose data are the last of the file.
 * NULL if they are all there.
 */
static const char *judge_tail(const struct file *f, const struct page_table *t, bool *ret_known)
{
    struct page_desc d[DESC_CHUNK];
    uint64_t left = t->n;

    *ret_known = true;
    for (size_t chunks = 0; left && chunks < DESC_MAX_CHUNKS; chunks++) {
        size_t n = (size_t)min_u64(DESC_CHUNK, left), zeros = 0;

        left -= n;
        if (!read_descs(f, t, left, n, d))
            return "the file ends inside its table of pages";
        for (size_t i = 0; i < n; i++) {
            if (!d[i].offset)
                return "its last pages were never written";
            if (!is_there(f, d[i]))
                return "the file ends before its pages do";
            zeros += is_zero_page(t, d[i]);
        }
        if (zeros < n)
            return NULL;
    }
    *ret_known = !left;
    return NULL;
}

/* The first data follow the table, so they tell how many pages it was made for: a bitmap that was
 * not written to its end has fewer. */
static bool bitmap_is_short(const struct file *f, struct page_table *io)
{
    struct page_desc d;

    if (!io->n || !read_descs(f, io, 0, 1, &d) || d.offset <= io->data_at + io->block_bytes)
        return false;
    io->n = (min_u64(d.offset, f->bytes) - io->at) / DESC_BYTES;
    return true;
}

static void judge_pages(const struct file *f, const struct kdump_head *h, struct page_table *t,
                        struct complete *io)
{
    bool known;
    const char *why = judge_tail(f, t, &known);

    if (!why && t->data_at > f->bytes)
        why = "the file ends inside its table of pages";
    if (!why && bitmap_is_short(f, t))
        why = "its map of pages was not written to the end";
    if (!why && (h->status & KDUMP_INCOMPLETE))
        why = unfinished;
    io->want_bytes = sat_mul_u64(t->n, t->block_bytes);
    io->have_bytes = io->want_bytes;
    if (why) {
        io->have_bytes = sat_mul_u64(pages_there(f, t), t->block_bytes);
        not_whole(io, h->status & KDUMP_INCOMPLETE ? unfinished : why);
    } else if (known)
        io->state = COMPLETE_YES;
    else
        say(io, COMPLETE_UNKNOWN, "a dump whose last pages are all zero");
}

static void check_kdump(const struct file *f, struct complete *io)
{
    uint8_t bytes[KDUMP_HEAD_BYTES];
    struct kdump_head h;
    struct page_table t;
    struct page_span span;
    uint64_t all;

    if (!read_at(f, 0, bytes, sizeof(bytes))) {
        not_whole(io, "the file ends inside its header");
        return;
    }
    if (!kdump_head_parse(bytes, &h)) {
        say(io, COMPLETE_UNKNOWN, "a compressed dump with a header that is not read");
        return;
    }
    if (!find_span(f, &h, &span) || !count_pages(f, &h, span, &t.n, &all)) {
        not_whole(io, "the file ends inside its headers");
        return;
    }
    t.at = kdump_table_at(&h);
    t.data_at = t.at + all * DESC_BYTES;
    t.block_bytes = h.block_bytes;
    if (all)
        judge_pages(f, &h, &t, io);
    else
        say(io, COMPLETE_UNKNOWN, "a compressed dump without pages");
}

/* --- flattened ---------------------------------------------------------------------------- */
#define FLAT_HEADER_BYTES 4096
#define MAX_PAGES         (1ULL << 33) /* of 32 TiB of memory */
#define FLAT_MAX_PIECES   (1 << 20)    /* 64 KiB each: 64 GiB */

struct piece {
    int64_t offset, bytes; /* -1, -1: the end */
};

/* What the pieces of a compressed dump tell of its table, which is written from its start to its
 * end. */
struct stream {
    struct page_table t;
    uint64_t table_end; /* so far */
};

static bool read_piece(const struct file *f, uint64_t at, struct piece *ret)
{
    uint64_t raw[2];

    *ret = (struct piece){0};
    if (!read_at(f, at, raw, sizeof(raw)))
        return false;
    *ret = (struct piece){(int64_t)be64toh(raw[0]), (int64_t)be64toh(raw[1])};
    return true;
}

static bool is_end(struct piece p)
{
    return p.offset == -1 && p.bytes == -1;
}

static void follow(const struct file *f, uint64_t at, struct piece p, struct stream *s)
{
    uint8_t bytes[KDUMP_HEAD_BYTES];
    struct kdump_head h;

    if (!p.offset && !s->t.at && p.bytes >= (int64_t)sizeof(bytes) &&
        read_at(f, at, bytes, sizeof(bytes)) && !memcmp(bytes, "KDUMP   ", 8) &&
        kdump_head_parse(bytes, &h)) {
        s->t.at = s->table_end = kdump_table_at(&h);
        s->t.block_bytes = h.block_bytes;
    } else if (s->t.at && (uint64_t)p.offset == s->table_end) {
        s->table_end += (uint64_t)p.bytes;
    } else if (s->t.at && (uint64_t)p.offset > s->table_end && !s->t.data_at) {
        s->t.data_at = (uint64_t)p.offset;
    }
}

static void judge_stream(const struct stream *s, struct complete *io)
{
    not_whole(io, "the end mark is missing: its writer or a pipe broke");
    if (s->t.data_at <= s->t.at || (s->t.data_at - s->t.at) / DESC_BYTES > MAX_PAGES)
        return;
    io->want_bytes = sat_mul_u64((s->t.data_at - s->t.at) / DESC_BYTES, s->t.block_bytes);
    io->have_bytes = min_u64(io->want_bytes,
                             sat_mul_u64((s->table_end - s->t.at) / DESC_BYTES, s->t.block_bytes));
}

/* Whether the mark is reached; of a stream of more pieces than are followed, whether it is at the
 * end. */
static bool walk(const struct file *f, struct stream *s)
{
    uint64_t at = FLAT_HEADER_BYTES;
    struct piece p;

    for (size_t n = 0; n < FLAT_MAX_PIECES; n++) {
        if (!read_piece(f, at, &p) || is_end(p) || p.offset < 0 || p.bytes <= 0)
            return is_end(p);
        at += sizeof(uint64_t[2]);
        follow(f, at, p, s);
        if (!add_u64(at, (uint64_t)p.bytes, &at))
            return false;
    }
    return read_piece(f, f->bytes - sizeof(uint64_t[2]), &p) && is_end(p);
}

static void check_flattened(const struct file *f, struct complete *io)
{
    struct stream s = {0};

    if (walk(f, &s))
        io->state = COMPLETE_YES;
    else
        judge_stream(&s, io);
}

/* --- any ---------------------------------------------------------------------------------- */
static const struct {
    char signature[16];
    size_t len;
    void (*check)(const struct file *f, struct complete *io);
} forms[] = {
    {ELFMAG, SELFMAG, check_elf},
    {"KDUMP   ", 8, check_kdump},
    {"makedumpfile\0\0\0", 16, check_flattened},
};

struct complete complete_check(int fd)
{
    struct complete c = {.state = COMPLETE_UNKNOWN};
    uint8_t head[16] = {0};
    struct stat st;
    struct file f = {.fd = fd};

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        say(&c, COMPLETE_UNKNOWN, "not a regular file");
        return c;
    }
    f.bytes = (uint64_t)st.st_size;
    if (!f.bytes) {
        not_whole(&c, "an empty file");
        return c;
    }
    read_at(&f, 0, head, (size_t)min_u64(sizeof(head), f.bytes));
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        if (!memcmp(head, forms[i].signature, forms[i].len)) {
            forms[i].check(&f, &c);
            return c;
        }
    say(&c, COMPLETE_UNKNOWN, "a file of a form that does not tell its length");
    return c;
}

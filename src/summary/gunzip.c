/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "summary/gunzip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK_BYTES 16384

/* A section of a summary is capped far below this by its budget; a member that inflates further is
 * a bomb. */
#define MEMBER_LIMIT_BYTES (64ULL << 20)
/* The same for the file, and for what damaged members may cost: each false start is inflated
 * until it fails, so a file made of false starts would take time by the square of its size. */
#define TOTAL_LIMIT_BYTES (1ULL << 30)
#define WASTE_LIMIT_BYTES (128ULL << 20)
#define STARTS_LIMIT      65536

#define GZIP_HEADER_MIN 4 /* magic, method, flags: what a member is known by */

struct gunzip {
    int fd;
    z_stream z;
    bool in_member, ending, failing, searching, member_real, at_eof;
    uint64_t in_offset; /* of in[0] in the file */
    size_t in_pos, in_len;
    uint64_t member_start, member_bytes, total_bytes, wasted_bytes, starts;
    struct gunzip_damage damage;
    unsigned char in[CHUNK_BYTES];
    char out[CHUNK_BYTES];
};

struct gunzip *gunzip_new(int fd)
{
    struct gunzip *g = calloc(1, sizeof(*g));

    if (!g)
        return NULL;
    g->fd = fd;
    /* 16: gzip wrapping, its checksum and length verified */
    if (inflateInit2(&g->z, 16 + MAX_WBITS) != Z_OK) {
        free(g);
        return NULL;
    }
    return g;
}

void gunzip_free(struct gunzip *g)
{
    if (!g)
        return;
    inflateEnd(&g->z);
    free(g);
}

void gunzip_rewind(struct gunzip *g)
{
    g->in_member = g->ending = g->failing = g->searching = g->member_real = g->at_eof = false;
    g->in_offset = 0;
    g->in_pos = g->in_len = 0;
    g->total_bytes = g->wasted_bytes = g->starts = 0;
    g->damage = (struct gunzip_damage){0};
}

void gunzip_member_is_real(struct gunzip *g)
{
    g->member_real = true;
}

struct gunzip_damage gunzip_damage(const struct gunzip *g)
{
    return g->damage;
}

/* Makes n bytes available at in_pos if the file has them; returns how many there are. */
static int gunzip_fill(struct gunzip *g, size_t n, struct error *err, size_t *ret_avail)
{
    while (g->in_len - g->in_pos < n) {
        ssize_t got;

        memmove(g->in, g->in + g->in_pos, g->in_len - g->in_pos);
        g->in_offset += g->in_pos;
        g->in_len -= g->in_pos;
        g->in_pos = 0;
        got = pread(g->fd, g->in + g->in_len, sizeof(g->in) - g->in_len,
                    (off_t)(g->in_offset + g->in_len));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, -errno, "cannot read: %s", strerror(errno));
        if (!got)
            break;
        g->in_len += (size_t)got;
    }
    *ret_avail = g->in_len - g->in_pos;
    return 0;
}

static void gunzip_seek(struct gunzip *g, uint64_t offset)
{
    if (offset >= g->in_offset && offset - g->in_offset <= g->in_len) {
        g->in_pos = (size_t)(offset - g->in_offset);
    } else {
        g->in_offset = offset;
        g->in_pos = g->in_len = 0;
    }
}

/* The first avail bytes of a gzip header, as far as there are any. */
static bool looks_like_member(const unsigned char *p, size_t avail)
{
    static const unsigned char magic[] = {0x1f, 0x8b, Z_DEFLATED};
    size_t n = avail < sizeof(magic) ? avail : sizeof(magic);

    /* the three high bits of the flags are reserved (RFC 1952) */
    return !memcmp(p, magic, n) && (avail < GZIP_HEADER_MIN || !(p[3] & 0xe0));
}

static void note_damage(struct gunzip *g, bool cut)
{
    if (cut)
        g->damage.truncated = true;
    else
        g->damage.bad_members++;
    g->searching = true;
}

/* Goes to the next byte that may begin a member and opens it. 1, or 0 at the end of the file. */
static int gunzip_begin_member(struct gunzip *g, struct error *err)
{
    for (;;) {
        const unsigned char *p, *next;
        size_t avail = 0;
        int r = gunzip_fill(g, GZIP_HEADER_MIN, err, &avail);

        if (r)
            return r;
        if (!avail)
            return 0;
        p = g->in + g->in_pos;
        if (looks_like_member(p, avail)) {
            if (avail >= GZIP_HEADER_MIN)
                break;
            note_damage(g, true);
            return 0;
        }
        if (!g->searching)
            note_damage(g, false);
        next = memchr(p + 1, 0x1f, avail - 1);
        g->in_pos = next ? (size_t)(next - g->in) : g->in_len;
    }
    inflateReset(&g->z);
    g->member_start = g->in_offset + g->in_pos;
    g->member_bytes = 0;
    g->member_real = false;
    g->in_member = true;
    if (++g->starts > STARTS_LIMIT)
        g->damage.gave_up = true;
    return 1;
}

static int gunzip_end_member(struct gunzip *g)
{
    g->in_member = g->ending = g->searching = false;
    /* an earlier member that seemed to be cut by the end of the file was not the last after all */
    if (g->damage.truncated) {
        g->damage.truncated = false;
        g->damage.bad_members++;
    }
    return GUNZIP_MEMBER_END;
}

/* cut: it is the end of the file that stopped the member. */
static int gunzip_fail_member(struct gunzip *g, bool cut)
{
    if (!g->searching || g->member_real)
        note_damage(g, cut);
    g->in_member = g->failing = false;
    g->wasted_bytes += g->member_bytes;
    if (g->wasted_bytes > WASTE_LIMIT_BYTES)
        g->damage.gave_up = true;
    gunzip_seek(g, g->member_start + 1);
    return GUNZIP_MEMBER_BAD;
}

/* One step of inflate: data, the member's end, or its failure. */
static int gunzip_inflate(struct gunzip *g, struct error *err, const char **ret_data,
                          size_t *ret_len)
{
    for (;;) {
        size_t avail = 0, produced;
        int r = gunzip_fill(g, 1, err, &avail), status;

        if (r)
            return r;
        g->z.next_in = g->in + g->in_pos;
        g->z.avail_in = (uInt)avail;
        g->z.next_out = (Bytef *)g->out;
        g->z.avail_out = sizeof(g->out);
        status = inflate(&g->z, Z_NO_FLUSH);
        g->in_pos = g->in_len - g->z.avail_in;
        produced = sizeof(g->out) - g->z.avail_out;
        g->member_bytes += produced;
        g->total_bytes += produced;
        if (status == Z_STREAM_END)
            g->ending = true;
        else if ((status != Z_OK && status != Z_BUF_ERROR) || g->member_bytes > MEMBER_LIMIT_BYTES)
            g->failing = true;
        if (produced) {
            *ret_data = g->out;
            *ret_len = produced;
            return GUNZIP_DATA;
        }
        if (g->ending)
            return gunzip_end_member(g);
        if (g->failing)
            return gunzip_fail_member(g, false);
        if (!avail)
            return gunzip_fail_member(g, true);
    }
}

int gunzip_next(struct gunzip *g, struct error *err, const char **ret_data, size_t *ret_len)
{
    int r;

    if (g->damage.gave_up || g->at_eof)
        return GUNZIP_EOF;
    if (g->total_bytes > TOTAL_LIMIT_BYTES) {
        g->damage.gave_up = true;
        return GUNZIP_EOF;
    }
    /* the last data was handed out before what follows it was told */
    if (g->failing)
        return gunzip_fail_member(g, false);
    if (g->ending)
        return gunzip_end_member(g);
    if (!g->in_member) {
        r = gunzip_begin_member(g, err);
        if (r <= 0) {
            g->at_eof = !r;
            return r;
        }
    }
    return gunzip_inflate(g, err, ret_data, ret_len);
}

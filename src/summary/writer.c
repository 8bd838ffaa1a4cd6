/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "summary/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "util/json.h"
#include "util/math.h"

/*
 * deflate takes (1 << (windowBits + 2)) + (1 << (memLevel + 9)) bytes (zconf.h): 256 KiB with
 * these. A level more of memory gains under 1 % on real sections.
 */
#define GZIP_WINDOW_BITS  (15 + 16) /* + 16: a gzip header and trailer */
#define DEFLATE_MEM_LEVEL 8

#define CHUNK_BYTES        16384 /* a write(2) */
#define END_LINE_LIMIT     4096
#define TEMP_NAME_ATTEMPTS 100

struct summary_writer {
    int fd;        /* where bytes go: the target, or memory */
    int target_fd; /* the target after it was lost, -1 otherwise */
    int dirfd;     /* borrowed; -1 for memory from the start */
    char temp_name[sizeof(SUMMARY_FILE_NAME) + 8];
    bool in_memory, published;
    bool unnamed; /* it could not be published */
    struct error lost;
    uint64_t bytes;        /* written to fd */
    uint64_t whole_bytes;  /* of them, those of finished members */
    uint64_t target_bytes; /* whole_bytes when the target was lost */
    unsigned sections, target_sections;
    char section[64];
    bool in_section;
    z_stream z;
    bool z_ready;
    unsigned char chunk[CHUNK_BYTES];
};

const char *section_status_name(enum section_status s)
{
    static const char *const names[] = {
        [SECTION_OK] = "ok",           [SECTION_PARTIAL] = "partial", [SECTION_SKIPPED] = "skipped",
        [SECTION_TIMEOUT] = "timeout", [SECTION_KILLED] = "killed",   [SECTION_FAILED] = "failed",
    };

    return (unsigned)s < ARRAY_SIZE(names) ? names[s] : "failed";
}

/* ---- opening -------------------------------------------------------------------------------- */

/* O_EXCL makes the name safe; the digits only make it likely to be free. A capture kernel may have
 * no entropy yet, and waiting for it could take for ever. */
static uint32_t any_number(void)
{
    uint32_t n;
    struct timespec ts;

    if (getrandom(&n, sizeof(n), GRND_NONBLOCK) == (ssize_t)sizeof(n))
        return n;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint32_t)ts.tv_nsec ^ (uint32_t)getpid() << 12;
}

static int create_temp(struct summary_writer *w, struct error *err)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

    for (int attempt = 0; attempt < TEMP_NAME_ATTEMPTS; attempt++) {
        uint32_t n = any_number();
        char suffix[7] = {0};

        for (size_t i = 0; i < sizeof(suffix) - 1; i++, n >>= 5)
            suffix[i] = digits[n & 31];
        snprintf(w->temp_name, sizeof(w->temp_name), ".%s.%s", SUMMARY_FILE_NAME, suffix);
        w->fd = openat(w->dirfd, w->temp_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                       0600);
        if (w->fd >= 0) {
            /* whatever the umask or a default ACL says */
            fchmod(w->fd, 0600);
            return 0;
        }
        if (errno != EEXIST)
            break;
    }
    return error_set(err, -errno, "cannot create a file: %s", strerror(errno));
}

static int create_memory(struct error *err)
{
    int fd = memfd_create("vmcore-summary", MFD_CLOEXEC);

    return fd >= 0 ? fd : error_set(err, -errno, "no file in memory: %s", strerror(errno));
}

static struct summary_writer *writer_new(int dirfd)
{
    struct summary_writer *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->fd = w->target_fd = -1;
    w->dirfd = dirfd;
    w->in_memory = dirfd < 0;
    w->z_ready = deflateInit2(&w->z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS,
                              DEFLATE_MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
    return w;
}

static int writer_open(int dirfd, struct error *err, struct summary_writer **ret)
{
    _cleanup_(summary_writer_closep) struct summary_writer *w = writer_new(dirfd);
    int r;

    if (!w || !w->z_ready)
        return error_set(err, -ENOMEM, "no memory for compression");
    if (w->in_memory)
        r = w->fd = create_memory(err);
    else
        r = create_temp(w, err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(w);
    return 0;
}

int summary_writer_open(int dirfd, struct error *err, struct summary_writer **ret)
{
    if (dirfd < 0)
        return error_set(err, -EBADF, "no directory");
    return writer_open(dirfd, err, ret);
}

int summary_writer_open_memory(struct error *err, struct summary_writer **ret)
{
    return writer_open(-1, err, ret);
}

void summary_writer_close(struct summary_writer *w)
{
    if (!w)
        return;
    if (w->z_ready)
        deflateEnd(&w->z);
    if (w->dirfd >= 0 && !w->published && w->temp_name[0] &&
        !(summary_writer_lost(w) ? w->target_bytes : w->bytes))
        unlinkat(w->dirfd, w->temp_name, 0);
    summary_writer_after_fork(w);
    free(w);
}

void summary_writer_closep(struct summary_writer **w)
{
    summary_writer_close(*w);
}

void summary_writer_after_fork(struct summary_writer *w)
{
    if (w->fd >= 0)
        close(w->fd);
    if (w->target_fd >= 0)
        close(w->target_fd);
    w->fd = w->target_fd = -1;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* Appends the first len bytes of one file to another. */
static int copy_bytes(int from, int to, uint64_t len)
{
    unsigned char block[4096];

    for (uint64_t offset = 0; offset < len;) {
        ssize_t n = pread(from, block, (size_t)min_u64(sizeof(block), len - offset), (off_t)offset);
        int r;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        r = write_all(to, block, (size_t)n);
        if (r < 0)
            return r;
        offset += (uint64_t)n;
    }
    return 0;
}

/*
 * The target failed with `code`: goes on in memory with all that was written so far. The file keeps
 * its finished members alone, for a cut one at its end would only look like damage.
 */
static int move_to_memory(struct summary_writer *w, int code, const char *what, struct error *err)
{
    _cleanup_close_ int memory = -1;
    int r;

    if (w->in_memory)
        return error_set(err, code, "%s in memory: %s", what, strerror(-code));
    memory = create_memory(err);
    if (memory < 0)
        return memory;
    r = copy_bytes(w->fd, memory, w->bytes);
    if (r < 0)
        return error_set(err, r, "%s: %s; and it cannot be read back", what, strerror(-code));
    error_set(&w->lost, code, "%s: %s", what, strerror(-code));
    w->target_bytes = w->whole_bytes;
    w->target_sections = w->sections;
    r = ftruncate(w->fd, (off_t)w->whole_bytes); /* if not, readers pass over the cut member */
    (void)r;
    w->target_fd = w->fd;
    w->fd = TAKE_FD(memory);
    w->in_memory = true;
    return 0;
}

static int put_bytes(struct summary_writer *w, const unsigned char *data, size_t len,
                     struct error *err)
{
    size_t done = 0;
    int r = write_some(w->fd, data, len, &done);

    w->bytes += done;
    if (!r)
        return 0;
    r = move_to_memory(w, r, "cannot write", err);
    if (r < 0)
        return r;
    return put_bytes(w, data + done, len - done, err);
}

/* Runs deflate until it has taken all input (and, with Z_FINISH, given all output). */
static int deflate_all(struct summary_writer *w, int flush, struct error *err)
{
    int z, r;

    do {
        z = deflate(&w->z, flush);
        if (z == Z_STREAM_ERROR)
            return error_set(err, -EINVAL, "compression out of order");
        if (w->z.avail_out && z != Z_STREAM_END)
            continue;
        r = put_bytes(w, w->chunk, sizeof(w->chunk) - w->z.avail_out, err);
        if (r < 0)
            return r;
        w->z.next_out = w->chunk;
        w->z.avail_out = sizeof(w->chunk);
    } while (w->z.avail_in || (flush == Z_FINISH && z != Z_STREAM_END));
    return 0;
}

/* Directories on some file systems cannot be synced, and say so with EINVAL. */
static int sync_fd(int fd)
{
    return fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP ? -errno : 0;
}

/* Member and name on the disk, as far as the target can promise. */
static int sync_member(struct summary_writer *w, struct error *err)
{
    int r;

    if (w->in_memory)
        return 0;
    r = sync_fd(w->fd);
    if (!r && w->sections == 1)
        r = sync_fd(w->dirfd);
    if (!r)
        return 0;
    /* what this member holds may not be on the disk; it stays there all the same */
    return move_to_memory(w, r, "cannot sync", err);
}

int summary_section_begin(struct summary_writer *w, const char *section, struct error *err)
{
    if (w->in_section)
        return error_set(err, -EINVAL, "section %s has not ended", w->section);
    if (deflateReset(&w->z) != Z_OK)
        return error_set(err, -EINVAL, "compression out of order");
    snprintf(w->section, sizeof(w->section), "%s", section);
    w->z.next_out = w->chunk;
    w->z.avail_out = sizeof(w->chunk);
    w->in_section = true;
    return 0;
}

int summary_section_lines(struct summary_writer *w, const char *lines, size_t len,
                          struct error *err)
{
    if (!w->in_section)
        return error_set(err, -EINVAL, "no section has begun");
    while (len) {
        size_t n = (size_t)min_u64(len, 1u << 20);
        int r;

        w->z.next_in = (const unsigned char *)lines;
        w->z.avail_in = (uInt)n;
        r = deflate_all(w, Z_NO_FLUSH, err);
        if (r < 0)
            return r;
        lines += n;
        len -= n;
    }
    return 0;
}

static void end_line(const char *section, const struct section_end *end, struct buf *line)
{
    struct json j = {line, false};

    json_object_begin(&j, NULL);
    json_str(&j, "section", section);
    json_str(&j, "record", "end");
    json_str(&j, "status", section_status_name(end->status));
    if (end->reason && end->reason[0])
        json_str(&j, "reason", end->reason);
    json_u64(&j, "rows", end->rows);
    json_u64(&j, "duration_us", end->duration_us);
    json_u64(&j, "bytes_read", end->bytes_read);
    json_u64(&j, "faults", end->faults);
    if (end->filtered)
        json_u64(&j, "filtered", end->filtered);
    json_object_end(&j);
    buf_char(line, '\n');
}

int summary_section_end(struct summary_writer *w, const struct section_end *end, struct error *err)
{
    _cleanup_(buf_done) struct buf line = BUF_INIT(END_LINE_LIMIT);
    int r;

    end_line(w->section, end, &line);
    if (line.full) {
        /* a reason of control bytes grows sixfold in JSON: rather none than no record */
        struct section_end bare = *end;

        bare.reason = NULL;
        buf_truncate(&line, 0);
        end_line(w->section, &bare, &line);
    }
    r = line.full ? error_set(err, -ENOMEM, "no memory for the end record")
                  : summary_section_lines(w, line.data, line.len, err);
    if (!r)
        r = deflate_all(w, Z_FINISH, err);
    if (r < 0)
        return r;
    w->in_section = false;
    w->whole_bytes = w->bytes;
    w->sections++;
    return sync_member(w, err);
}

/* ---- publishing ----------------------------------------------------------------------------- */

int summary_writer_publish(struct summary_writer *w, struct error *err)
{
    const struct error *lost = summary_writer_lost(w);
    int r;

    if (w->dirfd < 0)
        return 0;
    if (!(lost ? w->target_bytes : w->whole_bytes))
        return error_set(err, lost ? lost->code : -ENODATA, "%s", lost ? lost->text : "no section");
    w->unnamed = renameat(w->dirfd, w->temp_name, w->dirfd, SUMMARY_FILE_NAME) < 0;
    if (w->unnamed)
        return error_set(err, -errno, "cannot rename to %s: %s", SUMMARY_FILE_NAME,
                         strerror(errno));
    w->published = true;
    r = sync_fd(w->dirfd);
    if (r < 0 && !lost)
        return error_set(err, r, "cannot sync the directory: %s", strerror(-r));
    return lost ? error_set(err, lost->code, "%s", lost->text) : 0;
}

const struct error *summary_writer_lost(const struct summary_writer *w)
{
    return w->lost.code ? &w->lost : NULL;
}

unsigned summary_writer_sections(const struct summary_writer *w)
{
    return w->sections;
}

unsigned summary_writer_sections_kept(const struct summary_writer *w)
{
    if (w->unnamed)
        return 0;
    return summary_writer_lost(w) || w->dirfd < 0 ? w->target_sections : w->sections;
}

int summary_writer_fd(const struct summary_writer *w)
{
    return w->fd;
}

uint64_t summary_writer_bytes(const struct summary_writer *w)
{
    return w->bytes;
}

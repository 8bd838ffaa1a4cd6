/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "summary/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "summary/gunzip.h"
#include "summary/writer.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* The longest line of the format, newline left out (FORMAT.md). */
#define LINE_LIMIT_BYTES (256 << 10)

struct summary_reader {
    int fd;
    struct gunzip *gz;
    const char *chunk; /* inflated and not yet looked at */
    size_t chunk_len;
    struct buf line;
    bool line_done, skipping; /* skipping: inside a line that is too long */
    bool first_pending;       /* open() has read the first record already */
    bool trailer_seen;
    uint64_t bad_lines;
    json_t *json;
    struct summary_record record;
};

static void drop_line(struct summary_reader *r)
{
    buf_truncate(&r->line, 0);
    r->line_done = r->skipping = false;
}

/* Takes what the chunk has of the current line; true if the line ends there. */
static bool take_line(struct summary_reader *r)
{
    const char *nl = memchr(r->chunk, '\n', r->chunk_len);
    size_t len = nl ? (size_t)(nl - r->chunk) : r->chunk_len;

    if (!r->skipping)
        buf_append(&r->line, r->chunk, len);
    r->skipping = r->skipping || r->line.full;
    len += nl ? 1 : 0;
    r->chunk += len;
    r->chunk_len -= len;
    return nl;
}

/* 1 and a line in r->line, 0 at the end of the file. */
static int next_line(struct summary_reader *r, struct error *err)
{
    if (r->line_done)
        drop_line(r);
    for (;;) {
        int event;

        if (r->chunk_len && take_line(r)) {
            if (!r->skipping)
                return r->line_done = true;
            r->bad_lines++;
            drop_line(r);
        }
        if (r->chunk_len)
            continue;
        event = gunzip_next(r->gz, err, &r->chunk, &r->chunk_len);
        if (event == GUNZIP_DATA)
            continue;
        /* a line does not go on in the next member; a damaged member is counted as such */
        if (event == GUNZIP_MEMBER_END && (r->line.len || r->skipping))
            r->bad_lines++;
        drop_line(r);
        if (event == GUNZIP_EOF || event < 0)
            return event < 0 ? event : 0;
    }
}

/* Fills r->record from r->line; false if it is no record. */
static bool parse_line(struct summary_reader *r)
{
    const char *line = r->line.data ? r->line.data : "";
    json_t *json = json_loadb(line, r->line.len, JSON_ALLOW_NUL, NULL);
    const char *section = json_string_value(json_object_get(json, "section"));
    const char *record = json_string_value(json_object_get(json, "record"));

    json_decref(r->json);
    r->json = json;
    if (!section || !record)
        return false;
    r->record = (struct summary_record){section, record, json, line, r->line.len};
    return true;
}

static int read_record(struct summary_reader *r, struct error *err)
{
    int status;

    while ((status = next_line(r, err)) > 0) {
        if (parse_line(r)) {
            gunzip_member_is_real(r->gz);
            return 1;
        }
        r->bad_lines++;
    }
    return status;
}

int summary_next(struct summary_reader *r, struct error *err, struct summary_record *ret)
{
    if (!r->first_pending) {
        int status = read_record(r, err);

        if (status <= 0)
            return status;
    }
    r->first_pending = false;
    if (!strcmp(r->record.section, "trailer"))
        r->trailer_seen = true;
    *ret = r->record;
    return 1;
}

struct summary_damage summary_reader_damage(const struct summary_reader *r)
{
    struct gunzip_damage gz = gunzip_damage(r->gz);

    return (struct summary_damage){
        .bad_members = gz.bad_members,
        .bad_lines = r->bad_lines,
        .truncated = gz.truncated,
        .no_trailer = !r->trailer_seen,
        .gave_up = gz.gave_up,
    };
}

int summary_reader_rewind(struct summary_reader *r, struct error *err)
{
    int status;

    gunzip_rewind(r->gz);
    r->chunk_len = 0;
    drop_line(r);
    r->bad_lines = 0;
    r->trailer_seen = false;
    status = read_record(r, err);
    if (status < 0)
        return status;
    r->first_pending = status > 0;
    return 0;
}

/* Says what an unreadable file is. */
static int no_record(const struct summary_reader *r, const struct stat *st, struct error *err)
{
    if (!st->st_size)
        return error_set(err, -EBADMSG, "the file is empty");
    if (gunzip_damage(r->gz).truncated)
        return error_set(err, -EBADMSG, "the file ends before its first whole record");
    return error_set(err, -EBADMSG, "not a summary: no record can be read");
}

int summary_reader_open_fd(int fd, struct error *err, struct summary_reader **ret)
{
    _cleanup_close_ int owned = fd;
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    struct stat st;
    int status;

    if (fstat(fd, &st))
        return error_set(err, -errno, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return error_set(err, -EBADMSG, "not a regular file");
    r = calloc(1, sizeof(*r));
    if (!r)
        return error_set(err, -ENOMEM, "out of memory");
    r->line = BUF_INIT(LINE_LIMIT_BYTES);
    r->fd = TAKE_FD(owned);
    r->gz = gunzip_new(r->fd);
    if (!r->gz)
        return error_set(err, -ENOMEM, "out of memory");
    status = summary_reader_rewind(r, err);
    if (status)
        return status;
    if (!r->first_pending)
        return no_record(r, &st, err);
    *ret = TAKE_PTR(r);
    return 0;
}

int summary_reader_open(const char *path, struct error *err, struct summary_reader **ret)
{
    /* a FIFO must not hang us */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return error_set(err, -errno, "%s", strerror(errno));
    if (!fstat(fd, &st) && S_ISDIR(st.st_mode)) {
        int file = openat(fd, SUMMARY_FILE_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        if (file < 0)
            return error_set(err, -errno, "no %s in that directory: %s", SUMMARY_FILE_NAME,
                             strerror(errno));
        close(fd);
        fd = file;
    }
    return summary_reader_open_fd(TAKE_FD(fd), err, ret);
}

void summary_reader_close(struct summary_reader *r)
{
    if (!r)
        return;
    json_decref(r->json);
    buf_done(&r->line);
    gunzip_free(r->gz);
    close(r->fd);
    free(r);
}

void summary_reader_closep(struct summary_reader **r)
{
    summary_reader_close(*r);
}

uint64_t record_u64(const struct summary_record *r, const char *name, uint64_t fallback)
{
    const json_t *v = json_object_get(r->json, name);

    return json_is_integer(v) && json_integer_value(v) >= 0 ? (uint64_t)json_integer_value(v)
                                                            : fallback;
}

int64_t record_i64(const struct summary_record *r, const char *name, int64_t fallback)
{
    const json_t *v = json_object_get(r->json, name);

    return json_is_integer(v) ? json_integer_value(v) : fallback;
}

bool record_bool(const struct summary_record *r, const char *name, bool fallback)
{
    const json_t *v = json_object_get(r->json, name);

    return json_is_boolean(v) ? json_is_true(v) : fallback;
}

const char *record_str(const struct summary_record *r, const char *name, const char *fallback)
{
    const char *s = json_string_value(json_object_get(r->json, name));

    return s ? s : fallback;
}

const json_t *record_array(const struct summary_record *r, const char *name)
{
    const json_t *v = json_object_get(r->json, name);

    return json_is_array(v) ? v : NULL;
}

bool record_is(const struct summary_record *r, const char *section, const char *record)
{
    return !strcmp(r->section, section) && !strcmp(r->record, record);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record buffer (Linux commit 7ff9554bb578 "printk: convert byte-buffer to variable-length
 * record buffer", v3.5; gone in v5.10): struct printk_log, called `log` before v3.11, then its text
 * and dictionary, padded. A record of length 0 says that the next one lies at the buffer's start.
 */
#include <errno.h>
#include <stdlib.h>

#include "kernel/printk_formats.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/math.h"

/* Smallest header: 16 bytes; with the caller (Linux commit 15ff2069cb7f "printk: Add caller
 * information to printk() output.", v5.1) at least 20. */
#define HEADER_MIN_BYTES    16
#define HEADER_CALLER_BYTES 20
#define HEADER_MAX_BYTES    256
#define CALLER_OFFSET       16

struct layout {
    uint32_t size, ts_nsec, len, text_len, dict_len;
};

struct records {
    struct kernel *k;
    struct layout at;
    uint64_t buf;
    uint32_t buf_len, idx, next_idx;
    unsigned wraps;
    uint64_t seq;
    char *text;
};

static int read_layout_as(const struct vmcoreinfo *vi, const char *const names[5], struct layout *l,
                          struct error *err)
{
    const struct log_layout_key keys[] = {
        {names[0], true, &l->size},      {names[1], false, &l->ts_nsec},
        {names[2], false, &l->len},      {names[3], false, &l->text_len},
        {names[4], false, &l->dict_len},
    };

    return log_layout_read(vi, keys, ARRAY_SIZE(keys), err);
}

static int read_layout(const struct vmcoreinfo *vi, struct layout *l, struct error *err)
{
    static const char *const names[] = {"printk_log", "printk_log.ts_nsec", "printk_log.len",
                                        "printk_log.text_len", "printk_log.dict_len"};
    static const char *const old_names[] = {"log", "log.ts_nsec", "log.len", "log.text_len",
                                            "log.dict_len"};
    int r = read_layout_as(vi, names, l, err);

    if (r < 0 && read_layout_as(vi, old_names, l, NULL) < 0)
        return r;
    if (l->size < HEADER_MIN_BYTES || l->size > HEADER_MAX_BYTES)
        return error_set(err, -EBADMSG, "VMCOREINFO: a log record of %u bytes is nonsense",
                         l->size);
    return 0;
}

static int read_u32_symbol(struct kernel *k, const char *name, uint32_t *ret, struct error *err)
{
    uint64_t addr;
    int r = vmcoreinfo_symbol(kernel_vmcoreinfo(k), name, &addr);

    r = r < 0 ? r : kernel_read_u32(k, addr, ret);
    return r < 0 ? error_set(err, r, "the log's %s cannot be read", name) : 0;
}

static int records_init(struct records *rs, struct kernel *k, struct error *err)
{
    uint64_t addr;
    int r = read_layout(kernel_vmcoreinfo(k), &rs->at, err);

    rs->k = k;
    if (r < 0)
        return r;
    r = vmcoreinfo_symbol(kernel_vmcoreinfo(k), "log_buf", &addr);
    r = r < 0 ? r : kernel_read_u64(k, addr, &rs->buf); /* a pointer variable */
    if (r < 0)
        return error_set(err, r, "the log's log_buf cannot be read");
    r = read_u32_symbol(k, "log_buf_len", &rs->buf_len, err);
    r = r < 0 ? r : read_u32_symbol(k, "log_first_idx", &rs->idx, err);
    r = r < 0 ? r : read_u32_symbol(k, "log_next_idx", &rs->next_idx, err);
    if (r < 0)
        return r;
    rs->text = malloc(LOG_TEXT_MAX_BYTES);
    return rs->text ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static void records_done(struct records *rs)
{
    free(rs->text);
}

/* A record's header; rec->text_len is what it claims. Returns the record's length in the buffer,
 * 0 for the mark that the buffer wraps. */
static int read_header(struct records *rs, uint32_t idx, struct log_record *ret)
{
    const struct layout *at = &rs->at;
    uint8_t header[HEADER_MAX_BYTES];
    struct cursor c = cursor_init(header, at->size);
    uint16_t len;
    int r;

    if (!range_within(idx, at->size, rs->buf_len))
        return -EBADMSG;
    r = kernel_read(rs->k, rs->buf + idx, header, at->size);
    if (r < 0)
        return r;
    cursor_seek(&c, at->ts_nsec);
    ret->ts_ns = cursor_u64(&c);
    cursor_seek(&c, at->len);
    len = cursor_u16(&c);
    cursor_seek(&c, at->text_len);
    ret->text_len = cursor_u16(&c);
    cursor_seek(&c, at->dict_len + sizeof(uint16_t));
    ret->facility = cursor_u8(&c);
    ret->level = log_level(cursor_u8(&c));
    ret->has_caller = at->size >= HEADER_CALLER_BYTES;
    if (ret->has_caller) {
        cursor_seek(&c, CALLER_OFFSET);
        ret->caller = cursor_u32(&c);
    }
    if (c.bad || (len && (len < at->size || !range_within(idx, len, rs->buf_len))))
        return -EBADMSG;
    return len;
}

static int read_text(struct records *rs, uint32_t idx, uint32_t len, struct log_record *rec)
{
    uint32_t room = len - rs->at.size;

    rec->truncated = rec->text_len > room;
    rec->text_len = (size_t)min_u64(rec->text_len, room);
    rec->text = rs->text;
    return kernel_read(rs->k, rs->buf + idx + rs->at.size, rs->text, rec->text_len);
}

/*
 * The record at rs->idx, which moves past it: 1; 0 where it moved on without one; negative where
 * the chain of lengths is broken, so that nothing after it can be found.
 */
static int next_record(struct records *rs, struct log_sink *sink, struct log_record *ret)
{
    struct log_record rec = {.seq = rs->seq};
    uint32_t idx = rs->idx;
    int len = read_header(rs, idx, &rec);

    if (len < 0)
        return len;
    if (len == 0) {
        rs->idx = 0;
        return rs->wraps++ ? -ELOOP : 0;
    }
    rs->idx += (uint32_t)len;
    rs->seq++;
    if (read_text(rs, idx, (uint32_t)len, &rec) < 0) {
        sink->stats.damaged++;
        return 0;
    }
    *ret = rec;
    return 1;
}

int printk_records_foreach(struct kernel *k, struct log_sink *sink, struct error *err)
{
    _cleanup_(records_done) struct records rs = {0};
    struct log_record rec;
    int r = records_init(&rs, k, err);

    if (r < 0)
        return r;
    /* each turn moves on by a header at least, or wraps, which it may once */
    while (rs.idx != rs.next_idx) {
        r = next_record(&rs, sink, &rec);
        if (r < 0) {
            sink->stats.damaged++;
            break;
        }
        if (r > 0 && (r = log_sink_put(sink, &rec)))
            return r;
    }
    return 0;
}

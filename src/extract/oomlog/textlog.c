/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extract/oomlog/textlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "extract/oomlog/logprefix.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* As many blanks before a line without prefix are padding of a record's further lines. */
enum { PADDING_MIN = 8 };

struct textlog {
    textlog_fn fn;
    void *arg;
    struct buf line;
    uint64_t lines;
    struct logprefix last; /* of the last line that had one */
    char last_time[64];    /* its text */
    size_t indent;         /* bytes before the prefixes: a paste is indented, a mail quotes */
    bool prefixed;         /* a line of the log had a prefix */
    bool bare;             /* a line of the log had none */
    bool cut;              /* the line at hand was longer than we keep */
};

struct textlog *textlog_new(textlog_fn fn, void *arg)
{
    struct textlog *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->fn = fn;
    t->arg = arg;
    t->line = BUF_INIT(TEXTLOG_LINE_MAX);
    t->last = (struct logprefix){
        .facility = -1, .level = -1, .ts_ns = OOM_NONE, .caller = OOM_NONE, .wall_s = OOM_NONE};
    return t;
}

void textlog_free(struct textlog *t)
{
    if (!t)
        return;
    buf_done(&t->line);
    free(t);
}

void textlog_freep(struct textlog **t)
{
    textlog_free(*t);
}

uint64_t textlog_lines(const struct textlog *t)
{
    return t->lines;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "\x0a" of /dev/kmsg back into bytes, in place. */
static size_t decode_hex(char *s, size_t len)
{
    size_t to = 0;

    for (size_t i = 0; i < len; i++, to++) {
        s[to] = s[i];
        if (s[i] != '\\' || len - i < 4 || s[i + 1] != 'x' || hex_value(s[i + 2]) < 0 ||
            hex_value(s[i + 3]) < 0)
            continue;
        s[to] = (char)(hex_value(s[i + 2]) << 4 | hex_value(s[i + 3]));
        i += 3;
    }
    return to;
}

/* "#012" and "#011" of rsyslog back into bytes, in place. */
static size_t decode_octal(char *s, size_t len)
{
    size_t to = 0;

    for (size_t i = 0; i < len; i++, to++) {
        s[to] = s[i];
        if (s[i] != '#' || len - i < 4 || s[i + 1] != '0' || s[i + 2] != '1' ||
            (s[i + 3] != '1' && s[i + 3] != '2'))
            continue;
        s[to] = s[i + 3] == '2' ? '\n' : '\t';
        i += 3;
    }
    return to;
}

/* Colours (dmesg --color, and grep's with its "erase to the end") and the bytes 0 that a crash
 * leaves in a log file, out, in place. */
static size_t drop_junk(char *s, size_t len)
{
    size_t to = 0;

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\x1b' && i + 1 < len && s[i + 1] == '[') {
            size_t end = i + 2;

            while (end < len && ((s[end] >= '0' && s[end] <= '9') || s[end] == ';'))
                end++;
            if (end < len && (s[end] == 'm' || s[end] == 'K')) {
                i = end;
                continue;
            }
        }
        if (s[i])
            s[to++] = s[i];
    }
    return to;
}

/* The byte order mark that Windows editors put before UTF-8, out, in place. */
static size_t drop_mark(char *s, size_t len)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t n = sizeof(mark) - 1;

    if (len < n || memcmp(s, mark, n))
        return len;
    memmove(s, s + n, len - n);
    return len - n;
}

/* Hands out one line of a record. */
static int emit_line(struct textlog *t, const struct logprefix *p, struct span text, bool continued)
{
    struct oom_line line = {
        .seq = t->lines,
        .ts_ns = p->ts_ns,
        .caller = p->caller,
        .wall_s = p->wall_s,
        .facility = p->facility,
        .level = p->level,
        .continued = continued,
        .cut = t->cut,
        .text = text,
        .time = p->time,
    };

    return t->fn(t->arg, &line);
}

static int emit_record(struct textlog *t, const struct logprefix *p, struct span text,
                       bool continued)
{
    int r = 0;

    while (!r) {
        size_t end = span_find(text, "\n", 0);

        r = emit_line(t, p, span_sub(text, 0, end), continued);
        if (end == SPAN_NOT_FOUND)
            break;
        text = span_from(text, end + 1);
        continued = true;
    }
    return r;
}

static void remember(struct textlog *t, const struct logprefix *p)
{
    size_t len = p->time.len < sizeof(t->last_time) ? p->time.len : sizeof(t->last_time);

    t->last = *p;
    t->prefixed = true;
    if (p->time.s) {
        memcpy(t->last_time, p->time.s, len);
        t->last.time = (struct span){t->last_time, len};
    }
}

static size_t leading_blanks(struct span v)
{
    size_t n = 0;

    while (n < v.len && v.s[n] == ' ')
        n++;
    return n;
}

/*
 * A line without prefix: in a log that has none, a line like any other; else a further line of the
 * last record, padded by dmesg and journalctl to the prefix's width, or what someone has edited.
 */
static int bare_line(struct textlog *t, struct span text)
{
    bool padded = t->prefixed && leading_blanks(text) >= PADDING_MIN;
    struct logprefix p;

    /* console output that had no newline before the kernel spoke */
    if (!padded && (t->prefixed || !t->bare) && logprefix_take_glued(&text, &p)) {
        remember(t, &p);
        return emit_record(t, &t->last, text, false);
    }
    if (text.len)
        t->bare = true;
    return emit_record(t, &t->last, text, padded);
}

/* Takes the prefix off, and what a paste or a mail has put before each line of the log. */
static void take_prefix(struct textlog *t, struct span *text, struct logprefix *ret)
{
    size_t n = 0;

    while (n < text->len && strchr(" \t>|", text->s[n]) && (!t->prefixed || n < t->indent))
        n++;
    if (t->prefixed)
        *text = span_from(*text, n);
    logprefix_take(text, ret);
    if (!ret->found && !t->prefixed && n) {
        struct span rest = span_from(*text, n);

        logprefix_take(&rest, ret);
        if (ret->found) {
            t->indent = n;
            *text = rest;
        }
    }
}

static int process_line(struct textlog *t)
{
    struct span text;
    struct logprefix p;
    size_t len = t->line.len;

    t->lines++;
    if (!len)
        return 0;
    len = drop_junk(t->line.data, len);
    if (t->lines == 1)
        len = drop_mark(t->line.data, len);
    while (len && t->line.data[len - 1] == '\r')
        len--;
    text = (struct span){t->line.data, len};
    take_prefix(t, &text, &p);
    if (!p.found) {
        /* " SUBSYSTEM=pci" under a /dev/kmsg record */
        if (t->last.kmsg && len && text.s[0] == ' ')
            return 0;
        text.len = decode_octal((char *)text.s, text.len);
        return bare_line(t, text);
    }
    remember(t, &p);
    if (p.foreign)
        return 0;
    text.len =
        p.kmsg ? decode_hex((char *)text.s, text.len) : decode_octal((char *)text.s, text.len);
    return emit_record(t, &t->last, text, false);
}

static void append(struct textlog *t, const char *data, size_t len)
{
    size_t room = t->line.limit - t->line.len;

    t->cut |= len > room;
    buf_append(&t->line, data, len < room ? len : room);
}

int textlog_feed(struct textlog *t, const char *data, size_t len)
{
    while (len) {
        const char *end = memchr(data, '\n', len);
        size_t n = end ? (size_t)(end - data) : len;
        int r;

        append(t, data, n);
        if (!end)
            return t->line.full ? -ENOMEM : 0;
        r = process_line(t);
        buf_truncate(&t->line, 0);
        t->cut = false;
        if (r)
            return r;
        data += n + 1;
        len -= n + 1;
    }
    return 0;
}

int textlog_finish(struct textlog *t)
{
    int r = t->line.len ? process_line(t) : 0;

    buf_truncate(&t->line, 0);
    return r;
}

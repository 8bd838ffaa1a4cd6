/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extract/oomlog/logprefix.h"

#include <string.h>

#include "util/cleanup.h"
#include "util/math.h"

enum { SYSLOG_PREFIX_MAX = 200, BRACKET_MAX = 64, CLOCK_WITHIN = 48 };

#define NS_PER_S      1000000000ULL
#define CALLER_IS_CPU 0x80000000LL /* printk_caller_id() */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The place of an "HH:MM:SS" in the first CLOCK_WITHIN bytes, or SPAN_NOT_FOUND. */
static size_t find_clock(struct span v)
{
    static const char shape[] = "dd:dd:dd";
    size_t limit = v.len < CLOCK_WITHIN ? v.len : CLOCK_WITHIN;

    for (size_t i = 0; i + sizeof(shape) - 1 <= limit; i++) {
        size_t n = 0;

        while (shape[n] && (shape[n] == ':' ? v.s[i + n] == ':' : is_digit(v.s[i + n])))
            n++;
        if (!shape[n] && (!i || !is_digit(v.s[i - 1])))
            return i;
    }
    return SPAN_NOT_FOUND;
}

static int64_t clock_seconds(const char *s)
{
    int h = (s[0] - '0') * 10 + s[1] - '0', m = (s[3] - '0') * 10 + s[4] - '0';

    return h * 3600 + m * 60 + (s[6] - '0') * 10 + s[7] - '0';
}

static void note_clock(struct logprefix *p, struct span time)
{
    size_t at = find_clock(time);

    p->time = span_trim(time);
    if (at != SPAN_NOT_FOUND)
        p->wall_s = clock_seconds(time.s + at);
}

/* --- "[   12.345678] ", "[Tue Mar 11 10:16:36 2025] ", "[  +0.000012] ", "[ T123] " -------------
 */

/* "   12.345678": seconds with a fraction, to nanoseconds. */
static bool parse_seconds(struct span v, int64_t *ret_ns)
{
    uint64_t s, fraction, scale = NS_PER_S;
    size_t digits;

    v = span_trim(v);
    if (!span_u64(&v, &s) || (!span_skip_char(&v, '.') && !span_skip_char(&v, ',')))
        return false;
    digits = v.len;
    if (digits < 2 || digits > 9 || !span_u64(&v, &fraction) || v.len)
        return false;
    while (digits--)
        scale /= 10;
    *ret_ns = (int64_t)sat_add_u64(sat_mul_u64(s, NS_PER_S), sat_mul_u64(fraction, scale));
    return true;
}

/* A caller in brackets: "T123" or "C3" between blanks. */
static bool parse_caller(struct span v, int64_t *ret)
{
    bool is_cpu;
    uint64_t id;

    v = span_trim(v);
    is_cpu = span_skip_char(&v, 'C');
    if ((!is_cpu && !span_skip_char(&v, 'T')) || !span_u64(&v, &id) || v.len ||
        id >= (uint64_t)CALLER_IS_CPU)
        return false;
    *ret = (int64_t)id | (is_cpu ? CALLER_IS_CPU : 0);
    return true;
}

/* dmesg's differences, "  +0.000012", "<    0.000012>", "12.345678 <    0.000012>", and --reltime's
 * "Aug12 10:00". */
static bool is_other_stamp(struct span v)
{
    size_t colon = span_find(v, ":", 0);
    bool dot = false;

    for (size_t i = 0; i < v.len; i++) {
        dot |= v.s[i] == '.' || v.s[i] == ',';
        if (!is_digit(v.s[i]) && !strchr(" .,+-<>", v.s[i]))
            return colon != SPAN_NOT_FOUND && colon >= 2 && v.len - colon == 3 &&
                   is_digit(v.s[colon - 1]) && is_digit(v.s[colon - 2]) &&
                   is_digit(v.s[colon + 1]) && is_digit(v.s[colon + 2]);
    }
    return dot;
}

static bool take_bracket(struct span *line, struct logprefix *p)
{
    size_t end = span_find(*line, "]", 0);
    struct span inside;

    if (!line->len || line->s[0] != '[' || end == SPAN_NOT_FOUND || end > BRACKET_MAX)
        return false;
    inside = span_sub(*line, 1, end);
    if (p->ts_ns == OOM_NONE && parse_seconds(inside, &p->ts_ns))
        p->stamped = true;
    else if (find_clock(inside) != SPAN_NOT_FOUND)
        note_clock(p, inside);
    else if (p->caller != OOM_NONE || !p->found || !parse_caller(inside, &p->caller))
        if (!is_other_stamp(inside))
            return false;
    p->found = true;
    *line = span_from(*line, end + 1);
    return true;
}

/* Stamps and the caller, each with a blank after it that is the prefix's own. */
static void take_brackets(struct span *line, struct logprefix *p)
{
    struct span rest = *line;

    for (int i = 0; i < 4; i++) {
        struct span after = rest;

        /* "[   12.345678][ T123] " and dmesg's "[   12.345678] [ T123] " */
        if (i)
            span_skip_char(&after, ' ');
        if (!take_bracket(&after, p))
            break;
        rest = after;
    }
    if (rest.s != line->s)
        span_skip_char(&rest, ' ');
    *line = rest;
}

/* --- "<4>", "kern  :warn  : " --------------------------------------------------------------------
 */

static void take_priority(struct span *line, struct logprefix *p)
{
    struct span rest = *line;
    uint64_t priority;

    if (!span_skip_char(&rest, '<') || !span_u64(&rest, &priority) || priority > 1023 ||
        !span_skip_char(&rest, '>'))
        return;
    p->facility = (int)(priority >> 3);
    p->level = (int)(priority & 7);
    p->found = true;
    *line = rest;
}

/* dmesg --decode */
static void take_decoded(struct span *line, struct logprefix *p)
{
    static const char *const facilities[] = {"kern",   "user",     "mail",   "daemon", "auth",
                                             "syslog", "lpr",      "news",   "uucp",   "cron",
                                             "ftp",    "authpriv", "local0", "local1", "local2",
                                             "local3", "local4",   "local5", "local6", "local7"};
    static const char *const levels[] = {"emerg", "alert",  "crit", "err",
                                         "warn",  "notice", "info", "debug"};
    size_t colon = span_find(*line, ":", 0), end;
    struct span facility, level;

    if (colon == SPAN_NOT_FOUND || colon > 8)
        return;
    end = span_find(*line, ": ", colon + 1);
    if (end == SPAN_NOT_FOUND || end - colon > 9)
        return;
    facility = span_trim(span_sub(*line, 0, colon));
    level = span_trim(span_sub(*line, colon + 1, end));
    for (size_t f = 0; f < ARRAY_SIZE(facilities); f++)
        for (size_t l = 0; span_is(facility, facilities[f]) && l < ARRAY_SIZE(levels); l++)
            if (span_is(level, levels[l])) {
                p->facility = (int)f;
                p->level = (int)l;
                p->found = true;
                *line = span_from(*line, end + 2);
                return;
            }
}

/* --- /dev/kmsg: "prio,seq,usec,flag[,caller=T1];text"
 * --------------------------------------------- */

static bool take_kmsg(struct span *line, struct logprefix *p)
{
    struct span rest = *line, fields;
    uint64_t priority, seq, usec;
    size_t end, at;

    if (!span_u64(&rest, &priority) || !span_skip_char(&rest, ',') || !span_u64(&rest, &seq) ||
        !span_skip_char(&rest, ',') || !span_u64(&rest, &usec) || !span_skip_char(&rest, ','))
        return false;
    end = span_find(rest, ";", 0);
    if (end == SPAN_NOT_FOUND || end > BRACKET_MAX || priority > 1023)
        return false;
    fields = span_sub(rest, 0, end);
    at = span_find(fields, "caller=", 0);
    if (at != SPAN_NOT_FOUND)
        parse_caller(span_from(fields, at + strlen("caller=")), &p->caller);
    p->facility = (int)(priority >> 3);
    p->level = (int)(priority & 7);
    p->ts_ns = (int64_t)sat_mul_u64(usec, 1000);
    p->found = p->stamped = p->kmsg = true;
    *line = span_from(rest, end + 1);
    return true;
}

/* --- syslog and journal: "DATE [HOST] kernel: " --------------------------------------------------
 */

/* Just past "kernel: " or "kernel[0]: ", where a word begins with it; SPAN_NOT_FOUND. */
static size_t find_kernel_tag(struct span line, size_t *ret_at)
{
    struct span head = span_sub(line, 0, SYSLOG_PREFIX_MAX);

    for (size_t at = 0; (at = span_find(head, "kernel", at)) != SPAN_NOT_FOUND; at++) {
        struct span rest = span_from(line, at + strlen("kernel"));
        uint64_t pid;

        if (at && line.s[at - 1] != ' ')
            continue;
        if (at && span_skip(&rest, " - - - ")) { /* RFC 5424: process, message id, data */
            *ret_at = at;
            return (size_t)(rest.s - line.s);
        }
        if (span_skip_char(&rest, '[') && (!span_u64(&rest, &pid) || !span_skip_char(&rest, ']')))
            continue;
        if (!span_skip_char(&rest, ':'))
            continue;
        *ret_at = at;
        span_skip_char(&rest, ' ');
        return (size_t)(rest.s - line.s);
    }
    return SPAN_NOT_FOUND;
}

static unsigned count_words(struct span v)
{
    unsigned n = 0;

    while (span_word(&v).len)
        n++;
    return n;
}

/* Whether what stands before "kernel: " is a date, a host, both or nothing. */
static bool is_syslog_head(struct span head)
{
    struct span first = head, word = span_word(&first);
    int64_t ns;

    if (find_clock(head) != SPAN_NOT_FOUND)
        return count_words(head) <= 10;
    if (parse_seconds(word, &ns)) /* journalctl -o short-unix */
        return count_words(head) <= 2;
    return count_words(head) <= 1;
}

/* The host is the last word of the head; what stands before it is the time. */
static struct span head_time(struct span head)
{
    struct span dated = head;
    size_t clock, end;

    /* the version of RFC 5424 */
    if (span_skip(&dated, "1 ") && span_find(dated, "T", 0) == strlen("2024-03-08"))
        head = dated;
    clock = find_clock(head);
    if (clock == SPAN_NOT_FOUND)
        return (struct span){0};
    end = span_find(head, " ", clock);
    return span_sub(head, 0, end);
}

static bool take_syslog(struct span *line, struct logprefix *p)
{
    size_t at, end = find_kernel_tag(*line, &at);

    if (end == SPAN_NOT_FOUND || !is_syslog_head(span_sub(*line, 0, at)))
        return false;
    if (head_time(span_sub(*line, 0, at)).s)
        note_clock(p, head_time(span_sub(*line, 0, at)));
    *line = span_from(*line, end);
    p->found = true;
    return true;
}

/* "2024-03-08T11:36:09,123456+01:00 ": dmesg's own has a comma. Returns its length or 0. */
static size_t iso_length(struct span line)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd";
    size_t n = 0;

    if (line.len < sizeof(shape))
        return 0;
    for (; shape[n]; n++)
        if (shape[n] == 'd' ? !is_digit(line.s[n])
                            : line.s[n] != shape[n] && !(shape[n] == 'T' && line.s[n] == ' '))
            return 0;
    while (n < line.len && line.s[n] != ' ')
        n++;
    return n;
}

/* "Mar  8 11:36:09": three letters, a day and the clock. Returns its length or 0. */
static size_t bsd_length(struct span line)
{
    size_t clock = find_clock(line);

    if (clock == SPAN_NOT_FOUND || count_words(span_sub(line, 0, clock)) != 2 || clock > 24 ||
        !is_digit(line.s[clock - 2]))
        return 0;
    clock += strlen("00:00:00");
    while (clock < line.len && line.s[clock] != ' ')
        clock++;
    return clock;
}

/* Whether one of the first two words after the date is a program's tag: "sshd[12]:" or "su:". */
static bool has_program_tag(struct span rest)
{
    for (int i = 0; i < 2; i++) {
        struct span word = span_word(&rest);

        if (span_is(word, "Mem-Info:") || span_is(word, "Mem-info:"))
            return false;
        if (span_ends(word, ":"))
            return true;
    }
    return false;
}

/* A date without "kernel:" after it: dmesg --time-format iso, another program, or someone's cut. */
static bool take_date(struct span *line, struct logprefix *p)
{
    size_t iso = iso_length(*line), end = iso ? iso : bsd_length(*line);
    struct span date = span_sub(*line, 0, end), rest = span_from(*line, end);

    if (!end)
        return false;
    span_skip_char(&rest, ' ');
    p->found = true;
    p->stamped = iso && span_find(date, ",", 0) != SPAN_NOT_FOUND;
    p->foreign = !p->stamped && has_program_tag(rest);
    note_clock(p, date);
    *line = rest;
    return true;
}

static struct logprefix empty_prefix(void)
{
    return (struct logprefix){
        .facility = -1, .level = -1, .ts_ns = OOM_NONE, .caller = OOM_NONE, .wall_s = OOM_NONE};
}

void logprefix_take(struct span *line, struct logprefix *ret)
{
    struct logprefix p = empty_prefix();

    if (!take_kmsg(line, &p)) {
        take_priority(line, &p);
        take_decoded(line, &p);
        take_brackets(line, &p);
        /* journalctl -o short-monotonic has the host after the stamp; syslog has a stamp after it
         */
        if (take_syslog(line, &p))
            take_brackets(line, &p);
        else if (!p.found && take_date(line, &p))
            take_brackets(line, &p);
    }
    *ret = p;
}

bool logprefix_take_glued(struct span *line, struct logprefix *ret)
{
    for (size_t at = 0; (at = span_find(*line, "[", at)) != SPAN_NOT_FOUND; at++) {
        size_t end = span_find(*line, "]", at);
        struct logprefix p = empty_prefix();
        struct span rest = span_from(*line, at);
        int64_t ns;

        /* the kernel prints six digits of a second, in at least twelve columns */
        if (end == SPAN_NOT_FOUND || end - at < 13 || line->s[end - 7] != '.' ||
            !parse_seconds(span_sub(*line, at + 1, end), &ns))
            continue;
        take_brackets(&rest, &p);
        *line = rest;
        *ret = p;
        return true;
    }
    return false;
}

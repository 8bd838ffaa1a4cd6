/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "summary/reader.h"
#include "unit/gzip.h"
#include "unit/suite.h"
#include "util/cleanup.h"

/* Three members, as a capture writes them. Some noise keeps them from compressing to nothing. */
static const char member_a[] =
    "{\"section\":\"header\",\"record\":\"header\",\"format\":1,\"noise\":\"q8w7e6r5t4z3u2i1\"}\n"
    "{\"section\":\"header\",\"record\":\"end\",\"status\":\"ok\",\"rows\":1}\n";
static const char member_b[] =
    "{\"section\":\"slab\",\"record\":\"cache\",\"name\":\"a\",\"bytes\":4096,\"x\":\"lkjhgf\"}\n"
    "{\"section\":\"slab\",\"record\":\"cache\",\"name\":\"b\",\"bytes\":8192,\"x\":\"mnbvcx\"}\n"
    "{\"section\":\"slab\",\"record\":\"end\",\"status\":\"ok\",\"rows\":2}\n";
static const char member_c[] = "{\"section\":\"trailer\",\"record\":\"trailer\",\"sections\":2}\n";

struct made {
    char *data;
    size_t len, end[3];
};

static struct made make_three(int level)
{
    struct made m = {0};

    m.end[0] = gzip_append(&m.data, 0, member_a, sizeof(member_a) - 1, level);
    m.end[1] = gzip_append(&m.data, m.end[0], member_b, sizeof(member_b) - 1, level);
    m.len = m.end[2] = gzip_append(&m.data, m.end[1], member_c, sizeof(member_c) - 1, level);
    return m;
}

struct seen {
    int status, a, b, c, total;
    struct summary_damage damage;
};

static void count_all(struct summary_reader *r, struct seen *s)
{
    struct summary_record rec;

    while ((s->status = summary_next(r, NULL, &rec)) > 0) {
        s->total++;
        s->a += !strcmp(rec.section, "header");
        s->b += !strcmp(rec.section, "slab");
        s->c += !strcmp(rec.section, "trailer");
    }
    s->damage = summary_reader_damage(r);
}

static struct seen read_bytes(const char *data, size_t len)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    struct seen s = {0};

    s.status = summary_reader_open_fd(memory_file(data, len), NULL, &r);
    if (!s.status)
        count_all(r, &s);
    return s;
}

START_TEST(reads_every_member)
{
    struct made m = make_three(9);
    struct seen s = read_bytes(m.data, m.len);

    ck_assert_int_eq(s.status, 0);
    ck_assert_int_eq(s.a, 2);
    ck_assert_int_eq(s.b, 3);
    ck_assert_int_eq(s.c, 1);
    ck_assert_uint_eq(s.damage.bad_members + s.damage.bad_lines, 0);
    ck_assert(!s.damage.truncated && !s.damage.no_trailer && !s.damage.gave_up);
    free(m.data);
}
END_TEST

START_TEST(rewinds)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    struct made m = make_three(9);
    struct seen first = {0}, second = {0};

    m.data[m.end[0] + 30] ^= 1;
    ck_assert_int_eq(summary_reader_open_fd(memory_file(m.data, m.len), NULL, &r), 0);
    count_all(r, &first);
    ck_assert_int_eq(summary_reader_rewind(r, NULL), 0);
    count_all(r, &second);
    ck_assert_int_eq(first.total, second.total);
    ck_assert_uint_eq(first.damage.bad_members, 1);
    ck_assert_uint_eq(second.damage.bad_members, 1);
    free(m.data);
}
END_TEST

/* Wherever the file is cut, the whole members before the cut are all there. */
START_TEST(any_cut_keeps_what_is_whole)
{
    struct made m = make_three(9);

    for (size_t len = 0; len < m.len; len++) {
        struct seen s = read_bytes(m.data, len);
        bool boundary = len == m.end[0] || len == m.end[1];

        if (len >= m.end[0])
            ck_assert_int_eq(s.a, 2);
        if (len >= m.end[1])
            ck_assert_int_eq(s.b, 3);
        if (s.status == 0) {
            ck_assert(s.damage.no_trailer || s.c);
            ck_assert_msg(s.damage.truncated == !boundary, "cut at %zu", len);
            ck_assert_uint_eq(s.damage.bad_members, 0);
        } else {
            ck_assert_int_eq(s.status, -EBADMSG);
        }
    }
    free(m.data);
}
END_TEST

/* Whichever byte is changed, the other members are all there, and the damage is noticed unless it
 * hit what says nothing about the data: the header's time and operating system, and the bits that
 * fill up the last byte before checksum and length. */
static void change_every_byte(int level, unsigned char flip)
{
    struct made m = make_three(level);

    for (size_t i = 0; i < m.len; i++) {
        int hit = i < m.end[0] ? 0 : i < m.end[1] ? 1 : 2;
        size_t start = hit ? m.end[hit - 1] : 0;
        struct seen s;

        m.data[i] = (char)(m.data[i] ^ flip);
        s = read_bytes(m.data, m.len);
        ck_assert_int_eq(s.status, 0);
        ck_assert_msg(hit == 0 || s.a == 2, "byte %zu", i);
        ck_assert_msg(hit == 1 || s.b == 3, "byte %zu", i);
        ck_assert_msg(hit == 2 || s.c == 1, "byte %zu", i);
        if (i - start < 3 || (i - start >= 10 && i != m.end[hit] - 9))
            ck_assert_msg(s.damage.bad_members || s.damage.truncated, "byte %zu", i);
        m.data[i] = (char)(m.data[i] ^ flip);
    }
    free(m.data);
}

START_TEST(any_change_costs_its_member_only)
{
    change_every_byte(9, 0x01);
    change_every_byte(9, 0x80);
    change_every_byte(0, 0xff); /* stored blocks, whose lengths may swallow the next member */
}
END_TEST

START_TEST(garbage_between_members_is_passed_over)
{
    static const char garbage[] = "\0\0\x1f\x8b\x08\xff garbage \x1f\x8b\x08";
    struct made m = make_three(9);
    char *bytes = malloc(m.len + sizeof(garbage));
    struct seen s;

    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, m.data, m.end[0]);
    memcpy(bytes + m.end[0], garbage, sizeof(garbage));
    memcpy(bytes + m.end[0] + sizeof(garbage), m.data + m.end[0], m.len - m.end[0]);
    s = read_bytes(bytes, m.len + sizeof(garbage));
    ck_assert_int_eq(s.total, 6);
    ck_assert_uint_eq(s.damage.bad_members, 1);
    free(bytes);
    free(m.data);
}
END_TEST

START_TEST(bad_lines_are_counted)
{
    static const char text[] = "{\"section\":\"a\",\"record\":\"b\",\"n\":9223372036854775807}\n"
                               "\n"
                               "[1,2]\n"
                               "{\"section\":\"a\"}\n"
                               "{\"section\":1,\"record\":\"b\"}\n"
                               "{\"section\":\"a\",\"record\":\"b\",\"n\":9223372036854775808}\n"
                               "{\"section\":\"a\",\"record\":\"b\"} x\n"
                               "{\"section\":\"a\",\"record\":\"b\",\"s\":\"\xff\"}\n"
                               "{\"section\":\"a\",\"record\":\"b\",\"s\":\"\\u0000x\"}\n"
                               "{\"section\":\"a\",\"record\":\"no newline\"}";
    char *data = NULL;
    size_t len = gzip_append(&data, 0, text, sizeof(text) - 1, 9);
    struct seen s = read_bytes(data, len);

    ck_assert_int_eq(s.total, 2);
    ck_assert_uint_eq(s.damage.bad_lines, 8);
    ck_assert(s.damage.no_trailer);
    free(data);
}
END_TEST

/* A line of exactly n bytes, newline not counted. */
static size_t line_of(char *buf, size_t n)
{
    static const char head[] = "{\"section\":\"a\",\"record\":\"b\",\"s\":\"";

    memset(buf, 'x', n);
    memcpy(buf, head, sizeof(head) - 1);
    memcpy(buf + n - 2, "\"}\n", 3);
    return n + 1;
}

START_TEST(lines_are_bounded)
{
    size_t room = 600 << 10, used;
    char *text = malloc(room), *data = NULL;
    struct seen s;

    ck_assert_ptr_nonnull(text);
    used = line_of(text, (256 << 10) - 1); /* the longest that the writer makes */
    used += line_of(text + used, (256 << 10) + 1);
    used += line_of(text + used, 100);
    used = gzip_append(&data, 0, text, used, 9);
    s = read_bytes(data, used);
    ck_assert_int_eq(s.total, 2);
    ck_assert_uint_eq(s.damage.bad_lines, 1);
    free(text);
    free(data);
}
END_TEST

START_TEST(a_bomb_costs_its_member_only)
{
    struct made m = make_three(9);
    size_t bomb_len = 80 << 20, len;
    char *bomb = calloc(1, bomb_len), *data = NULL;
    struct seen s;

    ck_assert_ptr_nonnull(bomb);
    len = gzip_append(&data, 0, member_a, sizeof(member_a) - 1, 9);
    len = gzip_append(&data, len, bomb, bomb_len, 9);
    len = gzip_append(&data, len, member_c, sizeof(member_c) - 1, 9);
    s = read_bytes(data, len);
    ck_assert_int_eq(s.a, 2);
    ck_assert_int_eq(s.c, 1);
    ck_assert_uint_eq(s.damage.bad_members, 1);
    free(bomb);
    free(data);
    free(m.data);
}
END_TEST

/* A file of nothing but false starts ends in reasonable time. */
START_TEST(false_starts_are_bounded)
{
    size_t len = 4 << 20;
    char *data = malloc(len);
    struct seen s;

    ck_assert_ptr_nonnull(data);
    /* stored blocks of 0xf7ff bytes, each holding the beginnings of more members */
    for (size_t i = 0; i < len; i++)
        data[i] = "\x1f\x8b\x08\0\0\0\0\0\0\3\0\xff\xff\0\0"[i % 15];
    s = read_bytes(data, len);
    ck_assert_int_eq(s.status, -EBADMSG);
    free(data);
}
END_TEST

static void refused(const char *path, int code, const char *word)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    struct error err = {0};

    ck_assert_int_eq(summary_reader_open(path, &err, &r), code);
    ck_assert_msg(strstr(err.text, word), "%s: %s", path, err.text);
    ck_assert_ptr_null(r);
}

START_TEST(what_is_no_summary_is_named)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    struct error err = {0};

    refused("/nonexistent", -ENOENT, "No such file");
    refused("/dev/null", -EBADMSG, "not a regular file");
    refused("/proc/self", -ENOENT, "no vmcore-summary.jsonl.gz");
    refused("/bin/sh", -EBADMSG, "not a summary");
    ck_assert_int_eq(summary_reader_open_fd(memory_file("", 0), &err, &r), -EBADMSG);
    ck_assert_str_eq(err.text, "the file is empty");
}
END_TEST

START_TEST(fields_have_fallbacks)
{
    static const char text[] = "{\"section\":\"a\",\"record\":\"b\",\"u\":7,\"i\":-7,\"t\":true,"
                               "\"s\":\"x\",\"l\":[1,2],\"n\":null,\"r\":1.5}\n";
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    struct summary_record rec;
    char *data = NULL;
    size_t len = gzip_append(&data, 0, text, sizeof(text) - 1, 9);

    ck_assert_int_eq(summary_reader_open_fd(memory_file(data, len), NULL, &r), 0);
    ck_assert_int_eq(summary_next(r, NULL, &rec), 1);
    ck_assert(record_is(&rec, "a", "b"));
    ck_assert(!record_is(&rec, "a", "c"));
    ck_assert_uint_eq(record_u64(&rec, "u", 1), 7);
    ck_assert_uint_eq(record_u64(&rec, "i", 1), 1);
    ck_assert_uint_eq(record_u64(&rec, "r", 1), 1);
    ck_assert_int_eq(record_i64(&rec, "i", 1), -7);
    ck_assert(record_bool(&rec, "t", false));
    ck_assert(record_bool(&rec, "u", true));
    ck_assert_str_eq(record_str(&rec, "s", "y"), "x");
    ck_assert_str_eq(record_str(&rec, "n", "y"), "y");
    ck_assert_uint_eq(json_array_size(record_array(&rec, "l")), 2);
    ck_assert_ptr_null(record_array(&rec, "s"));
    ck_assert_uint_eq(rec.line_len, sizeof(text) - 2);
    free(data);
}
END_TEST

UNIT_SUITE("reader", reads_every_member, rewinds, any_cut_keeps_what_is_whole,
           any_change_costs_its_member_only, garbage_between_members_is_passed_over,
           bad_lines_are_counted, lines_are_bounded, a_bomb_costs_its_member_only,
           false_starts_are_bounded, what_is_no_summary_is_named, fields_have_fallbacks)

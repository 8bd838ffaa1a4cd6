/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit/suite.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/error.h"
#include "util/json.h"
#include "util/math.h"
#include "util/utc.h"
#include "util/utf8.h"

START_TEST(error_texts_nest)
{
    struct error err = {0};

    ck_assert_int_eq(error_set(&err, -EFAULT, "page %d", 7), -EFAULT);
    ck_assert_int_eq(error_prepend(&err, -EFAULT, "task list"), -EFAULT);
    ck_assert_str_eq(err.text, "task list: page 7");
    ck_assert_int_eq(error_set(NULL, -ENOENT, "unheard"), -ENOENT);
    ck_assert_str_eq(error_text(NULL, -ENOENT), strerror(ENOENT));
}
END_TEST

START_TEST(cursor_never_passes_the_end)
{
    static const uint8_t bytes[] = {1, 2, 0, 0, 0};
    struct cursor c = cursor_init(bytes, sizeof(bytes));

    ck_assert_uint_eq(cursor_u16(&c), 0x0201);
    ck_assert_uint_eq(cursor_u32(&c), 0);
    ck_assert(c.bad);
    cursor_seek(&c, 0);
    ck_assert(c.bad); /* it stays */
    c = cursor_init(bytes, 2);
    ck_assert_ptr_null(cursor_str(&c));
    ck_assert(c.bad);
}
END_TEST

START_TEST(buf_stops_at_its_limit)
{
    struct buf b = BUF_INIT(10);

    buf_str(&b, "12345");
    buf_printf(&b, "%d", 678901);
    ck_assert(b.full);
    ck_assert_str_eq(b.data, "12345");
    buf_str(&b, "6");
    ck_assert_uint_eq(b.len, 5);
    buf_truncate(&b, 2);
    buf_str(&b, "x");
    ck_assert_str_eq(b.data, "12x");
    buf_done(&b);
}
END_TEST

static void assert_json(const char *bytes, size_t len, const char *want)
{
    struct buf b = BUF_INIT(1000);
    struct json j = {&b, false};

    json_strn(&j, NULL, bytes, len);
    ck_assert_str_eq(b.data, want);
    buf_done(&b);
}

START_TEST(json_strings_are_always_valid)
{
    assert_json("a\"\\\n\x1b", 5, "\"a\\\"\\\\\\u000a\\u001b\"");
    assert_json("\xff\xc3\xa4", 3, "\"\\\\xff\xc3\xa4\"");
    assert_json("\xc0\x80", 2, "\"\\\\xc0\\\\x80\"");             /* overlong NUL */
    assert_json("\xed\xa0\x80", 3, "\"\\\\xed\\\\xa0\\\\x80\"");  /* surrogate */
    assert_json("\xe2\x82", 2, "\"\\\\xe2\\\\x82\"");             /* cut */
    assert_json("\xc2\x9b\xe2\x80\xae", 5, "\"\\u009b\\u202e\""); /* CSI, bidi override */
    assert_json("\xf3\xa0\x80\x81", 4, "\"\\udb40\\udc01\"");     /* a tag, as a pair */
    assert_json("\0", 1, "\"\\u0000\"");
}
END_TEST

START_TEST(json_objects_have_commas)
{
    struct buf b = BUF_INIT(1000);
    struct json j = {&b, false};

    json_object_begin(&j, NULL);
    json_u64(&j, "a", UINT64_MAX);
    json_array_begin(&j, "b");
    json_i64(&j, NULL, -1);
    json_addr(&j, NULL, 0xffff888000000000);
    json_array_end(&j);
    json_bool(&j, "c", true);
    json_object_end(&j);
    ck_assert_str_eq(b.data,
                     "{\"a\":9223372036854775807,\"b\":[-1,\"0xffff888000000000\"],\"c\":true}");
    buf_done(&b);
}
END_TEST

START_TEST(terminal_text_obeys_nothing)
{
    struct buf b = BUF_INIT(1000);
    static const char evil[] = "x\x1b[2J\xc2\x9b\xe2\x80\xae\xf0\x9f\x90\xa7\x90";

    utf8_append_safe(&b, evil, sizeof(evil) - 1);
    ck_assert_str_eq(b.data, "x\\x1b[2J\\u009b\\u202e\xf0\x9f\x90\xa7\\x90");
    ck_assert_uint_eq(utf8_columns(evil, sizeof(evil) - 1), 1 + 4 + 3 + 6 + 6 + 1 + 4);
    buf_done(&b);
}
END_TEST

START_TEST(arithmetic_saturates)
{
    uint64_t v = 7;

    ck_assert(!add_u64(UINT64_MAX, 1, &v));
    ck_assert_uint_eq(v, 7);
    ck_assert_uint_eq(sat_mul_u64(1ULL << 40, 1ULL << 40), INT64_MAX);
    ck_assert(!range_within(UINT64_MAX, 2, 10));
    ck_assert(range_within(8, 2, 10));
    ck_assert_uint_eq(clamp_count(-3), 0);
}
END_TEST

/* The C library is the witness; some seconds of each month for 8000 years. */
START_TEST(dates_are_those_of_the_c_library)
{
    struct utc u;

    for (int64_t t = 0; t < 253402300800; t += t % 3 ? 86399 : 1000003) {
        time_t time = (time_t)t;
        struct tm tm;

        ck_assert(utc_from_time(t, &u));
        gmtime_r(&time, &tm);
        if (u.year != tm.tm_year + 1900 || u.month != tm.tm_mon + 1 || u.day != tm.tm_mday ||
            u.hour != tm.tm_hour || u.minute != tm.tm_min || u.second != tm.tm_sec ||
            u.weekday != tm.tm_wday)
            ck_abort_msg("wrong for %lld", (long long)t);
    }
    ck_assert(!utc_from_time(-1, &u));
    ck_assert(!utc_from_time(INT64_MAX, &u));
}
END_TEST

UNIT_SUITE("util", dates_are_those_of_the_c_library, error_texts_nest, cursor_never_passes_the_end,
           buf_stops_at_its_limit, json_strings_are_always_valid, json_objects_have_commas,
           terminal_text_obeys_nothing, arithmetic_saturates)

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "report/diff.h"
#include "unit/suite.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/utf8.h"

/* The text as one gzip member in a file of memory. */
static int packed(const char *text)
{
    int fd = memfd_create("summary", MFD_CLOEXEC);
    gzFile gz;

    ck_assert_int_ge(fd, 0);
    gz = gzdopen(dup(fd), "wb");
    ck_assert_int_eq(gzwrite(gz, text, (unsigned)strlen(text)), (int)strlen(text));
    gzclose(gz);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void fill(struct diff *d, enum diff_side side, const char *text)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;

    ck_assert_int_eq(summary_reader_open_fd(packed(text), NULL, &r), 0);
    ck_assert_int_eq(diff_fill(d, side, r, NULL), 0);
}

static int into_buf(void *arg, const char *text, size_t len)
{
    buf_append(arg, text, len);
    return 0;
}

/* "name field delta;" for each difference. */
static char *differences(const char *old, const char *new)
{
    _cleanup_(diff_done) struct diff d = {0};
    struct buf b = BUF_INIT(1 << 20);

    fill(&d, DIFF_OLD, old);
    fill(&d, DIFF_NEW, new);
    diff_merge(&d);
    buf_str(&b, "");
    for (size_t i = 0; i < d.n; i++)
        for (size_t f = 0; f < DIFF_FIELDS && d.rows[i].kind->fields[f]; f++) {
            int64_t delta;

            if (diff_delta(&d, &d.rows[i], f, &delta))
                buf_printf(&b, "%s %s %lld;", d.rows[i].name, d.rows[i].kind->fields[f],
                           (long long)delta);
        }
    return b.data;
}

#define MODULE(name, bytes)                                                                        \
    "{\"section\":\"module\",\"record\":\"module\",\"name\":\"" name "\",\"bytes\":" bytes "}\n"
#define END(section, status, rows)                                                                 \
    "{\"section\":\"" section "\",\"record\":\"end\",\"status\":\"" status "\",\"rows\":" rows "}" \
    "\n"
#define TASK(pid, comm, rss)                                                                       \
    "{\"section\":\"task\",\"record\":\"task\",\"pid\":" pid ",\"comm\":\"" comm                   \
    "\",\"rss_bytes\":" rss "}\n"

static void is(const char *old, const char *new, const char *want)
{
    _cleanup_free_ char *got = differences(old, new);

    ck_assert_str_eq(got ? got : "", want);
}

START_TEST(rows_are_paired_by_name)
{
    is(MODULE("b", "1") MODULE("a", "5") END("module", "ok", "2"),
       MODULE("a", "3") MODULE("c", "7") END("module", "ok", "2"),
       "a bytes -2;b bytes -1;c bytes 7;");
}
END_TEST

START_TEST(rows_of_no_size_come_and_go_too)
{
    is(MODULE("a", "0") END("module", "ok", "1"), END("module", "ok", "0"), "a bytes 0;");
}
END_TEST

START_TEST(tasks_are_added_up_by_name)
{
    is(TASK("1", "x", "10") TASK("2", "x", "20") END("task", "ok", "2"),
       TASK("2", "x", "25") TASK("3", "x", "10") TASK("1", "y", "1") END("task", "ok", "3"),
       "x rss_bytes 5;y rss_bytes 1;y processes 1;"
       "1 x rss_bytes -10;1 y rss_bytes 1;2 x rss_bytes 5;3 x rss_bytes 10;");
}
END_TEST

#define HEADER(fields)                                                                             \
    "{\"section\":\"header\",\"record\":\"header\",\"nodename\":\"n\"," fields "}\n"
#define UP(s) "{\"section\":\"crash\",\"record\":\"crash\",\"uptime_s\":" s "}\n"

START_TEST(single_tasks_are_those_of_one_boot)
{
    static const char compared[] = "x rss_bytes 5;1 x rss_bytes 5;", summed[] = "x rss_bytes 5;";
    static const struct {
        const char *old, *new, *want;
    } cases[] = {
        {"", "", compared}, /* nothing tells */
        {HEADER("\"crash_time\":5000") UP("500"), HEADER("\"crash_time\":5000") UP("500"),
         compared},
        {HEADER("\"live\":true,\"capture_time\":5000") UP("500"),
         HEADER("\"crash_time\":9000") UP("4501"), compared},
        /* booted in between */
        {HEADER("\"live\":true,\"capture_time\":5000") UP("500"),
         HEADER("\"crash_time\":9000") UP("4400"), summed},
        /* a crash ends a boot, whatever the clock says */
        {HEADER("\"crash_time\":5000"), HEADER("\"crash_time\":9000"), summed},
        {HEADER("\"crash_time\":5000") UP("500"), HEADER("\"crash_time\":5030") UP("530"), summed},
        {HEADER("\"release\":\"a\""), HEADER("\"release\":\"b\""), summed},
        {HEADER("\"crash_time\":50") UP("500"), HEADER("\"crash_time\":50") UP("9"), compared},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *old = NULL, *new = NULL;

        ck_assert_int_gt(
            asprintf(&old, "%s%s", cases[i].old, TASK("1", "x", "10") END("task", "ok", "1")), 0);
        ck_assert_int_gt(
            asprintf(&new, "%s%s", cases[i].new, TASK("1", "x", "15") END("task", "ok", "1")), 0);
        is(old, new, cases[i].want);
    }
}
END_TEST

START_TEST(a_pid_that_was_used_again_is_no_growth)
{
    is(TASK("7", "x", "10") END("task", "ok", "1"), TASK("7", "y", "15") END("task", "ok", "1"),
       "x rss_bytes -10;x processes -1;y rss_bytes 15;y processes 1;"
       "7 x rss_bytes -10;7 y rss_bytes 15;");
}
END_TEST

/* 20 processes came: twelve are named, the largest first. */
START_TEST(long_lists_are_cut_and_counted)
{
    _cleanup_(diff_done) struct diff d = {0};
    struct buf text = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
    struct diff_options o = {.columns = 80};

    for (unsigned i = 1; i <= 20; i++)
        buf_printf(&text, TASK("%u", "t%u", "%u"), i, i, i << 20);
    buf_str(&text, END("task", "ok", "20"));
    fill(&d, DIFF_OLD, END("task", "ok", "0"));
    fill(&d, DIFF_NEW, text.data);
    diff_merge(&d);
    ck_assert_int_eq(diff_print(&d, &o, into_buf, &out), 0);
    buf_char(&out, 0);
    ck_assert_msg(strstr(out.data, "\n... and 12 more\n") != NULL, "%s", out.data);
    ck_assert_msg(strstr(out.data, "\n... and 12 more that grew\n") != NULL, "%s", out.data);
    ck_assert_msg(strstr(out.data, "new pids   20 t20 20 MiB, 19 t19 19 MiB,") != NULL, "%s",
                  out.data);
    ck_assert_msg(strstr(out.data, "9 t9 9 MiB ... and 8") != NULL, "%s", out.data);
    buf_done(&text);
    buf_done(&out);
}
END_TEST

/* What a summary says is cut at our bounds, maybe within a character; JSON must be whole. */
START_TEST(notes_are_json_whatever_the_reason_says)
{
    _cleanup_(diff_done) struct diff d = {0};
    struct buf text = BUF_INIT(4096), out = BUF_INIT(1 << 20);
    json_t *json;

    buf_str(&text, "{\"section\":\"slab\",\"record\":\"end\",\"status\":\"failed\",\"reason\":\"x");
    for (unsigned i = 0; i < 200; i++)
        buf_str(&text, "\xe4\xb8\xad");
    buf_str(&text, "\"}\n");
    fill(&d, DIFF_OLD, text.data);
    fill(&d, DIFF_NEW, END("slab", "ok", "0"));
    diff_merge(&d);
    ck_assert_int_eq(diff_print_json(&d, "slab", into_buf, &out), 0);
    /* that its capture did not finish, and how the section went; of both */
    json = json_loadb(out.data, strcspn(out.data, "\n"), 0, NULL);
    ck_assert_ptr_nonnull(json);
    ck_assert_ptr_null(json_object_get(json, "section"));
    json_decref(json);
    json = json_loadb(strstr(out.data, "{\"section\""),
                      strcspn(strstr(out.data, "{\"section\""), "\n"), 0, NULL);
    ck_assert_ptr_nonnull(json);
    ck_assert_uint_eq(json_string_length(json_object_get(json, "reason")), 157); /* 1 + 52 * 3 */
    json_decref(json);
    buf_done(&text);
    buf_done(&out);
}
END_TEST

START_TEST(what_was_cut_did_not_vanish)
{
    /* cut in the new one: b may have been there; c is new, for the old one is whole */
    is(MODULE("a", "1") MODULE("b", "1") END("module", "ok", "2"),
       MODULE("a", "2") MODULE("c", "1") END("module", "timeout", "2"), "a bytes 1;c bytes 1;");
    /* the end says that a row was lost */
    is(MODULE("a", "1") MODULE("b", "1") END("module", "ok", "2"),
       MODULE("a", "2") END("module", "ok", "2"), "a bytes 1;");
    /* no end at all */
    is(MODULE("a", "1") MODULE("b", "1") END("module", "ok", "2"), MODULE("a", "2"), "a bytes 1;");
    /* nothing of it */
    is(MODULE("a", "1") END("module", "ok", "1"), END("module", "skipped", "0"), "");
}
END_TEST

START_TEST(wild_numbers)
{
    is(MODULE("a", "-5") MODULE("b", "\"x\"") MODULE("c", "9223372036854775807")
           MODULE("c", "9223372036854775807") END("module", "ok", "4"),
       MODULE("a", "9223372036854775807") MODULE("b", "1") MODULE("c", "0")
           END("module", "ok", "3"),
       "a bytes 9223372036854775807;c bytes -9223372036854775807;");
}
END_TEST

START_TEST(rows_are_bounded)
{
    _cleanup_(diff_done) struct diff d = {0};
    struct buf text = BUF_INIT(64 << 20), out = BUF_INIT(1 << 20);
    struct diff_options o = {.columns = 80};

    for (unsigned i = 0; i < 300000; i++)
        buf_printf(&text, MODULE("m%u", "1"), i);
    buf_str(&text, END("module", "ok", "300000"));
    fill(&d, DIFF_OLD, text.data);
    fill(&d, DIFF_NEW, MODULE("z", "1") END("module", "ok", "1"));
    diff_merge(&d);
    ck_assert_uint_eq(d.n, 256 << 10);
    ck_assert(d.sides[DIFF_OLD].too_many && !d.sides[DIFF_OLD].sections[4].whole);
    o.section = "memory";
    ck_assert_int_eq(diff_print(&d, &o, into_buf, &out), 0);
    ck_assert_ptr_nonnull(strstr(out.data, "too many rows"));
    buf_done(&text);
    buf_done(&out);
}
END_TEST

START_TEST(long_names_stay_within_80_columns)
{
    _cleanup_(diff_done) struct diff d = {0};
    struct buf name = BUF_INIT(8192), text = BUF_INIT(16384), out = BUF_INIT(1 << 20);
    struct diff_options o = {.columns = 80};
    const char *line;

    for (unsigned i = 0; i < 1000; i++)
        buf_str(&name, i % 7 ? "n" : "\xe4\xb8\xad"); /* a wide character */
    buf_printf(&text, MODULE("%s", "123456789") END("module", "ok", "1"), name.data);
    fill(&d, DIFF_OLD, END("module", "ok", "0"));
    fill(&d, DIFF_NEW, text.data);
    diff_merge(&d);
    ck_assert_int_eq(diff_print(&d, &o, into_buf, &out), 0);
    line = strstr(out.data, "What grew most\n");
    ck_assert_ptr_nonnull(line);
    line = strchr(line, '\n') + 1;
    ck_assert_uint_gt(utf8_columns(line, strcspn(line, "\n")), 60);
    ck_assert_uint_le(utf8_columns(line, strcspn(line, "\n")), 80);
    buf_done(&name);
    buf_done(&text);
    buf_done(&out);
}
END_TEST

UNIT_SUITE("diff", rows_are_paired_by_name, rows_of_no_size_come_and_go_too,
           tasks_are_added_up_by_name, single_tasks_are_those_of_one_boot,
           a_pid_that_was_used_again_is_no_growth, long_lists_are_cut_and_counted,
           notes_are_json_whatever_the_reason_says, what_was_cut_did_not_vanish, wild_numbers,
           rows_are_bounded, long_names_stay_within_80_columns)

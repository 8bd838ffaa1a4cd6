/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
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
           tasks_are_added_up_by_name, what_was_cut_did_not_vanish, wild_numbers, rows_are_bounded,
           long_names_stay_within_80_columns)

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/sinks.h"
#include "unit/suite.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/deadline.h"

#define PREFIX "<7>vmcore-summary: "

static char dir[] = "/tmp/test_sinks.XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[100];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void make_dir(void)
{
    ck_assert_ptr_nonnull(mkdtemp(strcpy(dir, "/tmp/test_sinks.XXXXXX")));
}

static void remove_dir(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* What a sink writes to a new file that stands for its device. */
static struct buf written(int (*write)(const struct sink *, const char *, size_t),
                          const struct buf *text)
{
    struct buf got = BUF_INIT(1 << 20);
    struct sink s = {.path = in_dir("device"), .write = write, .kmsg_level = 7};
    FILE *f = fopen(s.path, "w+e");
    int c;

    ck_assert_ptr_nonnull(f);
    sinks_write(&s, 1, text->data, text->len, 60000);
    ck_assert_int_eq(s.result, 0);
    while ((c = fgetc(f)) != EOF)
        buf_char(&got, (char)c);
    fclose(f);
    return got;
}

static struct buf lines(size_t bytes)
{
    struct buf text = BUF_INIT(1 << 20);

    for (int i = 0; text.len < bytes; i++)
        buf_printf(&text, "line %d\n", i);
    return text;
}

START_TEST(log_gets_a_record_for_each_line)
{
    struct buf text = BUF_INIT(10000), want = BUF_INIT(10000), got;

    make_dir();
    buf_str(&text, "first\n\n");
    buf_str(&want, PREFIX "first\n" PREFIX);
    for (int i = 0; i < 899; i++) {
        buf_char(&text, 'x');
        buf_char(&want, 'x');
    }
    buf_str(&text, "\xe2\x82\xac and more\nlast without end");
    buf_str(&want, "\n" PREFIX "\xe2\x82\xac and more\n" PREFIX "last without end\n");
    got = written(sink_to_kmsg, &text);
    ck_assert_str_eq(got.data, want.data);
    buf_done(&text);
    buf_done(&want);
    buf_done(&got);
    remove_dir();
}
END_TEST

/* Longer texts are cut after the last line that fits, and only the log, which has room, says so. */
START_TEST(sinks_have_sizes)
{
    struct buf text = lines(20000), log, pmsg, console;
    const char *more;
    size_t lines_kept = 0, room;

    make_dir();
    log = written(sink_to_kmsg, &text);
    more = strstr(log.data, PREFIX "(more is left out here)\n");
    ck_assert_ptr_nonnull(more);
    for (const char *at = log.data; at < more; at = strchr(at, '\n') + 1)
        lines_kept += strchr(at, '\n') + 1 - at - (sizeof(PREFIX) - 1);
    ck_assert_uint_le(lines_kept, SINK_KMSG_BYTES);
    ck_assert_uint_gt(lines_kept, SINK_KMSG_BYTES - sizeof("line 1000\n"));
    pmsg = written(sink_to_pmsg, &text);
    room = sink_pmsg_room("/sys/module"); /* 3 KiB where there is no pstore */
    ck_assert_uint_le(pmsg.len, room);
    ck_assert_uint_gt(pmsg.len, room - sizeof("line 1000\n"));
    ck_assert_mem_eq(pmsg.data, text.data, pmsg.len);
    ck_assert_int_eq(pmsg.data[pmsg.len - 1], '\n');
    console = written(sink_to_device, &text);
    ck_assert_str_eq(console.data, text.data);
    remove_dir();
    buf_done(&text);
    buf_done(&log);
    buf_done(&pmsg);
    buf_done(&console);
}
END_TEST

static size_t room(const char *module, const char *value)
{
    char path[200], modules[100];
    FILE *f;

    strcpy(modules, in_dir(""));
    snprintf(path, sizeof(path), "mkdir -p %s/%s/parameters", modules, module);
    ck_assert_int_eq(system(path), 0);
    snprintf(path, sizeof(path), "%s/%s/parameters/pmsg_size", modules, module);
    f = fopen(path, "we");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "%s\n", value);
    fclose(f);
    return sink_pmsg_room(modules);
}

/* Bytes of ramoops, kilobytes of pstore_blk; of both the smaller. */
START_TEST(pstore_gets_what_its_zone_keeps)
{
    make_dir();
    ck_assert_uint_eq(sink_pmsg_room(dir), 3072);
    ck_assert_uint_eq(room("ramoops", "0"), 3072);
    ck_assert_uint_eq(room("pstore_blk", "-1"), 3072);
    ck_assert_uint_eq(room("pstore_blk", "64"), SINK_PMSG_BYTES);
    ck_assert_uint_eq(room("pstore_blk", "8"), 6144);
    ck_assert_uint_eq(room("ramoops", "4096"), 3072);
    ck_assert_uint_eq(room("ramoops", "1024"), 768);
    ck_assert_uint_eq(room("ramoops", "1048576"), 6144);
    ck_assert_uint_eq(room("pstore_blk", "18446744073709551615"), SINK_PMSG_BYTES);
    remove_dir();
}
END_TEST

/* A FIFO that nobody reads blocks whoever opens it. */
START_TEST(sink_that_blocks_costs_its_time_alone)
{
    struct buf text = lines(100);
    char fifo[100], good[100];
    struct sink sinks[] = {{.path = fifo, .write = sink_to_device},
                           {.path = fifo, .write = sink_to_pmsg},
                           {.path = NULL, .write = sink_to_kmsg},
                           {.path = "/nonexistent/device", .write = sink_to_kmsg},
                           {.path = good, .write = sink_to_device}};
    uint64_t start;
    struct stat st;
    FILE *f;

    make_dir();
    strcpy(fifo, in_dir("fifo"));
    strcpy(good, in_dir("good"));
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    f = fopen(good, "we");
    ck_assert_ptr_nonnull(f);
    fclose(f);
    start = now_ns();
    sinks_write(sinks, 5, text.data, text.len, 1500);
    /* both wait at once; a busy machine needs some time to fork and kill */
    ck_assert_uint_ge(now_ns() - start, 1500 * NSEC_PER_MSEC);
    ck_assert_uint_lt(now_ns() - start, 2900 * NSEC_PER_MSEC);
    ck_assert_int_eq(sinks[0].result, -ETIME);
    ck_assert_int_eq(sinks[1].result, -ETIME);
    ck_assert_int_eq(sinks[3].result, -ENOENT);
    ck_assert_int_eq(sinks[4].result, 0);
    ck_assert_int_eq(stat(good, &st), 0);
    ck_assert_int_eq(st.st_size, (off_t)text.len);
    buf_done(&text);
    remove_dir();
}
END_TEST

UNIT_SUITE("sinks", log_gets_a_record_for_each_line, sinks_have_sizes,
           pstore_gets_what_its_zone_keeps, sink_that_blocks_costs_its_time_alone)

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/printk.h"
#include "unit/suite.h"
#include "unit/vmcore.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* A vmcore's log, each record on a line "seq ts_ns facility.level caller text", and its stats. */
struct log {
    struct buf text;
    struct log_stats stats;
    struct error err;
    int r;
};

static int add_record(const struct log_record *rec, void *arg)
{
    struct buf *b = arg;

    buf_printf(b, "%llu %llu %u.%u ", (unsigned long long)rec->seq, (unsigned long long)rec->ts_ns,
               rec->facility, rec->level);
    if (rec->has_caller)
        buf_printf(b, "%c%u ", rec->caller >> 31 ? 'C' : 'T', rec->caller & 0x7fffffff);
    buf_append(b, rec->text, rec->text_len);
    buf_str(b, rec->truncated ? " (cut)|\n" : "|\n");
    return 0;
}

static struct log read_log(const char *name)
{
    struct log log = {.text = BUF_INIT(100000)};
    struct kernel *k = NULL;
    struct image *im = NULL;
    char path[32];

    vmcore_build(name, path);
    ck_assert_int_eq(image_open(path, NULL, &im), 0);
    vmcore_remove(path);
    ck_assert_int_eq(kernel_open(im, NULL, 0, NULL, &k), 0);
    log.r = printk_foreach(k, add_record, &log.text, &log.err, &log.stats);
    kernel_close(k);
    image_close(im);
    return log;
}

/* The comments in tests/data/vmcore/prb.txt say why. */
START_TEST(the_ring_buffer_reads)
{
    struct log log = read_log("prb");

    ck_assert_msg(log.r == 0, "%s", log.err.text);
    ck_assert_str_eq(log.text.data, "3 0 3.3 T77 oldest \x01\xc3\xa4\ttab\nline|\n"
                                    "4 1000 0.4 T1 |\n"
                                    "5 123456789999 0.4 T1 |\n"
                                    "6 2000000999 1.1 T1 clipped to its block. .  (cut)|\n"
                                    "7 3000001000 0.4 T1 wrapped|\n"
                                    "8 4000000000 0.6 C1 still being added to:|\n");
    ck_assert_uint_eq(log.stats.records, 6);
    ck_assert_uint_eq(log.stats.damaged, 2);
    buf_done(&log.text);
}
END_TEST

/* The comments in tests/data/vmcore/records.txt say why. */
START_TEST(the_record_buffer_reads)
{
    struct log log = read_log("records");

    ck_assert_msg(log.r == 0, "%s", log.err.text);
    ck_assert_str_eq(log.text.data, "0 1000000 3.1 T1 the oldest\n\x01one|\n"
                                    "1 1999999999 0.4 T1 |\n"
                                    "2 2000000000 0.4 T77 at start|\n"
                                    "3 3000000000 0.6 C3 clipped to its recor (cut)|\n");
    ck_assert_uint_eq(log.stats.records, 4);
    ck_assert_uint_eq(log.stats.damaged, 0);
    buf_done(&log.text);
}
END_TEST

START_TEST(damage_costs_what_it_hits)
{
    static const struct {
        const char *name;
        int r;
        uint64_t records, damaged;
        const char *say;
    } cases[] = {
        {"prb-bits", -EBADMSG, 0, 0, "2^27 records"},
        {"prb-tail", 0, 6, 2, ""},
        {"prb-fit", 0, 6, 2, ""},
        {"prb-zero", 0, 6, 2, ""},
        {"prb-head", -EBADMSG, 0, 8, "none of the kernel log's records"},
        {"prb-text", 0, 2, 6, ""},
        {"prb-keys", -ENOENT, 0, 0, "OFFSET(prb_desc_ring.count_bits)"},
        {"records-cycle", 0, 4, 1, ""},
        {"records-length", 0, 1, 1, ""},
        {"no-log", -ENOENT, 0, 0, "names no kernel log"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct log log = read_log(cases[i].name);

        ck_assert_msg(log.r == cases[i].r, "%s: %d %s", cases[i].name, log.r, log.err.text);
        ck_assert_msg(log.stats.records == cases[i].records &&
                          log.stats.damaged == cases[i].damaged,
                      "%s: %d records, %d damaged\n%s", cases[i].name, (int)log.stats.records,
                      (int)log.stats.damaged, log.text.data);
        ck_assert_msg(strstr(log.err.text, cases[i].say), "%s: %s", cases[i].name, log.err.text);
        buf_done(&log.text);
    }
}
END_TEST

static int stop_at_once(const struct log_record *rec, void *arg)
{
    (void)rec;
    ++*(int *)arg;
    return -EPIPE;
}

START_TEST(the_callback_may_stop)
{
    static const char *const names[] = {"prb", "records"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct kernel *k = NULL;
        struct image *im = NULL;
        struct log_stats stats;
        char path[32];
        int calls = 0;

        vmcore_build(names[i], path);
        ck_assert_int_eq(image_open(path, NULL, &im), 0);
        vmcore_remove(path);
        ck_assert_int_eq(kernel_open(im, NULL, 0, NULL, &k), 0);
        ck_assert_int_eq(printk_foreach(k, stop_at_once, &calls, NULL, &stats), -EPIPE);
        ck_assert_int_eq(calls, 1);
        kernel_close(k);
        image_close(im);
    }
}
END_TEST

UNIT_SUITE("printk", the_ring_buffer_reads, the_record_buffer_reads, damage_costs_what_it_hits,
           the_callback_may_stop)

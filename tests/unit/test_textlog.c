/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every prefix that a kernel log has been seen with, before one and the same kill line. */
#include "unit/oomlog_case.h"
#include "unit/suite.h"

#define KILL "Out of memory: Killed process 7 (v w) total-vm:4kB, anon-rss:8kB"

START_TEST(prefixes_are_taken_off)
{
    static const struct {
        const char *prefix, *json;
    } cases[] = {
        {"", "\"line\":1,\"constraint\""},
        {"[    1.234567] ", "\"ts_ns\":1234567000,\"constraint\""},
        {"[5490487.297212] ", "\"ts_ns\":5490487297212000"},
        {"[   49.921978][ T6736] ", "\"ts_ns\":49921978000,\"caller\":\"T6736\""},
        {"[   49.921978][    C3] ", "\"caller\":\"C3\""},
        {"[   49.921978] [    T1] ", "\"caller\":\"T1\""},
        {"<3>[    0.189015] ", "\"ts_ns\":189015000"},
        {"<3>", "\"line\":1,\"constraint\""},
        {"3,1234,1234567,-;", "\"ts_ns\":1234567000"},
        {"3,1234,1234567,c,caller=T77;", "\"ts_ns\":1234567000,\"caller\":\"T77\""},
        {"kern  :err   : [    1.234567] ", "\"ts_ns\":1234567000"},
        {"kern  :err   : [Tue Mar 11 10:16:36 2025] ", "\"log_time\":\"Tue Mar 11 10:16:36 2025\""},
        {"[Tue Mar 11 10:16:36 2025] ", "\"log_time\":\"Tue Mar 11 10:16:36 2025\""},
        {"[Di Aug 12 10:00:00 2025] ", "\"log_time\":\"Di Aug 12 10:00:00 2025\""},
        {"[Mi M\xc3\xa4r 12 10:00:00 2025] ", "\"log_time\":\"Mi M\xc3\xa4r 12 10:00:00 2025\""},
        {"[ven. ao\xc3\xbbt 12 10:00:00 2025] ", "10:00:00 2025\""},
        {"[Tue Mar 11 10:16:36 2025] [  T123] ", "\"caller\":\"T123\""},
        {"[  +0.000012] ", "\"line\":1,\"constraint\""},
        {"[Aug12 10:00] ", "\"line\":1,\"constraint\""},
        {"[<    0.000012>] ", "\"line\":1,\"constraint\""},
        {"[    1.234567 <    0.000012>] ", "\"line\":1,\"constraint\""},
        {"2024-03-08T11:36:09,123456+01:00 ", "\"log_time\":\"2024-03-08T11:36:09,123456+01:00\""},
        {"2024-03-08T11:36:09,123456+01:00 [ T12] ", "\"caller\":\"T12\""},
        {"2024-03-08T11:36:09.123456+02:00 host kernel: [ 5490.297212][ T12] ",
         "\"ts_ns\":5490297212000,\"log_time\":\"2024-03-08T11:36:09.123456+02:00\",\"caller\":"
         "\"T12\""},
        {"2024-03-08T11:36:09+0100 host kernel: ", "\"log_time\":\"2024-03-08T11:36:09+0100\""},
        {"2024-03-08 11:36:09 host kernel: ", "\"log_time\":\"2024-03-08 11:36:09\""},
        {"Mar  8 11:36:09 host kernel: ", "\"log_time\":\"Mar  8 11:36:09\""},
        {"Mar  8 11:36:09 host kernel: [ 5490.297212] ",
         "\"ts_ns\":5490297212000,\"log_time\":\"Mar  8 11:36:09\""},
        {"Mar  8 11:36:09 kernel: [ 5490.297212] ", "\"log_time\":\"Mar  8 11:36:09\""},
        {"Mar 08 11:36:09.123456 host kernel: ", "\"log_time\":\"Mar 08 11:36:09.123456\""},
        {"Mar  8 11:36:09 host kernel[0]: ", "\"log_time\":\"Mar  8 11:36:09\""},
        {"\xd0\xb0\xd0\xbf\xd1\x80 28 01:23:30 PC kernel: ",
         "\"log_time\":\"\xd0\xb0\xd0\xbf\xd1\x80 28 01:23:30\""},
        {"Fri 2024-03-08 11:36:09 CET host kernel: ", "\"log_time\":\"Fri 2024-03-08 11:36:09\""},
        {"Thu Jan  1 00:00:00 2024 kern.warn kernel: [    1.234567] ", "\"ts_ns\":1234567000"},
        {"[ 5490.297212] host kernel: ", "\"ts_ns\":5490297212000"},
        {"1709894169.123456 host kernel: ", "\"line\":1,\"constraint\""},
        {"kernel: ", "\"line\":1,\"constraint\""},
        {"host kernel: ", "\"line\":1,\"constraint\""},
        {"<3>Mar  8 11:36:09 host kernel: [    1.234567] ", "\"ts_ns\":1234567000"},
        {"Mar  8 11:36:09 ", "\"log_time\":\"Mar  8 11:36:09\""},
        {"\033[32m[    1.234567] \033[0m\033[31m", "\"ts_ns\":1234567000"},
        {"localhost login: [    1.234567] ", "\"ts_ns\":1234567000"},
        {"> > [    1.234567] ", "\"ts_ns\":1234567000"},
        {"        [    1.234567] ", "\"ts_ns\":1234567000"},
        {"    ", "\"line\":1,\"constraint\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char log[300];

        snprintf(log, sizeof(log), "%s" KILL "\r\n", cases[i].prefix);
        assert_log(log, "1 - none - killed 7:v w - header\n");
        assert_json(log, cases[i].json);
    }
}
END_TEST

START_TEST(rows_keep_their_brackets)
{
    static const char *const prefixes[] = {"",
                                           "[    1.234567] ",
                                           "[    1.234567][    T1] ",
                                           "Mar  8 11:36:09 host kernel: ",
                                           "[Di Aug 12 10:00:00 2025] ",
                                           "4,1,2,-;"};

    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        char log[500];

        snprintf(log, sizeof(log),
                 "%sx invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
                 "%s[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n"
                 "%s[  333]     1   332     2667      111       2        3         -1000 [a] b\n",
                 prefixes[i], prefixes[i], prefixes[i]);
        assert_json(log, "\"pid\":333,\"tgid\":332,\"uid\":1,\"comm\":\"[a] b\"");
    }
}
END_TEST

START_TEST(kmsg_escapes_are_undone)
{
    static const char log[] =
        "4,1,1000000,-,caller=T1;x\\x5cy\\xc3\\xa4 invoked oom-killer: gfp_mask=0xd0, order=0, "
        "oom_score_adj=0\n"
        " SUBSYSTEM=pci\n DEVICE=+pci:0000:00:01.0\n"
        "4,2,1000001,-,caller=T1;Mem-Info:\n"
        "4,3,1000002,-,caller=T1;active_anon:1 inactive_anon:2\\x0a active_file:3 dirty:4\n";

    assert_log(log, "1 x\\y\xc3\xa4 none - unknown - - outcome\n");
    assert_json(log, "\"active_file_bytes\":12288,\"dirty_bytes\":16384");
}
END_TEST

START_TEST(continuation_lines_are_of_their_record)
{
    /* padded by dmesg, repeated prefix on a console, plain in vmcore-dmesg */
    static const char *const totals[] = {
        "[    1.000001] active_anon:1 inactive_anon:2\n                active_file:3 dirty:4\n",
        "[    1.000001] active_anon:1 inactive_anon:2\n[    1.000001]  active_file:3 dirty:4\n",
        "[    1.000001] active_anon:1 inactive_anon:2\n active_file:3 dirty:4\n",
    };

    for (size_t i = 0; i < ARRAY_SIZE(totals); i++) {
        char log[500];

        snprintf(log, sizeof(log),
                 "[    1.000000] x invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
                 "[    1.000001] Mem-Info:\n%s",
                 totals[i]);
        assert_json(log, "\"active_file_bytes\":12288,\"dirty_bytes\":16384");
    }
    /* what a record's further line says begins nothing */
    assert_log("[    1.000001] EXT4-fs: bad option\n"
               "                Out of memory: Killed process 7 (v) total-vm:4kB\n",
               "");
}
END_TEST

START_TEST(console_text_before_the_stamp_is_dropped)
{
    assert_log("[    1.000000] booting\n"
               "Starting udev... [    2.000000] swapper/0 invoked oom-killer: gfp_mask=0xd0, "
               "order=0, oom_score_adj=0\n",
               "1 swapper/0 unknown - unknown - - outcome\n");
    /* padding is no console text: it is a record's further line */
    assert_log("[    1.000000] EXT4-fs: bad option\n"
               "               [    2.000000] " KILL "\n",
               "");
    /* but a log without stamps may quote one */
    assert_log("something\nquote [    2.000000] " KILL "\n", "");
}
END_TEST

START_TEST(a_paste_is_indented_and_a_mail_quotes)
{
    static const char *const before[] = {"    ", "> > ", "\t"};

    for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
        char log[500];

        snprintf(log, sizeof(log),
                 "$ dmesg\n"
                 "%s[Tue Mar 11 10:16:36 2025] x invoked oom-killer: gfp_mask=0xd0, order=0\n"
                 "%s[Tue Mar 11 10:16:36 2025] Mem-Info:\n"
                 "%s[Tue Mar 11 10:16:36 2025] active_anon:1 inactive_anon:2\n"
                 "%s                            active_file:3 dirty:4\n"
                 "%s...\n"
                 "%s[Tue Mar 11 10:16:36 2025] " KILL "\n",
                 before[i], before[i], before[i], before[i], before[i], before[i]);
        assert_log(log, "1 x none - killed 7:v w - lines\n");
        assert_json(log, "\"dirty_bytes\":16384");
    }
}
END_TEST

START_TEST(any_cut_of_the_input_gives_the_same)
{
    static const char log[] =
        "\0Mar  8 11:36:09 host kernel: x invoked oom-killer: gfp_mask=0xd0, order=0, "
        "oom_score_adj=0\r\n\n"
        "Mar  8 11:36:09 host kernel: " KILL;

    for (size_t step = 1; step < 40; step++) {
        struct oom_case c;

        case_begin(&c);
        case_text_step(&c, log + 1, step);
        case_end(&c);
        ck_assert_str_eq(c.text.data, "1 x none - killed 7:v w - memory\n");
        case_free(&c);
    }
}
END_TEST

START_TEST(an_endless_line_costs_no_memory)
{
    static char block[1 << 16];
    struct oom_case c;
    struct textlog *t;

    memset(block, 'x', sizeof(block));
    case_begin(&c);
    t = textlog_new(case_line, &c);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(textlog_feed(t, block, sizeof(block)), 0);
    ck_assert_int_eq(textlog_feed(t, "\n" KILL "\n", strlen("\n" KILL "\n")), 0);
    ck_assert_int_eq(textlog_finish(t), 0);
    ck_assert_uint_eq(textlog_lines(t), 2);
    textlog_free(t);
    case_end(&c);
    ck_assert_str_eq(c.text.data, "1 - none - killed 7:v w - header\n");
    case_free(&c);
}
END_TEST

START_TEST(another_boot_ends_what_was_open)
{
    assert_log("Mar  8 11:36:09 host kernel: x invoked oom-killer: gfp_mask=0xd0, order=0\n"
               "Mar  8 11:36:40 host kernel: Linux version 6.1.0\n"
               "Mar  8 11:36:50 host kernel: " KILL "\n",
               "1 x unknown - unknown - - outcome\n2 - none - killed 7:v w - header\n");
}
END_TEST

UNIT_SUITE("textlog", prefixes_are_taken_off, rows_keep_their_brackets, kmsg_escapes_are_undone,
           continuation_lines_are_of_their_record, console_text_before_the_stamp_is_dropped,
           a_paste_is_indented_and_a_mail_quotes, any_cut_of_the_input_gives_the_same,
           an_endless_line_costs_no_memory, another_boot_ends_what_was_open)

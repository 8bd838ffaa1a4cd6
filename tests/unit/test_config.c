/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/config.h"
#include "unit/suite.h"
#include "util/buf.h"
#include "util/cleanup.h"

static char dir[] = "/tmp/test_config.XXXXXX";

static void put_file(const char *name, const char *text)
{
    char path[100];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "we");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void collect(void *arg, const char *text)
{
    buf_printf(arg, "%s\n", text + strlen(dir) + 1);
}

/* Loads dir/c over the defaults; the warnings, without the directory. */
static struct buf load(struct config *ret)
{
    struct buf warnings = BUF_INIT(1 << 20);
    char path[100];

    snprintf(path, sizeof(path), "%s/c", dir);
    config_init(ret);
    ck_assert_int_eq(config_load(path, ret, collect, &warnings, NULL), 0);
    buf_append(&warnings, "", 0);
    return warnings;
}

static void make_dir(void)
{
    ck_assert_ptr_nonnull(mkdtemp(strcpy(dir, "/tmp/test_config.XXXXXX")));
}

static void remove_dir(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(defaults_are_the_documented_ones)
{
    struct config c;

    config_init(&c);
    ck_assert_str_eq(c.directory, "/var/crash/vmcore-summary");
    ck_assert_uint_eq(c.deadline_ms, 60000);
    ck_assert_uint_eq(c.section_deadline_ms, 0);
    ck_assert_str_eq(c.console, "auto");
    ck_assert_str_eq(c.kmsg, "auto");
    ck_assert_str_eq(c.pmsg, "auto");
    ck_assert(!c.strict);
}
END_TEST

START_TEST(drop_ins_come_after_in_order)
{
    struct config c;
    struct buf w;
    char path[100];

    make_dir();
    put_file("c", "[Capture]\nDeadline = 5min\nDirectory=/a\nConsole=off\n");
    snprintf(path, sizeof(path), "%s/c.d", dir);
    mkdir(path, 0700);
    put_file("c.d/20-x.conf", "[Capture]\nDirectory=/c\n");
    put_file("c.d/10-x.conf", "[Capture]\nDirectory=/b\nSectionDeadline=1500ms\nStrict=yes\n");
    put_file("c.d/30-x.conf~", "[Capture]\nDirectory=/d\n");
    w = load(&c);
    ck_assert_str_eq(w.data, "");
    ck_assert_str_eq(c.directory, "/c");
    ck_assert_uint_eq(c.deadline_ms, 300000);
    ck_assert_uint_eq(c.section_deadline_ms, 1500);
    ck_assert_str_eq(c.console, "no");
    ck_assert(c.strict);
    buf_done(&w);
    remove_dir();
}
END_TEST

START_TEST(wrong_lines_are_named_and_change_nothing)
{
    struct config c;
    struct buf text = BUF_INIT(10000), w;

    make_dir();
    buf_str(&text, "[Capture]\n"
                   "# Deadline=1s\n"
                   "Deadline=soon\n"
                   "   Directory=crash\n"
                   "Colour=red\n"
                   "\n"
                   "Sections=");
    for (int i = 0; i < 400; i++)
        buf_char(&text, 'x');
    buf_str(&text, "\nStrict=perhaps\nDeadline=0\nDeadline=-1\nConsole=tty\n[Other]\nStrict=yes\n"
                   "what\n");
    put_file("c", text.data);
    w = load(&c);
    ck_assert_str_eq(w.data, "c:3: Deadline: 'soon' is not a duration like 60s, ignored\n"
                             "c:4: Directory: 'crash' is not an absolute path, ignored\n"
                             "c:5: unknown key 'Colour' in section [Capture], ignored\n"
                             "c:7: line is too long\n"
                             "c:8: Strict: 'perhaps' is neither yes nor no, ignored\n"
                             "c:9: Deadline: '0' is not between 1 ms and 24 h, ignored\n"
                             "c:10: Deadline: '-1' is not a duration like 60s, ignored\n"
                             "c:11: Console: 'tty' is none of yes, no, auto and a device, ignored\n"
                             "c:13: unknown key 'Strict' in section [Other], ignored\n"
                             "c:14: neither [Section], KEY=VALUE nor a comment, ignored\n");
    ck_assert_uint_eq(c.deadline_ms, 60000);
    ck_assert_str_eq(c.directory, "/var/crash/vmcore-summary");
    ck_assert_str_eq(c.sections, "");
    ck_assert(!c.strict);
    buf_done(&w);
    buf_done(&text);
    remove_dir();
}
END_TEST

START_TEST(missing_file_is_told)
{
    struct config c;
    struct error err = {0};

    config_init(&c);
    ck_assert_int_eq(config_load("/nonexistent/c", &c, NULL, NULL, &err), -ENOENT);
    ck_assert_str_eq(err.text, "/nonexistent/c: No such file or directory");
}
END_TEST

/* conf/vmcore-summary.conf shows each item of the table with its default, and nothing else. */
START_TEST(example_agrees_with_the_table)
{
    _cleanup_fclose_ FILE *f = fopen("conf/vmcore-summary.conf", "re");
    struct buf got = BUF_INIT(100000), want = BUF_INIT(100000);
    char line[300], before[300] = "";

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof(line), f)) {
        if (line[0] == '[')
            buf_str(&got, line);
        if (line[0] == '#' && line[1] != ' ' && line[1] != '\n')
            buf_printf(&got, "%s%s", before, line);
        strcpy(before, line);
    }
    for (size_t i = 0; i < n_config_items; i++) {
        const struct config_item *item = &config_items[i];

        if (!i || strcmp(item->section, item[-1].section))
            buf_printf(&want, "[%s]\n", item->section);
        buf_printf(&want, "# %s\n#%s=%s\n", item->help, item->key, item->value);
    }
    ck_assert_str_eq(got.data, want.data);
    buf_done(&got);
    buf_done(&want);
}
END_TEST

/* ... and the manual has an entry for each. */
START_TEST(manual_names_every_item)
{
    for (size_t i = 0; i < n_config_items; i++) {
        char command[200];

        snprintf(command, sizeof(command), "grep -qx '.It Cm %s=' conf/vmcore-summary.conf.5",
                 config_items[i].key);
        ck_assert_msg(system(command) == 0, "%s", config_items[i].key);
    }
}
END_TEST

UNIT_SUITE("config", defaults_are_the_documented_ones, drop_ins_come_after_in_order,
           wrong_lines_are_named_and_change_nothing, missing_file_is_told,
           example_agrees_with_the_table, manual_names_every_item)

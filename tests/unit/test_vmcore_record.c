/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of the vmcore: by the files beside the summary, and by the record of the hooks. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "summary/vmcore.h"
#include "summary/writer.h"
#include "unit/suite.h"

static void assert_parsed(const char *text, enum vmcore_state state, bool removed)
{
    struct vmcore_record r = vmcore_record_parse(text, strlen(text));

    ck_assert_int_eq(r.known, state != VMCORE_MISSING || strstr(text, "vmcore: missing\n"));
    ck_assert_msg(r.state == state && r.removed == removed, "'%s': %s%s", text,
                  vmcore_state_name(r.state), r.removed ? ", removed" : "");
}

START_TEST(records_are_understood)
{
    assert_parsed("vmcore: saved\nstatus: 0\nfile: vmcore\n\n\n", VMCORE_SAVED, false);
    assert_parsed("vmcore: skipped", VMCORE_SKIPPED, false);
    assert_parsed("vmcore: incomplete\nstatus: 1\nfile: vmcore-incomplete\n", VMCORE_INCOMPLETE,
                  false);
    assert_parsed("status: 1\nvmcore: incomplete\nremoved: yes\n\n", VMCORE_INCOMPLETE, true);
    assert_parsed("vmcore: missing\n", VMCORE_MISSING, false);
}
END_TEST

START_TEST(anything_else_is_no_record)
{
    assert_parsed("", VMCORE_MISSING, false);
    assert_parsed("\n\n\n", VMCORE_MISSING, false);
    assert_parsed("vmcore:saved\n", VMCORE_MISSING, false);
    assert_parsed("vmcore: saved \n", VMCORE_MISSING, false);
    assert_parsed("vmcore: save", VMCORE_MISSING, false);
    assert_parsed("xvmcore: saved\n", VMCORE_MISSING, false);
    assert_parsed("status=0\nfile=vmcore\n", VMCORE_MISSING, false);
    /* only what is incomplete is removed */
    assert_parsed("vmcore: saved\nremoved: yes\n", VMCORE_SAVED, false);
    /* a NUL is a character like others, and the length holds */
    ck_assert_int_eq(vmcore_record_parse("vmcore: saved\0", 14).state, VMCORE_MISSING);
    ck_assert_int_eq(vmcore_record_parse("vmcore: savedXXXX", 13).state, VMCORE_SAVED);
}
END_TEST

static char directory[64];

static void put(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void new_directory(void)
{
    snprintf(directory, sizeof(directory), "/tmp/vmcore-record.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void assert_beside(enum vmcore_state state, const char *name, bool removed)
{
    static const char *const names[] = {VMCORE_RECORD_NAME, "vmcore", "vmcore-incomplete",
                                        "dump-incomplete", "dump.202401010000"};
    struct vmcore_file f;
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", directory, SUMMARY_FILE_NAME);
    f = vmcore_beside(path);
    ck_assert_str_eq(vmcore_state_name(f.state), vmcore_state_name(state));
    ck_assert_str_eq(f.name, name);
    ck_assert_int_eq(f.removed, removed);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        unlink(path);
    }
    ck_assert_int_eq(rmdir(directory), 0);
}

START_TEST(the_record_tells_what_names_cannot)
{
    new_directory();
    put(VMCORE_RECORD_NAME, "vmcore: skipped\n");
    assert_beside(VMCORE_SKIPPED, "", false);

    /* SUSE and Debian give a dump that was cut short the name of a whole one */
    new_directory();
    put("vmcore", "half");
    put(VMCORE_RECORD_NAME, "vmcore: incomplete\n");
    assert_beside(VMCORE_INCOMPLETE, "vmcore", false);

    new_directory();
    put(VMCORE_RECORD_NAME, "vmcore: incomplete\nremoved: yes\n");
    assert_beside(VMCORE_INCOMPLETE, "", true);
}
END_TEST

START_TEST(the_record_does_not_outweigh_files)
{
    new_directory(); /* deleted since */
    put(VMCORE_RECORD_NAME, "vmcore: saved\n");
    assert_beside(VMCORE_MISSING, "", false);

    new_directory();
    put(VMCORE_RECORD_NAME, "vmcore: incomplete\n");
    assert_beside(VMCORE_MISSING, "", false);

    new_directory(); /* put there since */
    put("vmcore", "whole");
    put(VMCORE_RECORD_NAME, "vmcore: skipped\n");
    assert_beside(VMCORE_SAVED, "vmcore", false);

    new_directory(); /* the machine went down before the hook after the dump */
    put("vmcore-incomplete", "half");
    put(VMCORE_RECORD_NAME, "vmcore: missing\n");
    assert_beside(VMCORE_INCOMPLETE, "vmcore-incomplete", false);

    new_directory();
    put("dump.202401010000", "whole");
    assert_beside(VMCORE_SAVED, "dump.202401010000", false);
}
END_TEST

START_TEST(of_two_parts_the_larger_counts)
{
    new_directory();
    put("dump-incomplete", "half");
    put("vmcore-incomplete", "");
    assert_beside(VMCORE_INCOMPLETE, "dump-incomplete", false);

    new_directory();
    put("dump-incomplete", "");
    put("vmcore-incomplete", "half");
    assert_beside(VMCORE_INCOMPLETE, "vmcore-incomplete", false);

    new_directory(); /* but a whole one before any part */
    put("dump-incomplete", "half");
    put("vmcore", "whole");
    assert_beside(VMCORE_SAVED, "vmcore", false);
}
END_TEST

START_TEST(a_record_that_is_a_link_or_a_pipe_is_none)
{
    char path[128];

    new_directory();
    snprintf(path, sizeof(path), "%s/%s", directory, VMCORE_RECORD_NAME);
    put("vmcore", "vmcore: incomplete\n");
    ck_assert_int_eq(symlink("vmcore", path), 0);
    assert_beside(VMCORE_SAVED, "vmcore", false);

    new_directory();
    snprintf(path, sizeof(path), "%s/%s", directory, VMCORE_RECORD_NAME);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    assert_beside(VMCORE_MISSING, "", false);
}
END_TEST

UNIT_SUITE("vmcore_record", records_are_understood, anything_else_is_no_record,
           the_record_tells_what_names_cannot, the_record_does_not_outweigh_files,
           of_two_parts_the_larger_counts, a_record_that_is_a_link_or_a_pipe_is_none)

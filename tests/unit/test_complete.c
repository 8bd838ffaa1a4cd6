/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a dump is whole: tiny ones made for it (tests/fuzz/kdump_seeds.py). tests/t/verify.sh has
 * real ones. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/complete.h"
#include "unit/suite.h"
#include "util/cleanup.h"

#define NOT_KNOWN 0, 0

static const struct {
    const char *file;
    enum completeness state;
    uint64_t have_bytes, want_bytes; /* of those that are not whole */
    const char *why;
} cases[] = {
    {"elf/plain", COMPLETE_YES, NOT_KNOWN, ""},
    {"elf/kdump-zlib", COMPLETE_YES, NOT_KNOWN, ""},
    {"elf/kdump-raw", COMPLETE_YES, NOT_KNOWN, ""},
    {"elf/flattened-kdump", COMPLETE_YES, NOT_KNOWN, ""},
    {"elf/flattened-backwards", COMPLETE_YES, NOT_KNOWN, ""},
    {"elf/flattened-elf", COMPLETE_YES, NOT_KNOWN, ""},
    {"complete/kdump-part", COMPLETE_YES, NOT_KNOWN, ""},
    {"complete/kdump-zero-pages", COMPLETE_YES, NOT_KNOWN, ""},

    {"elf/empty", COMPLETE_NO, NOT_KNOWN, "empty"},
    {"elf/cut-ehdr", COMPLETE_NO, NOT_KNOWN, "inside its header"},
    {"elf/cut-phdrs", COMPLETE_NO, NOT_KNOWN, "inside its program headers"},
    {"elf/truncated", COMPLETE_NO, 20, 8220, "before its segments do"},
    {"complete/elf-marked", COMPLETE_NO, 20, 20, "marked it so"},
    {"complete/elf-null-headers", COMPLETE_NO, NOT_KNOWN, "not all written"},
    {"complete/elf-xnum", COMPLETE_NO, NOT_KNOWN, "inside its program headers"},
    {"elf/kdump-cut-bitmap", COMPLETE_NO, NOT_KNOWN, "inside its headers"},
    {"elf/kdump-cut", COMPLETE_NO, 0, 16384, "inside its table"},
    {"complete/kdump-marked", COMPLETE_NO, 16384, 16384, "marked it so"},
    {"complete/kdump-last-desc-empty", COMPLETE_NO, 12288, 16384, "never written"},
    {"complete/kdump-no-descs", COMPLETE_NO, 0, 16384, "never written"},
    {"complete/kdump-size-lies", COMPLETE_NO, 12288, 16384, "before its pages do"},
    {"complete/kdump-offset-lies", COMPLETE_NO, 12288, 16384, "before its pages do"},
    {"elf/flattened-no-end", COMPLETE_NO, NOT_KNOWN, "end mark"},
    {"complete/flattened-half-table", COMPLETE_NO, 8192, 16384, "end mark"},
    {"complete/flattened-data-first", COMPLETE_NO, 8192, 16384, "end mark"},
    {"complete/flattened-ends-like-the-mark", COMPLETE_NO, NOT_KNOWN, "end mark"},
    {"complete/flattened-beyond", COMPLETE_NO, NOT_KNOWN, "end mark"},
    {"complete/flattened-damaged", COMPLETE_NO, NOT_KNOWN, "end mark"},

    {"elf/32bit", COMPLETE_UNKNOWN, NOT_KNOWN, "not read"},
    {"elf/executable", COMPLETE_UNKNOWN, NOT_KNOWN, "not read"},
    {"elf/gzip-cut", COMPLETE_UNKNOWN, NOT_KNOWN, "does not tell"},
    {"elf/kdump-block-0", COMPLETE_UNKNOWN, NOT_KNOWN, "not read"},
    {"elf/kdump-no-bitmap", COMPLETE_UNKNOWN, NOT_KNOWN, "without pages"},
    {"complete/elf-absurd", COMPLETE_UNKNOWN, NOT_KNOWN, "no machine"},
    {"complete/kdump-bitmap-lies", COMPLETE_UNKNOWN, NOT_KNOWN, "not read"},
};

static void check_case(size_t i)
{
    char path[256];
    _cleanup_close_ int fd = -1;
    struct complete c;

    snprintf(path, sizeof(path), "tests/fuzz/corpus/%s", cases[i].file);
    fd = open(path, O_RDONLY);
    ck_assert_msg(fd >= 0, "%s", path);
    c = complete_check(fd);
    ck_assert_msg(c.state == cases[i].state && strstr(c.why, cases[i].why), "%s: %d %s", path,
                  c.state, c.why);
    if (c.state != COMPLETE_NO)
        return;
    ck_assert_msg(c.want_bytes == cases[i].want_bytes &&
                      (!c.want_bytes || c.have_bytes == cases[i].have_bytes),
                  "%s: %lu of %lu", path, c.have_bytes, c.want_bytes);
}

START_TEST(tells_by_the_file)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        check_case(i);
}
END_TEST

START_TEST(leaves_the_position_alone)
{
    _cleanup_close_ int fd = open("tests/fuzz/corpus/elf/kdump-zlib", O_RDONLY);

    ck_assert_int_eq(lseek(fd, 7, SEEK_SET), 7);
    ck_assert_int_eq(complete_check(fd).state, COMPLETE_YES);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 7);
}
END_TEST

UNIT_SUITE("complete", tells_by_the_file, leaves_the_position_alone)

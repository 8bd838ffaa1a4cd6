/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <string.h>

#include "kernel/taint.h"
#include "unit/suite.h"

/* The expected letters are those of Documentation/admin-guide/tainted-kernels.rst. */
static void assert_letters(uint64_t mask, const char *want)
{
    char got[TAINT_LETTERS_CAP];

    memset(got, 'x', sizeof(got));
    taint_letters(mask, got);
    ck_assert_str_eq(got, want);
}

START_TEST(letters_stand_in_bit_order)
{
    assert_letters(0, "");
    assert_letters(1, "P");
    assert_letters(512, "W");
    assert_letters(128 + 512, "DW");
    assert_letters(4096 + 8192, "OE"); /* an unsigned module from outside the tree */
    assert_letters(262144, "N");
}
END_TEST

START_TEST(unknown_bits_are_seen)
{
    char got[TAINT_LETTERS_CAP];

    assert_letters(1ULL << 63 | 1, "P?");
    taint_letters(UINT64_MAX, got);
    ck_assert_uint_eq(strlen(got), 64);
}
END_TEST

UNIT_SUITE("taint", letters_stand_in_bit_order, unknown_bits_are_seen)

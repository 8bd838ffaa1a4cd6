/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/vmcoreinfo.h"
#include "unit/suite.h"

static struct vmcoreinfo parse(const char *text)
{
    struct vmcoreinfo vi;

    ck_assert_int_eq(vmcoreinfo_init(&vi, text, strlen(text), NULL), 0);
    return vi;
}

/* Lines as Linux 6.1 on x86_64 and 6.12 on arm64 print them. */
START_TEST(values_have_the_form_their_key_says)
{
    struct vmcoreinfo vi = parse("OSRELEASE=6.1.0-50-cloud-amd64\n"
                                 "PAGESIZE=4096\n"
                                 "SYMBOL(_stext)=ffffffff9c200000\n"
                                 "OFFSET(page.lru)=8\n"
                                 "SIZE(page)=64\n"
                                 "LENGTH(mem_section)=131072\n"
                                 "NUMBER(phys_base)=-100663296\n"
                                 "NUMBER(sme_mask)=-9223372036854775808\n"
                                 "NUMBER(VMALLOC_START)=0xffff800080000000\n"
                                 "CRASHTIME=1752000000\n");
    uint64_t u = 0;
    int64_t n = 0;
    char s[10];

    ck_assert_int_eq(vmcoreinfo_string(&vi, "OSRELEASE", s, sizeof(s)), 0);
    ck_assert_str_eq(s, "6.1.0-50-"); /* cut */
    ck_assert_int_eq(vmcoreinfo_decimal(&vi, "PAGESIZE", &u), 0);
    ck_assert_uint_eq(u, 4096);
    ck_assert_int_eq(vmcoreinfo_symbol(&vi, "_stext", &u), 0);
    ck_assert_uint_eq(u, 0xffffffff9c200000);
    ck_assert_int_eq(vmcoreinfo_offset(&vi, "page.lru", &u), 0);
    ck_assert_uint_eq(u, 8);
    ck_assert_int_eq(vmcoreinfo_size(&vi, "page", &u), 0);
    ck_assert_uint_eq(u, 64);
    ck_assert_int_eq(vmcoreinfo_length(&vi, "mem_section", &u), 0);
    ck_assert_uint_eq(u, 131072);
    ck_assert_int_eq(vmcoreinfo_number(&vi, "phys_base", &n), 0);
    ck_assert_int_eq(n, -100663296);
    ck_assert_int_eq(vmcoreinfo_number(&vi, "sme_mask", &n), 0);
    ck_assert_int_eq(n, INT64_MIN);
    ck_assert_int_eq(vmcoreinfo_number(&vi, "VMALLOC_START", &n), 0);
    ck_assert_uint_eq((uint64_t)n, 0xffff800080000000);
    ck_assert_int_eq(vmcoreinfo_decimal(&vi, "CRASHTIME", &u), 0);
    ck_assert_uint_eq(u, 1752000000);
    vmcoreinfo_done(&vi);
}
END_TEST

START_TEST(nonsense_values_are_refused)
{
    struct vmcoreinfo vi = parse("SYMBOL(a)=\nSYMBOL(b)=xyz\nSYMBOL(c)= 1\nSYMBOL(d)=0x10\n"
                                 "SYMBOL(e)=10000000000000000\n"
                                 "SIZE(a)=-1\nSIZE(b)=12a\nSIZE(c)=18446744073709551616\n"
                                 "NUMBER(a)=-\nNUMBER(b)=9223372036854775808\nNUMBER(c)=--1\n"
                                 "NUMBER(d)=0x\nNUMBER(e)=-9223372036854775809\n");
    uint64_t u = 7;
    int64_t n = 7;

    for (const char *c = "abcde"; *c; c++) {
        char name[2] = {*c, '\0'};

        ck_assert_int_eq(vmcoreinfo_symbol(&vi, name, &u), -EBADMSG);
        ck_assert_int_eq(vmcoreinfo_number(&vi, name, &n), -EBADMSG);
        ck_assert_int_eq(vmcoreinfo_size(&vi, name, &u), *c < 'd' ? -EBADMSG : -ENOENT);
    }
    ck_assert_uint_eq(u, 7); /* untouched */
    ck_assert_int_eq(n, 7);
    vmcoreinfo_done(&vi);
}
END_TEST

START_TEST(keys_match_whole)
{
    struct vmcoreinfo vi = parse("XSYMBOL(a)=1\nSYMBOL(ab)=2\nSYMBOL(a=3\nSYMBOL(a)4\nSYMBOL(a)\n"
                                 "PAGESIZE2=1\n=5\n\n\nSYMBOL(last)=6");
    uint64_t u = 7;

    ck_assert_int_eq(vmcoreinfo_symbol(&vi, "a", &u), -ENOENT);
    ck_assert_int_eq(vmcoreinfo_decimal(&vi, "PAGESIZE", &u), -ENOENT);
    ck_assert_int_eq(vmcoreinfo_symbol(&vi, "last", &u), 0); /* no newline at the end */
    ck_assert_uint_eq(u, 6);
    vmcoreinfo_done(&vi);
}
END_TEST

START_TEST(the_last_of_several_lines_wins)
{
    struct vmcoreinfo vi = parse("CRASHTIME=1\nCRASHTIME=22\n");
    const char *value;
    size_t len;

    ck_assert_int_eq(vmcoreinfo_value(&vi, "CRASHTIME", &value, &len), 0);
    ck_assert_uint_eq(len, 2);
    ck_assert_mem_eq(value, "22", 2);
    vmcoreinfo_done(&vi);
}
END_TEST

START_TEST(size_is_bounded)
{
    static char big[VMCOREINFO_MAX_BYTES + 1];
    struct vmcoreinfo vi = {0};
    uint64_t u;

    ck_assert_int_eq(vmcoreinfo_init(&vi, big, sizeof(big), NULL), -E2BIG);
    ck_assert_int_eq(vmcoreinfo_symbol(&vi, "a", &u), -ENOENT); /* an empty one answers */
    memset(big, 'x', sizeof(big));
    memcpy(big, "A=1\nB=2\n\0C=3", 12);
    ck_assert_int_eq(vmcoreinfo_init(&vi, big, VMCOREINFO_MAX_BYTES, NULL), 0);
    ck_assert_uint_eq(vi.len, 8); /* what follows a NUL is padding */
    ck_assert_int_eq(vmcoreinfo_decimal(&vi, "C", &u), -ENOENT);
    vmcoreinfo_done(&vi);
    vmcoreinfo_done(&vi);
}
END_TEST

UNIT_SUITE("vmcoreinfo", values_have_the_form_their_key_says, nonsense_values_are_refused,
           keys_match_whole, the_last_of_several_lines_wins, size_is_bounded)

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps that do not say what kernel they are of. */
#include <check.h>
#include <errno.h>

#include "kernel/identify.h"
#include "unit/tiny_core.h"
#include "unit/suite.h"
#include "util/deadline.h"

#define RELEASE "6.1.0-test"
#define UTS     0x20000U
#define UTS_GAP 65 /* bytes of each of its names */

static struct tiny_core core;

/* The entries that map 0xffffffff80000000 to physical 0 by one page of 2 MiB, and the names. */
static void make_machine(const char *release)
{
    memset(&core, 0, sizeof(core));
    tiny_put(&core, TINY_ROOT_PHYS + 511 * 8, 0x2000 | 1);
    tiny_put(&core, 0x2000 + 510 * 8, 0x3000 | 1);
    tiny_put(&core, 0x3000, 0x80 | 1);
    strcpy((char *)core.ram + UTS, "Linux");
    strcpy((char *)core.ram + UTS + 2 * UTS_GAP, release);
}

/* A kernel's text, as if it were mapped `slide` bytes higher. Real ones are longer. */
static void put_text(uint64_t phys, const char *release, uint64_t slide, const char *last)
{
    uint64_t base = TINY_TEXT + slide;

    sprintf((char *)core.ram + phys,
            "OSRELEASE=%s\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=%llx\nSYMBOL(swapper_pg_dir)=%llx\n"
            "SYMBOL(_stext)=%llx\nOFFSET(uts_namespace.name)=0\nNUMBER(phys_base)=%lld\n"
            "SIZE(page)=64\nSIZE(pglist_data)=172096\nSIZE(zone)=1728\nSIZE(free_area)=104\n"
            "SIZE(list_head)=16\nSIZE(nodemask_t)=128\nOFFSET(page.flags)=0\n%s",
            release, (unsigned long long)base + UTS, (unsigned long long)base + TINY_ROOT_PHYS,
            (unsigned long long)base, -(long long)slide, last);
}

static int identify(struct image *im)
{
    struct vmcoreinfo_search search = {.deadline_ns = deadline_after_ms(10000)};
    struct error err = {0};
    int r = kernel_identify(im, &search, &err);

    ck_assert(r == 0 || err.text[0]);
    return r;
}

/* What is found of the machine in `core`: its CRASHTIME, 1 where it has none, or the error. */
static int64_t found(void)
{
    struct image *im = tiny_open(&core);
    uint64_t v = 1;
    int r = identify(im);

    if (r == 0)
        (void)vmcoreinfo_decimal(image_vmcoreinfo(im), "CRASHTIME", &v);
    else
        ck_assert_uint_eq(image_vmcoreinfo(im)->len, 0);
    image_close(im);
    return r < 0 ? r : (int64_t)v;
}

START_TEST(the_text_is_found_in_memory)
{
    make_machine(RELEASE);
    ck_assert_int_eq(found(), -ENOENT);
    put_text(0x40000, RELEASE, 0, "");
    ck_assert_int_eq(found(), 1);
}
END_TEST

START_TEST(the_longest_is_taken)
{
    make_machine(RELEASE);
    put_text(0x40000, RELEASE, 0, "");
    /* as in vmcoreinfo_note: behind a head, and over the end of a page */
    put_text(0x51e00, RELEASE, 0, "CRASHTIME=1763722739\n");
    ck_assert_int_eq(found(), 1763722739);
    /* the order in memory does not matter */
    put_text(0x30018, RELEASE, 0, "CRASHTIME=7\n");
    ck_assert_int_eq(found(), 7);
}
END_TEST

START_TEST(what_an_earlier_boot_left_does_not_win)
{
    make_machine(RELEASE);
    put_text(0x30000, "5.10.0-other", 0, "CRASHTIME=2\n");
    ck_assert_int_eq(found(), -ENOENT);
    /* the same kernel at the same physical address, which its page tables map elsewhere */
    put_text(0x31000, RELEASE, 0x200000, "CRASHTIME=3\n");
    ck_assert_int_eq(found(), -ENOENT);
    /* and one whose names lie elsewhere */
    put_text(0x32000, RELEASE, (uint64_t)-0x1000, "CRASHTIME=4\n");
    ck_assert_int_eq(found(), -ENOENT);
    put_text(0x40000, RELEASE, 0, "");
    ck_assert_int_eq(found(), 1);
}
END_TEST

START_TEST(parts_of_texts_are_none)
{
    char *text = (char *)core.ram + 0x40000;

    make_machine(RELEASE);
    put_text(0x40000, RELEASE, 0, "");
    text[strlen(text) - 1] = '\0'; /* in the middle of a line */
    ck_assert_int_eq(found(), -ENOENT);
    put_text(0x40000, RELEASE, 0, "");
    text[100] = '\x80';
    ck_assert_int_eq(found(), -ENOENT);
    /* nothing but first keys, to the end of memory */
    for (size_t i = 0x40000; i + 10 <= sizeof(core.ram); i += 10)
        memcpy(core.ram + i, "OSRELEASE=", 10);
    ck_assert_int_eq(found(), -ENOENT);
}
END_TEST

static void count_progress(void *arg, uint64_t done, uint64_t total)
{
    ck_assert_uint_le(done, total);
    ++*(unsigned *)arg;
}

START_TEST(a_search_ends_with_its_time)
{
    unsigned calls = 0;
    struct vmcoreinfo_search search = {now_ns(), count_progress, &calls};
    struct image *im;

    make_machine(RELEASE);
    put_text(0x40000, RELEASE, 0, "");
    im = tiny_open(&core);
    ck_assert_int_eq(kernel_identify(im, &search, NULL), -ETIME);
    ck_assert_uint_eq(calls, 0);
    search.deadline_ns = deadline_after_ms(10000);
    ck_assert_int_eq(kernel_identify(im, &search, NULL), 0);
    ck_assert_uint_gt(calls, 0);
    image_close(im);
}
END_TEST

static void assert_machine_is_told(void)
{
    struct image *im = tiny_open(&core);

    image_set_machine(im, 0);
    ck_assert_int_eq(identify(im), 0);
    ck_assert_uint_eq(image_machine(im), EM_X86_64);
    image_close(im);
}

/* As in the kdump files that QEMU writes. */
START_TEST(vmcoreinfo_tells_the_machine)
{
    make_machine(RELEASE);
    put_text(0x40000, RELEASE, 0, "");
    assert_machine_is_told();
    strcpy(core.vmcoreinfo, (char *)core.ram + 0x40000);
    memset(core.ram + 0x40000, 0, 4096);
    assert_machine_is_told();
}
END_TEST

UNIT_SUITE("identify", the_text_is_found_in_memory, the_longest_is_taken,
           what_an_earlier_boot_left_does_not_win, parts_of_texts_are_none,
           a_search_ends_with_its_time, vmcoreinfo_tells_the_machine)

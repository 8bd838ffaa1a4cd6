/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address translation, typed reads and lists over a core built entry by entry. */
#include <errno.h>

#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/list.h"
#include "unit/suite.h"
#include "unit/tiny_core.h"

#define PRESENT 1ULL
#define PSE     0x80ULL
#define DIRECT  0xffff888000000000ULL /* PGD 273, PUD 0: where the tests map things */

static struct tiny_core core;

static void set_up(const char *vmcoreinfo)
{
    memset(&core, 0, sizeof(core));
    snprintf(core.vmcoreinfo, sizeof(core.vmcoreinfo),
             "OSRELEASE=6.1.0-test\nPAGESIZE=4096\nNUMBER(phys_base)=0\n"
             "SYMBOL(swapper_pg_dir)=ffffffff80001000\n%s",
             vmcoreinfo);
    tiny_put(&core, TINY_ROOT_PHYS + 273 * 8, 0x2000 | PRESENT); /* PGD → PUD at 0x2000 */
    tiny_put(&core, 0x2000, 0x3000 | PRESENT);                   /* PUD 0 → PMD at 0x3000 */
    tiny_put(&core, 0x3000, 0x4000 | PRESENT);                   /* PMD 0 → PTE at 0x4000 */
    tiny_put(&core, 0x3008, 0x0 | PRESENT | PSE | 1ULL << 12);   /* PMD 1 = 2 MiB at 0, PAT set */
    tiny_put(&core, 0x4000, 0x10000 | PRESENT | 1ULL << 63);     /* page 0 at 0x10000, NX */
    tiny_put(&core, 0x4008, 0x20000 | 0x100);                    /* page 1: PROTNONE, not P */
    tiny_put(&core, 0x4010, 0x30000);                            /* page 2: not present */
    tiny_put(&core, 0x4018, 0x8000000000 | PRESENT);             /* page 3: outside the dump */
}

static struct kernel *open_kernel(struct image **ret_image)
{
    struct error err = {0};
    struct kernel *k = NULL;

    *ret_image = tiny_open(&core);
    ck_assert_msg(kernel_open(*ret_image, NULL, 0, &err, &k) == 0, "%s", err.text);
    return k;
}

static void close_kernel(struct kernel *k, struct image *im)
{
    kernel_close(k);
    image_close(im);
}

START_TEST(four_levels_are_walked)
{
    struct image *im;
    struct kernel *k;
    uint64_t v = 0;

    set_up("");
    tiny_put(&core, 0x10008, 0x1122334455667788);
    tiny_put(&core, 0x20008, 0x99);
    k = open_kernel(&im);
    ck_assert_int_eq(kernel_read_u64(k, DIRECT + 8, &v), 0);
    ck_assert_uint_eq(v, 0x1122334455667788);
    ck_assert_int_eq(kernel_read_uint(k, DIRECT + 9, 2, &v), 0);
    ck_assert_uint_eq(v, 0x6677);
    ck_assert_int_eq(kernel_read_u64(k, DIRECT + 0x1008, &v), 0);
    ck_assert_uint_eq(v, 0x99);
    ck_assert_int_eq(kernel_read_u64(k, DIRECT + 0x200000 + 0x10008, &v), 0); /* large page */
    ck_assert_uint_eq(v, 0x1122334455667788);
    ck_assert_int_eq(kernel_read_u64(k, TINY_TEXT + 0x10008, &v), 0); /* no tables for the image */
    ck_assert_uint_eq(v, 0x1122334455667788);
    close_kernel(k, im);
}
END_TEST

START_TEST(faults_are_counted_and_change_nothing)
{
    struct image *im;
    struct kernel *k;
    uint64_t v = 7;
    char buf[16] = "untouched";

    set_up("");
    k = open_kernel(&im);
    ck_assert_int_eq(kernel_read_u64(k, DIRECT + 0x2000, &v), -EFAULT);    /* not present */
    ck_assert_int_eq(kernel_read_u64(k, DIRECT + 0x3000, &v), -EFAULT);    /* not in the dump */
    ck_assert_int_eq(kernel_read_u64(k, 0xffffc90000000000, &v), -EFAULT); /* no PGD entry */
    ck_assert_int_eq(kernel_read_u64(k, 0x7fff00000000, &v), -EFAULT);     /* user half */
    ck_assert_int_eq(kernel_read_u64(k, UINT64_MAX - 3, &v), -EFAULT);     /* wraps */
    ck_assert_int_eq(kernel_read_str(k, DIRECT + 0x2000, buf, sizeof(buf)), -EFAULT);
    ck_assert_uint_eq(v, 7);
    ck_assert_str_eq(buf, "untouched");
    ck_assert_uint_eq(kernel_stats(k).faults, 6);
    ck_assert_uint_eq(kernel_stats(k).first_fault_addr, DIRECT + 0x2000);
    close_kernel(k, im);
}
END_TEST

START_TEST(the_sme_mask_is_no_address)
{
    struct image *im;
    struct kernel *k;
    uint64_t v = 0;

    set_up("NUMBER(sme_mask)=140737488355328\n"); /* bit 47 */
    tiny_put(&core, TINY_ROOT_PHYS + 273 * 8, 1ULL << 47 | 0x2000 | PRESENT);
    tiny_put(&core, 0x4000, 1ULL << 47 | 0x10000 | PRESENT);
    tiny_put(&core, 0x10000, 42);
    k = open_kernel(&im);
    ck_assert_int_eq(kernel_read_u64(k, DIRECT, &v), 0);
    ck_assert_uint_eq(v, 42);
    close_kernel(k, im);
}
END_TEST

START_TEST(five_levels_are_walked)
{
    struct image *im;
    struct kernel *k;
    uint64_t v = 0;

    set_up("NUMBER(pgtable_l5_enabled)=1\n");
    /* 0xff11000000000000: P4D index of the top level is 273 of 9 bits at shift 48: 0x111 */
    memset(core.ram + TINY_ROOT_PHYS, 0, 4096);
    tiny_put(&core, TINY_ROOT_PHYS + 0x111 * 8, 0x5000 | PRESENT); /* PGD → P4D at 0x5000 */
    tiny_put(&core, 0x5000, 0x2000 | PRESENT);                     /* P4D 0 → PUD */
    tiny_put(&core, 0x10000, 43);
    k = open_kernel(&im);
    ck_assert_int_eq(kernel_read_u64(k, 0xff11000000000000, &v), 0);
    ck_assert_uint_eq(v, 43);
    close_kernel(k, im);
}
END_TEST

START_TEST(strings_end_at_memory_and_at_the_cap)
{
    struct image *im;
    struct kernel *k;
    char buf[8];

    set_up("");
    memcpy(core.ram + 0x10000, "short", 6);
    memset(core.ram + 0x20ffc, 'x', 4); /* page 1 ends, page 2 is not there */
    k = open_kernel(&im);
    ck_assert_int_eq(kernel_read_str(k, DIRECT, buf, sizeof(buf)), 5);
    ck_assert_str_eq(buf, "short");
    ck_assert_int_eq(kernel_read_str(k, DIRECT, buf, 4), 3);
    ck_assert_str_eq(buf, "sho");
    ck_assert_int_eq(kernel_read_str(k, DIRECT + 0x1ffc, buf, sizeof(buf)), 4);
    ck_assert_str_eq(buf, "xxxx");
    close_kernel(k, im);
}
END_TEST

START_TEST(fields_are_extracted)
{
    const struct resolved bits = {
        .present = true, .offset = 1, .size = 1, .bit_offset = 5, .bit_size = 3};
    const struct resolved num = {.present = true, .offset = 4, .size = 4};
    const struct resolved arr = {.present = true, .size = 8, .elem_size = 2, .elem_count = 4};
    const struct resolved absent = {0};
    struct image *im;
    struct kernel *k;
    uint64_t v = 0;
    int64_t s = 0;

    set_up("");
    tiny_put(&core, 0x10000, 0xfffffffe0000a0ff);
    k = open_kernel(&im);
    ck_assert_int_eq(kernel_field(k, DIRECT, &bits, &v), 0);
    ck_assert_uint_eq(v, 5);
    ck_assert_int_eq(kernel_field_i64(k, DIRECT, &num, &s), 0);
    ck_assert_int_eq(s, -2);
    ck_assert_int_eq(kernel_field_at(k, DIRECT, &arr, 3, &v), 0);
    ck_assert_uint_eq(v, 0xffff);
    ck_assert_int_eq(kernel_field_at_i64(k, DIRECT, &arr, 3, &s), 0);
    ck_assert_int_eq(s, -1);
    ck_assert_int_eq(kernel_field_at(k, DIRECT, &arr, 4, &v), -E2BIG);
    ck_assert_int_eq(kernel_field(k, DIRECT, &arr, &v), -EINVAL);
    ck_assert_int_eq(kernel_field(k, DIRECT, &absent, &v), -ENOENT);
    close_kernel(k, im);
}
END_TEST

/* Links list nodes at DIRECT + 0, 16, 32 … in the order given, ends the circle at `back`. */
static void link_nodes(size_t n, size_t back)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t next = DIRECT + (i + 1 == n ? back : i + 1) * 16;

        tiny_put(&core, 0x10000 + i * 16, next);
        tiny_put(&core, 0x10000 + (next - DIRECT) + 8, DIRECT + i * 16);
    }
}

static int walk_all(struct kernel *k, size_t max, size_t *ret_count)
{
    struct list_walk w = list_walk_init(k, DIRECT, max);
    uint64_t node;
    int r;

    while ((r = list_walk_next(&w, &node)) > 0)
        ;
    *ret_count = w.count;
    return r;
}

START_TEST(lists_end_whatever_they_are)
{
    struct image *im;
    struct kernel *k;
    size_t count;

    set_up("");
    link_nodes(6, 0); /* a head and five nodes */
    k = open_kernel(&im);
    ck_assert_int_eq(walk_all(k, 100, &count), 0);
    ck_assert_uint_eq(count, 5);
    ck_assert_int_eq(walk_all(k, 3, &count), -E2BIG);
    ck_assert_uint_eq(count, 3);
    close_kernel(k, im);

    set_up("");
    link_nodes(6, 2); /* the last points to the second: a circle without the head */
    tiny_put(&core, 0x10000 + 2 * 16 + 8, DIRECT + 16); /* whose prev is right for the first lap */
    k = open_kernel(&im);
    ck_assert_int_lt(walk_all(k, 1000000, &count), 0);
    ck_assert_uint_le(count, 20);
    close_kernel(k, im);

    set_up("");
    link_nodes(6, 0);
    tiny_put(&core, 0x10000 + 3 * 16, 0xdead000000000100); /* LIST_POISON1 */
    k = open_kernel(&im);
    ck_assert_int_eq(walk_all(k, 100, &count), -EBADMSG);
    ck_assert_uint_eq(count, 3);
    close_kernel(k, im);
}
END_TEST

START_TEST(a_running_kernel_is_looked_at_again)
{
    struct image *im;
    struct kernel *k;
    unsigned tries = 0, n = 0;
    size_t count;

    set_up("");
    k = open_kernel(&im);
    ck_assert(!kernel_try_again(k, &tries)); /* a dump does not change */
    ck_assert_uint_eq(tries, 0);
    close_kernel(k, im);

    core.live = true;
    link_nodes(6, 0);
    tiny_put(&core, 0x10000 + 3 * 16, 0xdead000000000100); /* and stays so */
    k = open_kernel(&im);
    ck_assert_int_eq(walk_all(k, 100, &count), -EBADMSG);
    ck_assert_uint_eq(count, 3);
    while (kernel_try_again(k, &tries))
        ck_assert_uint_lt(++n, 100);
    ck_assert_uint_gt(n, 0);
    close_kernel(k, im);
}
END_TEST

UNIT_SUITE("kernel", four_levels_are_walked, faults_are_counted_and_change_nothing,
           the_sme_mask_is_no_address, five_levels_are_walked, strings_end_at_memory_and_at_the_cap,
           fields_are_extracted, lists_end_whatever_they_are, a_running_kernel_is_looked_at_again)

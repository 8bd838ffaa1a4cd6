/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables of aarch64, written entry by entry. Indexes and addresses are worked out by hand from
 * the Arm Architecture Reference Manual (D8.2, D8.3); the comments show how.
 */
#include "arch/arch.h"

#include <errno.h>

#include "unit/suite.h"
#include "unit/tiny_core.h"
#include "util/cleanup.h"

/* What a page or block of kernel data carries besides its address: UXN, PXN, DBM, nG … AF. */
#define ATTRS 0x0068000000000700ULL
/* The same without [9:8], which are address bits with LPA2. */
#define ATTRS_LPA2 0x0068000000000400ULL
#define PAGE       3ULL
#define TABLE      3ULL
#define BLOCK      1ULL

static struct tiny_core core;
static struct arch_mm mm;
static struct image *im;

static void start(uint64_t ram_phys, const char *vmcoreinfo)
{
    memset(&core, 0, sizeof(core));
    core.machine = EM_AARCH64;
    core.ram_phys = ram_phys;
    snprintf(core.vmcoreinfo, sizeof(core.vmcoreinfo), "%s", vmcoreinfo);
}

/* An entry at that many bytes from the start of RAM. */
static void entry(uint64_t at, uint64_t value)
{
    tiny_put(&core, at, value);
}

static void boot(void)
{
    const struct arch_ops *ops = arch_find(EM_AARCH64);

    ck_assert_ptr_nonnull(ops);
    im = tiny_open(&core);
    ck_assert_int_eq(ops->mm_init(im, NULL, &mm), 0);
}

static void maps(uint64_t va, uint64_t phys, uint64_t left)
{
    uint64_t got_phys = 0, got_left = 0;

    ck_assert_msg(arch_translate(&mm, im, va, &got_phys, &got_left) == 0, "%#llx is not mapped",
                  (unsigned long long)va);
    ck_assert_msg(got_phys == phys && got_left == left, "%#llx: %#llx, %#llx left",
                  (unsigned long long)va, (unsigned long long)got_phys,
                  (unsigned long long)got_left);
}

static void faults(uint64_t va)
{
    uint64_t phys, left;

    ck_assert_msg(arch_translate(&mm, im, va, &phys, &left) == -EFAULT, "%#llx is mapped",
                  (unsigned long long)va);
}

static void end(void)
{
    image_close(im);
}

/* As Debian's kernels: 4 levels of 9 bits above 12. RAM from 1 GiB on, the image at its start. */
#define INFO_4K_48                                                                                 \
    "PAGESIZE=4096\nNUMBER(VA_BITS)=48\nNUMBER(kimage_voffset)=0xffff7fffc0000000\n"               \
    "NUMBER(PHYS_OFFSET)=0x40000000\nNUMBER(TCR_EL1_T1SZ)=0x10\n"                                  \
    "SYMBOL(_stext)=ffff800000010000\nSYMBOL(swapper_pg_dir)=ffff800000001000\n"                   \
    "NUMBER(VMALLOC_START)=0xffff800000000000\nNUMBER(VMALLOC_END)=0xfffffbfff0000000\n"

static void tables_4k_48(void)
{
    start(0x40000000, INFO_4K_48);
    /* va 0xffff800010203abc: its 48 bits are 256:0:129:3 and 0xabc */
    entry(0x1000 + 256 * 8, 0x40002000 | TABLE);
    entry(0x2000 + 0 * 8, 0x40003000 | TABLE);
    entry(0x3000 + 129 * 8, 0x40004000 | TABLE);
    entry(0x4000 + 3 * 8, 0x40005000 | ATTRS | PAGE);
    entry(0x4000 + 4 * 8, 0x40006000 | ATTRS | BLOCK);   /* no block in the lowest level */
    entry(0x4000 + 5 * 8, 0x40006000 | ATTRS | 2);       /* bit 0: valid */
    entry(0x3000 + 130 * 8, 0x40200000 | ATTRS | BLOCK); /* 2 MiB */
    entry(0x3000 + 131 * 8, 0x90000000 | TABLE);         /* a table that is not in the dump */
    entry(0x2000 + 1 * 8, 0x80000000 | ATTRS | BLOCK);   /* 1 GiB */
    entry(0x1000 + 257 * 8, 0x80000000 | ATTRS | BLOCK); /* none of 512 GiB with this format */
}

START_TEST(pages_of_4k_and_48_bits)
{
    tables_4k_48();
    boot();
    ck_assert_uint_eq(mm.levels, 4);
    maps(0xffff800010203abc, 0x40005abc, 0x544);
    maps(0xffff800010412345, 0x40212345, 0x200000 - 0x12345);
    maps(0xffff800040000010, 0x80000010, (1 << 30) - 0x10);
    faults(0xffff800010204000);
    faults(0xffff800010205000);
    faults(0xffff800010206000); /* an entry that is zero */
    faults(0xffff800010600000);
    faults(0xffff808000000000);
    faults(0xffff818000000000);
    /* the direct map: the lower half of the kernel's addresses */
    maps(0xffff000000123456, 0x40123456, 0x800000000000 - 0x123456);
    faults(0xfffeffffffffffff);
    faults(0x0000aaaac0001000);
    ck_assert_uint_eq(mm.vmalloc_bytes, 0x7bfff0000000);
    end();
}
END_TEST

/* KASAN's tags take the top byte of pointers to slab objects, or its lower half (MTE). */
START_TEST(tagged_pointers)
{
    tables_4k_48();
    boot();
    maps(0xf3ff000000123456, 0x40123456, 0x800000000000 - 0x123456);
    maps(0x00ff800010203abc, 0x40005abc, 0x544);
    faults(0xf37f000000123456); /* bit 55: not the kernel's half */
    faults(0xf3fe000000123456); /* bit 48 is no tag */
    end();
}
END_TEST

/* Where no table maps the image, kimage_voffset tells where it is: the log can be read. */
START_TEST(an_image_without_tables)
{
    start(0x40000000, INFO_4K_48);
    boot();
    maps(0xffff800000010000, 0x40010000, 64 << 20);
    faults(0xffff800000010000 + (64 << 20));
    faults(0xffff80000000ffff);
    end();
}
END_TEST

/* 3 levels; the top one is whole. */
START_TEST(pages_of_4k_and_39_bits)
{
    start(0x40000000,
          "PAGESIZE=4096\nNUMBER(VA_BITS)=39\nNUMBER(kimage_voffset)=0xffffffbfc8000000\n"
          "NUMBER(PHYS_OFFSET)=0x40000000\nNUMBER(TCR_EL1_T1SZ)=0x19\n"
          "SYMBOL(_stext)=ffffffc008010000\nSYMBOL(swapper_pg_dir)=ffffffc008001000\n");
    /* va 0xffffffc010203abc: 256:129:3 and 0xabc */
    entry(0x1000 + 256 * 8, 0x40002000 | TABLE);
    entry(0x2000 + 129 * 8, 0x40003000 | TABLE);
    entry(0x3000 + 3 * 8, 0x40005000 | ATTRS | PAGE);
    entry(0x1000 + 257 * 8, 0x80000000 | ATTRS | BLOCK); /* 1 GiB in the top level */
    boot();
    ck_assert_uint_eq(mm.levels, 3);
    maps(0xffffffc010203abc, 0x40005abc, 0x544);
    maps(0xffffffc040000000, 0x80000000, 1 << 30);
    maps(0xffffff8000123456, 0x40123456, 0x4000000000 - 0x123456);
    faults(0xffffff7fffffffff);
    ck_assert_uint_eq(mm.vmalloc_bytes, 0);
    end();
}
END_TEST

/* 3 levels of 13 bits above 16; 6 bits are left for the top one. */
START_TEST(pages_of_64k_and_48_bits)
{
    start(0x40000000,
          "PAGESIZE=65536\nNUMBER(VA_BITS)=48\nNUMBER(kimage_voffset)=0xffff7fffc8000000\n"
          "NUMBER(PHYS_OFFSET)=0x40000000\nNUMBER(TCR_EL1_T1SZ)=0x10\n"
          "SYMBOL(_stext)=ffff800008010000\nSYMBOL(swapper_pg_dir)=ffff800008010000\n");
    /* va 0xffff800024035678: 32:1:1027 and 0x5678 */
    entry(0x10000 + 32 * 8, 0x40020000 | TABLE);
    entry(0x20000 + 1 * 8, 0x40030000 | TABLE);
    entry(0x30000 + 1027 * 8, 0x40040000 | ATTRS | PAGE);
    entry(0x20000 + 2 * 8, 0x60000000 | ATTRS | BLOCK);  /* 512 MiB */
    entry(0x10000 + 33 * 8, 0x60000000 | ATTRS | BLOCK); /* none of 4 TiB with 48 bits */
    boot();
    ck_assert_uint_eq(mm.levels, 3);
    maps(0xffff800024035678, 0x40045678, 0xa988);
    maps(0xffff800041234567, 0x61234567, 0x20000000 - 0x1234567);
    faults(0xffff840000000000);
    end();
}
END_TEST

/*
 * 3 levels again; 10 bits for the top one. Physical addresses have 52 bits as well: [15:12] of an
 * entry are [51:48] of the address.
 */
static void tables_64k_52(uint64_t ram_phys, uint64_t high_bits)
{
    core.ram_phys = ram_phys;
    /* va 0xffff800024035678: 992:1:1027 and 0x5678 */
    entry(0x10000 + 992 * 8, 0x40020000 | high_bits | TABLE);
    entry(0x20000 + 1 * 8, 0x40030000 | high_bits | TABLE);
    entry(0x30000 + 1027 * 8, 0x40040000 | ATTRS | high_bits | PAGE);
    entry(0x10000 + 993 * 8, 0x40000000000 | ATTRS | high_bits | BLOCK); /* 4 TiB */
}

START_TEST(pages_of_64k_and_52_bits)
{
    start(0, "PAGESIZE=65536\nNUMBER(VA_BITS)=52\nNUMBER(kimage_voffset)=0xfff07fffc8000000\n"
             "NUMBER(PHYS_OFFSET)=0xf000040000000\nNUMBER(TCR_EL1_T1SZ)=0xc\n"
             "SYMBOL(_stext)=ffff800008010000\nSYMBOL(swapper_pg_dir)=ffff800008010000\n");
    tables_64k_52(0xf000040000000, 0xf000);
    boot();
    ck_assert_uint_eq(mm.levels, 3);
    maps(0xffff800024035678, 0xf000040045678, 0xa988);
    maps(0xffff840000000077, 0xf040000000077, 0x40000000000 - 0x77);
    /* the direct map ends where it does with 48 bits */
    maps(0xfff0000000123456, 0xf000040123456, 0xf800000000000 - 0x123456);
    end();
}
END_TEST

/* The same kernel on a machine of 48 bits: the tables stay, PHYS_OFFSET is that of 52 bits. */
START_TEST(a_64k_kernel_of_52_bits_with_48)
{
    static const char *const phys_offsets[] = {
        "fff1000040000000", /* 0x40000000 - 2^52 + 2^48 */
        "40000000",         /* before v5.11 */
    };

    for (size_t i = 0; i < 2; i++) {
        char info[512];

        snprintf(info, sizeof(info),
                 "PAGESIZE=65536\nNUMBER(VA_BITS)=52\n"
                 "NUMBER(kimage_voffset)=0xffff7fffc8000000\n"
                 "NUMBER(PHYS_OFFSET)=0x%s\nNUMBER(TCR_EL1_T1SZ)=0x10\n"
                 "SYMBOL(_stext)=ffff800008010000\nSYMBOL(swapper_pg_dir)=ffff800008010000\n",
                 phys_offsets[i]);
        start(0, info);
        tables_64k_52(0x40000000, 0);
        boot();
        maps(0xffff800024035678, 0x40045678, 0xa988);
        maps(0xffff000000123456, 0x40123456, 0x800000000000 - 0x123456);
        faults(0xfff0000000123456);
        end();
    }
}
END_TEST

/* 3 levels of 11 bits above 14. */
START_TEST(pages_of_16k_and_47_bits)
{
    start(0x40000000,
          "PAGESIZE=16384\nNUMBER(VA_BITS)=47\nNUMBER(kimage_voffset)=0xffffbfffc8000000\n"
          "NUMBER(PHYS_OFFSET)=0x40000000\nNUMBER(TCR_EL1_T1SZ)=0x11\n"
          "SYMBOL(_stext)=ffffc00008010000\nSYMBOL(swapper_pg_dir)=ffffc00008004000\n");
    /* va 0xffffc000120c9abc: 1024:9:50 and 0x1abc */
    entry(0x4000 + 1024 * 8, 0x40008000 | TABLE);
    entry(0x8000 + 9 * 8, 0x4000c000 | TABLE);
    entry(0xc000 + 50 * 8, 0x40010000 | ATTRS | PAGE);
    entry(0x8000 + 10 * 8, 0x42000000 | ATTRS | BLOCK); /* 32 MiB */
    entry(0x4000 + 1025 * 8, 0x42000000 | ATTRS | BLOCK);
    boot();
    ck_assert_uint_eq(mm.levels, 3);
    maps(0xffffc000120c9abc, 0x40011abc, 0x2544);
    maps(0xffffc00014001111, 0x42001111, 0x2000000 - 0x1111);
    faults(0xffffc01000000000);
    maps(0xffff800000123456, 0x40123456, 0x400000000000 - 0x123456);
    end();
}
END_TEST

/* LPA2: [49:48] of an address stand in place, [51:50] in [9:8]; 5 levels, 4 bits for the top. */
START_TEST(pages_of_4k_and_52_bits)
{
    /* RAM at 0xb000040000000: 0xb is 10 for [9:8] and 11 for [49:48] */
    const uint64_t high = 0x3000000000000 | 0x200;

    start(0xb000040000000,
          "PAGESIZE=4096\nNUMBER(VA_BITS)=52\nNUMBER(kimage_voffset)=0xfff4800040000000\n"
          "NUMBER(PHYS_OFFSET)=0xb000040000000\nNUMBER(TCR_EL1_T1SZ)=0xc\n"
          "SYMBOL(_stext)=ffff800080010000\nSYMBOL(swapper_pg_dir)=ffff800080001000\n");
    /* va 0xffff800010203abc: 15:256:0:129:3 and 0xabc */
    entry(0x1000 + 15 * 8, 0x40002000 | high | TABLE);
    entry(0x2000 + 256 * 8, 0x40003000 | high | TABLE);
    entry(0x3000 + 0 * 8, 0x40004000 | high | TABLE);
    entry(0x4000 + 129 * 8, 0x40005000 | high | TABLE);
    entry(0x5000 + 3 * 8, 0x40006000 | ATTRS_LPA2 | high | PAGE);
    entry(0x4000 + 130 * 8, 0x40200000 | ATTRS_LPA2 | high | BLOCK);
    boot();
    ck_assert_uint_eq(mm.levels, 5);
    maps(0xffff800010203abc, 0xb000040006abc, 0x544);
    maps(0xffff800010412345, 0xb000040212345, 0x200000 - 0x12345);
    maps(0xfff0000000123456, 0xb000040123456, 0xf800000000000 - 0x123456);
    end();
}
END_TEST

/* The same kernel where the machine lacks LPA2: 4 levels, and [9:8] are no address bits. */
START_TEST(a_4k_kernel_of_52_bits_with_48)
{
    tables_4k_48();
    snprintf(core.vmcoreinfo, sizeof(core.vmcoreinfo),
             "PAGESIZE=4096\nNUMBER(VA_BITS)=52\nNUMBER(kimage_voffset)=0xffff7fffc0000000\n"
             "NUMBER(PHYS_OFFSET)=0xfff1000040000000\nNUMBER(TCR_EL1_T1SZ)=0x10\n"
             "SYMBOL(_stext)=ffff800000010000\nSYMBOL(swapper_pg_dir)=ffff800000001000\n");
    boot();
    ck_assert_uint_eq(mm.levels, 4);
    maps(0xffff800010203abc, 0x40005abc, 0x544);
    maps(0xffff000000123456, 0x40123456, 0x800000000000 - 0x123456);
    end();
}
END_TEST

/* Before v5.4 the direct map is the upper half and the image in the lower one; no T1SZ is told. */
START_TEST(the_direct_map_before_it_was_flipped)
{
    start(0x40000000,
          "PAGESIZE=4096\nNUMBER(VA_BITS)=48\nNUMBER(kimage_voffset)=0xfffeffffc8000000\n"
          "NUMBER(PHYS_OFFSET)=0x40000000\n"
          "SYMBOL(_stext)=ffff000008081000\nSYMBOL(swapper_pg_dir)=ffff000008001000\n");
    /* va 0xffff000010203abc: 0:0:129:3 and 0xabc */
    entry(0x1000, 0x40002000 | TABLE);
    entry(0x2000, 0x40003000 | TABLE);
    entry(0x3000 + 129 * 8, 0x40004000 | TABLE);
    entry(0x4000 + 3 * 8, 0x40005000 | ATTRS | PAGE);
    boot();
    maps(0xffff000010203abc, 0x40005abc, 0x544);
    maps(0xffff800000123456, 0x40123456, 0x800000000000 - 0x123456);
    end();
}
END_TEST

START_TEST(vmcoreinfo_that_does_not_hold_is_refused)
{
    static const char info[] = INFO_4K_48;
    static const struct {
        const char *remove, *put;
        int want;
    } cases[] = {
        {"PAGESIZE", "X", -ENOENT},
        {"VA_BITS)=48", "VA_BITS)=99", -EBADMSG},
        {"VA_BITS)=48", "VA_BITS)=-4", -EBADMSG},
        {"PAGESIZE=4096", "PAGESIZE=8192", -EBADMSG},
        {"SZ)=0x10", "SZ)=0x3f", -EBADMSG},
        {"SZ)=0x10", "SZ)=0x08", -EBADMSG}, /* more bits than configured */
        {"kimage_voffset", "voffset", -ENOENT},
        {"_stext", "_other", -ENOENT},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *at = strstr(info, cases[i].remove);
        struct error err = {0};

        ck_assert_ptr_nonnull(at);
        start(0x40000000, "");
        snprintf(core.vmcoreinfo, sizeof(core.vmcoreinfo), "%.*s%s%s", (int)(at - info), info,
                 cases[i].put, at + strlen(cases[i].remove));
        im = tiny_open(&core);
        ck_assert_int_eq(arch_find(EM_AARCH64)->mm_init(im, &err, &mm), cases[i].want);
        end();
    }
}
END_TEST

UNIT_SUITE("arch_aarch64", pages_of_4k_and_48_bits, tagged_pointers, an_image_without_tables,
           pages_of_4k_and_39_bits, pages_of_64k_and_48_bits, pages_of_64k_and_52_bits,
           a_64k_kernel_of_52_bits_with_48, pages_of_16k_and_47_bits, pages_of_4k_and_52_bits,
           a_4k_kernel_of_52_bits_with_48, the_direct_map_before_it_was_flipped,
           vmcoreinfo_that_does_not_hold_is_refused)

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page classes from a made array of struct page, with the offsets of Linux 6.1 and 7.x. */
#include <errno.h>

#include "kernel/memmap.h"
#include "unit/suite.h"
#include "unit/tiny_core.h"

#define DIRECT   0xffff888000000000ULL
#define ROOTS    0x10000u
#define SECTIONS 0x11000u
#define PAGES    0x40000u

enum { LRU = 1 << 4, SLAB = 1 << 9, SWAPCACHE = 1 << 10, PRIVATE = 1 << 13, HEAD = 1 << 16 };
enum { POISON = 1 << 21 };

static struct tiny_core core;
static struct image *im;
static struct kernel *k;

static void put_page(unsigned pfn, uint64_t flags, uint64_t mapping, uint64_t private,
                     uint32_t mapcount, uint32_t refcount)
{
    uint32_t base = PAGES + pfn * 64;

    tiny_put(&core, base, flags);
    tiny_put(&core, base + 24, mapping);
    tiny_put(&core, base + 40, private);
    tiny_put(&core, base + 48, mapcount | (uint64_t)refcount << 32);
}

static void put_tail(unsigned pfn, unsigned head)
{
    put_page(pfn, 0, 0x400, 0, UINT32_MAX, 0);
    tiny_put(&core, PAGES + pfn * 64 + 8, DIRECT + PAGES + head * 64 + 1);
}

static void make_core(const char *types)
{
    memset(&core, 0, sizeof(core));
    snprintf(core.vmcoreinfo, sizeof(core.vmcoreinfo),
             "OSRELEASE=test\nPAGESIZE=4096\nNUMBER(phys_base)=0\n"
             "SYMBOL(swapper_pg_dir)=ffffffff80001000\nSYMBOL(mem_section)=%llx\n"
             "LENGTH(mem_section)=2\nSIZE(mem_section)=16\nOFFSET(mem_section.section_mem_map)=0\n"
             "NUMBER(MAX_PHYSMEM_BITS)=36\nSIZE(page)=64\nOFFSET(page.flags)=0\n"
             "OFFSET(page._refcount)=52\nOFFSET(page.mapping)=24\nOFFSET(page._mapcount)=48\n"
             "OFFSET(page.private)=40\nLENGTH(zone.free_area)=11\nNUMBER(PG_lru)=4\n"
             "NUMBER(PG_private)=13\nNUMBER(PG_swapcache)=10\nNUMBER(PG_swapbacked)=19\n"
             "NUMBER(PG_hwpoison)=21\nNUMBER(PG_head_mask)=65536\n%s",
             (unsigned long long)(DIRECT + ROOTS), types);
    tiny_put(&core, TINY_ROOT_PHYS + 273 * 8, 0x2000 | 1);
    tiny_put(&core, 0x2000, 0x3000 | 1);
    tiny_put(&core, 0x3000, 0x0 | 1 | 0x80);
    tiny_put(&core, ROOTS, DIRECT + SECTIONS);
    tiny_put(&core, SECTIONS, (DIRECT + PAGES) | 0xf);
    for (unsigned pfn = 0; pfn < 256; pfn++)
        put_page(pfn, 0, 0, 0, UINT32_MAX, 1);
}

static const char types_6_1[] =
    "NUMBER(PG_slab)=9\nNUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\nNUMBER(HUGETLB_PAGE_DTOR)=2\n"
    "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\nOFFSET(page.compound_head)=8\n"
    "OFFSET(page.compound_dtor)=16\nOFFSET(page.compound_order)=17\n";
static const char types_7[] =
    "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376\nNUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456\n"
    "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592\n"
    "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240\nNUMBER(SECTION_SIZE_BITS)=27\n"
    "OFFSET(page.compound_info)=8\n";

static struct memmap open_map(void)
{
    struct memmap m;
    struct error err = {0};

    im = tiny_open(&core);
    ck_assert_int_eq(kernel_open(im, NULL, 0, &err, &k), 0);
    ck_assert_msg(memmap_init(&m, k, &err) == 0, "%s", err.text);
    return m;
}

static void close_map(void)
{
    kernel_close(k);
    image_close(im);
}

static const char *class_name(struct memmap *m, unsigned pfn)
{
    enum page_class c;

    ck_assert_int_eq(memmap_class(m, pfn, &c), 0);
    return page_class_name(c);
}

static void want(struct memmap *m, unsigned first, unsigned last, const char *name)
{
    for (unsigned pfn = first; pfn <= last; pfn++)
        ck_assert_msg(!strcmp(class_name(m, pfn), name), "page %u is %s, not %s", pfn,
                      class_name(m, pfn), name);
}

START_TEST(single_pages)
{
    struct memmap m;

    make_core(types_6_1);
    put_page(40, LRU, 0x1000, 0, UINT32_MAX, 2);
    put_page(41, LRU | PRIVATE, 0x1000, 0, UINT32_MAX, 2);
    put_page(42, SWAPCACHE, 0, 0, UINT32_MAX, 2); /* without PG_swapbacked it is another flag */
    put_page(43, POISON, 0, 0, UINT32_MAX, 2);
    put_page(44, 0, 0, 0, (uint32_t)-257, 1);
    put_page(45, SLAB, 0, 0, (uint32_t)-129, 1); /* counters of SLUB that look like a type */
    put_page(46, LRU, 0x1001, 0, 0, 1);
    m = open_map();
    want(&m, 39, 39, "kernel");
    want(&m, 40, 40, "cache");
    want(&m, 41, 41, "cache_private");
    want(&m, 42, 42, "kernel");
    want(&m, 43, 44, "gone");
    want(&m, 45, 45, "kernel");
    want(&m, 46, 46, "user");
    close_map();
}
END_TEST

START_TEST(a_free_block_reaches_as_far_as_its_order)
{
    struct memmap m;

    make_core(types_6_1);
    put_page(16, 0, 0, 3, (uint32_t)-129, 0);
    for (unsigned pfn = 17; pfn < 26; pfn++)
        put_page(pfn, 0, 0, 0, UINT32_MAX, 0);
    put_page(64, 0, 0, 60, (uint32_t)-129, 0); /* no such order */
    put_page(65, 0, 0, 0, UINT32_MAX, 0);
    m = open_map();
    want(&m, 15, 15, "kernel");
    want(&m, 16, 23, "free");
    want(&m, 24, 25, "kernel"); /* on a CPU's list: held by nobody, and not free yet */
    want(&m, 65, 65, "kernel");
    close_map();
}
END_TEST

/* Heads of order 2 (anonymous) and 3 (hugetlb), and a tail that belongs to neither. */
static void put_compounds(uint32_t huge_type, uint8_t dtor, bool order_in_flags)
{
    put_page(32, HEAD | LRU, 0x1001, 0, 0, 1);
    put_page(48, HEAD, 0, 0, huge_type, 1);
    for (unsigned pfn = 33; pfn < 37; pfn++)
        put_tail(pfn, 32);
    for (unsigned pfn = 49; pfn < 56; pfn++)
        put_tail(pfn, 48);
    if (order_in_flags) {
        tiny_put(&core, PAGES + 33 * 64, 2);
        tiny_put(&core, PAGES + 49 * 64, 3);
    } else {
        tiny_put(&core, PAGES + 33 * 64 + 16, 1 | 2 << 8);
        tiny_put(&core, PAGES + 49 * 64 + 16, dtor | 3 << 8);
    }
}

START_TEST(compound_pages_are_what_their_head_is)
{
    struct memmap m;

    make_core(types_6_1);
    put_compounds(UINT32_MAX, 2, false);
    m = open_map();
    want(&m, 32, 35, "user");
    want(&m, 36, 36, "kernel");
    want(&m, 48, 55, "user");
    close_map();

    make_core(types_7);
    put_compounds((uint32_t)-201326592, 0, true);
    m = open_map();
    want(&m, 32, 35, "user");
    want(&m, 36, 36, "kernel");
    want(&m, 48, 55, "user");
    close_map();
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    static const char *const wrong[] = {
        "SIZE(page)=8\n",
        "SIZE(page)=100000\n",
        "OFFSET(page.private)=4000\n",
        "LENGTH(mem_section)=0\n",
        "SIZE(mem_section)=0\n",
        "NUMBER(MAX_PHYSMEM_BITS)=-1\n",
        "LENGTH(zone.free_area)=99\n",
        "NUMBER(SECTION_SIZE_BITS)=70\n",
        "PAGESIZE=77\n",
    };
    enum page_class c;
    struct memmap m;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct error err = {0};

        make_core(types_6_1);
        strcat(core.vmcoreinfo, wrong[i]); /* the last of several lines holds */
        im = tiny_open(&core);
        if (kernel_open(im, NULL, 0, &err, &k) == 0) {
            ck_assert_msg(memmap_init(&m, k, &err) == -EBADMSG, "%s", wrong[i]);
            kernel_close(k);
        }
        image_close(im);
    }
    make_core(types_6_1);
    tiny_put(&core, ROOTS, 0xdead000000000000);
    m = open_map();
    ck_assert_int_eq(memmap_class(&m, 1, &c), -EFAULT);
    ck_assert_int_eq(memmap_class(&m, 1ULL << 40, &c), -EFAULT);
    close_map();
}
END_TEST

UNIT_SUITE("memmap", single_pages, a_free_block_reaches_as_far_as_its_order,
           compound_pages_are_what_their_head_is, what_makes_no_sense_is_refused)

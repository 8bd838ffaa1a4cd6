/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes, zones and per-CPU differences of a small machine written by hand: two nodes, CPUs 0 and 2.
 */
#include <errno.h>

#include "kernel/mm.h"
#include "kernel/private.h"
#include "unit/suite.h"
#include "unit/tiny_core.h"

/* physical addresses; virtual ones lie TINY_TEXT above */
#define NODE_ARRAY  0x10000
#define NODE_STATES 0x10100 /* nodemask_t of 8 bytes each; N_ONLINE is 1 */
#define NODE(n)     (0x11000 + (n)*0x1000)
#define ZONE_BYTES  0x100
#define ZONE(n, z)  (NODE(n) + 0x100 + (z)*ZONE_BYTES)
#define GLOBAL_ZONE 0x18000
#define GLOBAL_NODE 0x18100
#define CPU_OFFSETS 0x19000
#define CPU_MASK    0x19100
#define NR_CPU_IDS  0x19108
#define CPU_AREA(c) (0x20000 + (c)*0x1000)
/* per-CPU pointers: offsets into the area of each CPU */
#define ZONE_PTR(n, z) (0x100 + (n)*0x80 + (z)*0x20)
#define NODE_PTR(n)    (0x400 + (n)*0x20)

static struct tiny_core core;
static struct resolved found[N_MM_NEEDS];
static struct image *im;
static struct kernel *k;
static struct mm m;

static struct resolved symbol(uint64_t phys)
{
    return (struct resolved){.present = true, .addr = TINY_TEXT + phys};
}

static struct resolved member(uint32_t offset, uint32_t size)
{
    return (struct resolved){.present = true, .offset = offset, .size = size};
}

static struct resolved array(uint32_t offset, uint32_t elem_size, uint32_t count)
{
    return (struct resolved){.present = true,
                             .offset = offset,
                             .size = elem_size * count,
                             .elem_size = elem_size,
                             .elem_count = count};
}

static struct resolved enumerator(int64_t value)
{
    return (struct resolved){.present = true, .value = value};
}

static void describe_types(void)
{
    memset(found, 0, sizeof(found));
    found[MM_NODE_DATA] = symbol(NODE_ARRAY);
    found[MM_NODE_STATES] = symbol(NODE_STATES);
    found[MM_N_ONLINE] = enumerator(1);
    found[MM_NODEMASK] = (struct resolved){.present = true, .size = 8};
    found[MM_NODE_ZONES] = array(0x100, ZONE_BYTES, 2);
    found[MM_NODE_ID] = member(0x10, 4);
    found[MM_NODE_STAT] = array(0x20, 8, 3);
    found[MM_NODE_PER_CPU] = member(0x18, 8);
    found[MM_NODE_DIFF] = array(1, 1, 3);
    found[MM_VM_ZONE_STAT] = symbol(GLOBAL_ZONE);
    found[MM_VM_NODE_STAT] = symbol(GLOBAL_NODE);
    found[MM_ZONE_PRESENT] = member(0, 8);
    found[MM_ZONE_STAT] = array(0x10, 8, 2);
    found[MM_ZONE_PER_CPU] = member(0x28, 8);
    found[MM_ZONE_DIFF] = array(4, 1, 2);
    found[MM_ZONE_LISTS] = member(0x30, 8);
    found[MM_LISTS_COUNT] = member(0x10, 4);
    found[MM_WATERMARK] = array(0x40, 8, 3);
    found[MM_WATERMARK_BOOST] = member(0x58, 8);
    found[MM_WMARK_LOW] = enumerator(1);
}

static void put_node(unsigned n)
{
    tiny_put(&core, NODE_ARRAY + n * 8, TINY_TEXT + NODE(n));
    tiny_put(&core, NODE(n) + 0x10, n);
    tiny_put(&core, NODE(n) + 0x18, NODE_PTR(n));
    for (unsigned z = 0; z < 2; z++) {
        tiny_put(&core, ZONE(n, z), 1000);                  /* present */
        tiny_put(&core, ZONE(n, z) + 0x10, 100 * (z + 1));  /* item 0 */
        tiny_put(&core, ZONE(n, z) + 0x18, 7);              /* item 1 */
        tiny_put(&core, ZONE(n, z) + 0x28, ZONE_PTR(n, z)); /* differences */
        tiny_put(&core, ZONE(n, z) + 0x30, ZONE_PTR(n, z)); /* lists */
        tiny_put(&core, ZONE(n, z) + 0x48, 50);             /* low watermark */
        tiny_put(&core, ZONE(n, z) + 0x58, 3);              /* boost */
    }
}

static void put_s8(uint64_t phys, int8_t v)
{
    core.ram[phys] = (uint8_t)v;
}

/* Node 1 is offline, so that the online ones are 0 and 2, as the CPUs are. */
static void set_up(void)
{
    memset(&core, 0, sizeof(core));
    snprintf(core.vmcoreinfo, sizeof(core.vmcoreinfo),
             "OSRELEASE=6.1.0-test\nPAGESIZE=4096\nNUMBER(phys_base)=0\n"
             "SYMBOL(swapper_pg_dir)=ffffffff80001000\n");
    describe_types();
    tiny_put(&core, NODE_STATES + 8, 5);
    put_node(0);
    put_node(2);
    tiny_put(&core, GLOBAL_ZONE, 600);
    tiny_put(&core, GLOBAL_ZONE + 8, 28);
    tiny_put(&core, GLOBAL_NODE, 1000);
    tiny_put(&core, GLOBAL_NODE + 16, 2);
    tiny_put(&core, CPU_MASK, 5);
    tiny_put(&core, NR_CPU_IDS, 3);
    for (unsigned c = 0; c < 3; c++)
        tiny_put(&core, CPU_OFFSETS + c * 8, TINY_TEXT + CPU_AREA(c));
}

static int open_mm(void)
{
    struct error err = {0};

    im = tiny_open(&core);
    ck_assert_msg(kernel_open(im, NULL, 0, &err, &k) == 0, "%s", err.text);
    k->core[CORE_PER_CPU_OFFSET] = symbol(CPU_OFFSETS);
    k->core[CORE_CPU_POSSIBLE_MASK] = symbol(CPU_MASK);
    k->core[CORE_NR_CPU_IDS] = symbol(NR_CPU_IDS);
    return mm_init(&m, k, found, &err);
}

static void close_mm(void)
{
    kernel_close(k);
    image_close(im);
}

START_TEST(every_possible_cpu_counts)
{
    struct mm_stats s;

    set_up();
    put_s8(CPU_AREA(0) + ZONE_PTR(0, 0) + 4, 5);    /* item 0 */
    put_s8(CPU_AREA(2) + ZONE_PTR(2, 1) + 4, -125); /* item 0 */
    put_s8(CPU_AREA(2) + ZONE_PTR(0, 1) + 5, -30);  /* item 1 */
    put_s8(CPU_AREA(1) + ZONE_PTR(0, 0) + 4, 99);   /* CPU 1 is impossible: no counter of ours */
    put_s8(CPU_AREA(2) + NODE_PTR(2) + 1 + 2, -9);  /* node item 2 */
    ck_assert_int_eq(open_mm(), 0);
    ck_assert_int_eq(mm_all_zone_stats(&m, &s), 0);
    ck_assert_uint_eq(s.count, 2);
    ck_assert_int_eq(s.items[0], 600 + 5 - 125);
    ck_assert_int_eq(s.items[1], 28 - 30);
    ck_assert_int_eq(mm_all_node_stats(&m, &s), 0);
    ck_assert_uint_eq(s.count, 3);
    ck_assert_int_eq(s.items[0], 1000);
    ck_assert_int_eq(s.items[2], 2 - 9);
    ck_assert_uint_eq(m.lost, 0);
    close_mm();
}
END_TEST

START_TEST(items_are_looked_up_by_enumerator)
{
    const struct mm_stats s = {.count = 2, .items = {4, -1}};
    const struct resolved zero = enumerator(0), one = enumerator(1), two = enumerator(2),
                          negative = enumerator(-1), absent = {0};
    uint64_t v = 77;

    ck_assert(mm_item(&s, &zero, &v));
    ck_assert_uint_eq(v, 4);
    ck_assert(mm_item(&s, &one, &v));
    ck_assert_uint_eq(v, 0); /* counters below 0 were being changed */
    v = 77;
    ck_assert(!mm_item(&s, &two, &v));
    ck_assert(!mm_item(&s, &negative, &v));
    ck_assert(!mm_item(&s, &absent, &v));
    ck_assert_uint_eq(v, 77);
}
END_TEST

START_TEST(zones_sum_up_where_the_global_counters_are_unknown)
{
    struct mm_stats s;

    set_up();
    found[MM_VM_ZONE_STAT].present = false;
    put_s8(CPU_AREA(0) + ZONE_PTR(2, 0) + 4, 5);
    ck_assert_int_eq(open_mm(), 0);
    ck_assert_int_eq(mm_all_zone_stats(&m, &s), 0);
    ck_assert_int_eq(s.items[0], 2 * (100 + 200) + 5);
    close_mm();
}
END_TEST

START_TEST(a_zone_tells_its_own)
{
    struct mm_zone z;
    struct mm_stats s;
    uint64_t v;

    set_up();
    put_s8(CPU_AREA(2) + ZONE_PTR(2, 1) + 4, -3);
    tiny_put(&core, CPU_AREA(0) + ZONE_PTR(2, 1) + 0x10, 40);
    tiny_put(&core, CPU_AREA(2) + ZONE_PTR(2, 1) + 0x10, 0xffffffff); /* -1 */
    ck_assert_int_eq(open_mm(), 0);
    ck_assert_uint_eq(mm_zone_count(&m), 4);
    ck_assert_int_eq(mm_zone_at(&m, 3, &z), 0);
    ck_assert_uint_eq(z.node, 2);
    ck_assert_uint_eq(z.index, 1);
    ck_assert_int_eq(mm_zone_stats(&m, &z, &s), 0);
    ck_assert_int_eq(s.items[0], 200 - 3);
    ck_assert_int_eq(mm_zone_list_pages(&m, &z, &v), 0);
    ck_assert_uint_eq(v, 40);
    ck_assert_int_eq(mm_zone_watermark(&m, &z, MM_WMARK_LOW, &v), 0);
    ck_assert_uint_eq(v, 50 + 3);
    ck_assert_int_eq(mm_zone_watermark(&m, &z, MM_WMARK_HIGH, &v), -ENOENT);
    ck_assert_int_eq(mm_zone_at(&m, 4, &z), -ENOENT);
    close_mm();
}
END_TEST

/* Before 5.14 a zone had one per-CPU struct; before 5.0 no boost. */
START_TEST(older_layouts_are_read)
{
    struct mm_zone z;
    struct mm_stats s;
    uint64_t v;

    set_up();
    found[MM_PAGESET] = found[MM_ZONE_PER_CPU];
    found[MM_PAGESET_DIFF] = found[MM_ZONE_DIFF];
    found[MM_PAGESET_COUNT] = found[MM_LISTS_COUNT];
    found[MM_WATERMARK_OLD] = found[MM_WATERMARK];
    found[MM_ZONE_PER_CPU] = found[MM_ZONE_DIFF] = found[MM_ZONE_LISTS] = found[MM_LISTS_COUNT] =
        found[MM_WATERMARK] = found[MM_WATERMARK_BOOST] = (struct resolved){0};
    put_s8(CPU_AREA(0) + ZONE_PTR(0, 0) + 4, 11);
    tiny_put(&core, CPU_AREA(2) + ZONE_PTR(0, 0) + 0x10, 40);
    ck_assert_int_eq(open_mm(), 0);
    ck_assert_int_eq(mm_zone_at(&m, 0, &z), 0);
    ck_assert_int_eq(mm_zone_stats(&m, &z, &s), 0);
    ck_assert_int_eq(s.items[0], 111);
    ck_assert_int_eq(mm_zone_list_pages(&m, &z, &v), 0);
    ck_assert_uint_eq(v, 40);
    ck_assert_int_eq(mm_zone_watermark(&m, &z, MM_WMARK_LOW, &v), 0);
    ck_assert_uint_eq(v, 50);
    ck_assert_uint_eq(m.lost, 0);
    close_mm();
}
END_TEST

START_TEST(what_cannot_be_read_is_counted)
{
    struct mm_stats s;

    set_up();
    tiny_put(&core, CPU_OFFSETS + 16, TINY_TEXT + TINY_RAM_BYTES); /* CPU 2's area: not there */
    put_s8(CPU_AREA(0) + ZONE_PTR(0, 0) + 4, 5);
    ck_assert_int_eq(open_mm(), 0);
    ck_assert_int_eq(mm_all_zone_stats(&m, &s), 0);
    ck_assert_int_eq(s.items[0], 605);
    ck_assert_uint_eq(m.lost, 4); /* CPU 2 in each of four zones */
    close_mm();

    set_up();
    tiny_put(&core, NODE_ARRAY + 16, 0x1234); /* node 2: no kernel address */
    tiny_put(&core, NODE(0) + 0x10, 6);       /* node 0 says it is 6 */
    ck_assert_int_eq(open_mm(), -ENOENT);
    ck_assert_uint_eq(m.lost, 2);
    close_mm();
}
END_TEST

START_TEST(absurd_arrays_stay_in_bounds)
{
    struct mm_stats s;

    set_up();
    found[MM_ZONE_STAT] = array(0x10, 8, 1u << 29);
    found[MM_ZONE_DIFF] = array(4, 1, 1u << 29);
    found[MM_NODE_ZONES].elem_count = 1u << 30;
    found[MM_NODE_STAT].elem_size = 0;
    ck_assert_int_eq(open_mm(), 0);
    ck_assert_uint_eq(mm_zone_count(&m), 2 * MM_ZONES_MAX);
    ck_assert_int_eq(mm_all_zone_stats(&m, &s), 0);
    ck_assert_uint_eq(s.count, MM_ITEMS_MAX);
    ck_assert_int_eq(mm_all_node_stats(&m, &s), 0); /* the differences alone are left */
    ck_assert_uint_gt(m.lost, 0);
    close_mm();
}
END_TEST

/* A kernel without NUMA, whose only node VMCOREINFO names. */
START_TEST(vmcoreinfo_names_the_only_node)
{
    struct mm_zone z;

    set_up();
    found[MM_NODE_DATA].present = false;
    snprintf(core.vmcoreinfo + strlen(core.vmcoreinfo),
             sizeof(core.vmcoreinfo) - strlen(core.vmcoreinfo), "SYMBOL(contig_page_data)=%llx\n",
             TINY_TEXT + NODE(0));
    ck_assert_int_eq(open_mm(), 0);
    ck_assert_uint_eq(m.n_nodes, 1);
    ck_assert_int_eq(mm_zone_at(&m, 1, &z), 0);
    ck_assert_uint_eq(z.addr, TINY_TEXT + ZONE(0, 1));
    close_mm();
}
END_TEST

UNIT_SUITE("mm", every_possible_cpu_counts, items_are_looked_up_by_enumerator,
           zones_sum_up_where_the_global_counters_are_unknown, a_zone_tells_its_own,
           older_layouts_are_read, what_cannot_be_read_is_counted, absurd_arrays_stay_in_bounds,
           vmcoreinfo_names_the_only_node)

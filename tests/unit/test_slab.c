/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slab caches of every layout, built by hand. The expected counts are sums of what each test puts
 * in, done in its comments.
 */
#include <errno.h>

#include "unit/slab_world.h"
#include "unit/suite.h"

static void assert_slub(void)
{
    struct seen s = walk();
    const struct slab_cache *c = &s.caches[0];

    ck_assert_int_eq(s.r, 0);
    ck_assert_uint_eq(s.n, 1);
    ck_assert_ptr_eq(c->problem, NULL);
    ck_assert(c->exact && c->counted);
    ck_assert_str_eq(c->name, "test-512");
    ck_assert_uint_eq(c->object_size_bytes, 500);
    ck_assert_uint_eq(c->stride_bytes, 512);
    ck_assert_uint_eq(c->order, 1);
    ck_assert_uint_eq(c->objects_per_slab, 16);
    ck_assert_uint_eq(c->slabs, 9);
    ck_assert_uint_eq(c->bytes, 9 * 8192);
    ck_assert_uint_eq(c->objects_total, 144);
    ck_assert_uint_eq(slab_objects_active(c), 144 - 15);
    ck_assert_uint_eq(slab_objects_allocated(c), 144 - 15 - 5 - 1 - 16);
}

START_TEST(cpu_slabs_of_every_hardening)
{
    for (enum hardening h = PLAIN; h <= SWAPPED; h++) {
        build_slub(h);
        slab_layout_slub(found, HEAD);
        found[CACHE_RANDOM].present = h != PLAIN;
        assert_slub();
    }
}
END_TEST

START_TEST(slabs_in_struct_page)
{
    build_slub(SWAPPED);
    slab_layout_page(found, HEAD);
    assert_slub();
    found[PAGE_LIST] = found[PAGE_LRU];
    found[PAGE_LRU].present = false;
    assert_slub();
}
END_TEST

START_TEST(red_zones_shift_objects)
{
    static const unsigned order[] = {1, 3};
    struct seen s;

    build_slub(PLAIN);
    slab_layout_slub(found, HEAD);
    found[CACHE_RANDOM].present = false;
    cache(0)->red_left_pad = 64;
    cpu_area(0)->freelist = chain_objects(PLAIN, 0, order, 2) + 64;
    tiny_put(&core, DATA + 512 + 64 + 248, VA(DATA + 3 * 512 + 64));
    s = walk();
    ck_assert_ptr_eq(s.caches[0].problem, NULL);
    ck_assert_uint_eq(s.caches[0].objects_cached, 2 + 2 + 1 + 16);
}
END_TEST

/* 3 slabs of 16 objects and 2 of the one page that one object needs, of 8: 64 objects. */
START_TEST(slabs_of_the_smallest_order_are_told_by_their_objects)
{
    struct seen s;

    build_slub(SWAPPED);
    slab_layout_slub(found, HEAD);
    cache(0)->cpu_slab = 0;
    node(0)->nr_slabs = 5;
    node(0)->total_objects = 3 * 16 + 2 * 8;
    s = walk();
    ck_assert(s.caches[0].exact);
    ck_assert_uint_eq(s.caches[0].bytes, 3 * 8192 + 2 * 4096);
    cache(0)->size = 5000; /* 6 in 8 pages, and 2 pages when memory is short */
    cache(0)->oo = 3 << 16 | 6;
    node(0)->total_objects = 3 * 6 + 2 * 1;
    s = walk();
    ck_assert(s.caches[0].exact);
    ck_assert_uint_eq(s.caches[0].bytes, 3 * 32768 + 2 * 8192);
    cache(0)->size = 512;
    cache(0)->oo = 1 << 16 | 16;
    node(0)->total_objects = 3 * 16 + 2 * 8 - 1; /* of no such mixture */
    s = walk();
    ck_assert(!s.caches[0].exact);
    ck_assert_uint_eq(s.caches[0].bytes, 5 * 8192);
}
END_TEST

START_TEST(nodes_are_added)
{
    struct seen s;

    build_slub(SWAPPED);
    slab_layout_slub(found, HEAD);
    add_node(0, 1, 1);
    node(1)->nr_slabs = 2;
    node(1)->total_objects = 32;
    set_slab(8, 0, 6, 16);
    add_partial(1, 8);
    add_node(0, 2, 2); /* beyond nr_node_ids: another object's memory */
    node(2)->nr_slabs = 77;
    found[SLAB_NR_NODE_IDS] = (struct resolved){.present = true, .addr = VA(NODE_IDS)};
    s = walk();
    ck_assert_uint_eq(s.caches[0].slabs, 9 + 2);
    ck_assert_uint_eq(s.caches[0].objects_total, 144 + 32);
    ck_assert_uint_eq(s.caches[0].objects_free, 15 + 10);
}
END_TEST

/*
 * 12 000 slabs: 6000 with 2 free, then 6000 with 4. From both ends 5000 of each are seen, which
 * extrapolates to just the truth, 36 000.
 */
START_TEST(long_lists_are_estimated_from_both_ends)
{
    struct seen s;

    build_slub(SWAPPED);
    slab_layout_slub(found, HEAD);
    core.mem_bytes = 1ULL << 30;
    list_init(VA(NODES) + offsetof(struct fake_node, partial));
    node(0)->nr_partial = 0;
    node(0)->nr_slabs = 20000;
    node(0)->total_objects = 20000 * 16;
    for (unsigned i = 0; i < 12000; i++) {
        set_slab(16 + i, 0, i < 6000 ? 14 : 12, 16);
        add_partial(0, 16 + i);
    }
    s = walk();
    ck_assert_ptr_eq(s.caches[0].problem, NULL);
    ck_assert(!s.caches[0].exact);
    ck_assert_uint_eq(s.caches[0].objects_free, 36000);
    ck_assert_uint_eq(s.walk.estimated, 1);
    ck_assert_uint_eq(s.walk.damaged, 0);
}
END_TEST

/* ---- sheaves -------------------------------------------------------------------------------- */

START_TEST(sheaves_hold_free_objects)
{
    struct seen s;
    uint64_t barn = build_sheaves();

    slab_layout_sheaves(found, HEAD);
    found[NODE_BARN] = MEMBER(struct fake_node, barn);
    node(0)->barn = barn;
    s = walk();
    ck_assert_ptr_eq(s.caches[0].problem, NULL);
    ck_assert_uint_eq(s.caches[0].objects_cached, 20 + 32 + 7 + 64);
    ck_assert_uint_eq(slab_objects_active(&s.caches[0]), 129);
    ck_assert_uint_eq(slab_objects_allocated(&s.caches[0]), 129 - 123);
}
END_TEST

START_TEST(barns_beside_nodes)
{
    struct seen s;
    uint64_t barn = build_sheaves();

    slab_layout_sheaves(found, HEAD);
    found[CACHE_PER_NODE] = found[CACHE_NODE];
    found[CACHE_PER_NODE].elem_size = 16;
    found[CACHE_NODE].present = false;
    found[PER_NODE_BARN] = AT(0, 8);
    found[PER_NODE_NODE] = AT(8, 8);
    cache(0)->per_node[0].barn = 0;
    cache(0)->per_node[0].node = VA(NODES);
    cache(0)->per_node[1].barn = barn; /* an online node without memory: a barn and no node */
    s = walk();
    ck_assert_ptr_eq(s.caches[0].problem, NULL);
    ck_assert_uint_eq(s.caches[0].slabs, 9);
    ck_assert_uint_eq(s.caches[0].objects_cached, 123);
}
END_TEST

START_TEST(a_sheaf_never_holds_more_than_it_can)
{
    struct seen s;

    build_sheaves();
    slab_layout_sheaves(found, HEAD);
    add_sheaf(1, 33);
    s = walk();
    ck_assert_ptr_ne(s.caches[0].problem, NULL);
    ck_assert_uint_eq(s.caches[0].objects_cached, 20 + 7);
    ck_assert_uint_eq(s.caches[0].objects_total, 144);
}
END_TEST

/* ---- memcg children, SLAB, flags ------------------------------------------------------------ */

START_TEST(memcg_children_are_folded_into_their_root)
{
    const uint64_t child_list = VA(CACHES) + offsetof(struct fake_cache, children);
    struct seen s;

    build_slub(SWAPPED);
    slab_layout_slub(found, HEAD);
    found[SLAB_ROOT_CACHES] = (struct resolved){.present = true, .addr = VA(ROOTS)};
    found[CACHE_MEMCG_CHILDREN] = MEMBER(struct fake_cache, children);
    found[CACHE_MEMCG_CHILD_NODE] = MEMBER(struct fake_cache, child_node);
    found[CACHE_MEMCG_ROOT_NODE] = MEMBER(struct fake_cache, root_node);
    link_after(VA(ROOTS), VA(CACHES) + offsetof(struct fake_cache, root_node));
    for (unsigned i = 1; i <= 2; i++) {
        add_cache(i, "test-512(7:group)");
        add_node(i, 0, i);
        node(i)->nr_slabs = i;
        node(i)->total_objects = i * 16;
        link_after(child_list, VA(CACHES + i * 1024) + offsetof(struct fake_cache, child_node));
    }
    s = walk();
    ck_assert_uint_eq(s.n, 1);
    ck_assert_str_eq(s.caches[0].name, "test-512");
    ck_assert_uint_eq(s.caches[0].children, 2);
    ck_assert_uint_eq(s.caches[0].slabs, 9 + 1 + 2);
    ck_assert_uint_eq(s.caches[0].objects_total, 144 + 48);
    ck_assert_uint_eq(s.caches[0].bytes, 12 * 8192);
}
END_TEST

/* 9 slabs, 144 objects, 10 free; 4 and 5 in the CPUs' arrays, 6 shared, 7 alien. */
START_TEST(the_slab_allocator)
{
    struct seen s;

    build_slub(PLAIN);
    slab_layout_array(found, HEAD);
    cache(0)->cpu_cache = 0x300;
    node(0)->total_slabs = 9;
    node(0)->free_objects = 10;
    tiny_put(&core, PERCPU + 0x300, 4);
    tiny_put(&core, PERCPU + 4096 + 0x300, 5);
    node(0)->shared = VA(SHEAVES);
    tiny_put(&core, SHEAVES, 6);
    node(0)->alien = VA(SHEAVES + 64); /* an array of pointers */
    tiny_put(&core, SHEAVES + 64 + 8, VA(SHEAVES + 128));
    ((struct fake_alien *)at(SHEAVES + 128))->avail = 7;
    s = walk();
    ck_assert_ptr_eq(s.caches[0].problem, NULL);
    ck_assert_uint_eq(s.caches[0].slabs, 9);
    ck_assert_uint_eq(s.caches[0].objects_total, 144);
    ck_assert_uint_eq(slab_objects_active(&s.caches[0]), 134);
    ck_assert_uint_eq(slab_objects_allocated(&s.caches[0]), 134 - 4 - 5 - 6 - 7);
    ck_assert_uint_eq(s.caches[0].bytes, 9 * 8192);
}
END_TEST

START_TEST(kernels_that_count_nothing_are_refused)
{
    struct seen s;

    build_slub(PLAIN);
    slab_layout_slub(found, HEAD);
    found[NODE_NR_SLABS].present = false;
    s = walk();
    ck_assert_int_eq(s.r, -ENOTSUP);
    ck_assert_ptr_ne(strstr(s.err.text, "CONFIG_SLUB_DEBUG"), NULL);
    slab_layout_common(found, HEAD);
    s = walk();
    ck_assert_int_eq(s.r, -ENOTSUP);
    ck_assert_uint_eq(s.n, 0);
}
END_TEST

START_TEST(reclaimable_is_a_bit_that_moved)
{
    build_slub(PLAIN);
    slab_layout_slub(found, HEAD);
    cache(0)->flags = 0x00020000;
    ck_assert(walk().caches[0].reclaimable);
    found[SLAB_FLAG_BITS] = AT(0, 4); /* the enum is there, the enumerator not: SLUB_TINY */
    ck_assert(!walk().caches[0].reclaimable);
    found[SLAB_RECLAIM_BIT] = (struct resolved){.present = true, .value = 20};
    ck_assert(!walk().caches[0].reclaimable);
    cache(0)->flags = 1 << 20;
    ck_assert(walk().caches[0].reclaimable);
}
END_TEST

UNIT_SUITE("slab", cpu_slabs_of_every_hardening, slabs_in_struct_page, red_zones_shift_objects,
           slabs_of_the_smallest_order_are_told_by_their_objects, nodes_are_added,
           long_lists_are_estimated_from_both_ends, sheaves_hold_free_objects, barns_beside_nodes,
           a_sheaf_never_holds_more_than_it_can, memcg_children_are_folded_into_their_root,
           the_slab_allocator, kernels_that_count_nothing_are_refused,
           reclaimable_is_a_bit_that_moved)

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Damaged slab caches: each costs itself alone, and nothing runs for ever. */
#include <errno.h>

#include "unit/slab_world.h"
#include "unit/suite.h"

/* Three caches of which the second is what damage() leaves of it. */
static struct seen walk_damaged(void (*damage)(void))
{
    struct seen s;

    build_slub(SWAPPED);
    slab_layout_slub(found, HEAD);
    add_cache(1, "damaged")->cpu_slab = 0;
    add_node(1, 0, 1);
    node(1)->nr_slabs = 4;
    node(1)->total_objects = 64;
    for (unsigned i = 20; i < 24; i++) {
        set_slab(i, 1, 8, 16);
        add_partial(1, i);
    }
    add_cache(2, "last");
    add_node(2, 0, 2);
    damage();
    s = walk();
    ck_assert_int_eq(s.r, 0);
    ck_assert_uint_eq(slab_objects_allocated(&s.caches[0]), 144 - 15 - 22);
    return s;
}

static void assert_only_second(const struct seen *s)
{
    ck_assert_uint_eq(s->n, 3);
    ck_assert_uint_eq(s->walk.damaged, 1);
    ck_assert_ptr_eq(s->caches[0].problem, NULL);
    ck_assert_ptr_ne(s->caches[1].problem, NULL);
    ck_assert(!s->caches[1].exact);
    ck_assert_ptr_eq(s->caches[2].problem, NULL);
    ck_assert_str_eq(s->caches[2].name, "last");
}

static void wild_partial(void)
{
    slab(21)->list.next = 0xdead000000000100;
}

static void circular_partial(void)
{
    slab(22)->list.next = list_va(21);
}

static void foreign_partial(void)
{
    slab(21)->cache = VA(CACHES);
}

static void impossible_inuse(void)
{
    slab(21)->inuse = 0xffff;
}

/* Where a list breaks, the rest is estimated from what is seen: 4 slabs with 8 free each. */
START_TEST(broken_partial_lists_cost_their_cache)
{
    void (*const damages[])(void) = {wild_partial, circular_partial, foreign_partial,
                                     impossible_inuse};

    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct seen s = walk_damaged(damages[i]);

        assert_only_second(&s);
        ck_assert_uint_eq(s.caches[1].objects_total, 64);
        ck_assert_uint_eq(s.caches[1].objects_free, 32);
    }
}
END_TEST

static void wild_nr_partial(void)
{
    node(1)->nr_partial = UINT64_MAX - 5;
}

static void wild_nr_slabs(void)
{
    node(1)->nr_slabs = 1ULL << 60;
}

static void negative_objects(void)
{
    node(1)->total_objects = (uint64_t)-3;
}

static void wild_node(void)
{
    *(uint64_t *)cache(1)->per_node = VA(0x40000000);
}

static void wild_geometry(void)
{
    cache(1)->oo = 0xfffefffe;
}

static void no_stride(void)
{
    cache(1)->size = 0;
}

static void wild_name(void)
{
    cache(1)->name = 0x4141414141414141;
}

START_TEST(absurd_counts_are_left_out)
{
    void (*const lost[])(void) = {wild_nr_slabs, negative_objects, wild_node, wild_geometry,
                                  no_stride};
    struct seen s;

    for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
        s = walk_damaged(lost[i]);
        assert_only_second(&s);
        ck_assert(!s.caches[1].counted);
        ck_assert_uint_eq(s.caches[1].slabs, 0);
        ck_assert_uint_eq(s.caches[1].bytes, 0);
        ck_assert_str_eq(s.caches[1].name, "damaged");
    }
    s = walk_damaged(wild_nr_partial); /* the list itself is whole */
    assert_only_second(&s);
    ck_assert_uint_eq(s.caches[1].objects_free, 32);
    s = walk_damaged(wild_name);
    assert_only_second(&s);
    ck_assert_str_eq(s.caches[1].name, "(unknown)");
    ck_assert_uint_eq(s.caches[1].objects_total, 64);
}
END_TEST

static void freelist_circle(void)
{
    static const unsigned order[] = {1, 2, 3, 2};

    cache(1)->cpu_slab = 0x500;
    set_slab(30, 1, 16, 16);
    *(struct fake_cpu *)at(PERCPU + 0x500) = (struct fake_cpu){.slab = slab_va(30)};
    ((struct fake_cpu *)at(PERCPU + 0x500))->freelist = chain_objects(SWAPPED, 1, order, 4);
    tiny_put(&core, DATA + 8192 + 3 * 512 + 248,
             VA(DATA + 8192 + 2 * 512) ^ 0x1234567890abcdef ^
                 __builtin_bswap64(VA(DATA + 8192 + 3 * 512 + 248)));
    tiny_put(&core, DATA + 8192 + 2 * 512 + 248,
             VA(DATA + 8192 + 3 * 512) ^ 0x1234567890abcdef ^
                 __builtin_bswap64(VA(DATA + 8192 + 2 * 512 + 248)));
}

static void freelist_into_another_slab(void)
{
    freelist_circle();
    tiny_put(&core, DATA + 8192 + 3 * 512 + 248,
             VA(DATA) ^ 0x1234567890abcdef ^ __builtin_bswap64(VA(DATA + 8192 + 3 * 512 + 248)));
}

static void cpu_partial_circle(void)
{
    cache(1)->cpu_slab = 0x500;
    set_slab(30, 1, 15, 16)->list.next = slab_va(31);
    set_slab(31, 1, 15, 16)->list.next = slab_va(30);
    *(struct fake_cpu *)at(PERCPU + 0x500) = (struct fake_cpu){.partial = slab_va(30)};
}

START_TEST(damaged_cpu_lists_end)
{
    void (*const damages[])(void) = {freelist_circle, freelist_into_another_slab,
                                     cpu_partial_circle};

    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct seen s = walk_damaged(damages[i]);

        assert_only_second(&s);
        ck_assert_uint_eq(s.caches[1].objects_total, 64);
        ck_assert_uint_le(s.caches[1].objects_cached, 32);
    }
}
END_TEST

static void list_of_caches_broken(void)
{
    cache(1)->list.next = 0x4141414141414141;
}

START_TEST(a_broken_list_of_caches_is_walked_from_its_end)
{
    struct seen s = walk_damaged(list_of_caches_broken);

    ck_assert_uint_eq(s.n, 3);
    ck_assert_int_lt(s.walk.list_error, 0);
    ck_assert_uint_eq(s.walk.list_count, 2);
    ck_assert_str_eq(s.caches[2].name, "last");
    ck_assert_uint_eq(s.walk.damaged, 0);
}
END_TEST

static uint32_t next_random(uint32_t *state)
{
    return *state = *state * 1664525 + 1013904223;
}

/* Any words of the structures replaced by others from them, or by nonsense: no crash, no hang. */
START_TEST(noise_is_survived)
{
    uint32_t state = 1;

    for (unsigned round = 0; round < 400; round++) {
        build_slub(round % 3);
        if (round % 5 == 4)
            build_sheaves();
        (round % 5 == 4   ? slab_layout_sheaves
         : round % 5 == 3 ? slab_layout_array
         : round % 2      ? slab_layout_page
                          : slab_layout_slub)(found, HEAD);
        for (unsigned i = 0; i < 1 + round % 7; i++) {
            uint64_t from = (next_random(&state) >> 8) % (SLABS + 1024) & ~7ULL, v;
            uint64_t to = HEAD + ((next_random(&state) >> 8) % (SLABS + 1024 - HEAD) & ~7ULL);

            memcpy(&v, core.ram + from, sizeof(v));
            if (i % 2)
                v = (uint64_t)next_random(&state) << (next_random(&state) % 40);
            tiny_put(&core, to, v);
        }
        ck_assert_uint_le(walk().n, 20000);
    }
}
END_TEST

UNIT_SUITE("slab_damage", broken_partial_lists_cost_their_cache, absurd_counts_are_left_out,
           damaged_cpu_lists_end, a_broken_list_of_caches_is_walked_from_its_end, noise_is_survived)

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows from the kernel's counters. */
#include <string.h>

#include "extract/memory/model.h"
#include "unit/suite.h"

#define KIB 1024ULL

static struct mem_model m;

static void set(enum mem_id id, uint64_t v)
{
    m.values[id] = (struct mem_value){v, MEM_EXACT};
}

static void set_up(void)
{
    m = (struct mem_model){.page_bytes = 4096};
}

static void assert_value(enum mem_id id, uint64_t want, enum mem_quality quality)
{
    ck_assert_uint_eq(m.values[id].v, want);
    ck_assert_int_eq(m.values[id].quality, quality);
}

/*
 * The counters are those of a Debian 12 machine of 1 GB; the results are what its /proc/meminfo
 * said at the same moment: MemAvailable 605076 kB, CommitLimit 366608 kB, Active 20968 kB.
 */
static void real_machine(void)
{
    set_up();
    set(MEM_TOTAL, 733216 * KIB);
    set(MEM_FREE, 163952 * 4096ULL);
    set(MEM_RESERVE, 13857 * 4096ULL);
    set(MEM_LOW_WATERMARKS, (237 + 10748) * 4096ULL);
    set(MEM_ACTIVE_ANON, 5238 * 4096ULL);
    set(MEM_ACTIVE_FILE, 4 * 4096ULL);
    set(MEM_INACTIVE_FILE, 4 * 4096ULL);
    set(MEM_SLAB_RECLAIMABLE, 9356 * KIB);
    set(MEM_SLAB_UNRECLAIMABLE, 7164 * KIB);
    set(MEM_KERNEL_MISC_RECLAIMABLE, 0);
    set(MEM_OVERCOMMIT_BYTES, 0);
    set(MEM_OVERCOMMIT_RATIO, 50);
    set(MEM_SWAP_TOTAL, 0);
    set(MEM_HUGETLB, 0);
}

START_TEST(a_real_machine_is_computed_as_its_kernel_did)
{
    real_machine();
    mem_derive(&m);
    assert_value(MEM_AVAILABLE, 605076 * KIB, MEM_EXACT);
    assert_value(MEM_COMMIT_LIMIT, 366608 * KIB, MEM_EXACT);
    assert_value(MEM_ACTIVE, 20968 * KIB, MEM_EXACT);
    assert_value(MEM_SLAB, 16520 * KIB, MEM_EXACT);
    assert_value(MEM_KRECLAIMABLE, 9356 * KIB, MEM_EXACT);
    assert_value(MEM_USED, 733216 * KIB - 163952 * 4096ULL, MEM_EXACT);
}
END_TEST

/* Worked by hand from si_mem_available(). */
START_TEST(available_keeps_half_or_the_low_watermarks)
{
    struct mem_available_terms t = {.free = 1000, .reserve = 100, .low_watermarks = 50};

    ck_assert_uint_eq(mem_available_pages(&t), 900);
    t.file_lru = 60; /* half of it is less than the watermarks: 30 stay */
    ck_assert_uint_eq(mem_available_pages(&t), 930);
    t.file_lru = 61; /* 30 stay, not 30.5 */
    ck_assert_uint_eq(mem_available_pages(&t), 931);
    t.file_lru = 1000; /* 50 stay */
    ck_assert_uint_eq(mem_available_pages(&t), 1850);
    t.reclaimable = 200; /* 50 stay */
    ck_assert_uint_eq(mem_available_pages(&t), 2000);
    t.indirect = 7;
    ck_assert_uint_eq(mem_available_pages(&t), 2007);
    t.reserve = 5000;
    ck_assert_uint_eq(mem_available_pages(&t), 0);
}
END_TEST

START_TEST(commit_limit_follows_vm_overcommit)
{
    real_machine();
    set(MEM_HUGETLB, 33216 * KIB); /* 700000 KiB are left */
    set(MEM_SWAP_TOTAL, 1000 * KIB);
    mem_derive(&m);
    assert_value(MEM_COMMIT_LIMIT, 351000 * KIB, MEM_EXACT);
    set(MEM_OVERCOMMIT_BYTES, 8000 * KIB); /* vm.overcommit_kbytes beats the ratio */
    mem_derive(&m);
    assert_value(MEM_COMMIT_LIMIT, 9000 * KIB, MEM_EXACT);
}
END_TEST

START_TEST(what_lacks_a_term_stays_unknown)
{
    real_machine();
    m.values[MEM_LOW_WATERMARKS] = (struct mem_value){0};
    m.values[MEM_SLAB_UNRECLAIMABLE] = (struct mem_value){0};
    m.values[MEM_ACTIVE_FILE].quality = MEM_ESTIMATE;
    mem_derive(&m);
    assert_value(MEM_AVAILABLE, 0, MEM_UNKNOWN);
    assert_value(MEM_SLAB, 0, MEM_UNKNOWN);
    assert_value(MEM_CACHED, 0, MEM_UNKNOWN);
    assert_value(MEM_ACTIVE, 20968 * KIB, MEM_ESTIMATE);
}
END_TEST

/* Every consumer has a size of its own bit, so that one that is missed or counted twice shows. */
static void one_bit_each(void)
{
    set_up();
    set(MEM_TOTAL, 1u << 30);
    set(MEM_FREE, 1u << 1);
    set(MEM_CPU_LISTS, 1u << 2);
    set(MEM_ACTIVE_ANON, 1u << 3);
    set(MEM_INACTIVE_ANON, 1u << 4);
    set(MEM_ACTIVE_FILE, 1u << 5);
    set(MEM_INACTIVE_FILE, 1u << 6);
    set(MEM_UNEVICTABLE, 1u << 7);
    set(MEM_ISOLATED_ANON, 1u << 8);
    set(MEM_ISOLATED_FILE, 1u << 9);
    set(MEM_LRU_BATCHES, 1u << 10);
    set(MEM_SLAB_RECLAIMABLE, 1u << 11);
    set(MEM_SLAB_UNRECLAIMABLE, 1u << 12);
    set(MEM_PAGE_TABLES, 1u << 13);
    set(MEM_SEC_PAGE_TABLES, 1u << 14);
    set(MEM_KERNEL_STACK, 1u << 15);
    set(MEM_VMALLOC_USED, 1u << 16);
    set(MEM_PERCPU, 3u << 17);
    set(MEM_PERCPU_BOOT, 1u << 18);
    set(MEM_HUGETLB, 1u << 19);
    set(MEM_ZSMALLOC, 1u << 20);
    set(MEM_BOUNCE, 1u << 21);
    set(MEM_KERNEL_MISC_RECLAIMABLE, 1u << 22);
    set(MEM_WRITEBACK_TEMP, 1u << 23);
    set(MEM_HARDWARE_CORRUPTED, 1u << 24);
    set(MEM_MEMMAP, 1u << 25);
    /* the page cache: all on the LRU lists, 2 of it shmem, with swap cache on top */
    set(MEM_FILE_PAGES, 48);
    set(MEM_SWAP_CACHE, 8);
    set(MEM_SHMEM, 16);
    set(MEM_BUFFERS, 4);
    /* no part of MemTotal, or within others */
    set(MEM_CMA_TOTAL, 1u << 28);
    set(MEM_CMA_FREE, 1u << 27);
    set(MEM_UNACCEPTED, 1u << 28);
    set(MEM_BALLOON, 1u << 28);
    set(MEM_MLOCKED, 1u << 28);
    set(MEM_ANON_HUGE, 1u << 28);
}

#define ALL_BITS ((1u << 26) - 2 - (1u << 18)) /* 1 to 25, but not the boot-time percpu memory */

static uint64_t sum_of_parts(void)
{
    uint64_t sum = m.values[MEM_UNACCOUNTED].v;

    for (size_t i = 0; i < n_mem_parts; i++)
        sum += m.values[mem_parts[i].id].v;
    return sum;
}

START_TEST(unaccounted_is_what_nobody_has)
{
    one_bit_each();
    mem_derive(&m);
    assert_value(MEM_UNACCOUNTED, (1u << 30) - ALL_BITS, MEM_EXACT);
    assert_value(MEM_CACHED, 36, MEM_EXACT);
    assert_value(MEM_PART_FILE, 24, MEM_EXACT);
    ck_assert_uint_eq(sum_of_parts(), 1u << 30);
    ck_assert_uint_eq(m.overcounted, 0);
}
END_TEST

START_TEST(stacks_in_vmalloc_count_once)
{
    one_bit_each();
    m.stacks_in_vmalloc = true;
    mem_derive(&m);
    assert_value(MEM_PART_VMALLOC, (1u << 16) - (1u << 15), MEM_EXACT);
    assert_value(MEM_UNACCOUNTED, (1u << 30) - ALL_BITS + (1u << 15), MEM_EXACT);
    ck_assert_uint_eq(sum_of_parts(), 1u << 30);
}
END_TEST

START_TEST(what_the_kernel_does_not_count_makes_it_an_estimate)
{
    one_bit_each();
    m.values[MEM_VMALLOC_USED] = (struct mem_value){0};
    mem_derive(&m);
    assert_value(MEM_UNACCOUNTED, (1u << 30) - ALL_BITS + (1u << 16), MEM_ESTIMATE);

    one_bit_each();
    m.values[MEM_ZSMALLOC] = (struct mem_value){0}; /* a kernel without zsmalloc has none */
    mem_derive(&m);
    assert_value(MEM_UNACCOUNTED, (1u << 30) - ALL_BITS + (1u << 20), MEM_EXACT);

    one_bit_each();
    m.values[MEM_FREE] = (struct mem_value){0};
    mem_derive(&m);
    assert_value(MEM_UNACCOUNTED, 0, MEM_UNKNOWN);
}
END_TEST

START_TEST(nonsense_is_seen)
{
    one_bit_each();
    set(MEM_SLAB_RECLAIMABLE, INT64_MAX);
    set(MEM_ACTIVE_FILE, UINT64_MAX);
    set(MEM_OVERCOMMIT_RATIO, UINT32_MAX);
    mem_derive(&m);
    assert_value(MEM_UNACCOUNTED, 0, MEM_ESTIMATE);
    ck_assert_uint_gt(m.overcounted, 0);
    ck_assert_uint_le(m.values[MEM_AVAILABLE].v, INT64_MAX);
    ck_assert_uint_le(m.values[MEM_COMMIT_LIMIT].v, INT64_MAX);
}
END_TEST

UNIT_SUITE("memory", a_real_machine_is_computed_as_its_kernel_did,
           available_keeps_half_or_the_low_watermarks, commit_limit_follows_vm_overcommit,
           what_lacks_a_term_stays_unknown, unaccounted_is_what_nobody_has,
           stacks_in_vmalloc_count_once, what_the_kernel_does_not_count_makes_it_an_estimate,
           nonsense_is_seen)

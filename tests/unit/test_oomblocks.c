/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of an OOM event: control groups, Mem-Info, tables; and what bounds them. Expected values
 * are read off the lines, pages of 4 KiB unless the free lists say otherwise. */
#include "unit/oomlog_case.h"
#include "unit/suite.h"

#define HEADER "a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
#define KILLED "Out of memory: Killed process 7 (v) total-vm:4kB, anon-rss:8kB\n"

/* --- control groups
 * -------------------------------------------------------------------------------- */

START_TEST(groups_of_every_era)
{
    assert_json("Task in /mem2/x y killed as a result of limit of /mem2\n"
                "Memory cgroup out of memory: Kill process 7 (v) score 9 or sacrifice child\n",
                "\"oom_memcg\":\"/mem2\",\"task_memcg\":\"/mem2/x y\"");
    /* two records, another line between, the blank eaten by a relay */
    assert_json("Task in /a\nusb 1-1: reset\nkilled as a result of limit of /b\n" HEADER KILLED
                "Task in /a killed\n as a result of limit of /b\n"
                "Memory cgroup out of memory: Kill process 7 (v) score 9 or sacrifice child\n",
                "\"oom_memcg\":\"/b\",\"task_memcg\":\"/a\"");
    assert_json(HEADER "Memory limit reached of cgroup /l\n",
                "\"constraint\":\"memcg\",\"oom_memcg\":\"/l\"");
    assert_json(HEADER "Memory cgroup stats for /s:\nanon 1\nfile 2\n", "\"oom_memcg\":\"/s\"");
    assert_json("a invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
                "Call Trace:\n [<ffffffff811b491c>] mem_cgroup_oom_synchronize+0x51c/0x560\n",
                "\"constraint\":\"memcg\"");
    assert_json("a invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
                "Call Trace:\n [<ffffffff811b491c>] ? mem_cgroup_oom_synchronize+0x51c/0x560\n",
                "\"constraint\":\"unknown\"");
}
END_TEST

START_TEST(charges_and_no_limit)
{
    assert_json(HEADER "memory: usage 53192kB, limit 262144kB, failcnt 99902\n"
                       "memory+swap: usage 3kB, limit 9007199254740991kB, failcnt 1\n"
                       "kmem: usage 4kB, limit 18014398509481983kB, failcnt 2\n",
                "\"memcg_usage_bytes\":54468608,\"memcg_limit_bytes\":268435456,"
                "\"memcg_failcnt\":99902,\"memcg_memsw_usage_bytes\":3072,"
                "\"memcg_memsw_failcnt\":1,\"memcg_kmem_usage_bytes\":4096,"
                "\"memcg_kmem_failcnt\":2,\"outcome\"");
    assert_json(HEADER "swap: usage 6140kB, limit 9007199254740988kB, failcnt 0\n",
                "\"memcg_swap_usage_bytes\":6287360,\"memcg_swap_failcnt\":0");
    assert_json(HEADER "swap: usage 6140kB, limit 0kB, failcnt 0\n",
                "\"memcg_swap_limit_bytes\":0");
}
END_TEST

START_TEST(memory_stat_of_every_era)
{
    assert_json(HEADER "Memory cgroup stats for /lxc/VM_A: cache:18092KB rss:34988KB swap:0KB\n",
                "\"record\":\"memcg_stat\",\"event\":1,\"memcg\":\"/lxc/VM_A\",\"stat\":"
                "{\"cache\":18526208,\"rss\":35827712,\"swap\":0}");
    assert_json("[    1.000000] " HEADER "[    1.000001] Memory cgroup stats for /a:\n"
                "               anon 534147072\n               file 212992\n"
                "[    1.000002] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a,"
                "task_memcg=/a,task=v,pid=1,uid=0\n",
                "\"stat\":{\"anon\":534147072,\"file\":212992}");
    assert_json("[    1.000000] " HEADER "[    1.000001] Memory cgroup stats for /a:\n"
                "[    1.000002] cache 5\n[    1.000003] total_rss 6\n"
                "[    1.000003] not a value at all\n"
                "[    1.000004] Memory cgroup min protection 0kB -- low protection 0kB\n",
                "\"stat\":{\"cache\":5,\"total_rss\":6}");
}
END_TEST

/* --- Mem-Info
 * ------------------------------------------------------------------------------------------ */

START_TEST(totals_of_every_era)
{
    /* 2.6.18 */
    assert_json("a invoked oom-killer: gfp_mask=0x201d2, order=0, oomkilladj=0\nMem-info:\n"
                "DMA per-cpu:\ncpu 0 hot: high 0, batch 1 used:0\n"
                "Active:1621 inactive:97987 dirty:0 writeback:33 unstable:0 free:1215 slab:23388 "
                "mapped:3 pagetables:446\n"
                "DMA free:2068kB min:88kB low:108kB high:132kB active:0kB inactive:7432kB "
                "present:16384kB pages_scanned:11284 all_unreclaimable? yes\n"
                "lowmem_reserve[]: 0 495\n"
                "DMA: 1*4kB 0*8kB 1*16kB 0*32kB 1*2048kB 0*4096kB = 2068kB\n"
                "Swap cache: add 109576, delete 109542, find 12933/22258, race 0+8\n"
                "Free swap  = 936452kB\nTotal swap = 1116428kB\nFree swap:       936452kB\n"
                "131052 pages of RAM\n0 pages of HIGHMEM\n2358 reserved pages\n",
                "{\"section\":\"oom\",\"record\":\"meminfo\",\"event\":1,\"active_bytes\":6639616,"
                "\"inactive_bytes\":401354752,\"dirty_bytes\":0,\"writeback_bytes\":135168,"
                "\"unstable_bytes\":0,\"free_bytes\":4976640,\"slab_bytes\":95797248,"
                "\"mapped_bytes\":12288,\"pagetables_bytes\":1826816,\"ram_bytes\":536788992,"
                "\"highmem_bytes\":0,\"reserved_bytes\":9658368,\"swap_free_bytes\":958926848,"
                "\"swap_total_bytes\":1143222272,\"zones\":[{\"name\":\"DMA\",\"free_bytes\":"
                "2117632,\"min_bytes\":90112,\"low_bytes\":110592,\"high_bytes\":135168,"
                "\"active_bytes\":0,\"inactive_bytes\":7610368,\"present_bytes\":16777216,"
                "\"free_blocks\":[1,0,1,0,1,0]}]}");
    /* today, rsyslog's "#012" for the newlines in the record */
    assert_json(
        HEADER "Mem-Info:\n"
               "active_anon:1 inactive_anon:2 isolated_anon:3#012 active_file:4 "
               "inactive_file:5 isolated_file:6#012 unevictable:7#012 new_counter:8\n"
               "Node 0 active_anon:4kB isolated(anon):8kB shmem_thp: 12kB anon_thp:16kB "
               "all_unreclaimable? no\n",
        "\"isolated_file_bytes\":24576,\"unevictable_bytes\":28672,"
        "\"new_counter_bytes\":32768,\"nodes\":[{\"node\":0,\"active_anon_bytes\":4096,"
        "\"isolated_anon_bytes\":8192,\"shmem_thp_bytes\":12288,\"anon_thp_bytes\":16384}]");
    assert_json(HEADER "Mem-Info:\nactive_anon:1 inactive_anon:2 isolated_anon:3\n"
                       "65536 pages RAM\n4294965447 pages reserved\n8192 pages cma reserved\n",
                "\"ram_bytes\":268435456,\"cma_reserved_bytes\":33554432}");
    assert_json(HEADER "Mem-Info:\n"
                       "Node 1 hugepages_total=5 hugepages_free=4 hugepages_surp=3 "
                       "hugepages_size=2048kB\n",
                "\"hugepages\":[{\"node\":1,\"size_bytes\":2097152,\"total\":5,\"free\":4,"
                "\"surplus\":3}]");
}
END_TEST

START_TEST(the_page_size_is_inferred)
{
    assert_json(HEADER "Mem-Info:\nactive_anon:1 inactive_anon:2\n"
                       "Node 0 DMA32: 12*64kB (UM) 10*128kB (UM) = 2048kB\n31744 pages RAM\n",
                "\"active_anon_bytes\":65536,\"inactive_anon_bytes\":131072,"
                "\"ram_bytes\":2080374784");
    /* from a victim's row: 2 pages are 32 kB */
    assert_json(HEADER "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents "
                       "oom_score_adj name\n"
                       "[      7]     0     7        2        1   393216        0             0 v\n"
                       "Out of memory: Killed process 7 (v) total-vm:32kB, anon-rss:8kB\n",
                "\"page_size_bytes\":16384}");
    assert_json(HEADER, "\"page_size_bytes\":4096,\"page_size_assumed\":true");
}
END_TEST

START_TEST(a_free_list_cut_by_another_cpu_goes_on)
{
    assert_json(HEADER "Mem-Info:\nNode 0 DMA: 1*4kB (U) 2*8kB\nusb 1-1: reset\n"
                       " (UM) 3*16kB 4*32kB (U) \n 5*64kB = 999kB\n",
                "\"name\":\"DMA\",\"free_blocks\":[1,2,3,4,5]");
}
END_TEST

/* --- tables
 * ---------------------------------------------------------------------------------------------- */

START_TEST(task_tables_of_every_era)
{
    static const struct {
        const char *table, *json;
    } cases[] = {
        {"[ pid ]   uid  tgid total_vm      rss cpu oom_adj name\n"
         "[  333]     1   332     2667      111   2     -17 udevd\n",
         "\"pid\":333,\"tgid\":332,\"uid\":1,\"comm\":\"udevd\",\"total_vm_bytes\":10924032,"
         "\"rss_bytes\":454656,\"oom_adj\":-17}"},
        {"[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name\n"
         "[  333]     1   332     2667      111   2     -17         -1000 udevd\n",
         "\"rss_bytes\":454656,\"oom_score_adj\":-1000,\"oom_adj\":-17}"},
        {"[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n"
         "[ 6576] 12345  6576  8478546  5157063   15483  1527848             0 mysqld\n",
         "\"pid\":6576,\"tgid\":6576,\"uid\":12345,\"comm\":\"mysqld\",\"total_vm_bytes\":"
         "34728124416,\"rss_bytes\":21123330048,\"pgtables_bytes\":63418368,\"swap_bytes\":"
         "6258065408,\"oom_score_adj\":0}"},
        {"[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name\n"
         "[ 6576] 12345  6576        9        8       7       6        5             4 a\n",
         "\"pgtables_bytes\":53248,\"swap_bytes\":20480,\"oom_score_adj\":4}"},
        {"Tasks state (memory values in pages):\n"
         "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n"
         "[ 473206]   504 473206  7572670  2308581 60686336  5225427             0 doxygen\n",
         "\"pgtables_bytes\":60686336,\"swap_bytes\":21403348992"},
        {"[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes "
         "swapents oom_score_adj name\n"
         "[   2154]   988  2154       95      129       82       29        18  1736704        0    "
         " "
         "        0 jellyfin\n",
         "\"rss_bytes\":528384,\"rss_anon_bytes\":335872,\"rss_file_bytes\":118784,"
         "\"rss_shmem_bytes\":73728,\"pgtables_bytes\":1736704"},
        /* a vendor's column, and a value that is no number */
        {"[  pid  ]   uid  tgid total_vm      rss (01)nrss pgtables_bytes swapents oom_score_adj "
         "name\n"
         "[   2154]   988  2154       95      129 (82)x  1736704        3      200 a\n",
         "\"rss_bytes\":528384,\"pgtables_bytes\":1736704,\"swap_bytes\":12288,"
         "\"oom_score_adj\":200}"},
        /* the header is cut */
        {"[28364]     0 28364    26516       46   0       0           -17 sh\n",
         "\"pid\":28364,\"tgid\":28364,\"uid\":0,\"comm\":\"sh\",\"total_vm_bytes\":108609536,"
         "\"rss_bytes\":188416,\"oom_score_adj\":-17}"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char log[1000];

        snprintf(log, sizeof(log), HEADER "%s", cases[i].table);
        assert_json(log, cases[i].json);
    }
}
END_TEST

START_TEST(names_of_the_table_hold_anything)
{
    static const char *const names[] = {"tmux: server",  "(sd-pam)", "wb[INANNA]", "runc:[2:INIT]",
                                        ".wsdd-wrapped", "531",      "R",          " 5 6",
                                        "a  b",          ""};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char log[400], want[80];

        snprintf(log, sizeof(log),
                 HEADER "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents "
                        "oom_score_adj name\n"
                        "[      7]     0     7        2        1   393216        0             0 "
                        "%s\n",
                 names[i]);
        snprintf(want, sizeof(want), "\"comm\":\"%s\"", names[i]);
        assert_json(log, want);
    }
}
END_TEST

START_TEST(old_victims_are_completed_from_the_table)
{
    assert_json(HEADER "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n"
                       "[    7]    48     7      100       80       2        3           500 v\n"
                       "Out of memory: Kill process 7 (v) score 900 or sacrifice child\n"
                       "Killed process 7 (v)\n",
                "\"comm\":\"v\",\"uid\":48,\"total_vm_bytes\":409600,\"swap_bytes\":12288,"
                "\"pgtables_bytes\":8192,\"oom_score_adj\":500,\"score\":900");
}
END_TEST

START_TEST(slabs_and_allocation_sites)
{
    static const char log[] =
        HEADER "Mem-Info:\nactive_anon:1 inactive_anon:2\nMemory allocations (profiling is on):\n"
               "    1.21 GiB   237476 mm/readahead.c:189 func:ractl_alloc_folio\n"
               "     143 MiB   133249 fs/ext4/super.c:1389 [ext4] func:ext4_alloc_inode\n"
               "  3176243200   247900 mm/slub.c:2264 func:alloc_slab_page\n"
               "Unreclaimable slab info:\n"
               "Name                      Used          Total\n"
               "bio-88                    64KB         65KB\n"
               "fsnotify_mark_connector         16KB         28KB\n"
               "Tasks state (memory values in pages):\n"
               "not a slab                16KB         28KB\n" KILLED;

    assert_json(log, "\"record\":\"slab\",\"event\":1,\"name\":\"bio-88\",\"used_bytes\":65536,"
                     "\"total_bytes\":66560}\n{\"section\":\"oom\",\"record\":\"slab\",\"event\":1,"
                     "\"name\":\"fsnotify_mark_connector\",\"used_bytes\":16384,\"total_bytes\":"
                     "28672}\n{\"section\":\"oom\",\"record\":\"allocation\",\"event\":1,\"bytes\":"
                     "1299227607,\"rounded\":true,\"calls\":237476,\"site\":\"mm/readahead.c:189\","
                     "\"function\":\"ractl_alloc_folio\"}");
    assert_json(log, "\"bytes\":149946368,\"rounded\":true,\"calls\":133249,\"site\":"
                     "\"fs/ext4/super.c:1389\",\"module\":\"ext4\",\"function\":"
                     "\"ext4_alloc_inode\"");
    assert_json(log, "\"bytes\":3176243200,\"calls\":247900");
}
END_TEST

START_TEST(a_cut_head_keeps_its_blocks)
{
    static const char log[] =
        "Node 0 Normal free:540kB min:540kB low:672kB high:804kB\n"
        "7680 pages RAM\n"
        "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents "
        "oom_score_adj name\n"
        "[    7]    48     7      100       80       2        3           500 "
        "v\n" KILLED;

    assert_log(log, "1 - none - killed 7:v - header\n");
    assert_json(log, "\"record\":\"candidate\",\"event\":1,\"pid\":7");
    assert_json(log, "\"ram_bytes\":31457280");
}
END_TEST

/* --- bounds
 * ------------------------------------------------------------------------------------------------
 */

static void line(struct oom_case *c, uint64_t seq, const char *text)
{
    struct oom_line l = {.seq = seq,
                         .ts_ns = (int64_t)seq,
                         .caller = OOM_NONE,
                         .wall_s = OOM_NONE,
                         .text = span_of(text)};

    ck_assert_int_eq(oomlog_line(c->parser, &l), 0);
}

START_TEST(rows_beyond_the_bound_are_counted)
{
    struct oom_case c;

    case_begin(&c);
    line(&c, 0, HEADER);
    line(&c, 1, "Mem-Info:");
    line(&c, 2, "active_anon:1 inactive_anon:2");
    for (unsigned i = 0; i < 100000; i++) {
        char row[100];

        snprintf(row, sizeof(row), "[%5u]     0 %5u %8u %8u 0 0 0 a%u", i, i, i, i, i);
        line(&c, i + 3, row);
    }
    line(&c, 200000, KILLED);
    case_end(&c);
    ck_assert_str_eq(c.text.data, "1 a none - killed 7:v - lines\n");
    ck_assert_ptr_nonnull(strstr(c.json.data, "\"omitted_rows\":95904"));
    case_free(&c);
}
END_TEST

START_TEST(many_events_come_in_order)
{
    struct oom_case c;
    const char *at;

    case_begin(&c);
    for (unsigned i = 0; i < 1000; i++) {
        char text[100];

        snprintf(text, sizeof(text), "Out of memory: Killed process %u (v) total-vm:4kB", i);
        line(&c, i, text);
    }
    case_end(&c);
    at = c.text.data;
    for (unsigned i = 0; i < 1000; i++) {
        char want[100];

        snprintf(want, sizeof(want), "%u - none - killed %u:v - header\n", i + 1, i);
        ck_assert(!strncmp(at, want, strlen(want)));
        at += strlen(want);
    }
    case_free(&c);
}
END_TEST

START_TEST(no_stat_is_printed_twice)
{
    struct oom_case c;

    case_begin(&c);
    line(&c, 0, HEADER);
    line(&c, 1, "Memory cgroup stats for /a:");
    for (unsigned i = 0; i < 300000; i++) {
        char text[40];

        snprintf(text, sizeof(text), "k%u %u", i % 500, i);
        line(&c, i + 2, text);
    }
    case_end(&c);
    ck_assert_ptr_nonnull(strstr(c.json.data, "\"k1\":1,"));
    ck_assert_ptr_null(strstr(strstr(c.json.data, "\"k1\":") + 1, "\"k1\":"));
    ck_assert_uint_lt(c.json.len, 20000);
    case_free(&c);
}
END_TEST

UNIT_SUITE("oomblocks", groups_of_every_era, charges_and_no_limit, memory_stat_of_every_era,
           totals_of_every_era, the_page_size_is_inferred, a_free_list_cut_by_another_cpu_goes_on,
           task_tables_of_every_era, names_of_the_table_hold_anything,
           old_victims_are_completed_from_the_table, slabs_and_allocation_sites,
           a_cut_head_keeps_its_blocks, rows_beyond_the_bound_are_counted,
           many_events_come_in_order, no_stat_is_printed_twice)

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of the OOM killer in every form since 2.6.18. The forms are those of the printk calls in
 * mm/oom_kill.c, mm/memcontrol.c and their vendors' trees; expected values are read off them. */
#include "unit/oomlog_case.h"
#include "unit/suite.h"

/* --- §headers ------------------------------------------------------------------------------------
 */

START_TEST(headers_of_every_era)
{
    static const struct {
        const char *line, *json;
    } cases[] = {
        {"oom-killer: gfp_mask=0x200d2, order=0",
         "\"line\":1,\"gfp_mask\":\"0x200d2\",\"order\":0,\"constraint\""},
        {"syslogd invoked oom-killer: gfp_mask=0x201d2, order=0, oomkilladj=-17",
         "\"trigger_comm\":\"syslogd\",\"trigger_oom_adj\":-17,\"gfp_mask\":\"0x201d2\",\"order\":"
         "0"},
        {"sshd invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=-17",
         "\"trigger_oom_adj\":-17"},
        {"sshd invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=-17, oom_score_adj=-1000",
         "\"trigger_oom_score_adj\":-1000,\"trigger_oom_adj\":-17"},
        {"java invoked oom-killer: gfp_mask=0x201da, order=3, oom_score_adj=999", "\"order\":3"},
        {"a invoked oom-killer: gfp_mask=0x24201ca(GFP_HIGHUSER_MOVABLE|__GFP_COLD), "
         "nodemask=0-1,3, order=0, oom_score_adj=0",
         "\"gfp_flags\":\"GFP_HIGHUSER_MOVABLE|__GFP_COLD\",\"order\":0,\"constraint\":\"unknown\","
         "\"nodemask\":\"0-1,3\""},
        {"a.out invoked oom-killer: gfp_mask=0x14280ca(GFP_HIGHUSER|__GFP_ZERO), nodemask=(null),  "
         "order=0, oom_score_adj=0",
         "\"order\":0,\"constraint\":\"unknown\",\"nodemask\":\"(null)\""},
        {"x invoked oom-killer: gfp_mask=0x0(), order=0, oom_score_adj=0",
         "\"gfp_mask\":\"0x0\",\"gfp_flags\":\"\",\"order\":0"},
        {"kworker/13:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0",
         "\"order\":-1,\"manual\":true"},
        {"tmux: server invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
         "\"trigger_comm\":\"tmux: server\""},
        {"mem_on_node0 invoked oom-killer", "\"trigger_comm\":\"mem_on_node0\",\"constraint\""},
        {" invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
         "\"trigger_comm\":\"\""},
        {"kworker/u17:0 invoked oom-killer: gfp_mask=0x0(), order=0, oom_score_adj=0\n"
         "               oom_policy=default",
         "\"oom_policy\":\"default\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_json(cases[i].line, cases[i].json);
}
END_TEST

START_TEST(the_asking_pid_comes_from_the_cpu_line)
{
    assert_json("apache2 invoked oom-killer: gfp_mask=0x201da, order=0, oom_score_adj=0\n"
                "apache2 cpuset=/ mems_allowed=0\n"
                "Pid: 1691, comm: apache2 Tainted: GF            3.8.0-29-generic #42-Ubuntu\n",
                "\"trigger_pid\":1691");
    assert_json("sed invoked oom-killer: gfp_mask=0x201da, order=0, oom_score_adj=0\n"
                "sed cpuset=a b c mems_allowed=0-1,4\n"
                "CPU: 4 PID: 77 Comm: kswapd0 Not tainted 5.4\n" /* another CPU's oops */
                "CPU: 4 PID: 29481 Comm: sed Not tainted 3.10.0-514.6.1.el7.x86_64 #1\n",
                "\"trigger_pid\":29481");
    assert_json("kworker/13:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, "
                "oom_score_adj=0\n"
                "CPU: 13 UID: 0 PID: 194 Comm: kworker/13:1-events Tainted: P  6.18.52 #1\n",
                "\"trigger_pid\":194");
    assert_json("sed invoked oom-killer: gfp_mask=0x201da, order=0, oom_score_adj=0\n"
                "sed cpuset=a b c mems_allowed=0-1,4\n",
                "\"cpuset\":\"a b c\",\"mems_allowed\":\"0-1,4\"");
}
END_TEST

START_TEST(header_pieces_are_joined)
{
    /* pr_cont of 4.10 to 4.14, each piece a record */
    assert_json("a.out invoked oom-killer: gfp_mask=0x14280ca(GFP_HIGHUSER), nodemask=\n"
                "BUG: something else\n"
                "(null)\n"
                ",  order=2, oom_score_adj=7\n",
                "\"trigger_oom_score_adj\":7,\"gfp_mask\":\"0x14280ca\",\"gfp_flags\":"
                "\"GFP_HIGHUSER\",\"order\":2,\"constraint\":\"unknown\",\"nodemask\":\"(null)\"");
    assert_json("a.out invoked oom-killer: gfp_mask=0x14280ca(GFP_HIGHUSER), nodemask=\n"
                "0-1,3, order=2, oom_score_adj=7\n",
                "\"nodemask\":\"0-1,3\"");
    /* a mail wrapped it */
    assert_json("a.out invoked oom-killer:\ngfp_mask=0x20(GFP_X), nodemask=(null), order=2, "
                "oom_score_adj=7\n",
                "\"trigger_comm\":\"a.out\",\"trigger_oom_score_adj\":7,\"gfp_mask\":\"0x20\"");
}
END_TEST

/* --- §oom-kill: ----------------------------------------------------------------------------------
 */

START_TEST(summaries_with_any_pieces_missing)
{
    static const struct {
        const char *line, *json;
    } cases[] = {
        {"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
         "task_memcg=/user.slice/session-2.scope,task=doxygen,pid=473206,uid=504",
         "\"constraint\":\"none\",\"constraint_text\":\"CONSTRAINT_NONE\",\"nodemask\":\"(null)\","
         "\"cpuset\":\"/\",\"mems_allowed\":\"0\",\"task_memcg\":\"/user.slice/session-2.scope\","
         "\"selected_pid\":473206,\"selected_comm\":\"doxygen\",\"selected_uid\":504"},
        {"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=sh,pid=7991,uid=0",
         "\"nodemask\":\"(null)\",\"selected_pid\":7991"},
        {"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,task=a,pid=4,"
         "uid=1",
         "\"mems_allowed\":\"0\",\"selected_pid\":4"},
        {"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=0-1,3,oom_memcg=/a,b=c,task_memcg=/a,b=c/d,"
         "task=x,pid=1,uid,pid=6736,uid=0",
         "\"nodemask\":\"0-1,3\",\"oom_memcg\":\"/a,b=c\",\"task_memcg\":\"/a,b=c/d\","
         "\"selected_pid\":6736,\"selected_comm\":\"x,pid=1,uid\",\"selected_uid\":0"},
        {"oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=(null),cpuset=te,st,mems_allowed=0,2-3,"
         "global_oom,task_memcg=/,task=a,pid=5,uid=0",
         "\"constraint\":\"cpuset\",\"constraint_text\":\"CONSTRAINT_CPUSET\",\"nodemask\":"
         "\"(null)\",\"cpuset\":\"te,st\",\"mems_allowed\":\"0,2-3\""},
        {"oom-kill:constraint=CONSTRAINT_MEMORY_POLICY,nodemask=1,task=a,pid=5,uid=0",
         "\"constraint\":\"memory_policy\""},
        /* 5.2-rc said NONE for a cgroup */
        {"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),oom_memcg=/foo,task_memcg=/foo,"
         "task=stress,pid=210,uid=0",
         "\"constraint\":\"memcg\",\"constraint_text\":\"CONSTRAINT_NONE\""},
        {"oom-kill:constraint=CONSTRAINT_BPF_PSI_MEM,nodemask=(null),task=a,pid=1,uid=0",
         "\"constraint_text\":\"CONSTRAINT_BPF_PSI_MEM\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_json(cases[i].line, cases[i].json);
}
END_TEST

START_TEST(a_cut_summary_does_not_name_a_wrong_pid)
{
    /* cut at a terminal's width: 10 is the start of 109… */
    assert_log("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a,task_memcg=/a,"
               "task=alloc_anon,pid=10\n"
               "Memory cgroup out of memory: Killed process 116849 (alloc_anon) total-vm:12236kB, "
               "anon-rss:6888kB, file-rss:0kB,\n",
               "1 - memcg /a killed 116849:alloc_anon - header\n");
}
END_TEST

START_TEST(summary_pieces_are_joined)
{
    /* a path too long for the record, and another CPU's record between */
    assert_json("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=\n"
                "cri-containerd-46b3.scope\n"
                ",mems_allowed=0,oom_memcg=\n"
                "usb 1-1: new high-speed USB device\n"
                "/kubepods.slice/a b\n"
                ",task_memcg=/kubepods.slice/a b/c\n"
                ",task=node,pid=22609,uid=7\n",
                "\"cpuset\":\"cri-containerd-46b3.scope\",\"mems_allowed\":\"0\",\"oom_memcg\":"
                "\"/kubepods.slice/a b\",\"task_memcg\":\"/kubepods.slice/a b/c\","
                "\"selected_pid\":22609,\"selected_comm\":\"node\",\"selected_uid\":7");
}
END_TEST

/* --- §decision and kill
 * ----------------------------------------------------------------------------- */

START_TEST(kill_lines_of_every_era)
{
    static const struct {
        const char *line, *json;
    } cases[] = {
        {"Out of memory: Killed process 23392 (seamonkey-bin).",
         "\"pid\":23392,\"comm\":\"seamonkey-bin\",\"reaped\""},
        {"No available memory (MPOL_BIND): Killed process 5 (x).", "\"pid\":5,\"comm\":\"x\""},
        {"No available memory in cpuset: Killed process 679783 (ncks).", "\"pid\":679783"},
        {"Out of memory: Killed process 5, UID 48, (x y).",
         "\"pid\":5,\"comm\":\"x y\",\"uid\":48,\"reaped\""},
        {"Killed process 6409 (konqueror)", "\"pid\":6409,\"comm\":\"konqueror\",\"reaped\""},
        {"Killed process 6608, UID 500, (top) total-vm:15028kB, anon-rss:308kB, file-rss:4kB",
         "\"pid\":6608,\"comm\":\"top\",\"uid\":500,\"total_vm_bytes\":15388672,"
         "\"anon_rss_bytes\":315392,\"file_rss_bytes\":4096,\"reaped\":false"},
        {"Killed process 7 (a) total-vm:4kB, anon-rss:8kB, file-rss:12kB",
         "\"total_vm_bytes\":4096,\"anon_rss_bytes\":8192,\"file_rss_bytes\":12288,\"reaped\""},
        {"Killed process 7 (a) total-vm:4kB, anon-rss:8kB, file-rss:12kB, shmem-rss:16kB",
         "\"file_rss_bytes\":12288,\"shmem_rss_bytes\":16384"},
        {"Killed process 42452 (memcg_test_1), UID 17, total-vm:7296kB, anon-rss:96kB, "
         "file-rss:164kB, shmem-rss:0kB",
         "\"pid\":42452,\"comm\":\"memcg_test_1\",\"uid\":17,\"total_vm_bytes\":7471104"},
        {"Memory cgroup out of memory: Killed process 5740 (pause) total-vm:1028kB, anon-rss:4kB, "
         "file-rss:0kB, shmem-rss:0kB",
         "\"pid\":5740,\"comm\":\"pause\",\"total_vm_bytes\":1052672"},
        {"Out of memory: Killed process 9 (a) total-vm:1kB, anon-rss:2kB, file-rss:3kB, "
         "shmem-rss:4kB, UID:5",
         "\"pid\":9,\"comm\":\"a\",\"uid\":5"},
        {"Out of memory (oom_kill_allocating_task): Killed process 9 (a) total-vm:1kB, "
         "anon-rss:2kB, file-rss:3kB, shmem-rss:4kB, UID:5 pgtables:6kB oom_score_adj:-7",
         "\"uid\":5,\"total_vm_bytes\":1024,\"anon_rss_bytes\":2048,\"file_rss_bytes\":3072,"
         "\"shmem_rss_bytes\":4096,\"pgtables_bytes\":6144,\"oom_score_adj\":-7"},
        /* blanks that a relay ate or added */
        {"Out of memory:Killed process 9 (a)  total-vm: 1kB,anon-rss: 2kB,  file-rss:3kB",
         "\"pid\":9,\"comm\":\"a\",\"total_vm_bytes\":1024,\"anon_rss_bytes\":2048,"
         "\"file_rss_bytes\":3072"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_json(cases[i].line, cases[i].json);
}
END_TEST

START_TEST(names_end_where_the_kernel_ends_them)
{
    static const struct {
        const char *line, *json;
    } cases[] = {
        {"Killed process 1 (a) total-vm:9kB) total-vm:4kB, anon-rss:8kB, file-rss:12kB",
         "\"comm\":\"a) total-vm:9kB\",\"total_vm_bytes\":4096"},
        {"Killed process 2 (), UID 0, (x) total-vm:4kB, anon-rss:8kB, file-rss:12kB",
         "\"comm\":\"), UID 0, (x\""},
        {"Killed process 3 ((sd-pam)) total-vm:4kB, anon-rss:8kB", "\"comm\":\"(sd-pam)\""},
        {"Killed process 4 () total-vm:4kB, anon-rss:8kB", "\"pid\":4,\"comm\":\"\""},
        {"Killed process 5 (runc:[2:INIT]) total-vm:4kB, anon-rss:8kB",
         "\"comm\":\"runc:[2:INIT]\""},
        {"Killed process 6 (\xff\x1b[2J) total-vm:4kB, anon-rss:8kB",
         "\"comm\":\"\\\\xff\\u001b[2J\""},
        {"Killed process 7 (cut", "\"pid\":7,\"comm\":\"cut\""},
        {"Killed process 8 (531) total-vm:4kB, anon-rss:8kB", "\"comm\":\"531\""},
        {"Out of memory: Killed process 9", "\"pid\":9,\"comm\":\"\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_json(cases[i].line, cases[i].json);
}
END_TEST

START_TEST(decisions_of_every_era)
{
    assert_log("Out of Memory: Kill process 679783 (ncks) score 12 and children.\n"
               "No available memory in cpuset: Killed process 679783 (ncks).\n",
               "1 - cpuset - killed 679783:ncks - header\n");
    assert_log("Out of memory: kill process 6304 (kdeinit4) score 1190231 or a child\n"
               "Killed process 6409 (konqueror)\n"
               "Out of memory: kill process 6304 (kdeinit4) score 1161265 or a child\n"
               "Killed process 6411 (krusader)\n",
               "1 - none - killed 6409:konqueror - header\n"
               "2 - none - killed 6411:krusader - header\n");
    assert_json("Out of memory: Kill process 6304 (kde) score 1190231 or sacrifice child\n"
                "Killed process 6409 (konqueror)\n",
                "\"selected_pid\":6304,\"selected_comm\":\"kde\",\"selected_score\":1190231");
    assert_json("Out of memory: Kill process 6576 (mysqld) score 651 or sacrifice child\n"
                "Killed process 6576 (mysqld) total-vm:1kB, anon-rss:1kB, file-rss:0kB\n",
                "\"score\":651,\"reaped\"");
    assert_json("Out of memory (oom_kill_allocating_task): Kill process 18992 (httpd.worker) score "
                "0 or sacrifice child\n",
                "\"allocating_task\":true,\"outcome\":\"unknown\"");
    /* a storm: the last decision's kill is cut */
    assert_log("Killed process 1000 (a), UID 0, total-vm:7296kB, anon-rss:96kB, file-rss:0kB\n"
               "Memory cgroup out of memory: Kill process 1001 (a) score 0 or sacrifice child\n"
               "Killed process 1001 (a), UID 0, total-vm:7296kB, anon-rss:96kB, file-rss:0kB\n"
               "Memory cgroup out of memory: Kill process 1002 (a) score 0 or sacrifice child\n",
               "1 - unknown - killed 1000:a - header\n"
               "2 - memcg - killed 1001:a - header\n"
               "3 - memcg - unknown - - header\n");
}
END_TEST

START_TEST(a_stuck_victim_is_chosen_again)
{
    assert_log("Out of memory: Kill process 20353 (httpd) score 0 or sacrifice child\n"
               "Killed process 22386, UID 48, (httpd) total-vm:4kB, anon-rss:4kB, file-rss:4kB\n"
               "Out of memory: Kill process 20353 (httpd) score 0 or sacrifice child\n"
               "Killed process 22386, UID 48, (httpd) total-vm:4kB, anon-rss:4kB, file-rss:4kB\n",
               "1 - none - killed 22386:httpd - header\n"
               "2 - none - killed 22386:httpd - header\n");
}
END_TEST

/* --- §groups, sharers, reaper
 * ----------------------------------------------------------------------- */

#define GROUP_KILL(pid_)                                                                           \
    "Memory cgroup out of memory: Killed process " pid_                                            \
    " (stress) total-vm:4kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:44kB "      \
    "oom_score_adj:-997\n"

START_TEST(a_group_kill_is_one_event)
{
    assert_log(
        "[ 10.000001] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/g,"
        "task_memcg=/g/x,task=stress,pid=12,uid=0\n"
        "[ 10.000002] " GROUP_KILL(
            "12") "[ 10.000003] Tasks in /g are going to be killed due to memory.oom.group set\n"
                  "[ 10.000004] " GROUP_KILL("11") "[ 10.000005] " GROUP_KILL(
                      "12") "[ 10.000006] Memory cgroup out of memory: OOM victim 14 (stress) is "
                            "already "
                            "exiting. Skip killing the task\n"
                            "[ 10.000007] " GROUP_KILL(
                                "13") "[ 10.500000] oom_reaper: reaped process 13 (stress), now "
                                      "anon-rss:0kB, "
                                      "file-rss:0kB, shmem-rss:0kB\n",
        "1 - memcg /g killed 12:stress,11:stress,13:stress* - header\n");
}
END_TEST

START_TEST(two_groups_without_headers_are_two_events)
{
    /* the second's header is held back by the rate limit */
    assert_log(
        "[ 10.000002] " GROUP_KILL(
            "12") "[ 10.000003] Tasks in /g are going to be killed due to memory.oom.group set\n"
                  "[ 10.000004] " GROUP_KILL("12") "[ 10.100000] " GROUP_KILL(
                      "22") "[ 10.100001] Tasks in /h are going to be killed due to "
                            "memory.oom.group set\n"
                            "[ 10.100002] " GROUP_KILL("22") "[ 10.100003] " GROUP_KILL("23"),
        "1 - memcg - killed 12:stress - header\n"
        "2 - memcg - killed 22:stress,23:stress - header\n");
}
END_TEST

START_TEST(members_without_the_group_line_are_one_event)
{
    assert_log(
        "[Tue Mar 11 10:16:36 2025] " GROUP_KILL("11") "[Tue Mar 11 10:16:36 2025] " GROUP_KILL(
            "12") "[Tue Mar 11 10:16:36 2025] Memory cgroup out of memory: OOM victim 14 (stress) "
                  "is "
                  "already exiting. Skip killing the task\n"
                  "[Tue Mar 11 10:16:36 2025] " GROUP_KILL("13"),
        "1 - memcg - killed 11:stress,12:stress,13:stress - header\n");
    /* kills a second apart and no skip: a storm */
    assert_log("[Tue Mar 11 10:16:36 2025] " GROUP_KILL(
                   "11") "[Tue Mar 11 10:16:38 2025] " GROUP_KILL("12"),
               "1 - memcg - killed 11:stress - header\n"
               "2 - memcg - killed 12:stress - header\n");
}
END_TEST

START_TEST(a_victim_that_exits_by_itself_is_no_kill)
{
    assert_log("a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
               "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=sh,pid=7991,uid=0\n"
               "Out of memory: OOM victim 7991 (sh) is already exiting. Skip killing the task\n"
               "Out of memory: Killed process 8000 (b) total-vm:4kB, anon-rss:8kB\n",
               "1 a none - no_victim - - memory\n"
               "2 - none - killed 8000:b - header\n");
}
END_TEST

START_TEST(init_dies_of_what_it_shares)
{
    static const char log[] =
        "Out of memory: Kill process 9134 (init) score 3 or sacrifice child       \n"
        "Killed process 9134 (init) total-vm:1868kB, anon-rss:84kB, file-rss:572kB\n"
        "Kill process 1 (init) sharing same memory\n"
        "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000009\n\n";

    assert_log(log, "1 - none - killed 9134:init Attempted to kill init! exitcode=0x00000009 "
                    "header\n");
    assert_json(log, "\"panic_is_consequence\":true");
    assert_json(log, "\"record\":\"sharer\",\"event\":1,\"pid\":1,\"comm\":\"init\"");
    /* init that died of something else */
    assert_log("Out of memory: Kill process 9134 (a) score 3 or sacrifice child\n"
               "Killed process 9134 (a) total-vm:1868kB, anon-rss:84kB, file-rss:572kB\n"
               "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n",
               "1 - none - killed 9134:a - header\n");
}
END_TEST

START_TEST(the_reaper_is_late_and_elsewhere)
{
    static const struct oom_record records[] = {
        {1, 100, 0, "Out of memory: Killed process 5 (a) total-vm:4kB, anon-rss:8kB"},
        {2, 200, 0, "Out of memory: Killed process 6 (b) total-vm:4kB, anon-rss:8kB"},
        {3, 55, 0, "oom_reaper: reaped process 5 (a), now anon-rss:0kB, file-rss:0kB"},
        {4, 55, 0, "oom_reaper: unable to reap pid:6 (b)"},
        {5, 55, 0, "oom_reaper: reaped process 7 (c), now anon-rss:0kB"}, /* its kill is cut */
    };

    assert_records(records, ARRAY_SIZE(records),
                   "1 - none - killed 5:a* - header\n2 - none - killed 6:b - header\n");
    /* the decision is there, the kill line is not: the reaper proves it */
    assert_log("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=sh,pid=7991,uid=0\n"
               "oom_reaper: reaped process 7991 (sh), now anon-rss:0kB, file-rss:0kB\n",
               "1 - none - killed 7991:sh* - header\n");
}
END_TEST

/* --- §panics
 * ---------------------------------------------------------------------------------------- */

START_TEST(panics_of_every_era)
{
    /* panic_on_oom=1 lets constrained allocations go on to a kill: where it panics there is none */
    static const struct {
        const char *text, *constraint;
    } panics[] = {
        {"out of memory. panic_on_oom is selected", "none"},
        {"out of memory from page fault. panic_on_oom is selected.", "unknown"},
        {"out of memory. Compulsory panic_on_oom is selected.", "unknown"},
        {"Out of memory: compulsory panic_on_oom is enabled", "unknown"},
        {"Out of memory: system-wide panic_on_oom is enabled", "none"},
        {"Out of memory and no killable processes...", "unknown"},
        {"System is deadlocked on memory", "unknown"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(panics); i++) {
        char log[500], want[200];

        snprintf(log, sizeof(log),
                 "a invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
                 "Kernel panic - not syncing: %s \n\n"
                 "Kernel panic - not syncing: %s\n"
                 "---[ end Kernel panic - not syncing: %s ]---\n",
                 panics[i].text, panics[i].text, panics[i].text);
        snprintf(want, sizeof(want), "1 a %s - panic - %s memory\n", panics[i].constraint,
                 panics[i].text);
        assert_log(log, want);
    }
}
END_TEST

START_TEST(nothing_to_kill)
{
    /* 4.19: a warning, then the panic that says why */
    assert_log("nfsd invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
               "Out of memory and no killable processes...\n"
               "Kernel panic - not syncing: System is deadlocked on memory\n",
               "1 nfsd unknown - panic - System is deadlocked on memory memory\n");
    /* in a control group it is no panic; the second one's end is cut */
    assert_log("kernel:  </TASK>\n"
               "kernel: Out of memory and no killable processes...\n"
               "kernel: systemd invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, "
               "oom_score_adj=100\n"
               "kernel:  mem_cgroup_out_of_memory+0xc2/0xd0\n",
               "1 - unknown - no_victim - - header\n"
               "2 systemd memcg - unknown - - outcome\n");
}
END_TEST

START_TEST(other_panics_are_not_ours)
{
    assert_log("Kernel panic - not syncing: corrupted stack end detected inside scheduler\n"
               "syz-executor642 invoked oom-killer: gfp_mask=0x6202c2(GFP_HIGHUSER), "
               "nodemask=(null), order=0, oom_score_adj=1000\n"
               "Kernel panic - not syncing: Fatal exception\n",
               "1 syz-executor642 unknown - unknown - - outcome\n");
}
END_TEST

/* --- §what is no event
 * -------------------------------------------------------------------------------- */

START_TEST(neighbours_are_no_events)
{
    assert_log(
        "v4l2src0:src: page allocation failure: order:5, mode:0xcc0(GFP_KERNEL), nodemask=(null)\n"
        "Mem-Info:\n"
        "active_anon:3060 inactive_anon:1925 isolated_anon:0\n"
        "Node 0 DMA free:904kB boost:0kB min:132kB low:164kB high:196kB\n"
        "Node 0 DMA: 4*4kB (UM) 31*8kB (UM) = 904kB\n"
        "72535 pages RAM\n"
        "swapper: page allocation failure. order:1, mode:0x20\n"
        "a: page allocation stalls for 10000ms, order:0\n"
        "python3: vmalloc: allocation failure, allocated 12288 of 20480 bytes\n"
        "SLUB: Unable to allocate memory on node -1 (gfp=0x20)\n"
        "OOM killer disabled.\nOOM killer enabled.\n"
        "sysrq: OOM request ignored. No task eligible\n"
        "Huh VM_FAULT_OOM leaked out to the #PF handler. Retrying PF\n"
        "oom_reaper: reaped process 7 (c), now anon-rss:0kB\n"
        "BUG: Bad page state in process oom_reaper  pfn:1234\n"
        "Would have killed process 5 (a). But continuing instead.\n"
        "VM: killing process a\n"
        "sysrq: Show Memory\nMem-Info:\nactive_anon:1 inactive_anon:2 isolated_anon:3\n"
        "[drm:i915_gem] *ERROR* Out of memory\n"
        "OOM notifer drv save info and reboot end\n",
        "");
}
END_TEST

START_TEST(a_failed_allocation_beside_an_event_gives_it_nothing)
{
    static const char log[] =
        "a: page allocation failure: order:5, mode:0xcc0(GFP_KERNEL)\n"
        "Mem-Info:\nactive_anon:1 inactive_anon:2 isolated_anon:3\n7 pages RAM\n"
        "b invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
        "Mem-Info:\nactive_anon:10 inactive_anon:20 isolated_anon:30\n70 pages RAM\n"
        "Out of memory: Killed process 8000 (b) total-vm:4kB, anon-rss:8kB\n";

    assert_log(log, "1 b none - killed 8000:b - complete\n");
    assert_json(log, "\"event\":1,\"active_anon_bytes\":40960");
    assert_json(log, "\"ram_bytes\":286720");
}
END_TEST

START_TEST(echoes_are_no_events)
{
    assert_log(
        "EXT4-fs (loop0): Unrecognized mount option \"x of memory: Killed process 1 (fake)\"\n"
        "a.out[12]: segfault at 0 Killed process 1 (x) total-vm:4kB\n"
        "audit: type=1400 comm=\"x invoked oom-killer: gfp_mask=0x0, order=0\"\n"
        "Comm: x Out of memory: Killed process 1 (x) total-vm:4kB\n"
        "[ 5.000000] FAT-fs: \"[    4.000000] Out of memory: Killed process 1 (x)\"\n"
        "[ 5.000001] x#012Out of memory: Killed process 1 (x) total-vm:4kB, anon-rss:8kB\n"
        "Mar  8 11:35:04 h sshd[1]: Out of memory: Killed process 1 (x) total-vm:4kB\n"
        "Mar  8 11:35:04 h evil: x invoked oom-killer: gfp_mask=0x0, order=0, oom_score_adj=0\n"
        "2024-03-08T11:36:09.123456+01:00 h evil[7]: x invoked oom-killer: gfp_mask=0x0, order=0\n"
        "<12>[ 6.000000] Out of memory: Killed process 1 (x) total-vm:4kB\n"
        "14,1,7000000,-;Out of memory: Killed process 1 (x) total-vm:4kB\n"
        "user  :err   : [ 6.000000] Out of memory: Killed process 1 (x) total-vm:4kB\n"
        "6,2,7000000,-;x\\x0aOut of memory: Killed process 1 (x) total-vm:4kB\n",
        "");
}
END_TEST

START_TEST(user_space_records_are_not_the_kernels)
{
    static const struct oom_record records[] = {
        {1, OOM_NONE, 1, "Out of memory: Killed process 5 (a) total-vm:4kB, anon-rss:8kB"},
        {2, OOM_NONE, 3, "a invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0"},
        {3, OOM_NONE, 0, "Out of memory: Killed process 6 (b) total-vm:4kB, anon-rss:8kB"},
    };

    assert_records(records, ARRAY_SIZE(records), "1 - none - killed 6:b - header\n");
}
END_TEST

/* --- §several CPUs
 * --------------------------------------------------------------------------------------- */

START_TEST(callers_keep_events_apart)
{
    static const struct oom_record records[] = {
        {10, 1, 0, "a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"},
        {11, 2, 0, "b invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=1, oom_score_adj=0"},
        {12, 2, 0, "CPU: 1 PID: 2 Comm: b Not tainted 6.1"},
        {13, 1, 0, "CPU: 0 PID: 1 Comm: a Not tainted 6.1"},
        {14, 2, 0, "memory: usage 32768kB, limit 32768kB, failcnt 21239"},
        {15, 1, 0, "Mem-Info:"},
        {16, 3, 0, "c: page allocation failure: order:5, mode:0xcc0(GFP_KERNEL)"},
        {17, 3, 0, "Mem-Info:"},
        {18, 1, 0, "active_anon:10 inactive_anon:20 isolated_anon:30"},
        {19, 3, 0, "active_anon:11 inactive_anon:21 isolated_anon:31"},
        {20, 2, 0, "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/m,task_memcg="},
        {21, 1, 0, "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=v,pid=70,uid=0"},
        {22, 2, 0, "/m"},
        {23, 2, 0, ",task=w,pid=80,uid=0"},
        {24, 1, 0, "Out of memory: Killed process 70 (v) total-vm:4kB, anon-rss:8kB"},
        {25, 2, 0, "Memory cgroup out of memory: Killed process 80 (w) total-vm:4kB, anon-rss:8kB"},
        {26, 9, 0, "oom_reaper: reaped process 70 (v), now anon-rss:0kB"},
    };

    assert_records(records, ARRAY_SIZE(records),
                   "1 a(1) none - killed 70:v* - complete\n"
                   "2 b(2) memcg /m killed 80:w - complete\n");
}
END_TEST

START_TEST(without_callers_the_decision_finds_its_kill)
{
    assert_log("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=v,pid=70,uid=0\n"
               "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/m,task_memcg=/m,"
               "task=w,pid=80,uid=0\n"
               "Out of memory: Killed process 70 (v) total-vm:4kB, anon-rss:8kB\n"
               "Memory cgroup out of memory: Killed process 80 (w) total-vm:4kB, anon-rss:8kB\n",
               "1 - none - killed 70:v - header\n2 - memcg /m killed 80:w - header\n");
}
END_TEST

START_TEST(lines_far_apart_are_of_different_events)
{
    assert_log("[  100.000000] a invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
               "[  900.000000] Out of memory: Killed process 70 (v) total-vm:4kB, anon-rss:8kB\n"
               "[  100.000000] b invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n",
               "1 a unknown - unknown - - outcome\n"
               "2 - none - killed 70:v - header\n"
               "3 b unknown - unknown - - outcome\n");
}
END_TEST

UNIT_SUITE("oomlog", headers_of_every_era, the_asking_pid_comes_from_the_cpu_line,
           header_pieces_are_joined, summaries_with_any_pieces_missing,
           a_cut_summary_does_not_name_a_wrong_pid, summary_pieces_are_joined,
           kill_lines_of_every_era, names_end_where_the_kernel_ends_them, decisions_of_every_era,
           a_stuck_victim_is_chosen_again, a_group_kill_is_one_event,
           two_groups_without_headers_are_two_events, members_without_the_group_line_are_one_event,
           a_victim_that_exits_by_itself_is_no_kill, init_dies_of_what_it_shares,
           the_reaper_is_late_and_elsewhere, panics_of_every_era, nothing_to_kill,
           other_panics_are_not_ours, neighbours_are_no_events,
           a_failed_allocation_beside_an_event_gives_it_nothing, echoes_are_no_events,
           user_space_records_are_not_the_kernels, callers_keep_events_apart,
           without_callers_the_decision_finds_its_kill, lines_far_apart_are_of_different_events)

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "extract/paniclog/paniclog.h"
#include "unit/suite.h"
#include "util/cleanup.h"

static struct paniclog feed(const char *log)
{
    struct paniclog p = {0};

    while (*log) {
        size_t len = strcspn(log, "\n");

        paniclog_line(&p, log, len);
        log += len + (log[len] == '\n');
    }
    return p;
}

/* The texts that panic() is called with in Linux 3.10 to 7.2, and what each means. */
START_TEST(panics_have_reasons)
{
    static const struct {
        const char *panic, *reason;
    } cases[] = {
        {"sysrq triggered crash\n", "sysrq"},
        {"Out of memory: system-wide panic_on_oom is enabled\n\n", "oom"},
        {"Out of memory: compulsory panic_on_oom is enabled\n", "oom"},
        {"Out of memory and no killable processes...\n", "oom"},
        {"out of memory. panic_on_oom is selected\n", "oom"},
        {"System is deadlocked on memory\n", "oom"},
        {"Out of memory when creating slab kmalloc-8\n", "unknown"},
        {"hung_task: blocked tasks", "hung_task"},
        {"softlockup: hung tasks", "soft_lockup"},
        {"Hard LOCKUP", "hard_lockup"},
        {"Watchdog detected hard LOCKUP on cpu 3", "hard_lockup"},
        {"NMI: Not continuing", "nmi"},
        {"An NMI occurred. Depending on your system the reason for the NMI is logged in any one of "
         "the following resources:",
         "nmi"},
        {"Fatal machine check on current CPU", "mce"},
        {"Fatal Machine check", "mce"},
        {"Timeout: Not all CPUs entered broadcast exception handler", "mce"},
        {"Fatal hardware error!", "mce"},
        {"panic_on_warn set ...\n", "warn"},
        {"kernel: panic_on_warn set ...", "warn"},
        {"KASAN: panic_on_warn set ...", "warn"},
        {"Attempted to kill init! exitcode=0x00000009\n", "user"},
        {"stack-protector: Kernel stack is corrupted in: do_x+0x1/0x2", "bug"},
        {"corrupted stack end detected inside scheduler\n", "bug"},
        {"Fatal exception in interrupt", "oops"},
        {"VFS: Unable to mount root fs on unknown-block(0,0)", "boot"},
        {"VFS: Unable to mount root fs on \"LABEL=x\" or unknown-block(0,0)", "boot"},
        {"No working init found.  Try passing init= option to kernel.", "boot"},
        {"No init found.  Try passing init= option to kernel.", "boot"},
        {"Requested init /bin/x failed (error -2).", "boot"},
        {"RCU Stall\n", "rcu_stall"},
        {"KFENCE: panic_on_warn set ...", "warn"},
        {"kernel: system warned too often (kernel.warn_limit is 100)", "warn"},
        {"kasan.fault=panic set ...\n", "bug"},
        {"Fatal local machine check", "mce"},
        {"EDAC MC0: UE page 0x1, offset 0x0, grain 8\n", "mce"},
        {"NMI IOCK error: Not continuing", "nmi"},
        {"Oopsed too often (kernel.oops_limit is 10000)", "oops"},
        {"bad mode", "oops"},
        {"Unhandled exception", "oops"},
        {"kernel stack overflow", "oops"},
        {"EXT4-fs (device sda1): panic forced after error\n", "unknown"},
        {"", "unknown"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char log[300];
        struct paniclog p;

        snprintf(log, sizeof(log), "Kernel panic - not syncing: %s", cases[i].panic);
        p = feed(log);
        ck_assert_msg(!strcmp(paniclog_reason(&p), cases[i].reason), "%s: %s", cases[i].panic,
                      paniclog_reason(&p));
        ck_assert(!paniclog_oops_is_cause(&p));
        ck_assert_ptr_null(strchr(p.panic, '\n'));
    }
}
END_TEST

static void assert_oops(const char *log, const char *reason, const char *oops)
{
    struct paniclog p = feed(log);

    ck_assert_str_eq(paniclog_reason(&p), reason);
    ck_assert_str_eq(p.oops, oops);
    ck_assert(paniclog_oops_is_cause(&p));
}

START_TEST(an_oops_is_named_by_its_cause)
{
    assert_oops("BUG: kernel NULL pointer dereference, address: 0000000000000010\n"
                "#PF: supervisor read access in kernel mode\n"
                "Oops: 0000 [#1] PREEMPT SMP NOPTI\n"
                "Kernel panic - not syncing: Fatal exception\n",
                "oops", "BUG: kernel NULL pointer dereference, address: 0000000000000010");
    /* straight from the oops to the capture kernel: no panic line */
    assert_oops("general protection fault: 0000 [#1] SMP \n", "oops",
                "general protection fault: 0000 [#1] SMP");
    assert_oops("kernel BUG at mm/slub.c:305!\n"
                "invalid opcode: 0000 [#1] SMP\n"
                "Kernel panic - not syncing: Fatal exception in interrupt\n",
                "bug", "kernel BUG at mm/slub.c:305!");
    assert_oops("Unable to handle kernel paging request at virtual address ffff000000000000\n"
                "Mem abort info:\n"
                "Internal error: Oops: 0000000096000004 [#1] SMP\n"
                "Kernel panic - not syncing: Oops: Fatal exception\n",
                "oops",
                "Unable to handle kernel paging request at virtual address ffff000000000000");
    assert_oops("x: Corrupted page table at address 7f0000000000\n"
                "Bad pagetable: 000d [#1] SMP\n"
                "Kernel panic - not syncing: Oopsed too often (kernel.oops_limit is 1)\n",
                "oops", "Bad pagetable: 000d [#1] SMP");
    /* sysrq-c of older kernels */
    assert_oops("SysRq : Trigger a crash\n"
                "BUG: unable to handle kernel NULL pointer dereference at           (null)\n"
                "IP: sysrq_handle_crash+0x16/0x20\n"
                "Oops: 0002 [#1] SMP \n",
                "sysrq",
                "BUG: unable to handle kernel NULL pointer dereference at           (null)");
}
END_TEST

START_TEST(the_last_word_counts)
{
    /* an oops that the machine outlived, then an OOM panic whose end repeats its text */
    struct paniclog p = feed("BUG: unable to handle page fault for address: ffffffffdeadbeef\n"
                             "Oops: 0000 [#1] SMP\n"
                             "CPU: 3 PID: 40 Comm: first Not tainted 6.1.0\n"
                             "BUG: Bad page state in process x  pfn:1234\n"
                             "Kernel panic - not syncing: System is deadlocked on memory\n"
                             "CPU: 1 PID: 77 Comm: a b Kdump: loaded Tainted: G      D 6.1.0\n"
                             "CPU: 2 PID: 78 Comm: other Not tainted\n"
                             "---[ end Kernel panic - not syncing: System is deadlocked ]---\n");

    ck_assert_str_eq(p.panic, "System is deadlocked on memory");
    ck_assert_str_eq(paniclog_reason(&p), "oom");
    ck_assert(p.where.present);
    ck_assert_uint_eq(p.where.cpu, 1);
    ck_assert_uint_eq(p.where.pid, 77);
    ck_assert_str_eq(p.where.comm, "a b");
    /* two oopses: the second one killed it */
    assert_oops("BUG: unable to handle page fault for address: 1\n"
                "Oops: 0000 [#1] SMP\n"
                "kernel BUG at a.c:1!\n"
                "invalid opcode: 0000 [#2]\n"
                "Kernel panic - not syncing: Fatal exception\n",
                "bug", "kernel BUG at a.c:1!");
    assert_oops("Oops: general protection fault: 0000 [#1]\n"
                "Oops: invalid opcode: 0000 [#2]\n",
                "oops", "Oops: invalid opcode: 0000 [#2]");
}
END_TEST

START_TEST(where_has_a_uid_in_newer_kernels)
{
    struct paniclog p = feed("Kernel panic - not syncing: x\n"
                             "CPU: 5 UID: 1000 PID: 4711 Comm: y Tainted: [W]=WARN 6.12.0\n");

    ck_assert_uint_eq(p.where.cpu, 5);
    ck_assert_uint_eq(p.where.pid, 4711);
    ck_assert_str_eq(p.where.comm, "y");
}
END_TEST

START_TEST(long_lines_are_cut)
{
    static char line[100000] = "Kernel panic - not syncing: ";
    struct paniclog p = {0};

    memset(line + strlen(line), 'x', sizeof(line) - 100);
    paniclog_line(&p, line, sizeof(line));
    ck_assert_uint_eq(strlen(p.panic), PANICLOG_TEXT_CAP - 1);
}
END_TEST

UNIT_SUITE("paniclog", panics_have_reasons, an_oops_is_named_by_its_cause, the_last_word_counts,
           where_has_a_uid_in_newer_kernels, long_lines_are_cut)

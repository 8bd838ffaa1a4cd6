/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extract/paniclog/paniclog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define PANIC_PREFIX "Kernel panic - not syncing: "
#define LINE_CAP     512

/* A panic's text holds this: why. The first that matches, so exceptions stand before their rule. */
static const struct {
    const char *text, *reason;
} panic_reasons[] = {
    {"sysrq triggered crash", "sysrq"},
    {"Out of memory when creating slab", "unknown"}, /* at boot: no OOM killer involved */
    {"Out of memory", "oom"},
    {"out of memory", "oom"}, /* before Linux 2.6.36 */
    {"System is deadlocked on memory", "oom"},
    {"hung_task: ", "hung_task"},
    {"softlockup: ", "soft_lockup"},
    {"ard LOCKUP", "hard_lockup"}, /* "Hard LOCKUP", "Watchdog detected hard LOCKUP on cpu 1" */
    {"RCU Stall", "rcu_stall"},    /* sysctl panic_on_rcu_stall */
    {"panic_on_warn", "warn"},     /* "KASAN: panic_on_warn set ...", KFENCE, UBSAN … */
    {"system warned too often", "warn"}, /* sysctl warn_limit */
    {"kasan.fault=panic", "bug"},
    {"achine check", "mce"}, /* "Machine check", "Fatal machine check" … */
    {"Machine Check", "mce"},
    {"MCE", "mce"},
    {"Timeout: Not all CPUs entered broadcast exception handler", "mce"},
    {"Memory error not recovered", "mce"},
    {"ardware error", "mce"}, /* "Fatal hardware error!", APEI */
    {"EDAC ", "mce"},
    {"Asynchronous SError Interrupt", "mce"}, /* arm64 */
    {"NMI", "nmi"},
    {"Non maskable interrupt", "nmi"},
    {"Attempted to kill init!", "user"},
    {"BUG!", "bug"},
    {"tack is corrupted", "bug"}, /* stack-protector */
    {"corrupted stack end detected", "bug"},
    {"stack overflow", "oops"},
    {"bad mode", "oops"},            /* arm64 before Linux 5.12 */
    {"Unhandled exception", "oops"}, /* arm64 */
    {"VFS: Unable to mount root", "boot"},
    {"No working init found", "boot"},
    {"No init found", "boot"},
    {"Requested init ", "boot"},
};

/* Panics that only say that an oops came before them. */
static const char *const oops_panics[] = {
    "Fatal exception", "Aiee, killing interrupt handler!", "Attempted to kill the idle task!",
    "Oopsed too often", /* sysctl oops_limit */
};

/*
 * Lines that begin an oops. A cause comes before the header that die() prints ("Oops: 0002 [#1]"),
 * and says more than that.
 */
static const struct {
    const char *start;
    bool is_header;
    const char *reason;
} oops_starts[] = {
    {"kernel BUG at ", false, "bug"},
    {"BUG: unable to handle ", false, "oops"},
    {"BUG: kernel NULL pointer dereference", false, "oops"},
    {"BUG: stack guard page was hit", false, "oops"},
    {"BUG: TASK stack guard page was hit", false, "oops"},
    {"BUG: IRQ stack guard page was hit", false, "oops"},
    {"Unable to handle kernel ", false, "oops"}, /* arm64 */
    {"PANIC: double fault", false, "oops"},
    {"traps: PANIC: double fault", false, "oops"},
    {"Oops", true, "oops"},
    {"Internal error: Oops - BUG", true, "bug"}, /* arm64 */
    {"Internal error: ", true, "oops"},
    {"general protection fault", true, "oops"},
    {"invalid opcode: ", true, "oops"},
    {"divide error: ", true, "oops"},
    {"double fault: ", true, "oops"},
    {"Bad pagetable: ", true, "oops"}, /* x86: reserved bits set in a page-table entry */
    {"stack segment: ", true, "oops"},
};

static bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static int find_oops_start(const char *line)
{
    for (size_t i = 0; i < ARRAY_SIZE(oops_starts); i++)
        if (starts_with(line, oops_starts[i].start))
            return (int)i;
    return -1;
}

/* Formats of panic() may end in a newline or blank of their own. */
static void copy_trimmed(char ret[static PANICLOG_TEXT_CAP], const char *s)
{
    size_t len = strlen(s);

    while (len && (s[len - 1] == ' ' || s[len - 1] == '\n'))
        len--;
    snprintf(ret, PANICLOG_TEXT_CAP, "%.*s", (int)len, s);
}

static void oops_line(struct paniclog *p, const char *line, bool is_header)
{
    if (!is_header || !p->oops[0] || p->oops_ended) {
        copy_trimmed(p->oops, line);
        p->oops_by_sysrq = false;
        p->expects_where = true;
    }
    p->oops_ended = is_header;
}

/* A comm may hold blanks; what follows it is one of these. */
static void copy_comm(char ret[static PANICLOG_COMM_CAP], const char *s)
{
    static const char *const after[] = {" Kdump: ", " Not tainted ", " Tainted: "};
    size_t len = strlen(s);

    for (size_t i = 0; i < ARRAY_SIZE(after); i++) {
        const char *end = strstr(s, after[i]);

        if (end && (size_t)(end - s) < len)
            len = (size_t)(end - s);
    }
    snprintf(ret, PANICLOG_COMM_CAP, "%.*s", (int)len, s);
}

/* dump_stack_print_info(); newer kernels print a UID before the PID. */
static void where_line(struct paniclog *p, const char *line)
{
    const char *pid = strstr(line, " PID: "), *comm = strstr(line, " Comm: ");

    if (!pid || !comm)
        return;
    p->where.present = true;
    p->where.cpu = strtoul(line + strlen("CPU: "), NULL, 10);
    p->where.pid = strtoul(pid + strlen(" PID: "), NULL, 10);
    copy_comm(p->where.comm, comm + strlen(" Comm: "));
    p->expects_where = false;
}

void paniclog_line(struct paniclog *p, const char *bytes, size_t len)
{
    char line[LINE_CAP];
    int oops;

    snprintf(line, sizeof(line), "%.*s", (int)(len < sizeof(line) ? len : sizeof(line)), bytes);
    oops = find_oops_start(line);
    if (oops >= 0)
        oops_line(p, line, oops_starts[oops].is_header);
    if (starts_with(line, PANIC_PREFIX)) {
        copy_trimmed(p->panic, line + strlen(PANIC_PREFIX));
        p->expects_where = true;
    }
    if (p->expects_where && starts_with(line, "CPU: "))
        where_line(p, line);
    /* older kernels let sysrq-c write to address 0, newer ones call panic() */
    if (p->oops[0] && strstr(line, "sysrq_handle_crash"))
        p->oops_by_sysrq = true;
}

static const char *oops_reason(const struct paniclog *p)
{
    int i = find_oops_start(p->oops);

    if (p->oops_by_sysrq)
        return "sysrq";
    return i < 0 ? "unknown" : oops_starts[i].reason;
}

bool paniclog_oops_is_cause(const struct paniclog *p)
{
    if (!p->oops[0])
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(oops_panics); i++)
        if (strstr(p->panic, oops_panics[i]))
            return true;
    return !p->panic[0];
}

const char *paniclog_reason(const struct paniclog *p)
{
    if (paniclog_oops_is_cause(p))
        return oops_reason(p);
    for (size_t i = 0; i < ARRAY_SIZE(oops_panics); i++)
        if (strstr(p->panic, oops_panics[i]))
            return "oops";
    for (size_t i = 0; i < ARRAY_SIZE(panic_reasons); i++)
        if (strstr(p->panic, panic_reasons[i].text))
            return panic_reasons[i].reason;
    return "unknown";
}

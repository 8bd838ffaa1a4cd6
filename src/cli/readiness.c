/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/human.h"
#include "util/cleanup.h"
#include "util/math.h"

const char *const readiness_names[N_READINESS] = {"ok", "warn", "fail", "unknown"};

void ready_found(struct ready_item *item, enum readiness state, const char *fmt, ...)
{
    va_list ap;

    item->state = state;
    va_start(ap, fmt);
    vsnprintf(item->found, sizeof(item->found), fmt, ap);
    va_end(ap);
}

void ready_todo(struct ready_item *item, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(item->todo, sizeof(item->todo), fmt, ap);
    va_end(ap);
}

enum readiness ready_worst(const struct ready_item *items, size_t n)
{
    static const int rank[N_READINESS] = {[READY_UNKNOWN] = 1, [READY_WARN] = 2, [READY_FAIL] = 3};
    enum readiness worst = READY_OK;

    for (size_t i = 0; i < n; i++)
        if (rank[items[i].state] > rank[worst])
            worst = items[i].state;
    return worst;
}

const char *ready_size(uint64_t bytes, char *ret, size_t size)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(READY_SIZE_LEN);

    human_size(&b, bytes);
    snprintf(ret, size, "%s", b.data ? b.data : "?");
    return ret;
}

static bool read_number(const struct machine *m, const char *path, uint64_t *ret)
{
    char line[64], *end;

    if (machine_line(m, path, line, sizeof(line)) || line[0] < '0' || line[0] > '9')
        return false;
    *ret = strtoull(line, &end, 10);
    return !*end;
}

/* ---- memory for the capture kernel ---------------------------------------------------------- */

/* memparse() of the kernel for what people write: 512, 64K, 256M, 4G. */
static uint64_t parse_size(const char *s, char **ret_end)
{
    uint64_t v = strtoull(s, ret_end, 0);
    static const char units[] = "KMGT";
    const char *unit = **ret_end ? strchr(units, **ret_end & ~0x20) : NULL;

    if (!unit)
        return v;
    ++*ret_end;
    return sat_mul_u64(v, 1ull << (10 * (unit - units + 1)));
}

uint64_t crashkernel_bytes(const char *spec, uint64_t memory_bytes)
{
    char *end;

    while (*spec) {
        uint64_t first = parse_size(spec, &end), last = UINT64_MAX;

        if (end == spec)
            return 0;
        if (*end != '-') /* no range: the size itself */
            return first;
        spec = end + 1;
        if (*spec != ':')
            last = parse_size(spec, &end);
        else
            end += 2;
        if (last != UINT64_MAX && *end++ != ':')
            return 0;
        spec = end;
        if (memory_bytes >= first && memory_bytes < last)
            return parse_size(spec, &end);
        spec += strcspn(spec, ",");
        spec += *spec == ',';
    }
    return 0;
}

/* What the distribution gives a machine of that size; 0 if that is not known, or nothing. */
static uint64_t wanted_bytes(const struct ready_machine *m, uint64_t reserved)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(64 << 10);
    char line[256], spec[256] = "";
    uint64_t memory = 0;
    const char *at;

    if (kdump_words[m->kind].crashkernel)
        snprintf(spec, sizeof(spec), "%s", kdump_words[m->kind].crashkernel);
    /* kdump-tools of each release has its own */
    if (m->kind == KDUMP_DEBIAN &&
        !machine_read(&m->machine, "/etc/default/grub.d/kdump-tools.cfg", &b) && b.len &&
        (at = strstr(b.data, "crashkernel=")))
        snprintf(spec, sizeof(spec), "%.*s", (int)strcspn(at + 12, " \"'\n"), at + 12);
    if (machine_line(&m->machine, "/proc/meminfo", line, sizeof(line)) ||
        strncmp(line, "MemTotal:", 9))
        return 0;
    memory = sat_add_u64(sat_mul_u64(strtoull(line + 9, NULL, 10), 1024), reserved);
    /* as the kernel does before it looks at ranges: memory that firmware keeps is not in MemTotal
     * ("kdump: round up the total memory size to 128M for crashkernel reservation", v5.8) */
    memory = sat_add_u64(memory, (128 << 20) - 1) & ~((128ull << 20) - 1);
    return crashkernel_bytes(spec, memory);
}

static void check_crashkernel(const struct ready_machine *m, struct ready_item *item)
{
    const struct kdump_words *words = &kdump_words[m->kind];
    uint64_t reserved, wanted;

    if (!read_number(&m->machine, "/sys/kernel/kexec_crash_size", &reserved)) {
        ready_found(item, READY_FAIL, "this kernel cannot load a capture kernel");
        ready_todo(item, "boot a kernel with CONFIG_CRASH_DUMP; or, in a container, run this on "
                         "the host");
        return;
    }
    wanted = wanted_bytes(m, reserved);
    if (!reserved) {
        ready_found(item, READY_FAIL, "no memory is reserved for a capture kernel");
        ready_todo(item, "add crashkernel=%s to the kernel's command line and reboot",
                   words->crashkernel ? words->crashkernel : "256M");
    } else if (reserved < wanted) {
        ready_found(item, READY_WARN, "%s reserved; the default of %s for this machine is %s",
                    READY_SIZE(reserved), words->name, READY_SIZE(wanted));
        ready_todo(item,
                   "give crashkernel=%" PRIu64 "M and reboot, unless a rehearsed crash "
                   "showed that less is enough",
                   wanted >> 20);
    } else if (!words->crashkernel) {
        ready_found(item, READY_OK, "%s reserved (kdumptool calibrate says what is needed)",
                    READY_SIZE(reserved));
    } else {
        ready_found(item, READY_OK, "%s reserved", READY_SIZE(reserved));
    }
}

/* kdump-tools that are not to be used load nothing, whoever asks. */
static bool is_switched_off(const struct ready_machine *m)
{
    char value[16];

    return m->kind == KDUMP_DEBIAN && (!machine_setting(&m->machine, "/etc/default/kdump-tools",
                                                        "USE_KDUMP", '=', value, sizeof(value)) ||
                                       !strcmp(value, "0") || !value[0]);
}

static void check_loaded(const struct ready_machine *m, struct ready_item *item)
{
    uint64_t loaded;

    if (!read_number(&m->machine, "/sys/kernel/kexec_crash_loaded", &loaded)) {
        ready_found(item, READY_FAIL, "this kernel cannot load a capture kernel");
        ready_todo(item, "boot a kernel with CONFIG_CRASH_DUMP");
    } else if (loaded) {
        ready_found(item, READY_OK, "a capture kernel is loaded");
    } else if (is_switched_off(m)) {
        ready_found(item, READY_FAIL, "no capture kernel is loaded, and kdump-tools are off");
        ready_todo(item, "set USE_KDUMP=1 in /etc/default/kdump-tools, then: systemctl restart "
                         "kdump-tools");
    } else {
        ready_found(item, READY_FAIL, "no capture kernel is loaded");
        ready_todo(item, "load it: %s", kdump_words[m->kind].load);
    }
}

/* ---- what the program needs of the kernel --------------------------------------------------- */

#define PROFILE_PATH "/etc/vmcore-summary.profile"

/* Whether /proc/kallsyms has a symbol; -errno if it cannot be read. Some 10 MB, read in pieces. */
static int has_symbol(const struct machine *m, const char *name)
{
    int fd = machine_openat(m, "/proc/kallsyms", O_RDONLY), found = 0;
    _cleanup_fclose_ FILE *f = fd >= 0 ? fdopen(fd, "re") : NULL;
    char line[1024];

    if (!f) {
        if (fd >= 0)
            close(fd);
        return fd < 0 ? fd : -ENOMEM;
    }
    /* a file may not end: 64 MiB are several times what a kernel has */
    for (unsigned n = 0; !found && n < 1 << 20 && fgets(line, sizeof(line), f); n++) {
        char *save = NULL, *word = strtok_r(line, " \t\n", &save);

        for (unsigned i = 0; word && i < 2; i++)
            word = strtok_r(NULL, " \t\n", &save);
        found = word && !strcmp(word, name);
    }
    return found;
}

static void check_symbols(const struct ready_machine *m, struct ready_item *item)
{
    /* a variable: a kernel without CONFIG_KALLSYMS_ALL has functions alone */
    int r = has_symbol(&m->machine, "init_task");

    if (r > 0) {
        ready_found(item, READY_OK, "the kernel has its symbols in memory, variables too");
        return;
    }
    if (machine_has(&m->machine, PROFILE_PATH)) {
        ready_found(item, READY_OK, PROFILE_PATH " stands in for symbols");
        return;
    }
    if (r < 0)
        ready_found(item, READY_WARN, "the kernel has no symbols in memory (/proc/kallsyms)");
    else
        ready_found(item, READY_WARN,
                    "the kernel has no symbols of variables in memory "
                    "(CONFIG_KALLSYMS_ALL)");
    ready_todo(item, "without a profile a summary has the log and little else: "
                     "vmcore-summary profile --output " PROFILE_PATH);
}

static void check_types(const struct ready_machine *m, struct ready_item *item)
{
    struct stat st;

    if (!machine_stat(&m->machine, "/sys/kernel/btf/vmlinux", &st)) {
        ready_found(item, READY_OK, "the kernel has its types in memory (BTF)");
    } else if (machine_has(&m->machine, PROFILE_PATH)) {
        ready_found(item, READY_OK, PROFILE_PATH " stands in for types");
    } else {
        ready_found(item, READY_WARN, "the kernel has no types in memory (CONFIG_DEBUG_INFO_BTF)");
        ready_todo(item, "without a profile a summary has the log and little else: "
                         "vmcore-summary profile --output " PROFILE_PATH);
    }
}

/* ---- when the kernel panics ----------------------------------------------------------------- */

struct ready_sysctl {
    const char *name, *path;
    const char *off, *on; /* what it means */
    const char *todo;     /* if it is off; NULL if either is fine */
};

static void check_sysctl(const struct ready_machine *m, const struct ready_sysctl *s,
                         struct ready_item *item)
{
    char value[32];
    bool off;

    if (machine_line(&m->machine, s->path, value, sizeof(value))) {
        ready_found(item, READY_UNKNOWN, "%s cannot be read", s->name);
        return;
    }
    off = !strcmp(value, "0");
    ready_found(item, off && s->todo ? READY_WARN : READY_OK, "%s = %s: %s", s->name, value,
                off ? s->off : s->on);
    if (off && s->todo)
        ready_todo(item, "%s", s->todo);
}

static void check_panic_on_oom(const struct ready_machine *m, struct ready_item *item)
{
    check_sysctl(m,
                 &(const struct ready_sysctl){
                     "vm.panic_on_oom", "/proc/sys/vm/panic_on_oom",
                     "out of memory, the kernel kills a process and goes on without a summary",
                     "out of memory, the kernel panics and leaves a summary",
                     "set vm.panic_on_oom = 1 in /etc/sysctl.d if such a machine is to leave a "
                     "summary and reboot; or --ignore panic_on_oom"},
                 item);
}

static void check_panic_on_oops(const struct ready_machine *m, struct ready_item *item)
{
    check_sysctl(m,
                 &(const struct ready_sysctl){
                     "kernel.panic_on_oops", "/proc/sys/kernel/panic_on_oops",
                     "after an oops the kernel goes on, damaged and without a summary",
                     "an oops leaves a summary",
                     "set kernel.panic_on_oops = 1 in /etc/sysctl.d; or --ignore panic_on_oops"},
                 item);
}

static void check_panic(const struct ready_machine *m, struct ready_item *item)
{
    check_sysctl(m,
                 &(const struct ready_sysctl){
                     "kernel.panic", "/proc/sys/kernel/panic",
                     "should the capture kernel not start, the machine stands still for ever",
                     "should the capture kernel not start, the machine reboots",
                     "set kernel.panic = 10 (seconds) in /etc/sysctl.d; or --ignore panic"},
                 item);
}

static void check_kill_allocating(const struct ready_machine *m, struct ready_item *item)
{
    /* out_of_memory() (mm/oom_kill.c) asks for panic_on_oom first */
    check_sysctl(m,
                 &(const struct ready_sysctl){
                     "vm.oom_kill_allocating_task", "/proc/sys/vm/oom_kill_allocating_task",
                     "the OOM killer chooses its victim by size",
                     "the OOM killer's victim is whoever asked, and says little of who held memory",
                     NULL},
                 item);
}

const struct ready_check ready_checks[] = {
    {"crashkernel", check_crashkernel},
    {"loaded", check_loaded},
    {"hook", ready_check_hook},
    {"image", ready_check_image},
    {"loaded_image", ready_check_loaded_image},
    {"symbols", check_symbols},
    {"types", check_types},
    {"target", ready_check_target},
    {"room", ready_check_room},
    {"panic_on_oom", check_panic_on_oom},
    {"panic_on_oops", check_panic_on_oops},
    {"panic", check_panic},
    {"oom_victim", check_kill_allocating},
};
const size_t n_ready_checks = ARRAY_SIZE(ready_checks);

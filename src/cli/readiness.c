/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "capture/config.h"
#include "capture/estimate.h"
#include "capture/target.h"
#include "cli/estimate_machine.h"
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

static const char *size_text(uint64_t bytes, char *ret, size_t size)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(64);

    human_size(&b, bytes);
    snprintf(ret, size, "%s", b.data ? b.data : "?");
    return ret;
}
#define SIZE(bytes) size_text(bytes, (char[64]){0}, 64)

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
                    SIZE(reserved), words->name, SIZE(wanted));
        ready_todo(item,
                   "give crashkernel=%" PRIu64 "M and reboot, unless a rehearsed crash "
                   "showed that less is enough",
                   wanted >> 20);
    } else if (!words->crashkernel) {
        ready_found(item, READY_OK, "%s reserved (kdumptool calibrate says what is needed)",
                    SIZE(reserved));
    } else {
        ready_found(item, READY_OK, "%s reserved", SIZE(reserved));
    }
}

static void check_loaded(const struct ready_machine *m, struct ready_item *item)
{
    uint64_t loaded;

    if (!read_number(&m->machine, "/sys/kernel/kexec_crash_loaded", &loaded)) {
        ready_found(item, READY_FAIL, "this kernel cannot load a capture kernel");
    } else if (loaded) {
        ready_found(item, READY_OK, "a capture kernel is loaded");
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

/* ---- where it goes -------------------------------------------------------------------------- */

/* The directory, or the nearest above it that is there: kdump and we make the rest. */
static int open_existing(const struct machine *m, const char *path, char *ret, size_t size)
{
    int fd;

    snprintf(ret, size, "%s", path);
    while ((fd = machine_openat(m, ret, O_RDONLY | O_DIRECTORY)) == -ENOENT && strlen(ret) > 1) {
        char *slash = strrchr(ret, '/');

        if (!slash)
            break;
        slash[slash == ret] = '\0';
    }
    return fd;
}

static void check_target(const struct ready_machine *m, struct ready_item *item)
{
    const struct kdump_target *t = &m->target;
    _cleanup_close_ int fd = -1;
    char path[PATH_MAX];
    struct statvfs fs;

    if (t->remote) {
        ready_found(item, READY_UNKNOWN, "%s: not tried from here", t->directory);
        ready_todo(item, "rehearse it: kdumpctl test, or a crash while nobody needs the machine");
        return;
    }
    if (!t->mounted) {
        ready_found(item, READY_UNKNOWN, "%s on %s, which is not mounted now; kdump mounts it",
                    t->directory, t->device);
        ready_todo(item, "mount it and check again, or see that it can be mounted");
        return;
    }
    fd = open_existing(&m->machine, t->directory, path, sizeof(path));
    if (fd < 0 || fstatvfs(fd, &fs)) {
        ready_found(item, READY_FAIL, "%s: %s", path, strerror(fd < 0 ? -fd : errno));
        ready_todo(item, "make that directory, or have kdump write elsewhere");
    } else if (fs.f_flag & ST_RDONLY) {
        ready_found(item, READY_WARN, "%s is on a file system that is read-only now", t->directory);
        ready_todo(item, "find out why: kdump remounts it, which fails after errors of a disk");
    } else {
        ready_found(item, READY_OK, "%s%s%s", t->directory, t->device[0] ? " on " : "", t->device);
    }
}

/* A summary is some tens of KiB, and its .txt a few; a log of the largest usual buffer, less than
 * that. */
#define SUMMARY_ROOM (1 << 20)

/* The level in a line of makedumpfile options; the last of several (-d 11,31) is what it falls back
 * to. */
static bool parse_level(const char *options, unsigned *ret)
{
    const char *at = strstr(options, "-d");
    char *end;

    if (!at)
        return false;
    for (at += 2; *at == ' ';)
        at++;
    for (;; at = end + 1) {
        unsigned long level = strtoul(at, &end, 10);

        if (end == at || level >= ESTIMATE_LEVELS)
            return false;
        *ret = (unsigned)level;
        if (*end != ',')
            return true;
    }
}

/* What the kdump of this machine is configured to leave out; what we assume if it does not say. */
static unsigned dump_level(const struct ready_machine *m, unsigned assumed)
{
    static const struct {
        const char *path, *key;
        char separator;
        const char *prefix;
    } settings[N_KDUMP_KINDS] = {
        [KDUMP_UTILS] = {"/etc/kdump.conf", "core_collector", ' ', ""},
        [KDUMP_SUSE] = {"/etc/sysconfig/kdump", "KDUMP_DUMPLEVEL", '=', "-d "},
        [KDUMP_DEBIAN] = {"/etc/default/kdump-tools", "MAKEDUMP_ARGS", '=', ""},
    };
    char value[512], options[520];
    unsigned level = assumed;

    if (settings[m->kind].path &&
        machine_setting(&m->machine, settings[m->kind].path, settings[m->kind].key,
                        settings[m->kind].separator, value, sizeof(value))) {
        snprintf(options, sizeof(options), "%s%s", settings[m->kind].prefix, value);
        parse_level(options, &level);
    }
    return level;
}

/* Whether the full dump fits too, by the kernel's counters as they are now. */
static void check_dump_room(const struct ready_machine *m, uint64_t room, struct ready_item *item)
{
    struct config config;
    struct estimate estimate = {0};
    char proc[PATH_MAX];
    unsigned level;
    uint64_t bytes;

    kdump_load_config(&m->machine, &config);
    level = dump_level(m, config.policy.level);
    estimate.compression = config.policy.compression;
    snprintf(proc, sizeof(proc), "%s/proc", m->machine.running ? "" : m->machine.root);
    if (m->kind == KDUMP_OWN || config.policy.mode == POLICY_INSTEAD) {
        ready_found(item, READY_OK, "%s free for summaries", SIZE(room));
        return;
    }
    if (estimate_machine(proc, &estimate, NULL)) {
        ready_found(item, READY_OK, "%s free for summaries; a full dump's size is not known",
                    SIZE(room));
        return;
    }
    bytes = estimate.levels[level].bytes;
    if (estimate_fits(&estimate.levels[level], config.policy.min_free_bytes, room)) {
        ready_found(item, READY_OK, "%s free; a full dump of level %u would be %s now", SIZE(room),
                    level, SIZE(bytes));
    } else if (config.policy.mode == POLICY_AUTO) {
        ready_found(item, READY_OK,
                    "%s free; a full dump of level %u would be %s now, and is left out", SIZE(room),
                    level, SIZE(bytes));
    } else {
        ready_found(item, READY_WARN,
                    "%s free is enough for a summary; a full dump of level %u would be %s now",
                    SIZE(room), level, SIZE(bytes));
        ready_todo(item, "make room, or let it be left out then: Mode=auto in " CONFIG_PATH);
    }
}

static void check_room(const struct ready_machine *m, struct ready_item *item)
{
    const struct kdump_target *t = &m->target;
    _cleanup_close_ int fd = -1;
    char path[PATH_MAX];
    uint64_t room;

    if (!t->remote && t->mounted)
        fd = open_existing(&m->machine, t->directory, path, sizeof(path));
    if (fd < 0 || target_free_bytes(fd, &room)) {
        ready_found(item, READY_UNKNOWN, "the target cannot be looked at");
        return;
    }
    if (room >= SUMMARY_ROOM) {
        check_dump_room(m, room, item);
        return;
    }
    ready_found(item, READY_FAIL, "%s free, which is not enough for a summary", SIZE(room));
    ready_todo(item, "remove what is not needed from the file system of %s", path);
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
    {"target", check_target},
    {"room", check_room},
    {"panic_on_oom", check_panic_on_oom},
    {"panic_on_oops", check_panic_on_oops},
    {"panic", check_panic},
    {"oom_victim", check_kill_allocating},
};
const size_t n_ready_checks = ARRAY_SIZE(ready_checks);

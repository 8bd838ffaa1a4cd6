/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a machine that `check` reads: the input is each of them at once. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/readiness.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const directories[] = {
    "etc",        "etc/sysconfig", "etc/default", "etc/default/grub.d", "proc",
    "proc/self",  "proc/sys",      "proc/sys/vm", "proc/sys/kernel",    "sys",
    "sys/kernel",
};
static const char *const files[] = {
    "etc/fstab",
    "etc/kdump.conf",
    "etc/sysconfig/kdump",
    "etc/default/kdump-tools",
    "etc/default/grub.d/kdump-tools.cfg",
    "proc/self/mountinfo",
    "proc/kallsyms",
    "proc/meminfo",
    "proc/zoneinfo",
    "proc/sys/vm/panic_on_oom",
    "proc/sys/kernel/panic",
    "sys/kernel/kexec_crash_size",
    "etc/vmcore-summary.conf",
};

static char root[] = "/tmp/fuzz-machine-XXXXXX";

/* In their reverse order, so that directories are empty by then. */
static void remove_tree(void)
{
    if (chdir(root))
        return;
    for (size_t i = ARRAY_SIZE(files); i--;)
        unlink(files[i]);
    for (size_t i = ARRAY_SIZE(directories); i--;)
        rmdir(directories[i]);
    rmdir(root);
}

static void make_tree(void)
{
    if (!mkdtemp(root) || chdir(root))
        abort();
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
        if (mkdir(directories[i], 0755))
            abort();
    atexit(remove_tree);
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    struct ready_machine m = {.machine = MACHINE_INIT};
    struct ready_item items[32] = {0};
    char cwd[4096];

    if (!getcwd(cwd, sizeof(cwd)))
        abort();
    if (!made)
        make_tree();
    made = true;
    if (chdir(root))
        abort();
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        write_file(files[i], data, size);
    if (machine_open(root, NULL, &m.machine) || n_ready_checks > ARRAY_SIZE(items))
        abort();
    for (m.kind = 0; m.kind < N_KDUMP_KINDS; m.kind++) {
        kdump_find_target(&m.machine, m.kind, &m.target);
        kdump_find_summaries(&m.machine, m.kind, &m.summaries);
        for (size_t i = 0; i < n_ready_checks; i++) {
            ready_checks[i].run(&m, &items[i]);
            if (!items[i].found[0])
                abort();
        }
    }
    machine_done(&m.machine);
    return chdir(cwd);
}

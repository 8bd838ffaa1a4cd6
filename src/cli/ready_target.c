/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the dump and the summary have a place to go, and room there. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "capture/config.h"
#include "capture/estimate.h"
#include "capture/target.h"
#include "cli/estimate_machine.h"
#include "cli/readiness.h"
#include "util/cleanup.h"

/* ---- a place -------------------------------------------------------------------------------- */

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

/* -errno if this process may not write there; root may, unless something else forbids it. */
static int may_write(int fd)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return geteuid() || !access(path, W_OK) ? 0 : -errno;
}

/* What is wrong with a place; false if nothing is. */
static bool complain(const struct ready_machine *m, const struct kdump_target *t,
                     struct ready_item *item)
{
    _cleanup_close_ int fd = -1;
    char path[PATH_MAX];
    struct statvfs fs;
    int r;

    if (t->remote) {
        ready_found(item, READY_UNKNOWN, "%s: not tried from here", t->directory);
        ready_todo(item, "rehearse it: kdumpctl test, or a crash while nobody needs the machine");
        return true;
    }
    if (!t->mounted) {
        ready_found(item, READY_UNKNOWN, "%s on %s, which is not mounted now; kdump mounts it",
                    t->directory, t->device);
        ready_todo(item, "mount it and check again, or see that it can be mounted");
        return true;
    }
    fd = open_existing(&m->machine, t->directory, path, sizeof(path));
    r = fd < 0 ? fd : fstatvfs(fd, &fs) ? -errno : 0;
    if (!r && fs.f_flag & ST_RDONLY) {
        ready_found(item, READY_WARN, "%s is on a file system that is read-only now", t->directory);
        ready_todo(item, "find out why: the capture kernel mounts it anew, but as fstab says, and "
                         "not after errors of a disk");
        return true;
    }
    r = r ? r : may_write(fd);
    if (r) {
        ready_found(item, READY_FAIL, "%s: %s", path, strerror(-r));
        ready_todo(item, "make that a directory that root can write to, or have kdump write "
                         "elsewhere");
    }
    return r;
}

/* Also what target_open_new() would refuse. */
static bool complain_of_summaries(const struct ready_machine *m, struct ready_item *item)
{
    const struct kdump_target *t = &m->summaries;
    struct stat st;
    char link[4];
    int r;

    if (complain(m, t, item))
        return true;
    r = machine_link(&m->machine, t->directory, link, sizeof(link));
    if (!r || r == -ENAMETOOLONG) {
        ready_found(item, READY_FAIL, "%s is a symbolic link, which is not followed there",
                    t->directory);
        ready_todo(item, "make it a directory; the ones above it may be links");
        return true;
    }
    if (machine_stat(&m->machine, t->directory, &st) || !st.st_uid || st.st_uid == geteuid())
        return false;
    ready_found(item, READY_FAIL, "%s belongs to someone else than root", t->directory);
    ready_todo(item, "chown root %s, and see what is in it", t->directory);
    return true;
}

/* The dump and the summary have settings of their own there. */
static void check_target_debian(const struct ready_machine *m, struct ready_item *item)
{
    const struct kdump_target *t = &m->target, *s = &m->summaries;

    if (t->remote) {
        ready_found(item, READY_OK, "summaries in %s%s%s; dumps go to %s, which is not tried",
                    s->directory, s->device[0] ? " on " : "", s->device, t->directory);
    } else if (complain(m, t, item)) {
        if (item->state == READY_FAIL) /* of the summary, it is none */
            item->state = READY_WARN;
    } else {
        ready_found(item, READY_OK, "summaries in %s%s%s, dumps in %s%s%s", s->directory,
                    s->device[0] ? " on " : "", s->device, t->directory, t->device[0] ? " on " : "",
                    t->device);
    }
}

void ready_check_target(const struct ready_machine *m, struct ready_item *item)
{
    const struct kdump_target *t = &m->target;
    bool is_one = m->kind != KDUMP_DEBIAN;

    if ((is_one && complain(m, t, item)) || complain_of_summaries(m, item))
        return;
    if (is_one)
        ready_found(item, READY_OK, "%s%s%s", t->directory, t->device[0] ? " on " : "", t->device);
    else
        check_target_debian(m, item);
}

/* ---- room ----------------------------------------------------------------------------------- */

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

/* What there is, for whom. */
struct rooms {
    uint64_t summaries_bytes, dump_bytes;
    bool is_one; /* file system */
};

static const char *rooms_text(const struct rooms *r, char *ret, size_t size)
{
    if (r->is_one)
        snprintf(ret, size, "%s free", READY_SIZE(r->dump_bytes));
    else
        snprintf(ret, size, "%s free for summaries, %s for dumps", READY_SIZE(r->summaries_bytes),
                 READY_SIZE(r->dump_bytes));
    return ret;
}

/* Whether the full dump fits too, by the kernel's counters as they are now. */
static void check_dump_room(const struct ready_machine *m, const struct config *config,
                            const struct rooms *rooms, struct ready_item *item)
{
    unsigned level = dump_level(m, config->policy.level);
    struct estimate estimate = {.compression = config->policy.compression};
    const struct estimate_level *l = &estimate.levels[level];
    char proc[PATH_MAX], text[4 * READY_SIZE_LEN];

    rooms_text(rooms, text, sizeof(text));
    snprintf(proc, sizeof(proc), "%s/proc", m->machine.running ? "" : m->machine.root);
    if (estimate_machine(proc, &estimate, NULL)) {
        ready_found(item, READY_OK, "%s; a full dump's size is not known", text);
    } else if (estimate_fits(l, config->policy.min_free_bytes, rooms->dump_bytes)) {
        ready_found(item, READY_OK, "%s; a full dump of level %u would be %s now", text, level,
                    READY_SIZE(l->bytes));
    } else if (config->policy.mode == POLICY_AUTO) {
        ready_found(item, READY_OK, "%s; a full dump of level %u would be %s now, and is left out",
                    text, level, READY_SIZE(l->bytes));
    } else {
        ready_found(item, READY_WARN,
                    "%s, enough for a summary; a full dump of level %u would be %s now", text,
                    level, READY_SIZE(l->bytes));
        ready_todo(item, "make room, or let it be left out then: Mode=auto in " CONFIG_PATH);
    }
}

/* -errno if it cannot be looked at; *ret_device tells file systems apart. */
static int look_at(const struct machine *m, const struct kdump_target *t, uint64_t *ret_free_bytes,
                   dev_t *ret_device)
{
    _cleanup_close_ int fd = -1;
    char path[PATH_MAX];
    struct stat st;

    if (!t->remote && t->mounted)
        fd = open_existing(m, t->directory, path, sizeof(path));
    if (fd < 0 || fstat(fd, &st))
        return -ENOENT;
    *ret_device = st.st_dev;
    return target_free_bytes(fd, ret_free_bytes);
}

void ready_check_room(const struct ready_machine *m, struct ready_item *item)
{
    struct rooms rooms = {0};
    struct config config;
    dev_t device, dump_device;

    kdump_load_config(&m->machine, &config);
    if (look_at(&m->machine, &m->summaries, &rooms.summaries_bytes, &device)) {
        ready_found(item, READY_UNKNOWN, "the target cannot be looked at");
    } else if (rooms.summaries_bytes < SUMMARY_ROOM) {
        ready_found(item, READY_FAIL, "%s free, which is not enough for a summary",
                    READY_SIZE(rooms.summaries_bytes));
        ready_todo(item, "remove what is not needed from the file system of %s",
                   m->summaries.directory);
    } else if (m->kind == KDUMP_OWN || config.policy.mode == POLICY_INSTEAD || m->target.remote) {
        ready_found(item, READY_OK, "%s free for summaries", READY_SIZE(rooms.summaries_bytes));
    } else if (look_at(&m->machine, &m->target, &rooms.dump_bytes, &dump_device)) {
        ready_found(item, READY_UNKNOWN,
                    "%s free for summaries; the room for dumps in %s cannot be seen",
                    READY_SIZE(rooms.summaries_bytes), m->target.directory);
    } else {
        rooms.is_one = device == dump_device;
        check_dump_room(m, &config, &rooms, item);
    }
}

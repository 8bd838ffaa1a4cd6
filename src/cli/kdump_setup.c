/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/kdump_setup.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "capture/config.h"
#include "util/cleanup.h"

#define KDUMP_CONF      "/etc/kdump.conf"
#define KDUMP_SYSCONFIG "/etc/sysconfig/kdump" /* also SUSE's only one */
#define DEBIAN_CONF     "/etc/default/kdump-tools"
#define DEFAULT_TARGET  "/var/crash"

/*
 * crashkernel: kdump-utils' own default where it is smallest, so that more is never asked for than
 * `kdumpctl get-default-crashkernel` would; Debian 12's; what vmcore-summary-mkimage(8) says.
 */
const struct kdump_words kdump_words[N_KDUMP_KINDS] = {
    [KDUMP_UTILS] = {"kdump-utils", "systemctl enable --now kdump", "systemctl restart kdump",
                     "touch /etc/kdump.conf && kdumpctl restart", "kdump.service",
                     "2G-64G:256M,64G-:512M"},
    [KDUMP_SUSE] = {"SUSE kdump", "systemctl enable --now kdump", "systemctl restart kdump",
                    "mkdumprd -f && systemctl restart kdump", "kdump.service", NULL},
    [KDUMP_DEBIAN] = {"kdump-tools", "systemctl enable --now kdump-tools",
                      "kdump-config unload && kdump-config load",
                      "kdump-config unload && kdump-config load", NULL, "384M-:128M"},
    [KDUMP_OWN] = {"own image", "kexec -p (see vmcore-summary-mkimage(8))",
                   "kexec -p (see vmcore-summary-mkimage(8))", KDUMP_LIBDIR "/mkimage", NULL,
                   "256M"},
};

enum kdump_kind kdump_find(const struct machine *m)
{
    /* Fedora has /etc/sysconfig/kdump and mkdumprd as SUSE does, and so is asked for first */
    static const struct {
        const char *path;
        enum kdump_kind kind;
    } signs[] = {
        {"/usr/bin/kdumpctl", KDUMP_UTILS},       {"/usr/sbin/kdumpctl", KDUMP_UTILS},
        {"/usr/sbin/kdump-config", KDUMP_DEBIAN}, {"/usr/lib/kdump/kdump-save", KDUMP_SUSE},
        {"/usr/sbin/mkdumprd", KDUMP_SUSE},
    };

    for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
        if (machine_has(m, signs[i].path))
            return signs[i].kind;
    return KDUMP_OWN;
}

/* ---- the target ----------------------------------------------------------------------------- */

/* mountinfo writes blanks and backslashes of a path as \ooo (Documentation/filesystems/proc.rst) */
static void unescape(char *s)
{
    char *to = s;

    for (; *s; s++) {
        if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
            s[3] >= '0' && s[3] <= '7') {
            *to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
            s += 3;
        } else {
            *to++ = *s;
        }
    }
    *to = '\0';
}

/* /dev/disk/by-uuid/X of UUID=X, and so on. */
static void device_node(const char *device, char *ret, size_t size)
{
    static const struct {
        const char *tag, *directory;
    } tags[] = {{"UUID=", "by-uuid"},
                {"LABEL=", "by-label"},
                {"PARTUUID=", "by-partuuid"},
                {"PARTLABEL=", "by-partlabel"}};

    for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
        if (!strncmp(device, tags[i].tag, strlen(tags[i].tag))) {
            snprintf(ret, size, "/dev/disk/%s/%s", tags[i].directory, device + strlen(tags[i].tag));
            return;
        }
    snprintf(ret, size, "%s", device);
}

/* Whether a mount's "MAJOR:MINOR" or source is the device at node. */
static bool is_device(const struct machine *m, const char *node, const char *number,
                      const char *source)
{
    char want[32] = "";
    struct stat a;

    if (!strcmp(node, source))
        return true;
    if (machine_stat(m, node, &a) || !S_ISBLK(a.st_mode))
        return false;
    snprintf(want, sizeof(want), "%u:%u", major(a.st_rdev), minor(a.st_rdev));
    return !strcmp(want, number);
}

/* Where a device is mounted as a whole, or as kdump finds it: by its source. */
static bool find_mount(const struct machine *m, const char *device, char *ret, size_t size)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);
    char node[600], *save = NULL;

    device_node(device, node, sizeof(node));
    if (machine_read(m, "/proc/self/mountinfo", &b) || !b.len)
        return false;
    for (char *line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *word[5] = {NULL}, *rest = strstr(line, " - "), *source, *in = NULL;

        if (!rest)
            continue;
        *rest = '\0';
        for (unsigned i = 0; i < ARRAY_SIZE(word); i++)
            word[i] = strtok_r(i ? NULL : line, " ", &in);
        source = strtok_r(rest + 3, " ", &in) ? strtok_r(NULL, " ", &in) : NULL;
        if (!word[4] || !source || !is_device(m, node, word[2], source))
            continue;
        unescape(word[4]);
        snprintf(ret, size, "%s", word[4]);
        return true;
    }
    return false;
}

static void set_remote(struct kdump_target *t, const char *how, const char *where)
{
    t->remote = true;
    snprintf(t->directory, sizeof(t->directory), "%s %s", how, where);
}

static void find_target_utils(const struct machine *m, struct kdump_target *t)
{
    static const char *const remotes[] = {"ssh", "raw", "nfs", "nfs4", "net"};
    static const char *const types[] = {"ext2",  "ext3", "ext4", "xfs",     "btrfs",
                                        "minix", "f2fs", "vfat", "virtiofs"};
    char value[512], path[512];

    if (!machine_setting(m, KDUMP_CONF, "path", ' ', path, sizeof(path)) || !path[0])
        snprintf(path, sizeof(path), "%s", DEFAULT_TARGET);
    for (size_t i = 0; i < ARRAY_SIZE(remotes); i++)
        if (machine_setting(m, KDUMP_CONF, remotes[i], ' ', value, sizeof(value))) {
            set_remote(t, remotes[i], value);
            return;
        }
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (machine_setting(m, KDUMP_CONF, types[i], ' ', t->device, sizeof(t->device))) {
            char point[2048] = "";

            t->mounted = find_mount(m, t->device, point, sizeof(point));
            snprintf(t->directory, sizeof(t->directory), "%s/%s", strcmp(point, "/") ? point : "",
                     path + strspn(path, "/"));
            return;
        }
    snprintf(t->directory, sizeof(t->directory), "%s", path);
    /* dracut_args --mount "DEVICE POINT TYPE OPTIONS" is a target too */
    if (machine_setting(m, KDUMP_CONF, "dracut_args", ' ', value, sizeof(value)) &&
        strstr(value, "--mount")) {
        snprintf(t->device, sizeof(t->device), "%s", value);
        t->mounted = false;
    }
}

static void find_target_suse(const struct machine *m, struct kdump_target *t)
{
    char value[512];
    const char *path = value;

    if (!machine_setting(m, KDUMP_SYSCONFIG, "KDUMP_SAVEDIR", '=', value, sizeof(value)) ||
        !value[0])
        path = DEFAULT_TARGET;
    if (!strncmp(path, "file://", 7))
        path += 7;
    if (strstr(path, "://"))
        set_remote(t, "to", path);
    else
        snprintf(t->directory, sizeof(t->directory), "%s", path);
}

void kdump_load_config(const struct machine *m, struct config *ret)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s%s", m->running ? "" : m->root, CONFIG_PATH);
    config_read(path, ret);
}

/* Whether a directory is something's mount point now. */
static bool is_mounted(const struct machine *m, const char *point)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);
    char *save = NULL;

    if (machine_read(m, "/proc/self/mountinfo", &b) || !b.len)
        return true; /* nobody knows */
    for (char *line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *in = NULL, *word = strtok_r(line, " ", &in);

        for (unsigned i = 0; word && i < 4; i++)
            word = strtok_r(NULL, " ", &in);
        if (!word)
            continue;
        unescape(word);
        if (!strcmp(word, point))
            return true;
    }
    return false;
}

/* How much of a path is a mount point of fstab's, if that is the deepest so far. */
static bool is_below(const char *path, const char *point, size_t longer_than)
{
    size_t len = strlen(point);

    return len > longer_than && len > 1 && !strncmp(path, point, len) &&
           (path[len] == '/' || !path[len]);
}

/* The file system that the capture kernel boots mounts by /etc/fstab what a directory lies on. */
static void find_fstab_mount(const struct machine *m, struct kdump_target *t)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);
    char *save = NULL, point[PATH_MAX] = "";

    if (machine_read(m, "/etc/fstab", &b) || !b.len)
        return;
    for (char *line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *in = NULL, *word[4] = {NULL};

        for (unsigned i = 0; i < ARRAY_SIZE(word); i++)
            word[i] = strtok_r(i ? NULL : line, " \t", &in);
        if (!word[3] || word[0][0] == '#' || strstr(word[3], "noauto"))
            continue;
        unescape(word[1]);
        if (!is_below(t->directory, word[1], strlen(point)))
            continue;
        snprintf(point, sizeof(point), "%s", word[1]);
        snprintf(t->device, sizeof(t->device), "%s", word[0]);
    }
    t->mounted = !point[0] || is_mounted(m, point);
}

static void find_target_own(const struct machine *m, struct kdump_target *t)
{
    struct config config;

    kdump_load_config(m, &config);
    snprintf(t->directory, sizeof(t->directory), "%s", config.directory);
    find_fstab_mount(m, t);
}

/* As kdump-config takes them: NFS before SSH before FTP. */
static void find_target_debian(const struct machine *m, struct kdump_target *t)
{
    static const char *const remotes[] = {"NFS", "SSH", "FTP"};
    char value[512];

    for (size_t i = 0; i < ARRAY_SIZE(remotes); i++)
        if (machine_setting(m, DEBIAN_CONF, remotes[i], '=', value, sizeof(value)) && value[0]) {
            set_remote(t, remotes[i], value);
            return;
        }
    if (!machine_setting(m, DEBIAN_CONF, "KDUMP_COREDIR", '=', value, sizeof(value)) || !value[0])
        snprintf(value, sizeof(value), "%s", DEFAULT_TARGET);
    snprintf(t->directory, sizeof(t->directory), "%s", value);
    find_fstab_mount(m, t);
}

void kdump_find_target(const struct machine *m, enum kdump_kind kind, struct kdump_target *ret)
{
    static void (*const finders[N_KDUMP_KINDS])(const struct machine *, struct kdump_target *) = {
        [KDUMP_UTILS] = find_target_utils,
        [KDUMP_SUSE] = find_target_suse,
        [KDUMP_DEBIAN] = find_target_debian,
        [KDUMP_OWN] = find_target_own,
    };

    *ret = (struct kdump_target){.mounted = true};
    finders[kind](m, ret);
}

void kdump_find_summaries(const struct machine *m, enum kdump_kind kind, struct kdump_target *ret)
{
    size_t len;

    if (kind == KDUMP_DEBIAN || kind == KDUMP_OWN) {
        *ret = (struct kdump_target){.mounted = true};
        find_target_own(m, ret);
        return;
    }
    kdump_find_target(m, kind, ret);
    len = strlen(ret->directory);
    if (!ret->remote)
        snprintf(ret->directory + len, sizeof(ret->directory) - len, "/vmcore-summary");
}

/* ---- the image ------------------------------------------------------------------------------ */

/* Of the kernel that a crash boots: the running one, but where kdump-utils is told another. */
static void kernel_release(const struct machine *m, enum kdump_kind kind, char *ret, size_t size)
{
    if (kind != KDUMP_UTILS ||
        !machine_setting(m, KDUMP_SYSCONFIG, "KDUMP_KERNELVER", '=', ret, size) || !ret[0])
        machine_line(m, "/proc/sys/kernel/osrelease", ret, size);
}

bool kdump_find_image(const struct machine *m, enum kdump_kind kind, char *ret, size_t size)
{
    static const char *const patterns[N_KDUMP_KINDS][3] = {
        /* kdump-utils' prepare_kdump_bootinfo(): the second where /boot cannot be written to */
        [KDUMP_UTILS] = {"/boot/initramfs-%skdump.img", "/var/lib/kdump/initramfs-%skdump.img"},
        [KDUMP_SUSE] = {"/var/lib/kdump/initrd"},
        [KDUMP_OWN] = {"/boot/vmcore-summary-%s.img"},
    };
    char release[128];

    ret[0] = '\0';
    kernel_release(m, kind, release, sizeof(release));
    for (size_t i = 0; i < 2 && patterns[kind][i]; i++) {
        const char *pattern = patterns[kind][i], *at = strstr(pattern, "%s");

        if (at)
            snprintf(ret, size, "%.*s%s%s", (int)(at - pattern), pattern, release, at + 2);
        else
            snprintf(ret, size, "%s", pattern);
        if (machine_has(m, ret))
            return true;
    }
    return false;
}

const char *kdump_newer_file(const struct machine *m, enum kdump_kind kind,
                             const struct stat *image)
{
    const char *const files[] = {
        CONFIG_PATH,
        /* a directory is newer when a file has come or gone, or an editor has replaced it */
        CONFIG_PATH ".d",
        "/etc/vmcore-summary.profile",
        KDUMP_LIBDIR "/vmcore-summary",
        KDUMP_LIBDIR "/capture-lib.sh",
        kind == KDUMP_SUSE ? KDUMP_LIBDIR "/suse-kdump.sh" : KDUMP_LIBDIR "/kdump-utils.sh",
        /* kdump-utils reads its other file when it loads the image */
        kind == KDUMP_SUSE ? KDUMP_SYSCONFIG : KDUMP_CONF,
    };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        struct stat st;

        if (!machine_stat(m, files[i], &st) && st.st_mtime > image->st_mtime)
            return files[i];
    }
    return NULL;
}

const char *kdump_unit_directory(const struct machine *m)
{
    static const char *const directories[] = {
        "/etc/systemd/system",
        "/usr/lib/systemd/system",
        "/lib/systemd/system",
    };

    for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
        char path[256];
        struct stat st;

        snprintf(path, sizeof(path), "%s/" KDUMP_DEBIAN_UNIT, directories[i]);
        /* not a mask, which leads to /dev/null, nor an empty file, which is one too */
        if (!machine_stat(m, path, &st) && S_ISREG(st.st_mode) && st.st_size)
            return directories[i];
    }
    return NULL;
}

const char *const kdump_debian_pullers[] = {"kdump-tools-dump.service", "kdump-tools.service",
                                            NULL};

bool kdump_unit_masked(const struct machine *m)
{
    char link[64];

    return !machine_link(m, "/etc/systemd/system/" KDUMP_DEBIAN_UNIT, link, sizeof(link)) &&
           !strcmp(link, "/dev/null");
}

bool kdump_unit_static(const struct machine *m)
{
    static const char *const directories[] = {"/usr/lib/systemd/system", "/lib/systemd/system"};
    char path[256];

    for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
        snprintf(path, sizeof(path), "%s/%s.d/vmcore-summary.conf", directories[i],
                 kdump_debian_pullers[0]);
        if (machine_has(m, path))
            return true;
    }
    return false;
}

enum kdump_unit_state kdump_unit_state(const struct machine *m)
{
    char path[256];

    if (!kdump_unit_directory(m))
        return KDUMP_UNIT_MISSING;
    if (kdump_unit_masked(m))
        return KDUMP_UNIT_OFF;
    snprintf(path, sizeof(path), "/etc/systemd/system/%s.wants/" KDUMP_DEBIAN_UNIT,
             kdump_debian_pullers[0]);
    return kdump_unit_static(m) || machine_has(m, path) ? KDUMP_UNIT_ON : KDUMP_UNIT_OFF;
}

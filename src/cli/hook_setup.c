/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/hook_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "report/text.h"
#include "util/cleanup.h"

#define KDUMP_CONF "/etc/kdump.conf"
#define SUSE_CONF  "/etc/sysconfig/kdump"

/* ---- what is said --------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 0))) static void vsay(const char *lead, const char *fmt,
                                                       va_list ap)
{
    _cleanup_(buf_done) struct buf safe = BUF_INIT(16 << 10);
    char text[2048];

    vsnprintf(text, sizeof(text), fmt, ap);
    text_append(&safe, text);
    printf("%s%s\n", lead, safe.data ? safe.data : "");
}

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsay("", fmt, ap);
    va_end(ap);
}

/* Something that the reader is to do. */
__attribute__((format(printf, 1, 2))) static void say_line(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsay("    ", fmt, ap);
    va_end(ap);
}

/* A change: "made X", or "would have made X". r: 0 or what failed. */
static void said_change(struct hook_setup *s, int r, const char *did, const char *what)
{
    if (r < 0) {
        command_error(s->name, "%s: %s", what, strerror(-r));
        s->failed++;
        return;
    }
    s->changed++;
    say("%s%s %s", s->dry_run ? "would have " : "", did, what);
}

/* ---- single changes, each in a directory of the machine ------------------------------------- */

static int open_parent(const struct machine *m, const char *path, const char **ret_name)
{
    char directory[512];
    const char *slash = strrchr(path, '/');

    snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
    *ret_name = slash + 1;
    return machine_openat(m, directory, O_PATH | O_DIRECTORY);
}

static void make_link(struct hook_setup *s, const char *path, const char *to)
{
    const char *name;
    _cleanup_close_ int dir = open_parent(s->m, path, &name);
    char what[1024];
    /* a dry run has not made the directory */
    int r = dir < 0 && !(s->dry_run && dir == -ENOENT) ? dir : 0;

    if (!r && !s->dry_run && symlinkat(to, dir, name))
        r = -errno;
    snprintf(what, sizeof(what), "%s -> %s", path, to);
    said_change(s, r, "made", what);
}

static void remove_name(struct hook_setup *s, const char *path)
{
    const char *name;
    _cleanup_close_ int dir = open_parent(s->m, path, &name);
    int r = dir < 0 ? dir : 0;

    if (!r && !s->dry_run && unlinkat(dir, name, 0))
        r = -errno;
    said_change(s, r, "removed", path);
}

/* The directory itself, not its parents: 0, also if it is there. */
static int make_directory(struct hook_setup *s, const char *path)
{
    const char *name;
    _cleanup_close_ int dir = open_parent(s->m, path, &name);

    if (dir < 0)
        return dir;
    if (!s->dry_run && mkdirat(dir, name, 0755) && errno != EEXIST)
        return -errno;
    return 0;
}

static void set_executable(struct hook_setup *s, const char *path, bool on)
{
    _cleanup_close_ int fd = machine_openat(s->m, path, O_RDONLY | O_NOFOLLOW);
    struct stat st;
    int r = fd < 0 ? fd : 0;

    if (!r && fstat(fd, &st))
        r = -errno;
    if (!r && !s->dry_run && fchmod(fd, on ? st.st_mode | 0111 : st.st_mode & 07666))
        r = -errno;
    said_change(s, r, on ? "made executable" : "made not executable, for kdump to pass over,",
                path);
}

static bool is_newer(struct timespec a, struct timespec b)
{
    return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

/* ---- kdump-utils ---------------------------------------------------------------------------- */

static const struct utils_hook {
    const char *directory, *program;
} utils_hooks[] = {
    {"/etc/kdump/pre.d", KDUMP_LIBDIR "/kdump-post"},
    {"/etc/kdump/post.d", KDUMP_LIBDIR "/kdump-post"},
    {"/etc/kdump/emergency.d", KDUMP_LIBDIR "/kdump-emergency"},
};

enum hook_state {
    HOOK_ABSENT,
    HOOK_LINK,     /* ours, a link that `enable` made */
    HOOK_FILE,     /* a file, as `make install` and packages put it there */
    HOOK_FILE_OFF, /* likewise, not executable */
    HOOK_FOREIGN,
};

static enum hook_state hook_state(const struct machine *m, const char *path, const char *program)
{
    _cleanup_close_ int fd = machine_openat(m, path, O_PATH | O_NOFOLLOW);
    struct stat st;
    char link[512];

    if (fd == -ENOENT)
        return HOOK_ABSENT;
    if (fd < 0 || fstat(fd, &st))
        return HOOK_FOREIGN;
    if (S_ISLNK(st.st_mode))
        return !machine_link(m, path, link, sizeof(link)) && !strcmp(link, program) ? HOOK_LINK
                                                                                    : HOOK_FOREIGN;
    if (!S_ISREG(st.st_mode))
        return HOOK_FOREIGN;
    return st.st_mode & 0111 ? HOOK_FILE : HOOK_FILE_OFF;
}

static void set_utils_hook(struct hook_setup *s, const struct utils_hook *hook)
{
    char path[256];
    enum hook_state state;

    snprintf(path, sizeof(path), "%s/" KDUMP_HOOK_NAME, hook->directory);
    state = hook_state(s->m, path, hook->program);
    if (state == HOOK_FOREIGN)
        say("left %s alone: it is not ours", path);
    else if (s->enable && state == HOOK_ABSENT && !machine_has(s->m, hook->program))
        said_change(s, -ENOENT, "", hook->program);
    else if (s->enable && state == HOOK_ABSENT)
        make_link(s, path, hook->program);
    else if (s->enable && state == HOOK_FILE_OFF)
        set_executable(s, path, true);
    else if (!s->enable && state == HOOK_LINK)
        remove_name(s, path);
    else if (!s->enable && state == HOOK_FILE)
        set_executable(s, path, false);
    else
        say("%s is %s", path,
            s->enable                ? "there already"
            : state == HOOK_FILE_OFF ? "not executable already"
                                     : "not there");
}

/*
 * Whether the image was built before our files came, which have older times of their own when they
 * come from a package, or were changed, and nothing will have it built anew: kdump-utils looks at
 * its own configuration and at its hooks alone.
 */
static bool image_is_stale(const struct machine *m, const struct stat *conf)
{
    char image[512];
    struct stat built, st;

    if (!kdump_find_image(m, KDUMP_UTILS, image, sizeof(image)) || machine_stat(m, image, &built) ||
        is_newer(conf->st_mtim, built.st_mtim))
        return false;
    return kdump_newer_file(m, KDUMP_UTILS, &built) ||
           (!machine_stat(m, utils_hooks[0].program, &st) && is_newer(st.st_ctim, built.st_mtim));
}

/* kdump-utils does not notice a file that went away, nor what a dracut module brings. */
static void touch_kdump_conf(struct hook_setup *s)
{
    static const struct timespec now[] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
    _cleanup_close_ int fd = machine_openat(s->m, KDUMP_CONF, O_RDONLY);
    struct stat st;
    int r = 0;

    if (fd < 0 || fstat(fd, &st)) {
        say("there is no " KDUMP_CONF " to touch");
        return;
    }
    if (!s->changed && !(s->enable && image_is_stale(s->m, &st))) {
        say("nothing has changed");
        return;
    }
    if (!s->dry_run && futimens(fd, now))
        r = -errno;
    said_change(s, r, "touched", KDUMP_CONF ", for the image to be built anew: kdumpctl restart");
}

/* Settings that name us, which keep kdump from being armed once our files are gone. */
static void tell_of_settings(struct hook_setup *s)
{
    static const char *const keys[] = {"kdump_pre", "kdump_post", "core_collector", "extra_bins"};
    char value[512];

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (machine_setting(s->m, KDUMP_CONF, keys[i], ' ', value, sizeof(value)) &&
            strstr(value, "vmcore-summary")) {
            say("take this out of " KDUMP_CONF " before vmcore-summary is removed:");
            say_line("%s %s", keys[i], value);
            s->left++;
        }
}

/* Mode= can leave the dump out only through kdump_pre. */
static void tell_of_mode(struct hook_setup *s)
{
    struct config config;
    char value[512];

    kdump_load_config(s->m, &config);
    if (config.policy.mode == POLICY_ALONGSIDE ||
        (machine_setting(s->m, KDUMP_CONF, "kdump_pre", ' ', value, sizeof(value)) &&
         strstr(value, "vmcore-summary")))
        return;
    say("for Mode= of " CONFIG_PATH " to leave the dump out, write into " KDUMP_CONF ":");
    say_line("kdump_pre " KDUMP_LIBDIR "/kdump-pre");
    s->left++;
}

/* RHEL 7 has settings alone. */
static void tell_of_rhel7(struct hook_setup *s)
{
    char value[512];

    if (machine_setting(s->m, KDUMP_CONF, "kdump_post", ' ', value, sizeof(value)) &&
        strstr(value, "vmcore-summary")) {
        say("kdump_post %s is there already", value);
        return;
    }
    say("this kdump has no /etc/kdump/pre.d; write into " KDUMP_CONF ", each key once:");
    say_line("kdump_post " KDUMP_LIBDIR "/kdump-post");
    say_line("extra_bins " KDUMP_LIBDIR "/vmcore-summary " KDUMP_LIBDIR
             "/capture-lib.sh " KDUMP_LIBDIR "/kdump-utils.sh");
    s->left++;
}

static void setup_utils(struct hook_setup *s)
{
    bool any = false;

    for (size_t i = 0; i < ARRAY_SIZE(utils_hooks); i++)
        if (machine_has(s->m, utils_hooks[i].directory)) {
            any = true;
            set_utils_hook(s, &utils_hooks[i]);
        }
    if (s->enable && !any)
        tell_of_rhel7(s);
    else if (s->enable)
        tell_of_mode(s);
    if (!s->failed && any)
        touch_kdump_conf(s);
    if (!s->enable)
        tell_of_settings(s);
}

/* ---- SUSE ----------------------------------------------------------------------------------- */

/* One setting, with what is there kept: kdump-save evaluates it as a command of its shell. */
static unsigned tell_suse(struct hook_setup *s, const char *key, const char *script)
{
    char value[512];
    bool there;

    machine_setting(s->m, SUSE_CONF, key, '=', value, sizeof(value));
    there = strstr(value, script);
    if (there == s->enable) {
        say("%s %s", key,
            s->enable ? "calls vmcore-summary already" : "does not call vmcore-summary");
        return 0;
    }
    if (s->enable)
        say_line("%s=\"%s%s. %s\"", key, value, value[0] ? "; " : "", script);
    else
        say_line("take . %s out of %s=\"%s\"", script, key, value);
    return 1;
}

/* mkdumprd compares its image with its own configuration alone. */
static void tell_of_suse_image(struct hook_setup *s)
{
    char image[512];
    const char *newer;
    struct stat built;

    if (!s->enable || !kdump_find_image(s->m, KDUMP_SUSE, image, sizeof(image)) ||
        machine_stat(s->m, image, &built))
        return;
    newer = kdump_newer_file(s->m, KDUMP_SUSE, &built);
    if (!newer)
        return;
    say("%s is older than %s: %s", image, newer, kdump_words[KDUMP_SUSE].rebuild);
    s->left++;
}

static void setup_suse(struct hook_setup *s)
{
    unsigned lines;

    if (s->enable && !machine_has(s->m, KDUMP_LIBDIR "/suse-pre")) {
        said_change(s, -ENOENT, "", KDUMP_LIBDIR "/suse-pre");
        return;
    }
    say("SUSE's kdump takes hooks from " SUSE_CONF " alone, which is not ours to edit:");
    lines = tell_suse(s, "KDUMP_PRESCRIPT", KDUMP_LIBDIR "/suse-pre");
    lines += tell_suse(s, "KDUMP_POSTSCRIPT", KDUMP_LIBDIR "/suse-post");
    s->left += lines;
    if (lines)
        say("then: %s", kdump_words[KDUMP_SUSE].rebuild);
    else
        tell_of_suse_image(s);
}

/* ---- Debian --------------------------------------------------------------------------------- */

#define UNIT_MASK "/etc/systemd/system/" KDUMP_DEBIAN_UNIT

static void wants_path(const char *puller, bool with_unit, char *ret, size_t size)
{
    snprintf(ret, size, "/etc/systemd/system/%s.wants%s", puller,
             with_unit ? "/" KDUMP_DEBIAN_UNIT : "");
}

static void debian_link(struct hook_setup *s, const char *puller, const char *unit)
{
    char directory[256], path[256], link[512];
    int r;

    wants_path(puller, false, directory, sizeof(directory));
    wants_path(puller, true, path, sizeof(path));
    if (!machine_link(s->m, path, link, sizeof(link))) {
        say("%s is there already", path);
        return;
    }
    r = make_directory(s, directory);
    if (r < 0)
        said_change(s, r, "", directory);
    else
        make_link(s, path, unit);
}

static void debian_unlink(struct hook_setup *s, const char *puller)
{
    char directory[256], path[256], link[512];
    const char *name;

    wants_path(puller, false, directory, sizeof(directory));
    wants_path(puller, true, path, sizeof(path));
    if (machine_link(s->m, path, link, sizeof(link))) {
        say("%s is not there", path);
        return;
    }
    remove_name(s, path);
    if (!s->dry_run) {
        _cleanup_close_ int dir = open_parent(s->m, directory, &name);

        /* it stays where others have links in it */
        if (dir >= 0)
            (void)unlinkat(dir, name, AT_REMOVEDIR);
    }
}

/* A unit that the package's drop-ins pull in can only be masked, as `systemctl mask` does. */
static void debian_mask(struct hook_setup *s)
{
    bool masked = kdump_unit_masked(s->m);

    if (masked != s->enable)
        say("%s is %s already", KDUMP_DEBIAN_UNIT, masked ? "masked" : "wanted by kdump-tools");
    else if (s->enable)
        remove_name(s, UNIT_MASK);
    else
        make_link(s, UNIT_MASK, "/dev/null");
}

static void setup_debian(struct hook_setup *s)
{
    const char *directory = kdump_unit_directory(s->m);
    char unit[256];

    if (s->enable && !directory) {
        said_change(s, -ENOENT, "", KDUMP_DEBIAN_UNIT);
        return;
    }
    if (kdump_unit_static(s->m) || kdump_unit_masked(s->m))
        debian_mask(s);
    snprintf(unit, sizeof(unit), "%s/" KDUMP_DEBIAN_UNIT, directory ? directory : "");
    for (const char *const *p = kdump_debian_pullers; *p && !kdump_unit_static(s->m); p++)
        if (s->enable)
            debian_link(s, *p, unit);
        else
            debian_unlink(s, *p);
    if (!s->changed)
        say("nothing has changed");
    else if (!s->failed)
        say("nothing is to be built anew: the capture kernel boots the root file system");
}

/* ---- our own image -------------------------------------------------------------------------- */

static void setup_own(struct hook_setup *s)
{
    char image[512];
    bool there = kdump_find_image(s->m, KDUMP_OWN, image, sizeof(image));

    say("no kdump of a distribution is installed here");
    if (s->enable) {
        say("%s:",
            there ? "load our image at boot" : "build an image of our own, and load it at boot");
        if (!there)
            say_line(KDUMP_LIBDIR "/mkimage");
        say_line("kexec -p /boot/vmlinuz-$(uname -r) --initrd=%s \\", image);
        say_line("    --append=\"nr_cpus=1 irqpoll reset_devices panic=10\"");
        s->left++;
    } else if (there) {
        say("unload and remove our image:");
        say_line("kexec -p -u; rm %s", image);
        s->left++;
    } else {
        say("nothing has changed");
    }
}

void hook_setup_run(struct hook_setup *s, enum kdump_kind kind)
{
    static void (*const setups[N_KDUMP_KINDS])(struct hook_setup *) = {
        [KDUMP_UTILS] = setup_utils,
        [KDUMP_SUSE] = setup_suse,
        [KDUMP_DEBIAN] = setup_debian,
        [KDUMP_OWN] = setup_own,
    };

    setups[kind](s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the hook, and the image that is loaded after a crash, have what a summary needs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/loaded_image.h"
#include "cli/readiness.h"
#include "cli/tool.h"
#include "util/cleanup.h"

#define PROGRAM KDUMP_LIBDIR "/vmcore-summary"

/* ---- the hook ------------------------------------------------------------------------------- */

static bool is_executable(const struct machine *m, const char *path)
{
    struct stat st;

    return !machine_stat(m, path, &st) && S_ISREG(st.st_mode) && st.st_mode & 0111;
}

static void hook_utils(const struct ready_machine *m, struct ready_item *item)
{
    static const char pre[] = "/etc/kdump/pre.d/" KDUMP_HOOK_NAME;
    char value[512];

    if (is_executable(&m->machine, pre))
        ready_found(item, READY_OK, "%s", pre);
    else if (machine_setting(&m->machine, "/etc/kdump.conf", "kdump_pre", ' ', value,
                             sizeof(value)) &&
             strstr(value, "vmcore-summary"))
        ready_found(item, READY_OK, "kdump_pre %s", value);
    else if (machine_setting(&m->machine, "/etc/kdump.conf", "kdump_post", ' ', value,
                             sizeof(value)) &&
             strstr(value, "vmcore-summary"))
        ready_found(item, READY_OK, "kdump_post %s", value);
    else
        ready_found(item, READY_FAIL, "no hook of kdump calls vmcore-summary");
}

static void hook_suse(const struct ready_machine *m, struct ready_item *item)
{
    char pre[512];

    machine_setting(&m->machine, "/etc/sysconfig/kdump", "KDUMP_PRESCRIPT", '=', pre, sizeof(pre));
    if (strstr(pre, "vmcore-summary"))
        ready_found(item, READY_OK, "KDUMP_PRESCRIPT=\"%s\"", pre);
    else
        ready_found(item, READY_FAIL,
                    "KDUMP_PRESCRIPT of /etc/sysconfig/kdump does not call "
                    "vmcore-summary");
}

static void hook_debian(const struct ready_machine *m, struct ready_item *item)
{
    enum kdump_unit_state state = kdump_unit_state(&m->machine);

    if (state == KDUMP_UNIT_MISSING)
        ready_found(item, READY_FAIL, KDUMP_DEBIAN_UNIT " is not installed");
    else if (state == KDUMP_UNIT_OFF)
        ready_found(item, READY_FAIL, KDUMP_DEBIAN_UNIT " is not enabled");
    else
        ready_found(item, READY_OK, KDUMP_DEBIAN_UNIT " runs before the dump");
}

static void hook_own(const struct ready_machine *m, struct ready_item *item)
{
    (void)m;
    ready_found(item, READY_OK, "none is needed: an image of our own captures");
}

void ready_check_hook(const struct ready_machine *m, struct ready_item *item)
{
    static void (*const checks[N_KDUMP_KINDS])(const struct ready_machine *,
                                               struct ready_item *) = {
        [KDUMP_UTILS] = hook_utils,
        [KDUMP_SUSE] = hook_suse,
        [KDUMP_DEBIAN] = hook_debian,
        [KDUMP_OWN] = hook_own,
    };

    checks[m->kind](m, item);
    if (item->state == READY_FAIL)
        ready_todo(item, "vmcore-summary enable");
}

/* ---- the image ------------------------------------------------------------------------------ */

#define LIST_SECONDS 60
#define LIST_BYTES   (32 << 20)

/*
 * The names of the files in an image, by a tool that knows every compression. The tool opens it
 * more than once, in processes of its own: by what each of them inherits, for another process's
 * /proc/PID/fd is closed to xz, which gives its rights up by Landlock (5.6). false if none can
 * tell.
 */
static bool image_listing(int fd, struct buf *ret)
{
    static const char *const tools[] = {"lsinitrd", "lsinitramfs"};
    char path[64];
    int r = 127;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fcntl(fd, F_SETFD, 0))
        return false;
    for (size_t i = 0; r == 127 && i < ARRAY_SIZE(tools); i++)
        r = tool_output((const char *const[]){tools[i], path, NULL}, LIST_SECONDS, ret);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return !r && ret->len;
}

/* Whether a line of a listing ends in the path, with or without a slash before it. */
static bool lists(const struct buf *b, const char *path)
{
    size_t len = strlen(++path);

    for (const char *at = b->data; (at = strstr(at, path)); at++)
        if ((at[len] == '\n' || at[len] == ' ' || !at[len]) &&
            (at == b->data || at[-1] == '/' || at[-1] == ' ' || at[-1] == '\n'))
            return true;
    return false;
}

/* What the names in the image say. */
static void judge_listing(const struct ready_machine *m, const char *image, const struct buf *list,
                          struct ready_item *item)
{
    bool squashed = strstr(list->data, "squash-root.img") ||
                    strstr(list->data, "squashfs-root.img") || strstr(list->data, "erofs-root.img");

    if (!lists(list, PROGRAM)) {
        if (squashed)
            ready_found(item, READY_UNKNOWN, "%s is squashed and cannot be looked into", image);
        else
            ready_found(item, READY_FAIL, "%s does not have vmcore-summary", image);
    } else if (m->kind == KDUMP_UTILS && !lists(list, "/etc/kdump/pre.d/" KDUMP_HOOK_NAME) &&
               is_executable(&m->machine, "/etc/kdump/pre.d/" KDUMP_HOOK_NAME)) {
        ready_found(item, READY_FAIL, "%s has vmcore-summary, but not the hook that calls it",
                    image);
    } else {
        ready_found(item, READY_OK, "%s has vmcore-summary", image);
    }
}

static void look_into(const struct ready_machine *m, const char *image, struct ready_item *item)
{
    _cleanup_close_ int fd = machine_openat(&m->machine, image, O_RDONLY);
    _cleanup_(buf_done) struct buf list = BUF_INIT(LIST_BYTES);
    const char *newer;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        ready_found(item, READY_UNKNOWN, "%s cannot be read", image);
        return;
    }
    newer = kdump_newer_file(&m->machine, m->kind, &st);
    if (newer) {
        ready_found(item, READY_WARN, "%s is older than %s", image, newer);
        ready_todo(item, "build it anew: %s", kdump_words[m->kind].rebuild);
    } else if (!image_listing(fd, &list)) {
        ready_found(item, READY_UNKNOWN, "neither lsinitrd nor lsinitramfs can say what is in %s",
                    image);
    } else {
        judge_listing(m, image, &list, item);
        if (item->state == READY_FAIL)
            ready_todo(item, "build it anew: %s", kdump_words[m->kind].rebuild);
    }
}

void ready_check_image(const struct ready_machine *m, struct ready_item *item)
{
    char image[512];

    if (!is_executable(&m->machine, PROGRAM)) {
        ready_found(item, READY_FAIL, PROGRAM " is missing, which is for the capture kernel");
        ready_todo(item, "install vmcore-summary");
    } else if (kdump_find_image(&m->machine, m->kind, image, sizeof(image))) {
        look_into(m, image, item);
    } else if (!image[0]) {
        ready_found(item, READY_OK, "none is needed: kdump-tools boots the root file system");
    } else {
        ready_found(item, READY_FAIL, "there is no %s", image);
        ready_todo(item, "build it: %s", kdump_words[m->kind].rebuild);
    }
}

/* ---- what is loaded ------------------------------------------------------------------------- */

static void compare_image(const struct ready_machine *m, const char *image, struct ready_item *item)
{
    const struct kdump_words *words = &kdump_words[m->kind];
    _cleanup_close_ int fd = machine_openat(&m->machine, image, O_RDONLY);
    struct error err = {0};
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        ready_found(item, READY_UNKNOWN, "%s cannot be read", image);
        return;
    }
    r = loaded_image_find(&m->machine, fd, &err);
    if (r > 0) {
        ready_found(item, READY_OK, "%s is in the memory of the capture kernel", image);
    } else if (!r) {
        ready_found(item, READY_WARN, "another image than %s is loaded, or it as it was before",
                    image);
        ready_todo(item, "load it anew: %s", words->reload);
    } else if (loaded_image_is_older_than_boot(&m->machine, &st)) {
        ready_found(item, READY_OK, "%s has not changed since this boot", image);
    } else if (words->unit && loaded_image_is_older_than_unit(&m->machine, &st, words->unit)) {
        ready_found(item, READY_OK, "%s has not changed since %s started", image, words->unit);
    } else {
        ready_found(item, READY_UNKNOWN,
                    "%s has changed since this boot; whether that is loaded cannot be known: %s",
                    image, err.text);
        ready_todo(item, "load it anew: %s", words->reload);
    }
}

void ready_check_loaded_image(const struct ready_machine *m, struct ready_item *item)
{
    char image[512], loaded[16];
    bool is_there = kdump_find_image(&m->machine, m->kind, image, sizeof(image));

    machine_line(&m->machine, "/sys/kernel/kexec_crash_loaded", loaded, sizeof(loaded));
    if (!image[0])
        ready_found(item, READY_OK, "nothing of ours is in what kdump-tools loads");
    else if (!is_there)
        ready_found(item, READY_UNKNOWN, "there is no %s to compare it with", image);
    else if (strcmp(loaded, "1"))
        ready_found(item, READY_UNKNOWN, "nothing is loaded to compare with %s", image);
    else
        compare_image(m, image, item);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the hook, and the image that is loaded after a crash, have what a summary needs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "capture/child.h"
#include "cli/readiness.h"
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

struct listing {
    int image, out;
};

/* In the child: one of the tools that know every compression, and squashed images. */
static int list_image(void *arg)
{
    const struct listing *l = arg;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    char image[32];

    /*
     * The tool opens it more than once, in processes of its own: by what each of them inherits, for
     * another process's /proc/PID/fd is closed to xz, which gives its rights up by Landlock (5.6).
     */
    snprintf(image, sizeof(image), "/proc/self/fd/%d", l->image);
    if (fcntl(l->image, F_SETFD, 0))
        return 1;
    if (dup2(null, STDIN_FILENO) < 0 || dup2(l->out, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0)
        return 1;
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){LIST_BYTES, LIST_BYTES});
    execlp("lsinitrd", "lsinitrd", image, (char *)NULL);
    execlp("lsinitramfs", "lsinitramfs", image, (char *)NULL);
    return 127;
}

/* The names of the files in an image, into a buffer. false if nobody can tell. */
static bool image_listing(int fd, struct buf *ret)
{
    struct listing l = {.image = fd, .out = memfd_create("listing", MFD_CLOEXEC)};
    _cleanup_close_ int out = l.out;
    char piece[64 << 10];
    ssize_t n;
    int r;

    if (out < 0)
        return false;
    r = child_run(list_image, &l, LIST_SECONDS * 1000, &(struct child_limits){0}, NULL);
    if (r || lseek(out, 0, SEEK_SET) < 0)
        return false;
    while ((n = read(out, piece, sizeof(piece))) > 0)
        buf_append(ret, piece, (size_t)n);
    return !ret->full && ret->len;
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

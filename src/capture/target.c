/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/io.h"
#include "util/math.h"
#include "util/utc.h"

#define MAX_SAME_SECOND 100
/* 9999-12-31T23:59:59Z: what a time beyond it says is damaged */
#define MAX_CRASH_TIME 253402300799ULL

/* mkdir -p. What fails for good is told by opening the directory afterwards. */
static int make_directories(const char *path, struct error *err)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    int r = 0;

    if (!len || len >= sizeof(part))
        return error_set(err, len ? -ENAMETOOLONG : -ENOENT, "%.100s: %s", path,
                         strerror(len ? ENAMETOOLONG : ENOENT));
    for (size_t i = 1; i <= len; i++) {
        if (i < len && path[i] != '/')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        r = mkdir(part, 0700) < 0 && errno != EEXIST ? -errno : 0;
    }
    return r ? error_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

static int open_directory(const char *path, int flags, struct error *err, int *ret_fd)
{
    struct error made = {0};
    struct stat st;
    int r = make_directories(path, &made);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);

    if (fd < 0 && flags & O_NOFOLLOW && lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        return error_set(err, -ELOOP, "%s: a symbolic link, which is not followed here", path);
    if (fd < 0 && r < 0)
        return error_set(err, r, "%s", made.text);
    if (fd < 0)
        return error_set(err, -errno, "%s: %s", path, strerror(errno));
    *ret_fd = fd;
    return 0;
}

int target_open(const char *path, struct error *err, int *ret_fd)
{
    return open_directory(path, 0, err, ret_fd);
}

static void new_name(const char *kind, uint64_t time_s, char *ret, size_t cap)
{
    int64_t t = time_s <= MAX_CRASH_TIME ? (int64_t)time_s : (int64_t)time(NULL);
    struct utc u = {0};

    utc_from_time(t, &u);
    snprintf(ret, cap, "%s-%04d%02d%02dT%02d%02d%02dZ", kind, u.year, u.month, u.day, u.hour,
             u.minute, u.second);
}

/*
 * Whether someone else owns the base, who could then put what he likes in the place of our files.
 * The new directory shows who we are to this file system, which need not be root: NFS may map that.
 */
static bool is_foreign(int base_fd, int new_fd)
{
    struct stat base, made;

    return !fstat(base_fd, &base) && !fstat(new_fd, &made) && base.st_uid != made.st_uid &&
           base.st_uid != 0;
}

int target_open_new(const char *base, const char *kind, uint64_t time_s, struct error *err,
                    char *ret_path, size_t cap, int *ret_fd)
{
    _cleanup_close_ int base_fd = -1;
    char first[64], name[80];
    int r = open_directory(base, O_NOFOLLOW, err, &base_fd), fd;

    if (r < 0)
        return r;
    new_name(kind, time_s, first, sizeof(first));
    snprintf(name, sizeof(name), "%s", first);
    for (int i = 1; (r = mkdirat(base_fd, name, 0700)) < 0 && i < MAX_SAME_SECOND; i++) {
        if (errno != EEXIST)
            break;
        snprintf(name, sizeof(name), "%s-%d", first, i);
    }
    if (r < 0)
        return error_set(err, -errno, "%s/%s: %s", base, name, strerror(errno));
    fd = openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, -errno, "%s/%s: %s", base, name, strerror(errno));
    if (is_foreign(base_fd, fd)) {
        close(fd);
        unlinkat(base_fd, name, AT_REMOVEDIR);
        return error_set(err, -EPERM, "%s: belongs to someone else", base);
    }
    fsync(base_fd); /* the name; what it cannot promise the summary's own sync tells */
    snprintf(ret_path, cap, "%s/%s", base, name);
    *ret_fd = fd;
    return 0;
}

int target_free_bytes(int fd, uint64_t *ret)
{
    struct statvfs fs;

    if (fstatvfs(fd, &fs) < 0)
        return -errno;
    *ret = sat_mul_u64(fs.f_bavail, fs.f_frsize);
    return 0;
}

static int write_and_sync(int fd, const void *data, size_t len)
{
    int r = write_all(fd, data, len);

    if (r < 0)
        return r;
    return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

int target_write_file(int dirfd, const char *name, const void *data, size_t len, struct error *err)
{
    _cleanup_close_ int fd = -1;
    char temp[NAME_MAX];
    int r = 0;

    snprintf(temp, sizeof(temp), ".%s.%d", name, (int)getpid());
    unlinkat(dirfd, temp, 0); /* of a process that had the same number */
    fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set(err, -errno, "cannot create %s: %s", name, strerror(errno));
    fchmod(fd, 0600);
    r = write_and_sync(fd, data, len);
    if (!r && renameat(dirfd, temp, dirfd, name) < 0)
        r = -errno;
    if (!r)
        return 0;
    unlinkat(dirfd, temp, 0);
    return error_set(err, r, "cannot write %s: %s", name, strerror(-r));
}

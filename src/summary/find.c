/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "summary/find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "summary/reader.h"
#include "summary/writer.h"
#include "util/cleanup.h"

#define DEPTH_LIMIT    3
#define ENTRIES_LIMIT  20000 /* of one directory */
#define FILES_LIMIT    4096
#define TEMPORARY_NAME "." SUMMARY_FILE_NAME "."

static void cleanup_closedir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

void summary_list_done(struct summary_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->files[i].path);
    free(list->files);
    *list = (struct summary_list){0};
}

bool summary_is_unpublished(const char *path)
{
    const char *slash = strrchr(path, '/');

    return !strncmp(slash ? slash + 1 : path, TEMPORARY_NAME, strlen(TEMPORARY_NAME));
}

/* What the summary itself says of when it was made; f keeps what it has if that cannot be read. */
static void read_header(int fd, struct summary_file *f)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    struct summary_record rec;
    int64_t time_s;

    if (summary_reader_open_fd(fd, NULL, &r) || summary_next(r, NULL, &rec) <= 0)
        return;
    f->live = record_bool(&rec, "live", false);
    time_s = record_i64(&rec, f->live ? "capture_time" : "crash_time", 0);
    if (time_s > 0)
        f->time_s = time_s;
}

static int add_file(struct summary_list *list, int dirfd, const char *dir, const char *name)
{
    _cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct summary_file *f;
    struct stat st;

    if (list->n == FILES_LIMIT || fd < 0 || fstat(fd, &st)) {
        list->incomplete = true;
        return 0;
    }
    if (!S_ISREG(st.st_mode))
        return 0;
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct summary_file *files = reallocarray(list->files, capacity, sizeof(*files));

        if (!files)
            return -ENOMEM;
        list->files = files;
        list->capacity = capacity;
    }
    f = &list->files[list->n];
    if (asprintf(&f->path, "%s/%s", dir, name) < 0)
        return -ENOMEM;
    f->size_bytes = (uint64_t)st.st_size;
    f->unpublished = summary_is_unpublished(name);
    f->time_s = st.st_mtim.tv_sec;
    f->live = false;
    read_header(TAKE_FD(fd), f);
    list->n++;
    return 0;
}

static int find_below(int dirfd, const char *path, unsigned depth, struct summary_list *list);

static int visit_entry(int dirfd, const char *path, const char *name, unsigned depth,
                       struct summary_list *list)
{
    _cleanup_free_ char *below = NULL;
    struct stat st;
    int fd;

    if (!strcmp(name, SUMMARY_FILE_NAME) || summary_is_unpublished(name))
        return add_file(list, dirfd, path, name);
    if (!strcmp(name, ".") || !strcmp(name, "..") || depth == DEPTH_LIMIT)
        return 0;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(st.st_mode))
        return 0;
    fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        list->incomplete = true;
        return 0;
    }
    if (asprintf(&below, "%s/%s", path, name) < 0) {
        below = NULL;
        close(fd);
        return -ENOMEM;
    }
    return find_below(fd, below, depth + 1, list);
}

/* Takes dirfd over. */
static int find_below(int dirfd, const char *path, unsigned depth, struct summary_list *list)
{
    _cleanup_(cleanup_closedir) DIR *dir = fdopendir(dirfd);
    const struct dirent *entry;
    size_t entries = 0;

    if (!dir) {
        close(dirfd);
        return -ENOMEM;
    }
    while ((entry = readdir(dir))) {
        int r = visit_entry(dirfd, path, entry->d_name, depth, list);

        if (r)
            return r;
        if (++entries == ENTRIES_LIMIT) {
            list->incomplete = true;
            break;
        }
    }
    return 0;
}

int summary_find(const char *root, struct error *err, struct summary_list *list)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
    size_t len = strlen(root);
    _cleanup_free_ char *path = NULL;

    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return error_set(err, -errno, "cannot open %s: %s", root, strerror(errno));
    while (len > 1 && root[len - 1] == '/')
        len--;
    path = strndup(root, len);
    if (!path) {
        close(fd);
        return error_set(err, -ENOMEM, "out of memory");
    }
    r = find_below(fd, path, 0, list);
    return r ? error_set(err, r, "out of memory") : 0;
}

static int compare_files(const void *a, const void *b)
{
    const struct summary_file *f = a, *g = b;

    if (f->time_s != g->time_s)
        return f->time_s < g->time_s ? -1 : 1;
    /* of one crash's files the finished one counts as the later */
    if (f->unpublished != g->unpublished)
        return f->unpublished ? -1 : 1;
    return strcmp(f->path, g->path);
}

void summary_list_sort(struct summary_list *list)
{
    size_t kept = 0;

    if (!list->n)
        return;
    qsort(list->files, list->n, sizeof(*list->files), compare_files);
    /* one root may lie below another */
    for (size_t i = 0; i < list->n; i++) {
        if (kept && !strcmp(list->files[kept - 1].path, list->files[i].path))
            free(list->files[i].path);
        else
            list->files[kept++] = list->files[i];
    }
    list->n = kept;
}

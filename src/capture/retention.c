/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/retention.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "capture/child.h"
#include "capture/target.h"
#include "summary/vmcore.h"
#include "summary/writer.h"
#include "util/cleanup.h"
#include "util/math.h"

#define TIMEOUT_MS    5000
#define ENTRIES_LIMIT 20000 /* of the directory of summaries */
#define FOUND_LIMIT   4096  /* summaries of one kind; those beyond stay */
#define FILES_LIMIT   64    /* in a summary's directory; with more it is none of ours */
#define NAME_MAX_LEN  32    /* "crash-20260102T030405Z-99" */

enum kind { KIND_CRASH, KIND_LIVE, N_KINDS };

struct found {
    char name[NAME_MAX_LEN];
    uint64_t bytes;
    bool has_vmcore; /* a whole one */
};

struct found_list {
    struct found *items; /* room for FOUND_LIMIT */
    size_t n;
};

static void cleanup_closedir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* ---- limits --------------------------------------------------------------------------------- */

int space_parse(const char *value, struct error *err, struct space *ret)
{
    static const char units[] = "KMGT";
    struct space space = {.unit = SPACE_BYTES};
    const char *unit;
    char *end;

    if (!value[0]) {
        *ret = (struct space){0};
        return 0;
    }
    errno = 0;
    space.value = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || errno)
        return error_set(err, -EINVAL, "'%s' is neither a size like 64M nor one like 10%%", value);
    unit = *end ? strchr(units, *end) : NULL;
    if (unit && !mul_u64(space.value, 1ULL << 10 * (unit - units + 1), &space.value))
        return error_set(err, -EINVAL, "'%s' is too large", value);
    if (*end == '%' && space.value <= 100)
        space.unit = SPACE_PERCENT;
    end += unit || *end == '%';
    if (*end || (end[-1] == '%' && space.unit != SPACE_PERCENT))
        return error_set(err, -EINVAL, "'%s' is neither a size like 64M nor one like 10%%", value);
    *ret = space;
    return 0;
}

/* UINT64_MAX for no limit. */
static uint64_t space_bytes(const struct space *s, uint64_t whole_bytes)
{
    if (s->unit == SPACE_UNLIMITED)
        return UINT64_MAX;
    return s->unit == SPACE_BYTES ? s->value : whole_bytes / 100 * s->value;
}

/* ---- what is ours --------------------------------------------------------------------------- */

static const char *const kind_prefixes[N_KINDS] = {
    [KIND_CRASH] = "crash-",
    [KIND_LIVE] = "live-",
};

/* N_KINDS for a name that is not ours. */
static enum kind kind_of(const char *name)
{
    static const char form[] = "00000000T000000Z";
    enum kind kind = KIND_CRASH;
    const char *p;

    if (strlen(name) >= NAME_MAX_LEN)
        return N_KINDS;
    while (kind < N_KINDS && strncmp(name, kind_prefixes[kind], strlen(kind_prefixes[kind])))
        kind++;
    if (kind == N_KINDS)
        return kind;
    p = name + strlen(kind_prefixes[kind]);
    for (const char *f = form; *f; f++, p++)
        if (*f == '0' ? *p < '0' || *p > '9' : *p != *f)
            return N_KINDS;
    if (*p == '-')
        p += 1 + strspn(p + 1, "0123456789");
    return *p ? N_KINDS : kind;
}

bool retention_is_ours(const char *name)
{
    return kind_of(name) < N_KINDS;
}

/* Oldest first: by the time, then by the number after it, of which the longer is the larger. */
static int compare_found(const void *a, const void *b)
{
    const char *f = ((const struct found *)a)->name, *g = ((const struct found *)b)->name;
    size_t f_len = strlen(f), g_len = strlen(g), stamp = strcspn(f, "Z");
    int r = strncmp(f, g, stamp);

    if (!r && f_len != g_len)
        r = f_len < g_len ? -1 : 1;
    return r ? r : strcmp(f, g);
}

static bool is_our_file(const char *name, const struct retention *r)
{
    static const char *const names[] = {
        SUMMARY_FILE_NAME,
        SUMMARY_DIGEST_NAME,
        VMCORE_RECORD_NAME,
        ".seen",
    };
    static const char temporary[] = ".vmcore-summary.";

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(name, names[i]))
            return true;
    return !strncmp(name, temporary, sizeof(temporary) - 1) ||
           (r->remove_vmcore && vmcore_is_name(name));
}

/* Told of each entry but "." and ".."; not 0 ends the walk. */
typedef int (*entry_fn)(int dirfd, const char *name, void *arg);

/* Takes fd over. 0, what fn returned, or negative errno; -E2BIG for more than limit entries. */
static int walk(int fd, size_t limit, entry_fn fn, void *arg)
{
    _cleanup_(cleanup_closedir) DIR *dir = fdopendir(fd);
    const struct dirent *entry;
    int r = 0;

    if (!dir) {
        close(fd);
        return -ENOMEM;
    }
    while (!r && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            r = limit-- ? fn(fd, entry->d_name, arg) : -E2BIG;
    return r;
}

/* The directory of a summary, opened if it is one of ours; else negative errno. */
static int open_found(int base_fd, const char *name)
{
    _cleanup_close_ int fd =
        openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat base, st;

    if (fd < 0 || fstat(fd, &st) || fstat(base_fd, &base))
        return -errno;
    if (st.st_uid != geteuid() || st.st_dev != base.st_dev)
        return -EPERM;
    return TAKE_FD(fd);
}

struct inspection {
    const struct retention *r;
    struct found *found;
};

static int inspect_file(int dirfd, const char *name, void *arg)
{
    struct inspection *i = arg;
    struct stat st;

    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ||
        !is_our_file(name, i->r))
        return -EPERM;
    i->found->bytes = sat_add_u64(i->found->bytes, (uint64_t)st.st_blocks * 512);
    i->found->has_vmcore |= vmcore_is_whole_name(name);
    return 0;
}

static int remove_file(int dirfd, const char *name, void *arg)
{
    (void)arg;
    return unlinkat(dirfd, name, 0) ? -errno : 0;
}

/* 0 if the directory and all in it may be removed; else *ret may be filled in part. */
static int inspect(int base_fd, const char *name, const struct retention *r, struct found *ret)
{
    struct inspection i = {r, ret};
    int fd = open_found(base_fd, name);

    *ret = (struct found){.bytes = 0};
    snprintf(ret->name, sizeof(ret->name), "%s", name);
    return fd < 0 ? fd : walk(fd, FILES_LIMIT, inspect_file, &i);
}

/* Looks once more, for things change. */
static int remove_found(int base_fd, const char *name, const struct retention *r)
{
    struct found found;
    int e = inspect(base_fd, name, r, &found), fd;

    if (e)
        return e;
    fd = open_found(base_fd, name);
    e = fd < 0 ? fd : walk(fd, FILES_LIMIT, remove_file, NULL);
    if (!e && unlinkat(base_fd, name, AT_REMOVEDIR))
        e = -errno;
    return e;
}

/* ---- what goes ------------------------------------------------------------------------------ */

struct search {
    const struct retention *r;
    struct found_list lists[N_KINDS];
};

static void search_done(struct search *s)
{
    for (enum kind kind = 0; kind < N_KINDS; kind++)
        free(s->lists[kind].items);
}

static int find_one(int base_fd, const char *name, void *arg)
{
    struct search *s = arg;
    enum kind kind = kind_of(name);
    struct found_list *list;
    struct found f;

    if (kind == N_KINDS || inspect(base_fd, name, s->r, &f))
        return 0;
    list = &s->lists[kind];
    if (list->n < FOUND_LIMIT)
        list->items[list->n++] = f;
    return 0;
}

static int find_all(int base_fd, struct search *s)
{
    int fd = openat(base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

    if (fd < 0)
        return -errno;
    for (enum kind kind = 0; kind < N_KINDS; kind++) {
        s->lists[kind].items = calloc(FOUND_LIMIT, sizeof(struct found));
        if (!s->lists[kind].items) {
            close(fd);
            return -ENOMEM;
        }
    }
    r = walk(fd, ENTRIES_LIMIT, find_one, s);
    return r == -E2BIG ? 0 : r; /* the next run finds the others */
}

struct room {
    uint64_t keep_max, max_use_bytes, keep_free_bytes;
};

static struct room limits_of(int base_fd, const struct retention *r, enum kind kind)
{
    struct room room = {.keep_max = kind == KIND_LIVE ? r->baseline_keep : r->keep_max,
                        .max_use_bytes = UINT64_MAX};
    struct statvfs fs;

    if (!room.keep_max)
        room.keep_max = UINT64_MAX;
    if (kind == KIND_CRASH && !fstatvfs(base_fd, &fs)) {
        uint64_t whole = (uint64_t)fs.f_blocks * fs.f_frsize;

        room.max_use_bytes = space_bytes(&r->max_use, whole);
        if (r->keep_free.unit != SPACE_UNLIMITED)
            room.keep_free_bytes = space_bytes(&r->keep_free, whole);
    }
    return room;
}

/* A walk over what is beyond the limits. */
struct removal {
    int base_fd;
    const char *spare;
    const struct retention *r;
    struct retention_dump dump;
    bool rehearse; /* counts, and removes nothing */
    uint64_t removed_bytes;
    unsigned removed;
};

/* What is free, or would be. What is not known is no reason to remove anything. */
static uint64_t free_bytes(const struct removal *m)
{
    uint64_t bytes;

    if (target_free_bytes(m->base_fd, &bytes))
        return UINT64_MAX;
    return m->rehearse ? sat_add_u64(bytes, m->removed_bytes) : bytes;
}

/* The last whole vmcore of a sorted list, while no newer one is to come; NULL if there is none, or
 * the newest summary has it, which stays anyway. */
static const struct found *only_vmcore(const struct removal *m, const struct found_list *list)
{
    for (size_t i = list->n; !m->dump.follows && i > 0; i--)
        if (list->items[i - 1].has_vmcore)
            return i < list->n ? &list->items[i - 1] : NULL;
    return NULL;
}

/* Those beyond the limits, from the oldest; the last one always stays. */
static void remove_beyond(struct removal *m, enum kind kind, struct found_list *list)
{
    const struct room room = limits_of(m->base_fd, m->r, kind);
    const struct found *vmcore;
    uint64_t used = 0, kept = list->n;

    qsort(list->items, list->n, sizeof(*list->items), compare_found);
    vmcore = only_vmcore(m, list);
    for (size_t i = 0; i < list->n; i++)
        used = sat_add_u64(used, &list->items[i] == vmcore ? 0 : list->items[i].bytes);
    kept -= vmcore != NULL;
    for (size_t i = 0; i + 1 < list->n; i++) {
        const struct found *f = &list->items[i];

        if (kept <= room.keep_max && used <= room.max_use_bytes &&
            free_bytes(m) >= room.keep_free_bytes)
            break;
        if (f == vmcore || !strcmp(f->name, m->spare) ||
            (!m->rehearse && remove_found(m->base_fd, f->name, m->r)))
            continue;
        used -= f->bytes;
        kept--;
        m->removed++;
        m->removed_bytes = sat_add_u64(m->removed_bytes, f->bytes);
    }
}

static void remove_all_beyond(struct removal *m, struct search *s)
{
    for (enum kind kind = 0; kind < N_KINDS; kind++)
        remove_beyond(m, kind, &s->lists[kind]);
}

int retention_apply(int base_fd, const char *spare, const struct retention *r,
                    struct retention_dump dump, struct error *err, unsigned *ret)
{
    struct removal m = {.base_fd = base_fd, .spare = spare, .r = r, .dump = dump}, rehearsal = m;
    _cleanup_(search_done) struct search s = {.r = r};
    int e = find_all(base_fd, &s);

    if (e)
        return error_set(err, e, "cannot look for summaries: %s", strerror(-e));
    rehearsal.rehearse = true;
    if (dump.wanted_free_bytes)
        remove_all_beyond(&rehearsal, &s);
    if (!dump.wanted_free_bytes || free_bytes(&rehearsal) >= dump.wanted_free_bytes)
        remove_all_beyond(&m, &s);
    *ret = m.removed;
    return 0;
}

/* ---- for those who must not fail ------------------------------------------------------------ */

struct job {
    const char *path;
    int summary_fd;
    const struct retention *r;
    struct retention_dump dump;
};

static int run_job(void *arg)
{
    const struct job *job = arg;
    const char *slash = strrchr(job->path, '/'), *name = slash ? slash + 1 : job->path;
    _cleanup_close_ int fd = -1;
    unsigned removed;

    if (job->summary_fd < 0)
        fd = open(job->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    else if (retention_is_ours(name))
        fd = openat(job->summary_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || retention_apply(fd, name, job->r, job->dump, NULL, &removed) < 0;
}

void retention_run(const char *path, int summary_fd, const struct retention *r,
                   struct retention_dump dump)
{
    static const struct child_limits limits = {.memory_bytes = 4 << 20, .expendable = true};
    struct job job = {path, summary_fd, r, dump};
    int sig;

    child_run(run_job, &job, TIMEOUT_MS, &limits, &sig);
}

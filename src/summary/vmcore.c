/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "summary/vmcore.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"

#define RECORD_LIMIT 512 /* bytes */

static const char *const state_names[] = {
    [VMCORE_MISSING] = "missing",
    [VMCORE_SKIPPED] = "skipped",
    [VMCORE_INCOMPLETE] = "incomplete",
    [VMCORE_SAVED] = "saved",
};

static void cleanup_closedir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static bool line_is(const char *line, size_t len, const char *key, const char *value)
{
    size_t key_len = strlen(key);

    return len == key_len + strlen(value) && !memcmp(line, key, key_len) &&
           !memcmp(line + key_len, value, len - key_len);
}

struct vmcore_record vmcore_record_parse(const char *text, size_t len)
{
    struct vmcore_record record = {.state = VMCORE_MISSING};

    while (len) {
        const char *end = memchr(text, '\n', len);
        size_t line_len = end ? (size_t)(end - text) : len;

        for (size_t i = 0; i < ARRAY_SIZE(state_names); i++)
            if (line_is(text, line_len, "vmcore: ", state_names[i])) {
                record.state = (enum vmcore_state)i;
                record.known = true;
            }
        if (line_is(text, line_len, "removed: ", "yes"))
            record.removed = true;
        if (!end)
            break;
        len -= line_len + 1;
        text = end + 1;
    }
    record.removed = record.removed && record.state == VMCORE_INCOMPLETE;
    return record;
}

static struct vmcore_record read_record(int dirfd)
{
    char text[RECORD_LIMIT];
    _cleanup_close_ int fd =
        openat(dirfd, VMCORE_RECORD_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text));

    return vmcore_record_parse(text, len > 0 ? (size_t)len : 0);
}

static enum vmcore_state state_by_name(const char *name)
{
    static const struct {
        const char *name;
        bool is_prefix;
        enum vmcore_state state;
    } names[] = {
        {"vmcore-incomplete", false, VMCORE_INCOMPLETE},
        {"dump-incomplete", false, VMCORE_INCOMPLETE},
        {"vmcore", false, VMCORE_SAVED},
        {"vmcore.", true, VMCORE_SAVED}, /* .flat, .gz, .0 of a split one */
        {"dump.", true, VMCORE_SAVED},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].is_prefix ? !strncmp(names[i].name, name, strlen(names[i].name))
                               : !strcmp(names[i].name, name))
            return names[i].state;
    return VMCORE_MISSING;
}

bool vmcore_is_name(const char *name)
{
    return state_by_name(name) != VMCORE_MISSING;
}

bool vmcore_is_whole_name(const char *name)
{
    return state_by_name(name) == VMCORE_SAVED;
}

static struct vmcore_file best_file(DIR *dir)
{
    struct vmcore_file best = {.state = VMCORE_MISSING};
    const struct dirent *entry;

    while ((entry = readdir(dir))) {
        enum vmcore_state state = state_by_name(entry->d_name);
        struct stat st;

        if (state == VMCORE_MISSING || state < best.state ||
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
            continue;
        if (state == best.state && (uint64_t)st.st_blocks * 512 <= best.size_bytes)
            continue; /* kdump-tools tries twice to fill a disk, and the second part is the less */
        best.state = state;
        best.size_bytes = (uint64_t)st.st_blocks * 512;
        snprintf(best.name, sizeof(best.name), "%s", entry->d_name);
    }
    return best;
}

/* Looks into the file: a name may promise more than it holds. */
static void look_into(int dirfd, struct vmcore_file *io)
{
    _cleanup_close_ int fd =
        openat(dirfd, io->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return;
    io->contents = complete_check(fd);
    if (io->contents.state == COMPLETE_NO)
        io->state = VMCORE_INCOMPLETE;
}

/*
 * The record cannot make a file appear, so of `saved` only the file counts: it may have been
 * deleted since. Nor can it make a file vanish: one that lies beside a `skipped` is there.
 */
struct vmcore_file vmcore_beside(const char *summary_path)
{
    struct vmcore_file file = {.state = VMCORE_MISSING};
    _cleanup_free_ char *copy = strdup(summary_path);
    _cleanup_(cleanup_closedir) DIR *dir = copy ? opendir(dirname(copy)) : NULL;
    struct vmcore_record record;

    if (!dir)
        return file;
    file = best_file(dir);
    if (file.name[0])
        look_into(dirfd(dir), &file);
    record = read_record(dirfd(dir));
    file.recorded = record.known;
    if (record.state == VMCORE_INCOMPLETE) {
        /* without the file, only a removal explains it; else someone deleted it since */
        if (file.state != VMCORE_MISSING || record.removed)
            file.state = VMCORE_INCOMPLETE;
        file.removed = record.removed && !file.name[0];
    } else if (record.state == VMCORE_SKIPPED && file.state == VMCORE_MISSING) {
        file.state = VMCORE_SKIPPED;
    }
    return file;
}

const char *vmcore_state_name(enum vmcore_state state)
{
    return state_names[state];
}

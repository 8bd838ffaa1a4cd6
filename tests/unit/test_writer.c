/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writer against gzip(1): every finished member stays readable, whatever happens after it. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "summary/writer.h"
#include "unit/suite.h"
#include "util/buf.h"
#include "util/cleanup.h"

#define SECTIONS 5

static char dir[] = "/tmp/test_writer.XXXXXX";

static int open_dir(void)
{
    int fd;

    ck_assert_ptr_nonnull(mkdtemp(strcpy(dir, "/tmp/test_writer.XXXXXX")));
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void remove_dir(int fd)
{
    char command[64];

    close(fd);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* What `zcat` makes of a file in dir; what it complains of does not matter. */
static struct buf zcat(const char *name)
{
    struct buf out = BUF_INIT(64 << 20);
    char command[200], block[4096];
    size_t n;
    FILE *p;

    snprintf(command, sizeof(command), "zcat < %s/%s 2>/dev/null", dir, name);
    p = popen(command, "r");
    ck_assert_ptr_nonnull(p);
    while ((n = fread(block, 1, sizeof(block), p)) > 0)
        buf_append(&out, block, n);
    pclose(p);
    buf_append(&out, "", 0);
    ck_assert(!out.full);
    return out;
}

static struct summary_writer *writer_in(int dirfd)
{
    struct summary_writer *w = NULL;
    struct error err = {0};

    ck_assert_msg(summary_writer_open(dirfd, &err, &w) == 0, "%s", err.text);
    return w;
}

static void put_section(struct summary_writer *w, int i, size_t lines)
{
    struct section_end end = {SECTION_OK, NULL, lines, 12, 34, 0, 0};
    struct error err = {0};
    char name[16], line[200];

    snprintf(name, sizeof(name), "s%d", i);
    ck_assert_int_eq(summary_section_begin(w, name, &err), 0);
    for (size_t l = 0; l < lines; l++) {
        snprintf(line, sizeof(line), "{\"section\":\"%s\",\"record\":\"r\",\"n\":%ld,\"m\":%ld}\n",
                 name, random(), random());
        ck_assert_msg(summary_section_lines(w, line, strlen(line), &err) == 0, "%s", err.text);
    }
    ck_assert_msg(summary_section_end(w, &end, &err) == 0, "%s", err.text);
}

/* The temporary file's name in dir, "" if there is none. */
static void temp_name(char *ret, size_t cap)
{
    DIR *d = opendir(dir);

    ck_assert_ptr_nonnull(d);
    *ret = '\0';
    for (struct dirent *e; (e = readdir(d));)
        if (!strncmp(e->d_name, ".vmcore-summary", 15))
            snprintf(ret, cap, "%s", e->d_name);
    closedir(d);
}

START_TEST(published_file_reads_back)
{
    int dirfd = open_dir();
    struct summary_writer *w;
    struct section_end end = {SECTION_TIMEOUT, "deadline\x1b of 1 s passed", 1, 2, 3, 4, 0};
    static const char line[] = "{\"section\":\"a\",\"record\":\"b\"}\n";
    struct stat st;
    struct buf out;

    umask(0);
    w = writer_in(dirfd);
    ck_assert_int_eq(summary_section_begin(w, "a", NULL), 0);
    ck_assert_int_eq(summary_section_lines(w, line, strlen(line), NULL), 0);
    ck_assert_int_eq(summary_section_end(w, &end, NULL), 0);
    ck_assert_int_eq(fstatat(dirfd, SUMMARY_FILE_NAME, &st, 0), -1);
    ck_assert_int_eq(summary_writer_publish(w, NULL), 0);
    ck_assert_int_eq(fstatat(dirfd, SUMMARY_FILE_NAME, &st, 0), 0);
    ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
    ck_assert_uint_eq((uint64_t)st.st_size, summary_writer_bytes(w));
    summary_writer_close(w);
    out = zcat(SUMMARY_FILE_NAME);
    ck_assert_str_eq(out.data, "{\"section\":\"a\",\"record\":\"b\"}\n"
                               "{\"section\":\"a\",\"record\":\"end\",\"status\":\"timeout\","
                               "\"reason\":\"deadline\\u001b of 1 s passed\",\"rows\":1,"
                               "\"duration_us\":2,\"bytes_read\":3,\"faults\":4}\n");
    buf_done(&out);
    remove_dir(dirfd);
}
END_TEST

START_TEST(nothing_written_leaves_nothing)
{
    int dirfd = open_dir();
    char name[64];

    summary_writer_close(writer_in(dirfd));
    temp_name(name, sizeof(name));
    ck_assert_str_eq(name, "");
    remove_dir(dirfd);
}
END_TEST

START_TEST(symlinks_are_replaced_not_followed)
{
    int dirfd = open_dir(), fd;
    struct summary_writer *w;
    struct stat st;

    fd = openat(dirfd, "victim", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(symlinkat("victim", dirfd, SUMMARY_FILE_NAME), 0);
    w = writer_in(dirfd);
    put_section(w, 0, 3);
    ck_assert_int_eq(summary_writer_publish(w, NULL), 0);
    summary_writer_close(w);
    ck_assert_int_eq(fstatat(dirfd, "victim", &st, AT_SYMLINK_NOFOLLOW), 0);
    ck_assert_int_eq(st.st_size, 0);
    ck_assert_int_eq(fstatat(dirfd, SUMMARY_FILE_NAME, &st, AT_SYMLINK_NOFOLLOW), 0);
    ck_assert(S_ISREG(st.st_mode));
    remove_dir(dirfd);
}
END_TEST

/* Cut at every byte: what was whole up to there is what zcat still prints. */
START_TEST(every_truncation_keeps_whole_members)
{
    int dirfd = open_dir();
    struct summary_writer *w = writer_in(dirfd);
    uint64_t ends[SECTIONS], total;
    size_t text_ends[SECTIONS];
    char name[64];
    struct buf whole;
    const char *p;

    for (int i = 0; i < SECTIONS; i++) {
        put_section(w, i, 2);
        ends[i] = summary_writer_bytes(w);
    }
    total = ends[SECTIONS - 1];
    summary_writer_close(w);
    temp_name(name, sizeof(name));
    whole = zcat(name);
    p = whole.data;
    for (int i = 0; i < SECTIONS; i++) {
        p = strstr(p, "\"record\":\"end\"");
        ck_assert_ptr_nonnull(p);
        p = strchr(p, '\n') + 1;
        text_ends[i] = (size_t)(p - whole.data);
    }
    ck_assert_uint_eq(text_ends[SECTIONS - 1], whole.len);
    for (uint64_t cut = total; cut-- > 0;) {
        size_t want = 0;
        struct buf got;
        int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);

        ck_assert_int_eq(ftruncate(fd, (off_t)cut), 0);
        close(fd);
        for (int i = 0; i < SECTIONS; i++)
            if (ends[i] <= cut)
                want = text_ends[i];
        got = zcat(name);
        ck_assert_uint_ge(got.len, want);
        ck_assert_int_eq(memcmp(got.data, whole.data, want), 0);
        buf_done(&got);
    }
    buf_done(&whole);
    remove_dir(dirfd);
}
END_TEST

static unsigned count_ends(const char *text)
{
    unsigned n = 0;

    while ((text = strstr(text, "\"record\":\"end\""))) {
        n++;
        text++;
    }
    return n;
}

START_TEST(killed_writer_keeps_finished_sections)
{
    volatile unsigned *finished =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    for (int round = 0; round < 25; round++) {
        int dirfd = open_dir(), status;
        char name[64];
        struct buf out;
        pid_t pid;

        *finished = 0;
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (!pid) {
            struct summary_writer *w = writer_in(dirfd);

            for (int i = 0;; i++) {
                put_section(w, i, (size_t)(random() % 40));
                (*finished)++;
            }
        }
        usleep((useconds_t)(random() % 40000));
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        temp_name(name, sizeof(name));
        if (name[0]) {
            out = zcat(name);
            ck_assert_uint_ge(count_ends(out.data), *finished);
            buf_done(&out);
        }
        remove_dir(dirfd);
    }
}
END_TEST

/* A 64 KiB file system on dir; false where this process may not have one. */
static bool mount_small(void)
{
    bool root = geteuid() == 0;

    if (unshare(root ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", dir, "tmpfs", 0, "size=64k,mode=0700") < 0) {
        fprintf(stderr, "cannot mount a tmpfs: %s\n", strerror(errno));
        return false;
    }
    return true;
}

START_TEST(full_target_moves_to_memory)
{
    int dirfd = open_dir();
    struct error err = {0};
    struct summary_writer *w;
    unsigned kept;
    struct buf disk;
    char link[64];

    if (!mount_small())
        return;
    close(dirfd);
    dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    w = writer_in(dirfd);
    for (int i = 0; i < SECTIONS; i++)
        put_section(w, i, 1200); /* about 20 KiB each */
    ck_assert_ptr_nonnull(summary_writer_lost(w));
    ck_assert_int_eq(summary_writer_lost(w)->code, -ENOSPC);
    kept = summary_writer_sections_kept(w);
    ck_assert_uint_ge(kept, 1);
    ck_assert_uint_lt(kept, SECTIONS);
    ck_assert_uint_eq(summary_writer_sections(w), SECTIONS);
    ck_assert_int_eq(summary_writer_publish(w, &err), -ENOSPC);
    ck_assert_ptr_nonnull(strstr(err.text, "No space left"));
    disk = zcat(SUMMARY_FILE_NAME);
    ck_assert_uint_eq(count_ends(disk.data), kept);
    buf_done(&disk);
    /* memory has them all, each line whole */
    snprintf(link, sizeof(link), "../../proc/%d/fd/%d", (int)getpid(), summary_writer_fd(w));
    disk = zcat(link);
    ck_assert_uint_eq(count_ends(disk.data), SECTIONS);
    kept = 0;
    for (const char *p = disk.data; (p = strchr(p, '\n')); p++)
        kept++;
    ck_assert_uint_eq(kept, SECTIONS * 1201);
    buf_done(&disk);
    summary_writer_close(w);
    ck_assert_int_eq(umount2(dir, MNT_DETACH), 0);
    remove_dir(dirfd);
}
END_TEST

START_TEST(a_file_without_its_name_keeps_nothing)
{
    int dirfd = open_dir();
    struct summary_writer *w = writer_in(dirfd);
    struct error err = {0};

    put_section(w, 0, 2);
    ck_assert_uint_eq(summary_writer_sections_kept(w), 1);
    ck_assert_int_eq(mkdirat(dirfd, SUMMARY_FILE_NAME, 0700), 0);
    ck_assert_int_eq(summary_writer_publish(w, &err), -EISDIR);
    ck_assert_uint_eq(summary_writer_sections_kept(w), 0);
    ck_assert_uint_eq(summary_writer_sections(w), 1);
    /* what was in the way is gone */
    ck_assert_int_eq(unlinkat(dirfd, SUMMARY_FILE_NAME, AT_REMOVEDIR), 0);
    ck_assert_int_eq(summary_writer_publish(w, NULL), 0);
    ck_assert_uint_eq(summary_writer_sections_kept(w), 1);
    summary_writer_close(w);
    remove_dir(dirfd);
}
END_TEST

START_TEST(memory_has_nothing_to_publish)
{
    struct summary_writer *w = NULL;

    ck_assert_int_eq(summary_writer_open_memory(NULL, &w), 0);
    put_section(w, 0, 2);
    ck_assert_int_eq(summary_writer_publish(w, NULL), 0);
    ck_assert_ptr_null(summary_writer_lost(w));
    ck_assert_uint_eq(summary_writer_sections_kept(w), 0);
    ck_assert_int_eq(lseek(summary_writer_fd(w), 0, SEEK_END), (off_t)summary_writer_bytes(w));
    summary_writer_close(w);
}
END_TEST

UNIT_SUITE("writer", published_file_reads_back, nothing_written_leaves_nothing,
           symlinks_are_replaced_not_followed, every_truncation_keeps_whole_members,
           killed_writer_keeps_finished_sections, full_target_moves_to_memory,
           a_file_without_its_name_keeps_nothing, memory_has_nothing_to_publish)

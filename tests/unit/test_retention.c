/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is removed, what stays, and what a directory may hold that must not mislead. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "capture/retention.h"
#include "unit/suite.h"
#include "util/buf.h"
#include "util/cleanup.h"

static char base[64];
static int base_fd;

static void make_base(void)
{
    ck_assert_ptr_nonnull(mkdtemp(strcpy(base, "/tmp/test_retention.XXXXXX")));
    base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(base_fd, 0);
}

static void remove_base(void)
{
    char command[100];

    snprintf(command, sizeof(command), "rm -rf %s", base);
    ck_assert_int_eq(system(command), 0);
    close(base_fd);
}

static void put_file(const char *dir, const char *name, size_t bytes)
{
    char path[300], block[4096] = "";
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s/%s", base, dir, name);
    f = fopen(path, "we");
    ck_assert_ptr_nonnull(f);
    for (; bytes; bytes -= bytes < sizeof(block) ? bytes : sizeof(block))
        fwrite(block, 1, bytes < sizeof(block) ? bytes : sizeof(block), f);
    fclose(f);
}

static void put_summary(const char *dir, size_t bytes)
{
    ck_assert_int_eq(mkdirat(base_fd, dir, 0700), 0);
    put_file(dir, "vmcore-summary.jsonl.gz", bytes);
}

/* What a crash leaves in the end, with the marker, the digest, the record and a temporary. */
static void put_crash(int day)
{
    static const char *const others[] = {"vmcore-summary.txt", "vmcore-summary.dump", ".seen",
                                         ".vmcore-summary.jsonl.gz.a1B2c3"};
    char dir[64];

    snprintf(dir, sizeof(dir), "crash-202601%02dT000000Z", day);
    put_summary(dir, 4096);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        put_file(dir, others[i], 100);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* The names in the base, with blanks between. */
static const char *left(void)
{
    static char text[4096];
    struct dirent **entries;
    int n = scandir(base, &entries, is_visible, by_name);

    text[0] = '\0';
    ck_assert_int_ge(n, 0);
    for (int i = 0; i < n; i++) {
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
                 entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return text;
}

static unsigned apply_before(const struct retention *r, struct retention_dump dump,
                             const char *spare)
{
    unsigned removed = 99;

    ck_assert_int_eq(retention_apply(base_fd, spare, r, dump, NULL, &removed), 0);
    return removed;
}

static unsigned apply(const struct retention *r, const char *spare)
{
    return apply_before(r, (struct retention_dump){0}, spare);
}

START_TEST(the_oldest_go_first)
{
    const struct retention r = {.keep_max = 2};

    make_base();
    for (int day = 9; day > 4; day--)
        put_crash(day);
    ck_assert_uint_eq(apply(&r, ""), 3);
    ck_assert_str_eq(left(), "crash-20260108T000000Z crash-20260109T000000Z");
    ck_assert_uint_eq(apply(&r, ""), 0);
    remove_base();
}
END_TEST

START_TEST(without_limits_all_stay)
{
    const struct retention r = {0};

    make_base();
    for (int day = 1; day < 9; day++)
        put_crash(day);
    ck_assert_uint_eq(apply(&r, ""), 0);
    remove_base();
}
END_TEST

START_TEST(numbers_are_in_their_order)
{
    const struct retention r = {.keep_max = 2};

    make_base();
    put_summary("crash-20260101T000000Z-10", 1);
    put_summary("crash-20260101T000000Z-9", 1);
    put_summary("crash-20260101T000000Z", 1);
    put_summary("crash-20260101T000000Z-1", 1);
    ck_assert_uint_eq(apply(&r, ""), 2);
    ck_assert_str_eq(left(), "crash-20260101T000000Z-10 crash-20260101T000000Z-9");
    remove_base();
}
END_TEST

START_TEST(live_ones_have_their_own_limit)
{
    const struct retention r = {.keep_max = 1,
                                .baseline_keep = 2,
                                .max_use = {0, SPACE_BYTES},
                                .keep_free = {100, SPACE_PERCENT}};

    make_base();
    put_summary("live-20260101T000000Z", 1);
    put_summary("live-20260102T000000Z", 1);
    put_summary("live-20260103T000000Z", 1);
    put_crash(4);
    ck_assert_uint_eq(apply(&r, ""), 1);
    ck_assert_str_eq(left(), "crash-20260104T000000Z live-20260102T000000Z live-20260103T000000Z");
    remove_base();
}
END_TEST

/* A clock at 1970 makes the new one the oldest by its name. */
START_TEST(the_spare_and_the_newest_stay)
{
    const struct retention r = {.keep_max = 1, .max_use = {0, SPACE_BYTES}};

    make_base();
    put_summary("crash-19700101T000102Z", 1);
    put_crash(1);
    put_crash(2);
    ck_assert_uint_eq(apply(&r, "crash-19700101T000102Z"), 1);
    ck_assert_str_eq(left(), "crash-19700101T000102Z crash-20260102T000000Z");
    remove_base();
}
END_TEST

static uint64_t used_bytes(const char *name)
{
    char path[300];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s/vmcore-summary.jsonl.gz", base, name);
    ck_assert_int_eq(stat(path, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

START_TEST(they_take_no_more_than_max_use)
{
    struct retention r = {.max_use = {0, SPACE_BYTES}};

    make_base();
    put_summary("crash-20260101T000000Z", 100 << 10);
    put_summary("crash-20260102T000000Z", 300 << 10);
    put_summary("crash-20260103T000000Z", 200 << 10);
    r.max_use.value = used_bytes("crash-20260102T000000Z") + used_bytes("crash-20260103T000000Z");
    ck_assert_uint_eq(apply(&r, ""), 1);
    r.max_use.value--;
    ck_assert_uint_eq(apply(&r, ""), 1);
    ck_assert_str_eq(left(), "crash-20260103T000000Z");
    remove_base();
}
END_TEST

START_TEST(they_go_until_enough_is_free)
{
    struct retention r = {.keep_free = {0, SPACE_BYTES}};
    struct statvfs fs;

    make_base();
    if (mount("none", base, "tmpfs", 0, "size=8M")) {
        remove_base();
        return; /* not root: max_use above has the same loop */
    }
    close(base_fd);
    base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    put_summary("crash-20260101T000000Z", 2 << 20);
    put_summary("crash-20260102T000000Z", 2 << 20);
    put_summary("crash-20260103T000000Z", 2 << 20);
    put_summary("crash-20260104T000000Z", 1 << 20);
    ck_assert_int_eq(fstatvfs(base_fd, &fs), 0);
    ck_assert_uint_eq(apply(&(struct retention){.keep_free = {12, SPACE_PERCENT}}, ""), 0);
    ck_assert_uint_eq(apply(&(struct retention){.keep_free = {30, SPACE_PERCENT}}, ""), 1);
    r.keep_free.value = (uint64_t)fs.f_bavail * fs.f_frsize + (3 << 20);
    ck_assert_uint_eq(apply(&r, ""), 1);
    ck_assert_str_eq(left(), "crash-20260103T000000Z crash-20260104T000000Z");
    close(base_fd);
    ck_assert_int_eq(umount(base), 0);
    ck_assert_int_eq(rmdir(base), 0);
}
END_TEST

START_TEST(what_is_not_ours_stays)
{
    static const char *const names[] = {"crash-2026010T000000Z",
                                        "crash-20260101T000000",
                                        "crash-20260101T000000Z-x",
                                        "crash-20260101T000000Z.d",
                                        "crash-20260101T000000Z-1-2",
                                        "Crash-20260101T000000Z",
                                        "202601010000",
                                        "127.0.0.1-2026-01-01-00:00:00",
                                        "live-",
                                        "crash-20260101t000000Z-99",
                                        "crash-unknown",
                                        "kept"};
    const struct retention r = {.keep_max = 1, .baseline_keep = 1, .remove_vmcore = true};

    make_base();
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        put_summary(names[i], 1);
    put_file(".", "crash-20260101T000000Z", 1);
    put_crash(30);
    put_crash(31);
    ck_assert_uint_eq(apply(&r, ""), 1);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        ck_assert_msg(!retention_is_ours(names[i]), "%s", names[i]);
        ck_assert_msg(!faccessat(base_fd, names[i], F_OK, 0), "%s", names[i]);
    }
    ck_assert_int_eq(faccessat(base_fd, "crash-20260101T000000Z", F_OK, 0), 0);
    remove_base();
}
END_TEST

START_TEST(a_vmcore_stays_unless_told)
{
    struct retention r = {.keep_max = 1};

    make_base();
    for (int day = 1; day < 4; day++)
        put_crash(day);
    put_file("crash-20260101T000000Z", "vmcore", 1 << 20);
    put_file("crash-20260102T000000Z", "vmcore-incomplete", 1 << 20);
    ck_assert_uint_eq(apply(&r, ""), 0);
    ck_assert_int_eq(faccessat(base_fd, "crash-20260101T000000Z/.seen", F_OK, 0), 0);
    r.remove_vmcore = true;
    put_file("crash-20260103T000000Z", "vmcore", 1);
    ck_assert_uint_eq(apply(&r, ""), 2);
    ck_assert_str_eq(left(), "crash-20260103T000000Z");
    remove_base();
}
END_TEST

/* The last whole one, with what limits there are, until a newer one is wanted. */
START_TEST(the_only_vmcore_stays_until_another_comes)
{
    const struct retention r = {.keep_max = 1, .max_use = {0, SPACE_BYTES}, .remove_vmcore = true};
    const struct retention_dump follows = {.follows = true};

    make_base();
    for (int day = 1; day < 6; day++)
        put_crash(day);
    put_file("crash-20260101T000000Z", "vmcore", 1 << 20);
    put_file("crash-20260102T000000Z", "vmcore", 1 << 20);
    put_file("crash-20260103T000000Z", "vmcore-incomplete", 1 << 20);
    ck_assert_uint_eq(apply(&r, "crash-20260105T000000Z"), 3);
    ck_assert_str_eq(left(), "crash-20260102T000000Z crash-20260105T000000Z");
    ck_assert_uint_eq(apply(&r, "crash-20260105T000000Z"), 0);
    ck_assert_uint_eq(apply_before(&r, follows, "crash-20260105T000000Z"), 1);
    ck_assert_str_eq(left(), "crash-20260105T000000Z");
    remove_base();
}
END_TEST

START_TEST(what_stays_does_not_count)
{
    struct retention r = {.remove_vmcore = true};

    make_base();
    for (int day = 1; day < 5; day++)
        put_crash(day);
    put_file("crash-20260101T000000Z", "vmcore", 1 << 20);
    r.max_use = (struct space){1 << 20, SPACE_BYTES};
    ck_assert_uint_eq(apply(&r, ""), 0);
    remove_base();
}
END_TEST

START_TEST(nothing_goes_for_room_that_it_would_not_make)
{
    const struct retention r = {.keep_max = 1, .remove_vmcore = true};
    struct retention_dump dump = {.follows = true};
    uint64_t free_bytes;
    struct statvfs fs;

    make_base();
    for (int day = 1; day < 4; day++)
        put_crash(day);
    put_file("crash-20260101T000000Z", "vmcore", 16 << 20);
    if (geteuid() || mount("none", base, "tmpfs", 0, "size=16M")) {
        remove_base();
        return; /* what others write to a file system would be counted */
    }
    close(base_fd);
    base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int day = 1; day < 4; day++)
        put_crash(day);
    put_file("crash-20260101T000000Z", "vmcore", 4 << 20);
    ck_assert_int_eq(fstatvfs(base_fd, &fs), 0);
    free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    dump.wanted_free_bytes = free_bytes + (5 << 20);
    ck_assert_uint_eq(apply_before(&r, dump, "crash-20260103T000000Z"), 0);
    dump.wanted_free_bytes = free_bytes + (4 << 20);
    ck_assert_uint_eq(apply_before(&r, dump, "crash-20260103T000000Z"), 2);
    ck_assert_str_eq(left(), "crash-20260103T000000Z");
    close(base_fd);
    ck_assert_int_eq(umount(base), 0);
    base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    remove_base();
}
END_TEST

/* What lies beside a summary keeps it whole, whatever it is. */
START_TEST(hostile_directories_stay_whole)
{
    const struct retention r = {.keep_max = 1, .remove_vmcore = true};
    char target[100], victim[120], deep[200];

    make_base();
    for (int day = 2; day < 8; day++)
        put_crash(day);
    snprintf(target, sizeof(target), "%s/precious", base);
    snprintf(victim, sizeof(victim), "%s/file", target);
    ck_assert_int_eq(mkdir(target, 0700), 0);
    put_file("precious", "file", 1);
    put_file("precious", "vmcore-summary.jsonl.gz", 1);
    ck_assert_int_eq(symlinkat(target, base_fd, "crash-20260101T000000Z"), 0);
    ck_assert_int_eq(symlinkat(victim, base_fd, "crash-20260102T000000Z/vmcore"), 0);
    ck_assert_int_eq(mkdirat(base_fd, "crash-20260103T000000Z/.vmcore-summary.d", 0700), 0);
    put_file("crash-20260104T000000Z", "notes", 1);
    ck_assert_int_eq(mkfifoat(base_fd, "crash-20260105T000000Z/vmcore-summary.txt.fifo", 0600), 0);
    for (int i = 0; i < 100; i++) {
        snprintf(deep, sizeof(deep), ".vmcore-summary.jsonl.gz.%06d", i);
        put_file("crash-20260106T000000Z", deep, 1);
    }
    ck_assert_uint_eq(apply(&r, ""), 0);
    ck_assert_int_eq(access(victim, F_OK), 0);
    ck_assert_int_eq(faccessat(base_fd, "crash-20260102T000000Z/.seen", F_OK, 0), 0);
    put_crash(9);
    ck_assert_uint_eq(apply(&r, ""), 1);
    ck_assert_int_eq(faccessat(base_fd, "crash-20260107T000000Z", F_OK, 0), -1);
    if (!geteuid()) {
        ck_assert_int_eq(fchownat(base_fd, "crash-20260109T000000Z", 1, 1, 0), 0);
        put_crash(10);
        put_crash(11);
        ck_assert_uint_eq(apply(&r, ""), 1);
        ck_assert_int_eq(faccessat(base_fd, "crash-20260109T000000Z", F_OK, 0), 0);
    }
    remove_base();
}
END_TEST

START_TEST(a_run_cleans_beside_names_of_ours_alone)
{
    const struct retention_dump no_dump = {0};
    const struct retention r = {.keep_max = 1};
    char path[100];
    int fd;

    make_base();
    for (int day = 1; day < 4; day++)
        put_crash(day);
    put_summary("mine", 1);
    snprintf(path, sizeof(path), "%s/mine", base);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    retention_run(path, fd, &r, no_dump);
    ck_assert_int_eq(faccessat(base_fd, "crash-20260101T000000Z", F_OK, 0), 0);
    close(fd);
    snprintf(path, sizeof(path), "%s/crash-20260101T000000Z", base);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    retention_run(path, fd, &r, no_dump);
    ck_assert_str_eq(left(), "crash-20260101T000000Z crash-20260103T000000Z mine");
    close(fd);
    retention_run(base, -1, &r, no_dump);
    ck_assert_str_eq(left(), "crash-20260103T000000Z mine");
    retention_run("/nonexistent", -1, &r, no_dump);
    remove_base();
}
END_TEST

START_TEST(sizes_and_parts_are_read)
{
    static const struct {
        const char *text;
        struct space want;
    } good[] = {
        {"", {0, SPACE_UNLIMITED}},        {"0", {0, SPACE_BYTES}},
        {"4096", {4096, SPACE_BYTES}},     {"10K", {10 << 10, SPACE_BYTES}},
        {"64M", {64 << 20, SPACE_BYTES}},  {"3G", {3ULL << 30, SPACE_BYTES}},
        {"2T", {2ULL << 40, SPACE_BYTES}}, {"15%", {15, SPACE_PERCENT}},
        {"100%", {100, SPACE_PERCENT}},
    };
    static const char *const bad[] = {"x",  "-1",   "10 %", "101%",      "1KK",
                                      "%",  "1.5G", "1%%",  "99999999T", "99999999999999999999",
                                      " 1", "1P"};

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct space got = {99, SPACE_PERCENT};

        ck_assert_int_eq(space_parse(good[i].text, NULL, &got), 0);
        ck_assert_uint_eq(got.value, good[i].want.value);
        ck_assert_int_eq(got.unit, good[i].want.unit);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct space got = {99, SPACE_PERCENT};
        struct error err = {0};

        ck_assert_msg(space_parse(bad[i], &err, &got) == -EINVAL && err.text[0], "%s", bad[i]);
        ck_assert_uint_eq(got.value, 99);
    }
}
END_TEST

UNIT_SUITE("retention", the_oldest_go_first, without_limits_all_stay, numbers_are_in_their_order,
           live_ones_have_their_own_limit, the_spare_and_the_newest_stay,
           they_take_no_more_than_max_use, they_go_until_enough_is_free, what_is_not_ours_stays,
           a_vmcore_stays_unless_told, the_only_vmcore_stays_until_another_comes,
           what_stays_does_not_count, nothing_goes_for_room_that_it_would_not_make,
           hostile_directories_stay_whole, a_run_cleans_beside_names_of_ours_alone,
           sizes_and_parts_are_read)

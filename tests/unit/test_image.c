/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/image.h"
#include "core/kcore.h"
#include "core/window.h"
#include "unit/suite.h"
#include "unit/vmcore.h"
#include "util/cleanup.h"
#include "util/math.h"

/* Opens a vmcore built from tests/data/vmcore/NAME.txt, whose comments say what to expect. */
static struct image *open_vmcore(const char *name)
{
    struct error err = {0};
    struct image *im = NULL;
    char path[32];
    int r;

    vmcore_build(name, path);
    r = image_open(path, &err, &im);
    ck_assert_msg(r == 0, "%s: %s", name, err.text);
    vmcore_remove(path);
    return im;
}

static void assert_reads(struct image *im, uint64_t phys, const char *want)
{
    char got[64] = {0};

    ck_assert_int_eq(image_read(im, phys, got, strlen(want)), 0);
    ck_assert_str_eq(got, want);
}

static void assert_fails(struct image *im, uint64_t phys, size_t len, int code)
{
    char got[64] = "untouched";

    ck_assert_uint_le(len, sizeof(got));
    ck_assert_int_eq(image_read(im, phys, got, len), code);
    ck_assert_str_eq(got, "untouched");
}

static void assert_range(const struct image *im, size_t i, uint64_t phys, uint64_t mem,
                         uint64_t file)
{
    const struct image_range *ranges;

    ck_assert_uint_gt(image_ranges(im, &ranges), i);
    ck_assert_uint_eq(ranges[i].phys, phys);
    ck_assert_uint_eq(ranges[i].mem_bytes, mem);
    ck_assert_uint_eq(ranges[i].file_bytes, file);
}

START_TEST(a_plain_vmcore_reads)
{
    struct image *im = open_vmcore("plain");
    const struct image_range *ranges;
    uint64_t page_size, value;

    ck_assert_uint_eq(image_machine(im), EM_X86_64);
    ck_assert_str_eq(image_kind(im), "elf");
    ck_assert_int_eq(vmcoreinfo_decimal(image_vmcoreinfo(im), "PAGESIZE", &page_size), 0);
    ck_assert_uint_eq(page_size, 4096);
    ck_assert_uint_eq(image_ranges(im, &ranges), 2);
    assert_range(im, 0, 0x1000, 0x100b, 0x100b);
    ck_assert_uint_eq(ranges[0].virt, 0xffff888000001000);
    assert_reads(im, 0x1000, "first page, ");
    assert_reads(im, 0x2000, "second page");
    ck_assert_int_eq(image_read(im, 0x100000, &value, sizeof(value)), 0);
    ck_assert_uint_eq(value, 0x1122334455667788);
    ck_assert_uint_eq(image_bytes_read(im), 12 + 11 + 8);
    assert_fails(im, 0xfff, 1, -EFAULT);
    assert_fails(im, 0x2000, 12, -EFAULT); /* a byte past the end of the range */
    assert_fails(im, 0x100008, 1, -EFAULT);
    assert_fails(im, UINT64_MAX, 2, -EFAULT);
    ck_assert_int_eq(image_read(im, 0x42, &value, 0), 0);
    image_close(im);
}
END_TEST

START_TEST(reads_cross_adjoining_ranges)
{
    struct image *im = open_vmcore("unordered");

    assert_range(im, 0, 0x2ff8, 8, 8);
    assert_reads(im, 0x2ffe, "abcdef");
    image_close(im);
}
END_TEST

START_TEST(the_later_header_wins)
{
    struct image *im = open_vmcore("overlap");
    const struct image_range *ranges;

    ck_assert_uint_eq(image_ranges(im, &ranges), 3);
    assert_reads(im, 0x1000, "RRRRRRRRRRRRKKKKKKLL");
    ck_assert_uint_eq(ranges[1].virt, 0xffffffff81000008);
    image_close(im);
}
END_TEST

START_TEST(filtered_memory_is_told_from_absent)
{
    struct image *im = open_vmcore("filtered");

    assert_reads(im, 0x1000, "12345678");
    assert_fails(im, 0x1008, 1, -ENODATA);
    assert_fails(im, 0x1007, 2, -ENODATA); /* all or nothing */
    assert_fails(im, 0x1100, 1, -EFAULT);
    assert_reads(im, 0x2000, "data");
    assert_fails(im, 0x2004, 4, -ENODATA);
    image_close(im);
}
END_TEST

START_TEST(a_truncated_vmcore_gives_what_is_there)
{
    struct image *im = open_vmcore("truncated");

    assert_reads(im, 0x1000, "01234567");
    assert_fails(im, 0x1000, 9, -EFAULT);
    assert_fails(im, 0x1008, 1, -EFAULT);
    assert_fails(im, 0x4000, 4, -EFAULT);
    assert_reads(im, 0x5000, "KERNEL IMAGE");
    assert_fails(im, 0x500c, 1, -EFAULT);
    image_close(im);
}
END_TEST

START_TEST(lying_headers_do_no_harm)
{
    struct image *im = open_vmcore("lies");
    const struct image_range *ranges;

    ck_assert_uint_eq(image_ranges(im, &ranges), 2);
    assert_fails(im, 0x1000, 8, -EFAULT);
    assert_fails(im, 0x2000, 8, -EFAULT); /* not the file's start by wrap-around */
    assert_fails(im, 0x8000, 8, -EFAULT);
    assert_fails(im, 0xffffffffffffff00, 8, -EFAULT);
    image_close(im);
}
END_TEST

/* The comments in tests/data/vmcore/kcore.txt tell of it. */
START_TEST(a_running_kernel_is_known)
{
    struct image *im = open_vmcore("kcore");
    const struct image_range *ranges;

    ck_assert(image_is_live(im));
    ck_assert_str_eq(image_kind(im), "kcore");
    ck_assert_uint_eq(image_ranges(im, &ranges), 2);
    assert_range(im, 0, 0x1000, 29, 29);
    assert_reads(im, 0x1000, "text, in all of the first RAM");
    image_refresh(im);
    assert_reads(im, 0x1000, "text");
    assert_fails(im, 0xffffffffffffffff, 1, -EFAULT);
    assert_fails(im, 0x100000, 8, -EFAULT); /* beyond the file's end */
    image_close(im);

    im = open_vmcore("kcore-crashed");
    ck_assert(!image_is_live(im));
    ck_assert_str_eq(image_kind(im), "elf");
    assert_reads(im, 0x1000, "RAM");
    image_close(im);
}
END_TEST

/* A hole of /proc/kcore: a file that cannot be mapped, and a read that fails with EIO. */
START_TEST(unreadable_memory_is_a_fault)
{
    _cleanup_close_ int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    char text[] = "readable", got[sizeof(text)] = "";
    struct windows w = {.no_mmap = true};

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(windows_read(&w, fd, UINT64_MAX / 2, 0x10, got, 8), -EFAULT);
    ck_assert_str_eq(got, "");
    ck_assert_int_eq(
        windows_read(&w, fd, UINT64_MAX / 2, (uint64_t)(uintptr_t)text, got, sizeof(text)), 0);
    ck_assert_str_eq(got, text);
    windows_drop(&w);
}
END_TEST

START_TEST(a_refused_kcore_says_what_to_do)
{
    static const struct {
        int r;
        bool root;
        const char *lockdown, *say;
    } cases[] = {
        {-ENOENT, true, "", "CONFIG_PROC_KCORE"},
        {-ENOTSUP, true, "", "run on the host"},
        {-EACCES, false, "", "run as root"},
        {-EPERM, false, "none integrity [confidentiality]\n", "run as root"},
        {-EPERM, true, "none integrity [confidentiality]\n", "lockdown (confidentiality)"},
        {-EPERM, true, "none [integrity] confidentiality\n", "CAP_SYS_RAWIO"},
        {-EPERM, true, "", "CAP_SYS_RAWIO"},
        {-EMFILE, true, "", "Too many open files"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};

        ck_assert_int_eq(kcore_refused(cases[i].r, cases[i].root, cases[i].lockdown, &err),
                         cases[i].r);
        ck_assert_msg(strstr(err.text, cases[i].say), "%s", err.text);
        ck_assert_ptr_nonnull(strstr(err.text, "/proc/kcore"));
        ck_assert_uint_lt(strlen(err.text), sizeof(err.text) - 1); /* whole */
    }
}
END_TEST

static void assert_not_opened(const char *path, int code, const char *say)
{
    struct error err = {0};
    struct image *im = NULL;

    ck_assert_int_eq(image_open(path, &err, &im), code);
    ck_assert_ptr_null(im);
    ck_assert_msg(strstr(err.text, say), "%s", err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}

START_TEST(what_is_no_vmcore_is_named)
{
    static const struct {
        const char *name, *say;
        int code;
    } cases[] = {
        {"32bit", "32-bit", -ENOTSUP},          {"bigendian", "big-endian", -ENOTSUP},
        {"executable", "not a core", -ENOTSUP}, {"process", "core of a process", -ENOTSUP},
        {"no-memory", "no PT_LOAD", -EBADMSG},  {"no-headers", "no PT_LOAD", -EBADMSG},
    };
    char path[32];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        vmcore_build(cases[i].name, path);
        assert_not_opened(path, cases[i].code, cases[i].say);
        vmcore_remove(path);
    }
}
END_TEST

/* The start of the bytes; the gzip ones are `printf '{"section":"header"}\n' | gzip` and the same
 * of `hello`. */
START_TEST(other_files_are_named)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *say;
    } cases[] = {
        {"", 0, "empty file"},
        {"KDUMP   \6\0\0\0Linux", 17, "a compressed dump, but"},
        {"DISKDUMP", 8, "a compressed dump, but"},
        {"makedumpfile\0\0\0\0", 16, "a flattened dump that is damaged"},
        {"\xfd\x37zXZ\0", 6, "xz file"},
        {"\x28\xb5\x2f\xfd\x24", 5, "zstd file"},
        {"EMiL\1\0\0\0", 8, "LiME"},
        {"[    0.000000] Linux version\n", 29, "text file"},
        {"\x7f\x45\x4c", 3, "unknown format"},
        {"\177ELF\2\1\1", 7, "cut short"},
        {"{\"section\":\"header\"}\n", 21, "a summary of vmcore-summary"},
        {"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56\x2a\x4e\x4d\x2e\xc9\xcc\xcf\x53"
         "\xb2\x52\xca\x48\x4d\x4c\x49\x2d\x52\xaa\xe5\x02\x00",
         33, "a summary of vmcore-summary"},
        {"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\x00", 18,
         "a gzip file"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char path[] = "/tmp/vmcore.XXXXXX";
        _cleanup_close_ int fd = mkstemp(path);
        /* of a format that is read */
        bool damaged = strstr(cases[i].say, "but") || strstr(cases[i].say, "damaged") ||
                       strstr(cases[i].say, "cut short");

        ck_assert_int_eq(write(fd, cases[i].bytes, cases[i].len), (ssize_t)cases[i].len);
        assert_not_opened(path, damaged ? -EBADMSG : -ENOTSUP, cases[i].say);
        unlink(path);
    }
    assert_not_opened("/tmp", -ENOTSUP, "a directory");
    assert_not_opened("/dev/null", -ENOTSUP, "not a regular file");
    assert_not_opened("/nonexistent/vmcore", -ENOENT, "/nonexistent/vmcore: No such file");
}
END_TEST

/* 4 MiB of which each 8 bytes hold their own offset: more than all windows together take. */
#define BIG_BYTES (4 << 20)

static int make_big_file(void)
{
    static uint64_t words[BIG_BYTES / 8 + 1];
    char path[] = "/tmp/vmcore.XXXXXX";
    int fd = mkstemp(path);

    unlink(path);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        words[i] = i * 8;
    ck_assert_int_eq(write(fd, words, BIG_BYTES + 4), BIG_BYTES + 4);
    return fd;
}

static void assert_words(struct windows *w, int fd, uint64_t offset, size_t len)
{
    _cleanup_free_ uint64_t *words = malloc(len);

    ck_assert_int_eq(windows_read(w, fd, BIG_BYTES + 4, offset, words, len), 0);
    for (size_t i = 0; i < len / 8; i++)
        ck_assert_uint_eq(words[i], offset + i * 8);
}

static void read_everywhere(struct windows *w, int fd)
{
    uint64_t state = 1;

    for (int i = 0; i < 5000; i++) {
        state = state * 6364136223846793005 + 1442695040888963407; /* Knuth's MMIX */
        assert_words(w, fd, (state >> 33) % (BIG_BYTES / 8 - 512) * 8, (state & 511) * 8 + 8);
    }
    assert_words(w, fd, WINDOW_BYTES - 8, 16);
    assert_words(w, fd, 0, BIG_BYTES);
    assert_words(w, fd, 8, 3 * WINDOW_BYTES);
}

START_TEST(windows_give_the_bytes_of_the_file)
{
    static struct windows w;
    _cleanup_close_ int fd = make_big_file();
    size_t mapped = 0;
    uint64_t word = 7;

    read_everywhere(&w, fd);
    for (size_t i = 0; i < WINDOW_COUNT; i++)
        mapped += w.slots[i].map_len;
    ck_assert_uint_gt(mapped, 0);
    ck_assert_uint_le(mapped, WINDOW_COUNT * WINDOW_BYTES);
    /* the last window is shorter than others; the file ends in the middle of this word */
    assert_words(&w, fd, BIG_BYTES - 8, 8);
    ck_assert_int_eq(windows_read(&w, fd, BIG_BYTES + 4, BIG_BYTES, &word, 4), 0);
    ck_assert_int_eq(windows_read(&w, fd, BIG_BYTES + 4, BIG_BYTES, &word, 8), -EFAULT);
    windows_drop(&w);
}
END_TEST

START_TEST(windows_copy_where_mmap_is_refused)
{
    static struct windows w = {.no_mmap = true};
    _cleanup_close_ int fd = make_big_file();

    read_everywhere(&w, fd);
    for (size_t i = 0; i < WINDOW_COUNT; i++)
        ck_assert_uint_eq(w.slots[i].map_len, 0);
    /* shrinks after it was opened */
    windows_drop(&w);
    ck_assert_int_eq(ftruncate(fd, 4096), 0);
    ck_assert_int_eq(windows_read(&w, fd, BIG_BYTES, 8192, &w.clock, 8), -EFAULT);
    windows_drop(&w);
}
END_TEST

/* A descriptor that cannot be mapped: its own mode refuses it, as a file system without mmap
 * would. */
START_TEST(windows_fall_back_by_themselves)
{
    static struct windows w;
    _cleanup_close_ int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
    char byte;

    ck_assert_int_eq(windows_read(&w, fd, 1, 0, &byte, 1), 0);
    ck_assert(w.no_mmap);
    windows_drop(&w);
}
END_TEST

/* Both processes read, in turns, the "first" of a file that has been unlinked: the child reopens it
 * through the descriptor. */
static void assert_forked_child_reads(struct image *im)
{
    int status;
    pid_t pid;

    assert_reads(im, 0x1000, "first");
    pid = fork();
    if (pid == 0) {
        char got[6] = {0};
        int r = image_after_fork(im);

        r = r < 0 ? r : image_read(im, 0x1000, got, 5);
        _exit(r == 0 && strcmp(got, "first") == 0 && image_bytes_read(im) == 5 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    assert_reads(im, 0x1000, "first");
    image_close(im);
}

START_TEST(a_forked_child_reads_on_its_own)
{
    assert_forked_child_reads(open_vmcore("plain"));
}
END_TEST

/* libkdumpfile 0.5 leaks its table of pages. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libkdumpfile";
}

#define BLOCK 4096

/*
 * A kdump of four pages of which the second is there, as makedumpfile writes it without compression
 * (its IMPLEMENTATION file and diskdump_mod.h): header, sub header, two bitmaps (memory, and what
 * is in the file), one page descriptor, the page.
 */
static void make_kdump(uint8_t *ret, const char *machine)
{
    static const struct {
        uint32_t at, value;
    } words[] = {
        {8, 6},      /* header_version */
        {428, 4096}, /* block_size */
        {432, 1},    /* sub_hdr_size, in blocks */
        {436, 2},    /* bitmap_blocks, of both */
        {440, 4},    /* max_mapnr */
        {460, 1},    /* nr_cpus */
        /* sub header: max_mapnr_64 */
        {BLOCK + 96, 4},
        /* the descriptor: where the page is, its bytes */
        {4 * BLOCK, 5 * BLOCK},
        {4 * BLOCK + 8, BLOCK},
    };

    const char *const names[] = {"Linux", "host", "6.1.0", "#1", machine, "(none)"};

    memcpy(ret, "KDUMP   ", 8);
    /* the library takes the machine only from names of which none is empty */
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        strcpy((char *)ret + 12 + i * 65, names[i]);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        memcpy(ret + words[i].at, &words[i].value, sizeof(words[i].value));
    ret[2 * BLOCK] = 0x0e; /* all but the first are memory */
    ret[3 * BLOCK] = 0x02;
    strcpy((char *)ret + 5 * BLOCK, "first page of all");
}

static struct image *open_kdump(const char *machine)
{
    static uint8_t file[6 * BLOCK];
    char path[] = "/tmp/vmcore.XXXXXX";
    _cleanup_close_ int fd = mkstemp(path);
    struct error err = {0};
    struct image *im = NULL;

    memset(file, 0, sizeof(file));
    make_kdump(file, machine);
    ck_assert_int_eq(write(fd, file, sizeof(file)), sizeof(file));
    ck_assert_msg(image_open(path, &err, &im) == 0, "%s", err.text);
    unlink(path);
    return im;
}

START_TEST(a_kdump_reads)
{
    struct image *im = open_kdump("x86_64");

    ck_assert_uint_eq(image_machine(im), EM_X86_64);
    ck_assert_str_eq(image_kind(im), "kdump");
    assert_range(im, 0, 0x1000, 0x3000, 0x3000);
    assert_reads(im, 0x1006, "page");
    assert_fails(im, 0x800, 8, -EFAULT);
    assert_fails(im, 0x2000, 8, -ENODATA);
    assert_fails(im, 0x1ffc, 8, -ENODATA); /* all or nothing */
    assert_fails(im, 0x4000, 8, -EFAULT);
    image_close(im);
    /* as QEMU has it */
    im = open_kdump("Unknown");
    ck_assert_uint_eq(image_machine(im), 0);
    assert_reads(im, 0x1000, "first");
    image_close(im);
}
END_TEST

/* The library knows a file by its descriptor's number, which the child closes: the next read opens
 * the dump again. */
START_TEST(a_forked_child_reads_a_kdump_on_its_own)
{
    assert_forked_child_reads(open_kdump("x86_64"));
}
END_TEST

UNIT_SUITE("image", a_running_kernel_is_known, unreadable_memory_is_a_fault,
           a_refused_kcore_says_what_to_do, a_plain_vmcore_reads, reads_cross_adjoining_ranges,
           the_later_header_wins, filtered_memory_is_told_from_absent,
           a_truncated_vmcore_gives_what_is_there, lying_headers_do_no_harm,
           what_is_no_vmcore_is_named, other_files_are_named, windows_give_the_bytes_of_the_file,
           windows_copy_where_mmap_is_refused, windows_fall_back_by_themselves,
           a_forked_child_reads_on_its_own, a_kdump_reads, a_forked_child_reads_a_kdump_on_its_own)

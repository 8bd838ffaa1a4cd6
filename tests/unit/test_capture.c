/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runner with extractors that do what damaged memory may make of real ones. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "capture/capture.h"
#include "capture/child.h"
#include "summary/reader.h"
#include "unit/suite.h"
#include "unit/tiny_core.h"
#include "util/cleanup.h"
#include "util/deadline.h"

#define DIRECT 0xffff888000000000ULL

static struct tiny_core core;

/* PUD 0 of the direct map is mapped 2 MiB at 0: every byte of ram is at DIRECT. */
static void open_core(const char *vmcoreinfo)
{
    memset(&core, 0, sizeof(core));
    snprintf(core.vmcoreinfo, sizeof(core.vmcoreinfo),
             "OSRELEASE=6.1.0-test\nPAGESIZE=4096\nNUMBER(phys_base)=0\nBUILD-ID=00ff\n"
             "SYMBOL(swapper_pg_dir)=ffffffff80001000\nCRASHTIME=1700000000\n%s",
             vmcoreinfo);
    tiny_put(&core, TINY_ROOT_PHYS + 273 * 8, 0x2000 | 1);
    tiny_put(&core, 0x2000, 0x3000 | 1);
    tiny_put(&core, 0x3000, 0x0 | 1 | 0x80);
}

/* ---- extractors ----------------------------------------------------------------------------- */

static void say(struct extract *x, int i)
{
    emit_begin(x->emit, "r");
    emit_i64(x->emit, "i", i);
    emit_end(x->emit);
}

static int run_good(struct extract *x)
{
    for (int i = 0; i < 3; i++)
        say(x, i);
    return 0;
}

static int run_many(struct extract *x)
{
    for (int i = 0; i < 20000; i++)
        say(x, i);
    return 0;
}

static int run_partial(struct extract *x)
{
    say(x, 0);
    emit_partial(x->emit, "entry %d is unreadable", 1);
    return 0;
}

static int run_error(struct extract *x)
{
    say(x, 0);
    return error_set(x->err, -EBADMSG, "the list is broken");
}

static int run_hang(struct extract *x)
{
    say(x, 0);
    return pause();
}

static int run_hang_after_many(struct extract *x)
{
    for (int i = 0; i < 5000; i++)
        say(x, i);
    return pause();
}

static int run_spin(struct extract *x)
{
    volatile int stop = 0;

    say(x, 0);
    say(x, 1);
    while (!stop)
        ;
    return 0;
}

static int run_stubborn(struct extract *x)
{
    sigset_t all;

    (void)x;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    signal(SIGTERM, SIG_IGN);
    return pause();
}

static int run_segv(struct extract *x)
{
    say(x, 0);
    raise(SIGSEGV);
    return 0;
}

static int run_abort(struct extract *x)
{
    say(x, 0);
    raise(SIGABRT);
    return 0;
}

static int run_flood(struct extract *x)
{
    for (int i = 0; i >= 0; i++)
        say(x, i);
    return 0;
}

static int run_exit(struct extract *x)
{
    say(x, 0);
    _exit(3);
}

/* More memory than the budget has. */
static int run_hog(struct extract *x)
{
    void *p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    say(x, 0);
    return p == MAP_FAILED ? error_set(x->err, -errno, "denied: %s", strerror(errno)) : 0;
}

static int run_long_record(struct extract *x)
{
    _cleanup_free_ char *text = malloc(300 << 10);

    memset(text, 'x', 300 << 10);
    say(x, 0);
    emit_begin(x->emit, "r");
    emit_strn(x->emit, "text", text, 100 << 10); /* longer than any buffer, but allowed */
    emit_end(x->emit);
    emit_begin(x->emit, "r");
    emit_strn(x->emit, "text", text, 300 << 10);
    emit_end(x->emit);
    say(x, 1);
    return 0;
}

/* The descriptor that the child's lines go to, for extractors that bypass emit. */
static int pipe_fd(void)
{
    struct stat st;

    for (int fd = 3; fd < 64; fd++)
        if (!fstat(fd, &st) && S_ISFIFO(st.st_mode))
            return fd;
    abort();
}

static void write_raw(const char *text)
{
    if (write(pipe_fd(), text, strlen(text)) < 0)
        abort();
}

static int run_half_line(struct extract *x)
{
    (void)x;
    write_raw("{\"section\":\"half\",\"record\":\"r\"}\n{\"section\":\"half\",\"reco");
    raise(SIGKILL);
    return 0;
}

static int run_forged(struct extract *x)
{
    (void)x;
    write_raw("{\"section\":\"good\",\"record\":\"r\"}\n"
              "{\"section\":\"forged\",\"record\":\"end\",\"status\":\"ok\"}\n"
              "\n\n"
              "{\"section\":\"forged\",\"record\":\"r\",\"v\":\"\x1b[2J\"}\n"
              "{\"section\":\"forged\",\"record\":\"r\"}\n");
    return 0;
}

static int run_binary_flood(struct extract *x)
{
    static const char zeros[65536];

    (void)x;
    for (;;)
        if (write(pipe_fd(), zeros, sizeof(zeros)) < 0)
            return -errno;
}

static int *grandchild; /* pids, shared: run_fork's and run_daemon's */

static int run_fork(struct extract *x)
{
    int pid = fork();

    if (!pid)
        for (;;)
            pause();
    *grandchild = pid;
    say(x, 0);
    return 0;
}

/* One that leaves the process group, with the pipe open. */
static int run_daemon(struct extract *x)
{
    int pid = fork();

    if (!pid) {
        setsid();
        for (;;)
            pause();
    }
    grandchild[1] = pid;
    say(x, 0);
    return 0;
}

static int run_close_and_hang(struct extract *x)
{
    say(x, 0);
    close(pipe_fd());
    return pause();
}

/* What a child has open. */
static int run_count_fds(struct extract *x)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    emit_begin(x->emit, "fds");
    emit_i64(x->emit, "n", n - 2 - 1); /* . and .., and the directory itself */
    return emit_end(x->emit);
}

static int run_read(struct extract *x)
{
    uint64_t v = 0;

    kernel_read_u64(x->k, DIRECT + 0x10000, &v);
    emit_begin(x->emit, "value");
    emit_addr(x->emit, "v", v);
    emit_end(x->emit);
    kernel_read_u64(x->k, 0xffffc90000000000ULL, &v);
    kernel_read_u64(x->k, 0xffffc90000000000ULL, &v);
    return 0;
}

/* The memory after RAM is one that a filter left out, where the test says that the machine had it.
 */
static int run_filtered(struct extract *x)
{
    uint64_t v;

    kernel_read_u64(x->k, DIRECT + TINY_RAM_BYTES, &v);
    return 0;
}

/* A page table that was left out hides what it maps just as well. */
static int run_filtered_table(struct extract *x)
{
    uint64_t v;

    if (kernel_read_u64(x->k, DIRECT + (1 << 30), &v) == -ENODATA)
        emit_partial(x->emit, "a list breaks");
    return 0;
}

static int run_filtered_damaged(struct extract *x)
{
    uint64_t v;

    kernel_read_u64(x->k, 0xffffc90000000000ULL, &v);
    emit_partial(x->emit, "a list breaks");
    return run_filtered(x);
}

static int run_filtered_hang(struct extract *x)
{
    run_filtered(x);
    say(x, 0);
    return pause();
}

#define LIMITS(ms_, output_)                                                                       \
    {                                                                                              \
        ms_, 4 << 20, output_                                                                      \
    }
#define BAD(name_, ms_, output_)                                                                   \
    static const struct extractor x_##name_ = {.name = #name_,                                     \
                                               .title = "test",                                    \
                                               .flags = EXTRACT_VITAL,                             \
                                               .budget = LIMITS(ms_, output_),                     \
                                               .run = run_##name_}

BAD(good, 5000, 1 << 20);
BAD(many, 20000, 4 << 20);
BAD(partial, 5000, 1 << 20);
BAD(error, 5000, 1 << 20);
BAD(hang, 2000, 1 << 20);
BAD(hang_after_many, 2000, 1 << 20);
BAD(spin, 2000, 1 << 20);
BAD(stubborn, 200, 1 << 20);
BAD(segv, 5000, 1 << 20);
BAD(abort, 5000, 1 << 20);
BAD(flood, 20000, 1 << 16);
BAD(exit, 5000, 1 << 20);
BAD(hog, 5000, 1 << 20);
BAD(long_record, 5000, 1 << 20);
BAD(forged, 5000, 1 << 20);
BAD(binary_flood, 5000, 1 << 20);
BAD(fork, 5000, 1 << 20);
BAD(daemon, 5000, 1 << 20);
BAD(close_and_hang, 2000, 1 << 20);
BAD(count_fds, 5000, 1 << 20);
BAD(read, 5000, 1 << 20);
BAD(filtered, 5000, 1 << 20);
BAD(filtered_table, 5000, 1 << 20);
BAD(filtered_damaged, 5000, 1 << 20);
BAD(filtered_hang, 200, 1 << 20);

static const struct extractor x_half = {
    .name = "half", .flags = EXTRACT_VITAL, .budget = LIMITS(5000, 1 << 20), .run = run_half_line};

static const struct need needs[] = {OPT_SYMBOL("nothing"), NEED_TYPE("slab"),
                                    NEED_MEMBER("page", "flags")};
static const struct extractor x_needy = {.name = "needy",
                                         .needs = needs,
                                         .n_needs = ARRAY_SIZE(needs),
                                         .budget = LIMITS(5000, 1 << 20),
                                         .run = run_good};
static const struct extractor x_undemanding = {.name = "undemanding",
                                               .needs = needs,
                                               .n_needs = 1,
                                               .budget = LIMITS(5000, 1 << 20),
                                               .run = run_good};

/* ---- running them --------------------------------------------------------------------------- */

struct captured {
    struct summary_writer *w;
    struct capture_result result;
    uint64_t ms;
};

static struct captured capture(struct capture_options *o)
{
    struct captured c = {0};
    struct error err = {0};
    struct image *im = tiny_open(&core);
    uint64_t start = now_ns();

    if (!o->deadline_ms)
        o->deadline_ms = 60000;
    ck_assert_int_eq(summary_writer_open_memory(NULL, &c.w), 0);
    ck_assert_msg(capture_run(im, o, c.w, &err, &c.result) == 0, "%s", err.text);
    c.ms = (now_ns() - start) / NSEC_PER_MSEC;
    image_close(im);
    return c;
}

#define RUN(...)                                                                                   \
    ({                                                                                             \
        static const struct extractor *const _list[] = {__VA_ARGS__};                              \
        struct capture_options _o = {.extractors = _list, .n_extractors = ARRAY_SIZE(_list)};      \
        open_core("");                                                                             \
        capture(&_o);                                                                              \
    })

static struct summary_reader *reader(const struct captured *c)
{
    struct summary_reader *r = NULL;

    ck_assert_int_eq(summary_reader_open_fd(dup(summary_writer_fd(c->w)), NULL, &r), 0);
    return r;
}

/* The section's own records, counted; its end is checked against what is expected. */
static void expect(const struct captured *c, const char *section, const char *status,
                   const char *reason, uint64_t rows)
{
    struct summary_reader *r = reader(c);
    struct summary_record rec;
    uint64_t seen = 0;
    unsigned ends = 0;
    struct summary_damage damage;

    while (summary_next(r, NULL, &rec) > 0) {
        if (strcmp(rec.section, section))
            continue;
        ck_assert_msg(!ends, "%s goes on after its end", section);
        if (strcmp(rec.record, "end")) {
            seen++;
            continue;
        }
        ends++;
        ck_assert_str_eq(record_str(&rec, "status", ""), status);
        ck_assert_str_eq(record_str(&rec, "reason", ""), reason);
        ck_assert_uint_eq(record_u64(&rec, "rows", UINT64_MAX), seen);
    }
    damage = summary_reader_damage(r);
    ck_assert(!damage.bad_lines && !damage.bad_members && !damage.truncated && !damage.no_trailer);
    ck_assert_uint_eq(ends, 1);
    if (rows != UINT64_MAX)
        ck_assert_uint_eq(seen, rows);
    summary_reader_close(r);
}

#define ANY UINT64_MAX

/* A section that came to no harm beside one that did. */
static void expect_good(struct captured *c)
{
    expect(c, "good", "ok", "", 3);
    summary_writer_close(c->w);
}

START_TEST(good_sections_are_whole)
{
    struct captured c = RUN(&x_many, &x_good, &x_partial, &x_error);

    expect(&c, "many", "ok", "", 20000);
    expect(&c, "partial", "partial", "entry 1 is unreadable", 1);
    expect(&c, "error", "failed", "the list is broken", 1);
    ck_assert_uint_eq(c.result.sections, 5);
    ck_assert_uint_eq(c.result.bad, 1);
    expect_good(&c);
}
END_TEST

START_TEST(hanging_and_spinning_end_at_their_deadline)
{
    struct captured c = RUN(&x_hang, &x_spin, &x_stubborn, &x_close_and_hang, &x_good);

    expect(&c, "hang", "timeout", "deadline of 2 s passed", 1);
    expect(&c, "spin", "timeout", "deadline of 2 s passed", 2);
    expect(&c, "stubborn", "timeout", "deadline of 200 ms passed", 0);
    expect(&c, "close_and_hang", "timeout", "deadline of 2 s passed", 1);
    ck_assert_uint_ge(c.ms, 6200);
    expect_good(&c);
}
END_TEST

/* Also what was still in the child's own buffer. */
START_TEST(all_that_was_said_before_a_hang_is_kept)
{
    struct captured c = RUN(&x_hang_after_many, &x_good);

    expect(&c, "hang_after_many", "timeout", "deadline of 2 s passed", 5000);
    expect_good(&c);
}
END_TEST

START_TEST(crashes_are_named)
{
    struct captured c = RUN(&x_segv, &x_abort, &x_exit, &x_half, &x_good);

    expect(&c, "segv", "killed", "killed by SIGSEGV", 1);
    expect(&c, "abort", "killed", "killed by SIGABRT", 1);
    expect(&c, "exit", "failed", "ended without a result, exit status 3", 1);
    expect(&c, "half", "killed", "killed by SIGKILL", 1);
    expect_good(&c);
}
END_TEST

START_TEST(floods_are_cut)
{
    struct captured c = RUN(&x_flood, &x_binary_flood, &x_good);

    expect(&c, "flood", "killed", "output limit of 65536 bytes passed", ANY);
    expect(&c, "binary_flood", "killed", "output limit of 1048576 bytes passed", 0);
    expect_good(&c);
}
END_TEST

START_TEST(memory_is_limited)
{
    struct captured c = RUN(&x_hog, &x_good);

    expect(&c, "hog", "failed", "denied: Cannot allocate memory", 1);
    expect_good(&c);
}
END_TEST

START_TEST(what_is_no_record_is_left_out)
{
    struct captured c = RUN(&x_forged, &x_long_record, &x_good);

    expect(&c, "forged", "partial", "5 lines were no records and are left out", 1);
    expect(&c, "long_record", "partial", "a record is too long; it and those after it are left out",
           2);
    expect_good(&c);
}
END_TEST

START_TEST(grandchildren_delay_nothing)
{
    struct captured c;
    uint64_t patience = deadline_after_ms(60000);

    grandchild = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    c = RUN(&x_fork, &x_daemon, &x_good);
    expect(&c, "fork", "ok", "", 1);
    expect(&c, "daemon", "ok", "", 1);
    ck_assert_int_gt(grandchild[0], 0);
    ck_assert_int_gt(grandchild[1], 0);
    kill(grandchild[1], SIGKILL);
    /* an orphan is reaped by init when that gets to it; a zombie is dead enough */
    for (;;) {
        char path[64], state = 'Z';
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/stat", *grandchild);
        f = fopen(path, "re");
        if (f && fscanf(f, "%*d %*s %c", &state) != 1)
            state = 'Z';
        if (f)
            fclose(f);
        if (state == 'Z' || state == 'X')
            break;
        ck_assert(!deadline_passed(patience));
        usleep(10000);
    }
    expect_good(&c);
}
END_TEST

START_TEST(missing_needs_are_named)
{
    struct captured c = RUN(&x_needy, &x_undemanding, &x_good);
    struct summary_reader *r = reader(&c);
    struct summary_record rec;
    char order[200] = "";

    expect(&c, "undemanding", "ok", "", 3);
    while (summary_next(r, NULL, &rec) > 0) {
        if (!strcmp(rec.record, "end"))
            strcat(strcat(order, rec.section), " ");
        if (record_is(&rec, "needy", "end")) {
            ck_assert_str_eq(record_str(&rec, "status", ""), "skipped");
            ck_assert_msg(!strncmp(record_str(&rec, "reason", ""), "no `struct slab`: ", 18), "%s",
                          record_str(&rec, "reason", ""));
        }
    }
    summary_reader_close(r);
    /* the vital one came first, though it stands last */
    ck_assert_str_eq(order, "header good needy undemanding trailer ");
    expect_good(&c);
}
END_TEST

START_TEST(global_deadline_ends_all)
{
    static const struct extractor slow = {
        .name = "slow", .flags = EXTRACT_VITAL, .budget = LIMITS(60000, 1 << 20), .run = run_hang};
    static const struct extractor *const list[] = {&x_good, &slow, &x_many, &x_needy};
    struct capture_options o = {
        .extractors = list, .n_extractors = ARRAY_SIZE(list), .deadline_ms = 2000};
    struct captured c;

    open_core("");
    c = capture(&o);
    expect(&c, "slow", "timeout", "deadline of 2 s for the whole capture passed", 1);
    expect(&c, "many", "timeout", "the deadline for the whole capture passed before it began", 0);
    ck_assert_uint_lt(c.ms, slow.budget.time_ms);
    expect_good(&c);
}
END_TEST

START_TEST(options_choose_sections_and_deadlines)
{
    static const struct extractor slow = {
        .name = "slow", .flags = EXTRACT_VITAL, .budget = LIMITS(60000, 1 << 20), .run = run_hang};
    static const struct extractor *const list[] = {&x_many, &slow, &x_needy, &x_good};
    struct capture_options o = {.extractors = list,
                                .n_extractors = ARRAY_SIZE(list),
                                .section_deadline_ms = 2000,
                                .sections = "good, slow"};
    struct captured c;

    ck_assert(capture_wants("", "a") && capture_wants(NULL, "a") && capture_wants(" , ", "a"));
    ck_assert(capture_wants("b,a", "a") && !capture_wants("ab b", "a"));
    open_core("");
    c = capture(&o);
    expect(&c, "slow", "timeout", "deadline of 2 s passed", 1);
    ck_assert_uint_eq(c.result.sections, 3);
    expect_good(&c);
}
END_TEST

static uint64_t field_of(const struct captured *c, const char *section, const char *record,
                         const char *field)
{
    struct summary_reader *r = reader(c);
    struct summary_record rec;
    uint64_t v = UINT64_MAX;

    while (summary_next(r, NULL, &rec) > 0)
        if (record_is(&rec, section, record))
            v = record_u64(&rec, field, UINT64_MAX);
    summary_reader_close(r);
    return v;
}

static unsigned count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

START_TEST(children_hold_what_they_need)
{
    unsigned before = count_fds();
    struct captured c = RUN(&x_count_fds, &x_good, &x_hang, &x_segv);

    ck_assert_uint_eq(count_fds(), before + 1);                               /* the writer */
    ck_assert_uint_eq(field_of(&c, "count_fds", "fds", "n"), before - 3 + 2); /* dump, pipe */
    expect_good(&c);
}
END_TEST

START_TEST(reads_and_faults_are_counted)
{
    struct captured c = RUN(&x_read, &x_good);

    ck_assert_uint_ge(field_of(&c, "read", "end", "bytes_read"), 8);
    ck_assert_uint_eq(field_of(&c, "read", "end", "faults"), 2);
    /* a section that passes over what it cannot read is not whole */
    expect(&c, "read", "partial", "2 reads of kernel memory failed", 1);
    ck_assert_uint_ge(field_of(&c, "trailer", "trailer", "bytes_read"), 8);
    ck_assert_uint_gt(field_of(&c, "trailer", "trailer", "peak_memory_bytes"), 1 << 16);
    ck_assert_uint_eq(field_of(&c, "trailer", "trailer", "sections"), 3);
    expect_good(&c);
}
END_TEST

START_TEST(filtered_pages_are_told_from_damage)
{
    static const struct extractor *const list[] = {
        &x_filtered, &x_filtered_table, &x_filtered_damaged, &x_filtered_hang, &x_read, &x_good};
    struct capture_options o = {.extractors = list, .n_extractors = ARRAY_SIZE(list)};
    struct captured c;

    open_core("");
    core.mem_bytes = 2 * TINY_RAM_BYTES;
    tiny_put(&core, 0x2008, TINY_RAM_BYTES | 1); /* the second GiB's page table */
    c = capture(&o);
    expect(&c, "filtered", "partial", "pages filtered (1 read)", 0);
    expect(&c, "filtered_table", "partial", "pages filtered (1 read): a list breaks", 0);
    expect(&c, "filtered_damaged", "partial",
           "pages filtered and damaged (1 and 1 reads): a list breaks", 0);
    expect(&c, "filtered_hang", "timeout", "deadline of 200 ms passed", 1);
    ck_assert_uint_eq(field_of(&c, "filtered", "end", "filtered"), 1);
    ck_assert_uint_eq(field_of(&c, "filtered_damaged", "end", "filtered"), 1);
    ck_assert_uint_eq(field_of(&c, "filtered_damaged", "end", "faults"), 2);
    ck_assert_uint_eq(field_of(&c, "filtered_hang", "end", "filtered"), 1);
    expect(&c, "read", "partial", "2 reads of kernel memory failed", 1);
    ck_assert_uint_eq(field_of(&c, "read", "end", "filtered"), UINT64_MAX); /* absent */
    expect_good(&c);
}
END_TEST

START_TEST(a_segment_that_no_machine_has_room_for_is_named)
{
    static const struct extractor *const list[] = {&x_read, &x_needy};
    struct capture_options o = {.extractors = list, .n_extractors = ARRAY_SIZE(list)};
    struct captured c;
    const char *reason =
        "the dump's program headers are wrong, its memory cannot be found: one is of more memory "
        "than a machine can have (kexec-tools met a /proc/kallsyms without _text?)";

    open_core("");
    core.absurd = true;
    c = capture(&o);
    expect(&c, "header", "partial", "the kernel's names (init_uts_ns) cannot be read", 1);
    expect(&c, "read", "skipped", reason, 0);
    expect(&c, "needy", "skipped", reason, 0);
    summary_writer_close(c.w);
}
END_TEST

START_TEST(a_running_kernel_may_read_in_vain)
{
    static const struct extractor *const list[] = {&x_read, &x_good};
    struct capture_options o = {.extractors = list, .n_extractors = ARRAY_SIZE(list)};
    struct captured c;

    open_core("");
    strcpy(strstr(core.vmcoreinfo, "CRASHTIME"), "");
    core.live = true;
    c = capture(&o);
    expect(&c, "read", "ok", "", 1);
    ck_assert_uint_eq(field_of(&c, "read", "end", "faults"), 2);
    expect_good(&c);
}
END_TEST

/* ---- the header ----------------------------------------------------------------------------- */

/* uts names at physical 0x20000 + offset. */
static void put_uts(size_t offset, const char *nodename)
{
    char *p = (char *)core.ram + 0x20000 + offset;
    static const char *const fields[] = {"Linux", NULL, "6.1.0-real", "#1 SMP", "x86_64", "(none)"};

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        strcpy(p + 65 * i, fields[i] ? fields[i] : nodename);
}

static void expect_header(const char *vmcoreinfo, size_t uts_offset, const char *nodename,
                          const char *release, const char *status)
{
    struct capture_options o = {0};
    struct captured c;
    struct summary_reader *r;
    struct summary_record rec;

    open_core(vmcoreinfo);
    put_uts(uts_offset, nodename ? nodename : "unseen");
    c = capture(&o);
    r = reader(&c);
    ck_assert_int_eq(summary_next(r, NULL, &rec), 1);
    ck_assert(record_is(&rec, "header", "header"));
    ck_assert_uint_eq(record_u64(&rec, "format", 0), SUMMARY_FORMAT);
    ck_assert_str_eq(record_str(&rec, "tool", ""), "vmcore-summary " VERSION);
    ck_assert_str_eq(record_str(&rec, "arch", ""), "x86_64");
    ck_assert_str_eq(record_str(&rec, "release", ""), release);
    ck_assert_str_eq(record_str(&rec, "version", ""), nodename ? "#1 SMP" : "");
    ck_assert_str_eq(record_str(&rec, "nodename", "?"), nodename ? nodename : "?");
    ck_assert_str_eq(record_str(&rec, "build_id", ""), "00ff");
    ck_assert_uint_eq(record_u64(&rec, "crash_time", 0), 1700000000);
    ck_assert_uint_eq(record_u64(&rec, "page_size_bytes", 0), 4096);
    ck_assert_uint_eq(record_u64(&rec, "core_bytes", 0), 8192 + TINY_RAM_BYTES);
    ck_assert_str_eq(record_str(&rec, "core_kind", ""), "elf");
    ck_assert_int_eq(summary_next(r, NULL, &rec), 1);
    ck_assert_str_eq(record_str(&rec, "status", ""), status);
    summary_reader_close(r);
    summary_writer_close(c.w);
}

#define UTS "SYMBOL(init_uts_ns)=ffff888000020000\n"

START_TEST(header_names_the_machine)
{
    expect_header(UTS "OFFSET(uts_namespace.name)=0\n", 0, "box", "6.1.0-real", "ok");
    expect_header(UTS "OFFSET(uts_namespace.name)=24\n", 24, "box\x1b[1m", "6.1.0-real", "ok");
    /* before OFFSET() was told: after a kref of 4 bytes */
    expect_header(UTS, 4, "old", "6.1.0-real", "ok");
    expect_header(UTS, 8, "old", "6.1.0-real", "ok");
    /* damaged: VMCOREINFO's word */
    expect_header(UTS "OFFSET(uts_namespace.name)=3\n", 0, NULL, "6.1.0-test", "partial");
    expect_header(UTS, 128, NULL, "6.1.0-test", "partial");
    expect_header("SYMBOL(init_uts_ns)=ffffc90000000000\n", 0, NULL, "6.1.0-test", "partial");
    expect_header("", 0, NULL, "6.1.0-test", "partial");
}
END_TEST

/* ---- child_run ------------------------------------------------------------------------------ */

static int exit_seven(void *arg)
{
    (void)arg;
    return 7;
}

static int sleep_long(void *arg)
{
    (void)arg;
    sleep(100);
    return 0;
}

static int crash(void *arg)
{
    (void)arg;
    return raise(SIGSEGV);
}

START_TEST(children_are_waited_for_only_so_long)
{
    struct child_limits none = {0};
    uint64_t start = now_ns();
    int sig = 0;

    ck_assert_int_eq(child_run(exit_seven, NULL, 60000, &none, &sig), 7);
    ck_assert_int_eq(child_run(crash, NULL, 60000, &none, &sig), -ECHILD);
    ck_assert_int_eq(sig, SIGSEGV);
    ck_assert_int_eq(child_run(sleep_long, NULL, 200, &none, &sig), -ETIME);
    ck_assert_uint_lt(now_ns() - start, 100 * NSEC_PER_SEC);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* none is left */
}
END_TEST

UNIT_SUITE("capture", good_sections_are_whole, hanging_and_spinning_end_at_their_deadline,
           all_that_was_said_before_a_hang_is_kept, crashes_are_named, floods_are_cut,
           memory_is_limited, what_is_no_record_is_left_out, grandchildren_delay_nothing,
           missing_needs_are_named, global_deadline_ends_all, options_choose_sections_and_deadlines,
           children_hold_what_they_need, reads_and_faults_are_counted,
           filtered_pages_are_told_from_damage, a_segment_that_no_machine_has_room_for_is_named,
           a_running_kernel_may_read_in_vain, header_names_the_machine,
           children_are_waited_for_only_so_long)

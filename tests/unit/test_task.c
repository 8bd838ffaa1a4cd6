/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The task section on the machine of fake_machine.h. */
#include <check.h>
#include <errno.h>
#include <jansson.h>

#include "kernel/task.h"
#include "unit/suite.h"
#include "unit/fake_machine.h"
#include "util/buf.h"

static struct tiny_core core;
static struct resolved found[128];
static json_t *records; /* what the section said */
static struct error err;
static char partial[240];

static void *at(uint64_t phys)
{
    return fake_at(&core, phys);
}

static struct fake_task *task(unsigned n)
{
    return fake_task(&core, n);
}

static struct fake_mm *mm(unsigned n)
{
    return fake_mm(&core, n);
}

static struct fake_signal *signal_of(unsigned n)
{
    return fake_signal(&core, n);
}

static void set_up(void)
{
    fake_machine(&core);
    fake_answer(&extract_task, found);
}

static int keep_line(void *arg, const char *line, size_t len)
{
    json_t *record = json_loadb(line, len, 0, NULL);

    (void)arg;
    ck_assert_ptr_nonnull(record);
    json_array_append_new(records, record);
    return 0;
}

static int run(void)
{
    struct image *im = tiny_open(&core);
    struct kernel *k = NULL;
    struct emit *e = emit_new("task", keep_line, NULL);
    struct extract x;
    int r;

    ck_assert_uint_le(extract_task.n_needs, sizeof(found) / sizeof(found[0]));
    ck_assert_int_eq(kernel_open(im, NULL, 0, &err, &k), 0);
    json_decref(records);
    records = json_array();
    x = (struct extract){k, found, e, &err};
    r = extract_task.run(&x);
    snprintf(partial, sizeof(partial), "%s", emit_partial_reason(e) ? emit_partial_reason(e) : "");
    emit_free(e);
    kernel_close(k);
    image_close(im);
    return r;
}

static json_t *record_of(const char *type, int pid)
{
    size_t i;
    json_t *r;

    json_array_foreach(records, i, r)
    {
        if (!strcmp(json_string_value(json_object_get(r, "record")), type) &&
            (pid < 0 || json_integer_value(json_object_get(r, "pid")) == pid))
            return r;
    }
    return NULL;
}

static size_t count_of(const char *type)
{
    size_t i, n = 0;
    json_t *r;

    json_array_foreach(records, i, r) n +=
        !strcmp(json_string_value(json_object_get(r, "record")), type);
    return n;
}

static json_int_t number(const char *type, int pid, const char *field)
{
    json_t *v = json_object_get(record_of(type, pid), field);

    ck_assert_msg(json_is_integer(v), "%s %d has no %s", type, pid, field);
    return json_integer_value(v);
}

static const char *string(const char *type, int pid, const char *field)
{
    const char *v = json_string_value(json_object_get(record_of(type, pid), field));

    ck_assert_msg(v != NULL, "%s %d has no %s", type, pid, field);
    return v;
}

static bool is_true(const char *type, int pid, const char *field)
{
    json_t *v = json_object_get(record_of(type, pid), field);

    ck_assert_msg(json_is_boolean(v), "%s %d has no %s", type, pid, field);
    return json_is_true(v);
}

/* Values of include/linux/sched.h, letters of proc(5) and Documentation/filesystems/proc.rst. */
START_TEST(states_have_their_letters)
{
    static const struct {
        uint64_t state, exit_state;
        char letter;
    } cases[] = {
        {0, 0, 'R'},       {1, 0, 'S'},      {2, 0, 'D'},      {4, 0, 'T'},
        {8, 0, 't'},       {0x102, 0, 'D'},  {0x402, 0, 'I'},  {0x80, 0x20, 'Z'},
        {0x80, 0x10, 'X'}, {0x1000, 0, 'D'}, {0x8000, 0, 'D'}, {0x2001, 0, 'S'},
        {0x40, 0, 'P'},    {0x2402, 0, 'I'}, {0x101, 0, 'S'},  {0x108, 0, 't'},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(task_state_letter(cases[i].state, cases[i].exit_state) == cases[i].letter,
                      "state %#lx", (unsigned long)cases[i].state);
}
END_TEST

START_TEST(a_process_is_described)
{
    set_up();
    ck_assert_int_eq(run(), 0);
    ck_assert_str_eq(partial, "");
    ck_assert_uint_eq(count_of("task"), 3);
    ck_assert_str_eq(string("task", 300, "comm"), "server");
    ck_assert_str_eq(string("task", 300, "state"), "Z");
    ck_assert_str_eq(string("task", 300, "cgroup"), "/system.slice/db.service");
    ck_assert_int_eq(number("task", 300, "ppid"), 1);
    ck_assert_int_eq(number("task", 300, "uid"), 1000);
    ck_assert_int_eq(number("task", 300, "threads"), 3);
    /* the leader has no mm any more: its threads' counts, with what they hold back */
    ck_assert_int_eq(number("task", 300, "vsz_bytes"), 500000LL * 4096);
    ck_assert_int_eq(number("task", 300, "anon_bytes"), 200003LL * 4096);
    ck_assert_int_eq(number("task", 300, "file_bytes"), 1000LL * 4096);
    ck_assert_int_eq(number("task", 300, "shmem_bytes"), 40LL * 4096);
    ck_assert_int_eq(number("task", 300, "rss_bytes"), 201043LL * 4096);
    ck_assert_int_eq(number("task", 300, "swap_bytes"), 3000LL * 4096);
    ck_assert_int_eq(number("task", 300, "pgtables_bytes"), 409600);
    ck_assert(!is_true("task", 300, "kthread"));
}
END_TEST

START_TEST(kernel_threads_own_no_memory)
{
    set_up();
    ck_assert_int_eq(run(), 0);
    ck_assert(is_true("task", 2, "kthread"));
    ck_assert_str_eq(string("task", 2, "state"), "I");
    ck_assert_int_eq(number("task", 2, "vsz_bytes"), 0);
    ck_assert(!is_true("task", 2, "oom_killable"));
    ck_assert_int_eq(number("total", -1, "kthreads"), 1);
    ck_assert_int_eq(number("total", -1, "processes"), 2);
    ck_assert_int_eq(number("total", -1, "threads"), 5);
    ck_assert_int_eq(number("total", -1, "running"), 1);
    ck_assert_int_eq(number("total", -1, "uninterruptible"), 1);
    ck_assert_int_eq(number("total", -1, "zombies"), 1);
}
END_TEST

START_TEST(waiting_threads_are_listed)
{
    set_up();
    task(4)->last_arrival = 12345;
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(count_of("thread"), 1);
    ck_assert_str_eq(string("thread", 302, "comm"), "flusher");
    ck_assert_int_eq(number("thread", 302, "tgid"), 300);
    ck_assert_int_eq(number("thread", 302, "last_run_ns"), 12345);
    /* a leader's wait is in its task record */
    task(0)->state = 2;
    task(0)->last_arrival = 777;
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(count_of("thread"), 1);
    ck_assert_int_eq(number("task", 1, "last_run_ns"), 777);
    ck_assert_int_eq(number("total", -1, "uninterruptible"), 2);
}
END_TEST

/*
 * By hand from oom_badness(): 1000 + 200000 + 40 of rss (the kernel does not see the threads'
 * caches), 3000 swapped, 100 of page tables, 100 × (1024000 / 1000) for oom_score_adj: 306540.
 * /proc/PID/oom_score: (1000 + 306540 × 1000 / 1024000) × 2 / 3 = (1000 + 299) × 2 / 3 = 866.
 */
START_TEST(oom_scores_are_the_kernels)
{
    set_up();
    ck_assert_int_eq(run(), 0);
    ck_assert(is_true("task", 300, "oom_killable"));
    ck_assert_int_eq(number("task", 300, "oom_badness_pages"), 306540);
    ck_assert_int_eq(number("task", 300, "oom_score"), 866);
    ck_assert_int_eq(number("task", 300, "oom_score_adj"), 100);
    ck_assert(!is_true("task", 1, "oom_killable"));
    ck_assert_int_eq(number("task", 1, "oom_score"), 0);
    signal_of(2)->oom_score_adj = -999; /* 204140 - 999 × 1024 */
    ck_assert_int_eq(run(), 0);
    ck_assert_int_eq(number("task", 300, "oom_badness_pages"), 204140 - 999 * 1024);
    ck_assert_int_eq(number("task", 300, "oom_score"), (1000 - 799) * 2 / 3);
}
END_TEST

START_TEST(old_oom_scores_are_unsigned)
{
    set_up();
    fake_need(&extract_task, found, "oom_control", "chosen_points")->is_signed = false;
    ck_assert_int_eq(run(), 0);
    ck_assert_int_eq(number("task", 300, "oom_score"), 306540 * 1000 / 1024000);
    signal_of(2)->oom_score_adj = -999;
    ck_assert_int_eq(run(), 0);
    ck_assert_int_eq(number("task", 300, "oom_badness_pages"), 1);
}
END_TEST

START_TEST(spared_processes_are_marked)
{
    set_up();
    signal_of(2)->oom_score_adj = -1000;
    ck_assert_int_eq(run(), 0);
    ck_assert(!is_true("task", 300, "oom_killable"));
    set_up();
    mm(1)->flags = 1 << 21; /* reaped */
    ck_assert_int_eq(run(), 0);
    ck_assert(!is_true("task", 300, "oom_killable"));
    set_up();
    task(3)->vfork_done = 1;
    task(0)->mm = task(3)->mm; /* its parent's */
    ck_assert_int_eq(run(), 0);
    ck_assert(!is_true("task", 300, "oom_killable"));
}
END_TEST

START_TEST(percpu_counters_are_read_by_their_shared_part)
{
    struct image *im;
    struct kernel *k = NULL;
    struct resolved needs[N_TASK_NEEDS] = {
        [TASK_MM_RSS_STAT] = {.present = true, .size = 160, .elem_size = 40, .elem_count = 4},
        [TASK_COUNTER_COUNT] = {.present = true, .offset = 8, .size = 8, .is_signed = true},
    };
    int64_t pages[N_RSS] = {0};

    set_up();
    for (unsigned i = 0; i < 4; i++)
        tiny_put(&core, AT_MMS + i * 40 + 8, 100 + i);
    im = tiny_open(&core);
    ck_assert_int_eq(kernel_open(im, NULL, 0, &err, &k), 0);
    ck_assert_int_eq(task_mm_pages(k, needs, fake_va(AT_MMS), false, pages), 0);
    ck_assert_int_eq(pages[RSS_SHMEM], 103);
    needs[TASK_MM_RSS_STAT].present = false;
    ck_assert_int_eq(task_mm_pages(k, needs, fake_va(AT_MMS), false, pages), -ENOENT);
    kernel_close(k);
    image_close(im);
}
END_TEST

START_TEST(hostile_names_stay_within_json)
{
    set_up();
    memcpy(task(2)->comm, "a\"\x1b[2J\xff\xfe<>&'\n\t\\", 16);
    strcpy(at(AT_NAMES + 0x40), "x\ny");
    ck_assert_int_eq(run(), 0);
    ck_assert_str_eq(string("task", 300, "cgroup"), "/x\ny/db.service");
    ck_assert_str_eq(string("task", 300, "comm"), "a\"\x1b[2J\\xff\\xfe<>&'\n\t\\");
}
END_TEST

/* The list's second entry points nowhere: the rest comes from the tree of pids, each task once. */
START_TEST(a_broken_list_is_completed_by_pid)
{
    set_up();
    task(1)->tasks.next = 0xffff888000000000;
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(count_of("task"), 3);
    ck_assert_ptr_nonnull(record_of("task", 300));
    ck_assert_str_eq(partial, "the list of tasks breaks off after 2 (Bad address); the rest is "
                              "found by pid");
    ((struct fake_xa_node *)at(AT_XA))->slots[63] = fake_va(AT_XA) | 2; /* a node below itself */
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(count_of("task"), 3);
    ck_assert_str_eq(partial, "the list of tasks breaks off after 2 (Bad address), the tree of "
                              "pids: Bad message");
}
END_TEST

START_TEST(circles_end)
{
    set_up();
    task(2)->tasks.next = fake_task_va(1); /* not the head */
    task(1)->tasks.prev = fake_task_va(2);
    task(4)->thread_node.next = fake_task_va(3) + 16;
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(count_of("task"), 3);
    ck_assert_str_ne(partial, "");
}
END_TEST

START_TEST(damage_costs_only_itself)
{
    set_up();
    task(0)->pid = 0xfffffff0;     /* no pid */
    task(2)->signal = 0x123;       /* not readable: no threads but the leader */
    task(2)->real_cred = 0xffffff; /* nor its uid */
    task(2)->cgroups = 1;
    ck_assert_int_eq(run(), 0);
    ck_assert_uint_eq(count_of("task"), 2);
    ck_assert_ptr_null(json_object_get(record_of("task", 300), "uid"));
    ck_assert_ptr_null(json_object_get(record_of("task", 300), "oom_score_adj"));
    ck_assert_ptr_null(json_object_get(record_of("task", 300), "cgroup"));
    ck_assert_int_eq(number("task", 300, "threads"), 1);
    ck_assert_str_eq(partial, "1 tasks cannot be read");
}
END_TEST

START_TEST(unknown_memory_is_not_zero)
{
    set_up();
    task(3)->mm = task(4)->mm = 0xffff888000000000;
    ck_assert_int_eq(run(), 0);
    ck_assert_ptr_null(json_object_get(record_of("task", 300), "rss_bytes"));
    ck_assert_ptr_null(json_object_get(record_of("task", 300), "vsz_bytes"));
    ck_assert_ptr_null(json_object_get(record_of("task", 300), "pgtables_bytes"));
    ck_assert_ptr_null(json_object_get(record_of("task", 300), "oom_score"));
    ck_assert(is_true("task", 300, "oom_killable"));
}
END_TEST

START_TEST(a_wrong_count_is_said)
{
    set_up();
    tiny_put(&core, AT_NR_THREADS, 4000);
    ck_assert_int_eq(run(), 0);
    ck_assert_str_eq(partial, "the kernel counts 4000 threads, 5 were found");
}
END_TEST

START_TEST(no_task_at_all_is_a_failure)
{
    set_up();
    memset(at(AT_INIT_TASK), 0, 16);
    tiny_put(&core, AT_PID_NS, 0);
    ck_assert_int_lt(run(), 0);
    ck_assert_str_eq(err.text, "no task can be read: Bad message");
}
END_TEST

/* A cgroup chain that never reaches a root, and one whose names fill more than a path can hold. */
START_TEST(endless_cgroups_have_no_path)
{
    set_up();
    ((struct fake_kernfs *)at(AT_KERNFS))->parent = fake_va(AT_KERNFS) + 16;
    ck_assert_int_eq(run(), 0);
    ck_assert_ptr_null(json_object_get(record_of("task", 300), "cgroup"));
    memset(at(AT_NAMES), 0, 0xc0); /* empty names */
    ck_assert_int_eq(run(), 0);
    ck_assert_ptr_null(json_object_get(record_of("task", 300), "cgroup"));
}
END_TEST

START_TEST(version_1_memory_hierarchies_win)
{
    struct fake_css_set *css_set;

    set_up();
    css_set = at(AT_CSS_SET);
    css_set->subsys[2] = fake_va(AT_CGROUPS + 0x40); /* a css whose cgroup follows it */
    tiny_put(&core, AT_CGROUPS + 0x40, fake_va(AT_CGROUPS + 0x50));
    tiny_put(&core, AT_CGROUPS + 0x50, 0x88);                    /* another root */
    tiny_put(&core, AT_CGROUPS + 0x58, fake_va(AT_KERNFS) + 16); /* /system.slice */
    ck_assert_int_eq(run(), 0);
    ck_assert_str_eq(string("task", 300, "cgroup"), "/system.slice");
    tiny_put(&core, AT_CGROUPS + 0x50, 0x77); /* the unified one: an ancestor's css */
    ck_assert_int_eq(run(), 0);
    ck_assert_str_eq(string("task", 300, "cgroup"), "/system.slice/db.service");
}
END_TEST

UNIT_SUITE("task", states_have_their_letters, a_process_is_described, kernel_threads_own_no_memory,
           waiting_threads_are_listed, oom_scores_are_the_kernels, old_oom_scores_are_unsigned,
           spared_processes_are_marked, percpu_counters_are_read_by_their_shared_part,
           hostile_names_stay_within_json, a_broken_list_is_completed_by_pid, circles_end,
           damage_costs_only_itself, unknown_memory_is_not_zero, a_wrong_count_is_said,
           no_task_at_all_is_a_failure, endless_cgroups_have_no_path,
           version_1_memory_hierarchies_win)

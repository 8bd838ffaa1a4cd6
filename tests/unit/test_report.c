/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/digest.h"
#include "report/human.h"
#include "report/model.h"
#include "report/rules.h"
#include "report/text.h"
#include "unit/gzip.h"
#include "unit/suite.h"
#include "util/cleanup.h"
#include "util/utf8.h"

static char *size_text(uint64_t bytes)
{
    struct buf b = BUF_INIT(100);

    human_size(&b, bytes);
    return b.data;
}

START_TEST(sizes_are_short_and_have_a_unit)
{
    static const struct {
        uint64_t bytes;
        const char *want;
    } cases[] = {
        {0, "0 B"},
        {999, "999 B"},
        {1000, "1000 B"},
        {1024, "1 KiB"},
        {1536, "1.50 KiB"},
        {4096, "4 KiB"},
        {10240 + 512, "10.5 KiB"},
        {123 << 20, "123 MiB"},
        {1023ULL << 20, "1023 MiB"},
        {(1ULL << 30) - 1, "1.00 GiB"},
        {1ULL << 40, "1 TiB"},
        {INT64_MAX, "8.00 EiB"},
        {UINT64_MAX, "16.0 EiB"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *got = size_text(cases[i].bytes);

        /* 2^63-1 is a power of two to a double */
        if (cases[i].bytes >= INT64_MAX)
            ck_assert_int_eq(got[0], cases[i].want[0]);
        else
            ck_assert_str_eq(got, cases[i].want);
    }
}
END_TEST

START_TEST(shares_are_honest)
{
    struct buf b = BUF_INIT(1000);

    human_percent(&b, 0, 10);
    buf_char(&b, '|');
    human_percent(&b, 1, 100000);
    buf_char(&b, '|');
    human_percent(&b, 99999, 100000);
    buf_char(&b, '|');
    human_percent(&b, 7, 7);
    buf_char(&b, '|');
    human_percent(&b, 1, 3);
    buf_char(&b, '|');
    human_percent(&b, 3, 0);
    ck_assert_str_eq(b.data, "0 %|<0.1 %|99.9 %|100 %|33.3 %|0 %");
    buf_done(&b);
}
END_TEST

START_TEST(durations_and_times)
{
    struct buf b = BUF_INIT(1000);
    static const uint64_t s = 1000000000;

    human_duration(&b, s / 2);
    buf_char(&b, '|');
    human_duration(&b, 29 * s + s / 2);
    buf_char(&b, '|');
    human_duration(&b, 192 * s);
    buf_char(&b, '|');
    human_duration(&b, 7500 * s);
    buf_char(&b, '|');
    human_duration(&b, 90000 * s);
    buf_char(&b, '|');
    human_time(&b, 1763722739, false);
    buf_char(&b, '|');
    human_time(&b, 0, false);
    buf_char(&b, '|');
    human_time(&b, INT64_MAX, false);
    ck_assert_str_eq(b.data,
                     "0.50 s|29.5 s|3 min 12 s|2 h 5 min|1 d 1 h|Fri 2025-11-21 10:58:59 UTC|"
                     "unknown time|unknown time");
    buf_done(&b);
}
END_TEST

START_TEST(paragraphs_keep_to_their_width)
{
    struct buf b = BUF_INIT(1000);
    struct text t = {&b, 20, false};

    text_paragraph(&t, "* ", "one two three four has 12 MiB free");
    ck_assert_str_eq(b.data, "* one two three four\n  has 12 MiB free\n");
    buf_truncate(&b, 0);
    t.columns = 10;
    text_paragraph(&t, "", "a verylongwordthatfitsnowhere has 12 MiB");
    ck_assert_str_eq(b.data, "a\nverylongwordthatfitsnowhere\nhas 12 MiB\n");
    buf_done(&b);
}
END_TEST

START_TEST(long_texts_are_cut_in_the_middle)
{
    struct buf b = BUF_INIT(1 << 20);
    char *big = malloc(300000);

    ck_assert_ptr_nonnull(big);
    text_append_short(&b, "/kubepods.slice/pod1234/cri-5678.scope", 20);
    ck_assert_str_eq(b.data, "/kubepod...678.scope");
    buf_truncate(&b, 0);
    text_append_short(&b, "\x1b\x1b\x1b\x1b\x1b\x1b", 12);
    ck_assert_uint_le(utf8_columns(b.data, b.len), 12);
    ck_assert_ptr_null(strchr(b.data, '\x1b'));
    memset(big, 'x', 299999);
    big[299999] = '\0';
    buf_truncate(&b, 0);
    text_append_short(&b, big, 30); /* must not take time by the square */
    ck_assert_uint_eq(b.len, 30);
    free(big);
    buf_done(&b);
}
END_TEST

/* A model from JSON Lines. */
static struct model *model_of(const char *lines)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    struct model *m = model_new();
    char *data = NULL;
    size_t len = gzip_append(&data, 0, lines, strlen(lines), 9);

    ck_assert_int_eq(summary_reader_open_fd(memory_file(data, len), NULL, &r), 0);
    ck_assert_int_eq(model_fill(m, r, NULL), 0);
    free(data);
    return m;
}

/* The top of n caches and tasks with scattered sizes is what sorting all of them gives. */
START_TEST(the_largest_are_kept)
{
    enum { N = 500 };
    struct buf b = BUF_INIT(1 << 20);
    _cleanup_(model_freep) struct model *m = NULL;
    unsigned sizes[N], top = 1 << 30;
    uint64_t sum = 0;

    for (unsigned i = 0; i < N; i++) {
        sizes[i] = i * 7919 % 100003;
        sum += sizes[i];
        buf_printf(&b,
                   "{\"section\":\"slab\",\"record\":\"cache\",\"name\":\"c%u\",\"bytes\":%u}\n"
                   "{\"section\":\"task\",\"record\":\"task\",\"pid\":%u,\"rss_bytes\":%u}\n",
                   i, sizes[i], i, sizes[i]);
    }
    m = model_of(b.data);
    ck_assert_uint_eq(m->slab.n_caches, N);
    ck_assert_uint_eq(m->slab.bytes, sum);
    ck_assert_uint_eq(m->slab.unreclaimable_bytes, sum);
    ck_assert_uint_eq(m->task.n_processes, N);
    for (size_t k = 0; k < MODEL_TOP; k++) {
        unsigned best = 0;

        for (unsigned i = 0; i < N; i++)
            if (sizes[i] < top && sizes[i] > best)
                best = sizes[i];
        top = best;
        ck_assert_uint_eq(m->slab.top[k].bytes, best);
        ck_assert_uint_eq(m->task.top[k].rss_bytes, best);
        ck_assert_uint_eq(sizes[m->task.top[k].pid], best);
    }
    buf_done(&b);
}
END_TEST

START_TEST(a_storm_of_events_is_bounded)
{
    struct buf b = BUF_INIT(8 << 20);
    _cleanup_(model_freep) struct model *m = NULL;

    for (unsigned i = 1; i <= 1000; i++) {
        buf_printf(&b, "{\"section\":\"oom\",\"record\":\"event\",\"seq\":%u,\"ts_ns\":%u}\n", i,
                   i);
        for (unsigned v = 0; v < 6; v++)
            buf_printf(&b,
                       "{\"section\":\"oom\",\"record\":\"victim\",\"event\":%u,\"pid\":%u,"
                       "\"comm\":\"w%u\",\"anon_rss_bytes\":4096}\n",
                       i, v, v);
    }
    m = model_of(b.data);
    ck_assert_uint_eq(m->oom.n_events, 1000);
    ck_assert_uint_eq(m->oom.n_victims, 6000);
    ck_assert_uint_eq(m->oom.kept, MODEL_EVENTS);
    ck_assert_uint_eq(m->oom.events[0].seq, 1);
    ck_assert_uint_eq(m->oom.events[MODEL_EVENTS_FIRST - 1].seq, MODEL_EVENTS_FIRST);
    ck_assert_uint_eq(m->oom.events[MODEL_EVENTS - 1].seq, 1000);
    ck_assert_uint_eq(m->oom.events[MODEL_EVENTS_FIRST].seq,
                      1000 - (MODEL_EVENTS - MODEL_EVENTS_FIRST) + 1);
    ck_assert_uint_eq(m->oom.events[7].n_victims, 6);
    ck_assert_uint_eq(m->oom.events[7].killed_bytes, 6 * 4096);
    ck_assert_uint_eq(m->oom.comms[3].kills, 1000);
    buf_done(&b);
}
END_TEST

#define TOTAL(name_, bytes_)                                                                       \
    "{\"section\":\"memory\",\"record\":\"total\",\"name\":\"" name_ "\",\"bytes\":" #bytes_ "}\n"
#define GIB16 TOTAL("MemTotal", 16000000000)
#define CRASH(panic_)                                                                              \
    "{\"section\":\"crash\",\"record\":\"crash\",\"reason\":\"oom\",\"panic\":\"" panic_ "\"}\n"
#define EVENT(fields_) "{\"section\":\"oom\",\"record\":\"event\",\"seq\":1," fields_ "}\n"
#define CANDIDATE(adj_)                                                                            \
    "{\"section\":\"oom\",\"record\":\"candidate\",\"event\":1,\"pid\":7,\"comm\":\"db\","         \
    "\"rss_bytes\":1048576,\"oom_score_adj\":" #adj_ "}\n"
#define VICTIM                                                                                     \
    "{\"section\":\"oom\",\"record\":\"victim\",\"event\":1,\"pid\":7,\"comm\":\"worker\"}\n"
#define THREAD                                                                                     \
    "{\"section\":\"task\",\"record\":\"thread\",\"pid\":9,\"comm\":\"kworker\",\"state\":\"D\"}"  \
    "\n"
#define ZONE(free_, min_, blocks_)                                                                 \
    "{\"section\":\"zone\",\"record\":\"zone\",\"node\":0,\"name\":\"Normal\",\"free_"             \
    "bytes\":" #free_ ",\"min_bytes\":" #min_                                                      \
    ",\"managed_bytes\":12000000000,\"free_blocks\":" blocks_ "}\n"
#define CACHE(bytes_)                                                                              \
    "{\"section\":\"slab\",\"record\":\"cache\",\"name\":\"leaky\",\"bytes\":" #bytes_             \
    ",\"objects_total\":100,\"objects_active\":90}\n"                                              \
    "{\"section\":\"slab\",\"record\":\"cache\",\"name\":\"other\",\"bytes\":700000000}\n"
#define MODULE(taint_)                                                                             \
    "{\"section\":\"module\",\"record\":\"module\",\"name\":\"nic\",\"bytes\":1,\"taint\":"        \
    "\"" taint_ "\"}\n"
#define TASK(rss_)                                                                                 \
    "{\"section\":\"task\",\"record\":\"task\",\"pid\":5,\"comm\":\"java\",\"rss_bytes\":" #rss_   \
    "}\n"

/* For each rule a summary in which it holds, a word of what it says, and one in which it does not.
 */
static const struct {
    const char *rule, *holds, *word, *holds_not;
} rule_cases[] = {
    {"panic_on_oom", CRASH("Out of memory: system-wide panic_on_oom is enabled"), "panic_on_oom",
     CRASH("System is deadlocked on memory")},
    {"nothing_to_kill", CRASH("System is deadlocked on memory"), "no process that it may kill",
     CRASH("Out of memory: system-wide panic_on_oom is enabled")},
    {"unaccounted", GIB16 TOTAL("Unaccounted", 1700000000), "10.6 %",
     GIB16 TOTAL("Unaccounted", 1500000000)},
    {"unaccounted", GIB16 TOTAL("Unaccounted", 16000000000), "100 %",
     TOTAL("Unaccounted", 16000000000)},
    {"one_task", GIB16 TASK(8100000000), "java[5]", GIB16 TASK(7900000000)},
    {"one_cache", GIB16 CACHE(2000000000), "leaky", GIB16 CACHE(400000000)},
    {"slab_unreclaimable", GIB16 TOTAL("SUnreclaim", 5000000000), "31.2 %",
     GIB16 TOTAL("SUnreclaim", 4700000000)},
    {"shmem", GIB16 TOTAL("Shmem", 4100000000), "tmpfs", GIB16 TOTAL("Shmem", 3900000000)},
    {"page_tables", GIB16 TOTAL("PageTables", 1700000000), "Page tables",
     GIB16 TOTAL("PageTables", 1500000000)},
    {"hugetlb", GIB16 TOTAL("Hugetlb", 5000000000), "hugetlb", GIB16 TOTAL("Hugetlb", 400000000)},
    {"vmalloc", GIB16 TOTAL("VmallocUsed", 3300000000), "vmalloc",
     GIB16 TOTAL("VmallocUsed", 3100000000)},
    {"memcg_limit", EVENT("\"oom_memcg\":\"/a\",\"constraint\":\"memcg\""), "1 of 1",
     EVENT("\"constraint\":\"none\"")},
    {"fragmented", EVENT("\"order\":3") ZONE(90000000, 60000000, "[900,30,4,0,0]"), "order 3",
     EVENT("\"order\":3") ZONE(90000000, 60000000, "[900,30,4,1,0]")},
    {"fragmented", EVENT("\"order\":3") ZONE(90000000, 60000000, "[900,30,4,0,0]"), "32 KiB",
     EVENT("\"order\":3") ZONE(9000000, 60000000, "[900,30,4,0,0]")},
    {"below_min", ZONE(100, 200, "[1]"), "min", ZONE(200, 200, "[1]")},
    {"swap_full", TOTAL("SwapTotal", 1000000) TOTAL("SwapFree", 10000), "Swap was full",
     TOTAL("SwapTotal", 1000000) TOTAL("SwapFree", 60000)},
    {"swap_full", TOTAL("SwapTotal", 1000000) TOTAL("SwapFree", 0), "0 B",
     TOTAL("SwapTotal", 1000000)},
    {"no_swap", EVENT("\"order\":0") TOTAL("SwapTotal", 0), "no swap", TOTAL("SwapTotal", 0)},
    {"protected", EVENT("\"order\":0") CANDIDATE(-1000), "db[7]",
     EVENT("\"order\":0") CANDIDATE(0)},
    {"killed_again", EVENT("\"order\":0") VICTIM VICTIM VICTIM, "3 times",
     EVENT("\"order\":0") VICTIM VICTIM},
    {"dstate", THREAD THREAD THREAD THREAD THREAD, "5 tasks", THREAD THREAD THREAD THREAD},
    {"foreign_module", MODULE("OE"), "nic", MODULE("E")},
};

static bool rule_holds(const char *name, const char *lines, struct buf *b)
{
    _cleanup_(model_freep) struct model *m = model_of(lines);

    for (size_t i = 0; i < n_rules; i++)
        if (!strcmp(rules[i].name, name))
            return rules[i].holds(m, b);
    ck_abort_msg("no rule %s", name);
}

START_TEST(rules_hold_where_they_should)
{
    for (size_t i = 0; i < ARRAY_SIZE(rule_cases); i++) {
        struct buf b = BUF_INIT(10000), none = BUF_INIT(10000);

        ck_assert_msg(rule_holds(rule_cases[i].rule, rule_cases[i].holds, &b), "%s",
                      rule_cases[i].rule);
        ck_assert_msg(b.data && strstr(b.data, rule_cases[i].word), "%s: %s", rule_cases[i].rule,
                      b.data);
        ck_assert_msg(!rule_holds(rule_cases[i].rule, rule_cases[i].holds_not, &none), "%s",
                      rule_cases[i].rule);
        ck_assert_uint_eq(none.len, 0);
        buf_done(&b);
        buf_done(&none);
    }
}
END_TEST

START_TEST(every_rule_is_tested)
{
    for (size_t i = 0; i < n_rules; i++) {
        bool tested = false;

        for (size_t c = 0; c < ARRAY_SIZE(rule_cases); c++)
            tested = tested || !strcmp(rules[i].name, rule_cases[c].rule);
        ck_assert_msg(tested, "%s", rules[i].name);
    }
}
END_TEST

/* Numbers that no machine has, and sums that overflow, give a digest all the same. */
START_TEST(absurd_numbers_are_survived)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    static const char lines[] = TOTAL("MemTotal", 1) TOTAL("AnonPages", 9223372036854775807)
        TOTAL("Shmem", 9223372036854775807) TOTAL("SUnreclaim", 9223372036854775807)
            TOTAL("SwapTotal", 1) TOTAL("SwapFree", 9223372036854775807)
                EVENT("\"order\":9223372036854775807,\"ts_ns\":9223372036854775807,"
                      "\"trigger_comm\":\"x\",\"trigger_pid\":-1") TASK(9223372036854775807)
                    TASK(9223372036854775807);
    struct buf b = BUF_INIT(256 << 10);
    const struct digest_options options = {.columns = 80};
    char *data = NULL;
    size_t len = gzip_append(&data, 0, lines, sizeof(lines) - 1, 9);

    ck_assert_int_eq(summary_reader_open_fd(memory_file(data, len), NULL, &r), 0);
    ck_assert_int_eq(report_digest(r, &options, NULL, &b), 0);
    ck_assert_ptr_nonnull(strstr(b.data, "WHERE MEMORY WAS"));
    free(data);
    buf_done(&b);
}
END_TEST

UNIT_SUITE("report", sizes_are_short_and_have_a_unit, shares_are_honest, durations_and_times,
           paragraphs_keep_to_their_width, long_texts_are_cut_in_the_middle, the_largest_are_kept,
           a_storm_of_events_is_bounded, rules_hold_where_they_should, every_rule_is_tested,
           absurd_numbers_are_survived)

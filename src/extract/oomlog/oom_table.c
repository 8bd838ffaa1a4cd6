/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of an event: tasks, unreclaimable slabs, allocation sites, memory.stat. */
#include "extract/oomlog/oom_open.h"

#include <string.h>

#include "util/cleanup.h"
#include "util/math.h"

enum { ALLOCATIONS_MAX = 64, STATS_MAX = 32, STAT_VALUES_MAX = 128 };

/* --- tasks ------------------------------------------------------------------------------------ */

/* "[ pid ]", "[  pid  ]" or "[  123]": takes it off and returns what is inside. */
static struct span take_brackets(struct span *text)
{
    size_t end = span_find(*text, "]", 0);
    struct span inside = {0};

    if (end == SPAN_NOT_FOUND || end > 16 || text->s[0] != '[')
        return inside;
    inside = span_trim(span_sub(*text, 1, end));
    *text = span_from(*text, end + 1);
    return inside;
}

bool oom_is_table_header(struct span text)
{
    return text.len && span_is(take_brackets(&text), "pid") &&
           span_find(text, " uid ", 0) != SPAN_NOT_FOUND;
}

static enum oom_column column_of(struct span name)
{
    static const struct {
        const char *name;
        enum oom_column column;
    } columns[] = {
        {"uid", OOM_COL_UID},
        {"tgid", OOM_COL_TGID},
        {"total_vm", OOM_COL_TOTAL_VM},
        {"rss", OOM_COL_RSS},
        {"rss_anon", OOM_COL_RSS_ANON},
        {"rss_file", OOM_COL_RSS_FILE},
        {"rss_shmem", OOM_COL_RSS_SHMEM},
        {"pgtables_bytes", OOM_COL_PGTABLES_BYTES},
        {"nr_ptes", OOM_COL_PGTABLES_PAGES},
        {"nr_pmds", OOM_COL_PGTABLES_PAGES},
        {"nr_puds", OOM_COL_PGTABLES_PAGES},
        {"swapents", OOM_COL_SWAP},
        {"oom_score_adj", OOM_COL_ADJ},
        {"oom_adj", OOM_COL_OLD_ADJ},
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
        if (span_is(name, columns[i].name))
            return columns[i].column;
    return OOM_COL_UNKNOWN;
}

/* The columns are what the header's words say: vendors add theirs. The last is the name. */
void oom_parse_table_header(struct oom_open *o, struct span text)
{
    struct span word;

    take_brackets(&text);
    o->n_columns = 0;
    for (word = span_word(&text); word.len; word = span_word(&text)) {
        if (span_is(word, "name") || o->n_columns == OOM_COLUMNS_MAX)
            break;
        o->columns[o->n_columns++] = (uint8_t)column_of(word);
    }
}

bool oom_is_row(struct span text)
{
    struct span pid;
    int64_t value;

    if (text.len < 8 || text.s[0] != '[')
        return false;
    pid = take_brackets(&text);
    if (!pid.s || !span_i64(&pid, &value) || pid.len)
        return false;
    for (int i = 0; i < 4; i++) { /* uid tgid total_vm rss, in every version */
        struct span word = span_word(&text);

        if (!span_i64(&word, &value) || word.len)
            return false;
    }
    return true;
}

static void set_column(struct oom_candidate *c, enum oom_column column, int64_t value)
{
    int64_t *const fields[] = {
        [OOM_COL_UID] = &c->uid,
        [OOM_COL_TGID] = &c->tgid,
        [OOM_COL_TOTAL_VM] = &c->total_vm,
        [OOM_COL_RSS] = &c->rss,
        [OOM_COL_RSS_ANON] = &c->rss_anon,
        [OOM_COL_RSS_FILE] = &c->rss_file,
        [OOM_COL_RSS_SHMEM] = &c->rss_shmem,
        [OOM_COL_PGTABLES_BYTES] = &c->pgtables_bytes,
        [OOM_COL_SWAP] = &c->swap,
    };

    if (column == OOM_COL_ADJ)
        c->oom_score_adj = (int32_t)value;
    else if (column == OOM_COL_OLD_ADJ)
        c->oom_adj = (int32_t)value;
    else if (column == OOM_COL_PGTABLES_PAGES)
        c->pgtables_pages =
            (int64_t)sat_add_u64(clamp_count(c->pgtables_pages), clamp_count(value));
    else if (column < ARRAY_SIZE(fields) && fields[column])
        *fields[column] = value;
}

/* Without the header: the first four columns and the name are always the same. */
static uint32_t guess_columns(struct span text, uint8_t *ret)
{
    static const uint8_t first[] = {OOM_COL_UID, OOM_COL_TGID, OOM_COL_TOTAL_VM, OOM_COL_RSS};
    uint32_t n = 0;
    int64_t value;

    for (struct span w = span_word(&text); w.len && n < OOM_COLUMNS_MAX; w = span_word(&text)) {
        if (!span_i64(&w, &value) || w.len || !span_trim(text).len)
            break;
        ret[n] = n < ARRAY_SIZE(first) ? first[n] : OOM_COL_UNKNOWN;
        n++;
    }
    if (n > ARRAY_SIZE(first))
        ret[n - 1] = OOM_COL_ADJ;
    return n;
}

static void keep_largest(struct oom_event *ev, const struct oom_candidate *c)
{
    int64_t size = oom_candidate_bytes(ev, c);

    if (ev->has_largest && size <= oom_candidate_bytes(ev, &ev->largest))
        return;
    ev->largest = *c;
    ev->has_largest = true;
}

bool oom_parse_row(struct oom_open *o, struct span text)
{
    struct oom_candidate *kept, c = {
                                    .tgid = OOM_NONE,
                                    .uid = OOM_NONE,
                                    .total_vm = OOM_NONE,
                                    .rss = OOM_NONE,
                                    .rss_anon = OOM_NONE,
                                    .rss_file = OOM_NONE,
                                    .rss_shmem = OOM_NONE,
                                    .swap = OOM_NONE,
                                    .pgtables_bytes = OOM_NONE,
                                    .pgtables_pages = OOM_NONE,
                                    .oom_score_adj = INT32_MIN,
                                    .oom_adj = INT32_MIN,
                                };
    uint8_t guessed[OOM_COLUMNS_MAX];
    const uint8_t *columns = o->columns;
    uint32_t n = o->n_columns;
    struct span pid;
    int64_t value;

    pid = take_brackets(&text);
    if (!span_i64(&pid, &value))
        return false;
    c.pid = (int32_t)value;
    if (!n) {
        n = guess_columns(text, guessed);
        columns = guessed;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct span word = span_word(&text);

        if (!word.len) {
            o->cut = true;
            break;
        }
        if (span_i64(&word, &value) && !word.len)
            set_column(&c, columns[i], value);
    }
    span_skip_char(&text, ' '); /* one: the name may begin with more */
    /* page tables may be pages, so the size is of any unit until the page size is known */
    o->ev.page_size = o->buddy_page_size ? o->buddy_page_size : 4096;
    kept = oom_push(o, &o->ev.candidates, sizeof(c), OOMLOG_CANDIDATES_MAX);
    if (!kept && o->ev.has_largest &&
        oom_candidate_bytes(&o->ev, &c) <= oom_candidate_bytes(&o->ev, &o->ev.largest))
        return true;
    c.comm = oom_keep(o, text);
    if (kept)
        *kept = c;
    keep_largest(&o->ev, &c);
    return true;
}

/* --- slabs ------------------------------------------------------------------------------------ */

/* Takes "123KB" off the end. */
static bool take_last_kib(struct span *text, uint64_t *ret_bytes)
{
    struct span t = span_trim(*text), word;
    size_t at = span_rfind(t, " ");
    uint64_t kib;

    if (at == SPAN_NOT_FOUND)
        return false;
    word = span_from(t, at + 1);
    if (!span_u64(&word, &kib) || !span_is(word, "KB"))
        return false;
    *ret_bytes = sat_mul_u64(kib, 1024);
    *text = span_sub(t, 0, at);
    return true;
}

bool oom_parse_slab(struct oom_open *o, struct span text)
{
    struct oom_slab *s, row;

    if (!take_last_kib(&text, &row.total_bytes) || !take_last_kib(&text, &row.used_bytes))
        return false;
    row.name = span_trim(text);
    if (!row.name.len)
        return false;
    s = oom_push(o, &o->ev.slabs, sizeof(*s), OOMLOG_SLABS_MAX);
    if (!s)
        return true;
    row.name = oom_keep(o, row.name);
    *s = row;
    return true;
}

/* --- allocation profiling: "  1.21 GiB   237476 mm/readahead.c:189 [mod] func:name" -------------
 */

/* "1234", "1.21 GiB" or "707 MiB" in bytes. */
static bool take_size(struct span *text, uint64_t *ret, bool *ret_exact)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    struct span rest, word = span_word(text);
    uint64_t whole, hundredths = 0;

    if (!span_u64(&word, &whole))
        return false;
    if (span_skip_char(&word, '.')) {
        size_t digits = word.len;

        if (!span_u64(&word, &hundredths))
            return false;
        hundredths = digits == 1 ? hundredths * 10 : hundredths % 100;
    }
    rest = *text;
    word = span_word(&rest);
    *ret = whole;
    *ret_exact = true;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (span_is(word, units[i])) {
            *ret =
                sat_add_u64(sat_mul_u64(whole, 1ULL << (10 * i)), (hundredths << (10 * i)) / 100);
            *ret_exact = i == 0;
            *text = rest;
        }
    return true;
}

bool oom_parse_allocation(struct oom_open *o, struct span text)
{
    struct oom_allocation *a, row = {0};
    size_t func = span_rfind(text, " func:");
    struct span site, calls;

    if (func == SPAN_NOT_FOUND)
        return false;
    row.function = span_trim(span_from(text, func + strlen(" func:")));
    text = span_sub(text, 0, func);
    if (!take_size(&text, &row.bytes, &row.exact))
        return false;
    calls = span_word(&text);
    site = span_word(&text);
    if (!span_u64(&calls, &row.calls) || !site.len)
        return false;
    text = span_trim(text);
    if (span_skip_char(&text, '[') && span_ends(text, "]"))
        row.module = oom_keep(o, span_sub(text, 0, text.len - 1));
    row.function = oom_keep(o, row.function);
    row.site = oom_keep(o, site);
    a = oom_push(o, &o->ev.allocations, sizeof(*a), ALLOCATIONS_MAX);
    if (a)
        *a = row;
    return true;
}

/* --- memory.stat ------------------------------------------------------------------------------ */

static void push_stat(struct oom_open *o, struct span name, uint64_t value)
{
    struct oom_vec *stats = &o->ev.memcg_stats;
    struct oom_memcg_stat *stat = stats->data;
    struct oom_value *v;
    const char *kept;

    if (!stats->n || !(kept = oom_keep_name(o, name)))
        return;
    v = stat[stats->n - 1].values.data;
    for (uint32_t i = 0; i < stat[stats->n - 1].values.n; i++)
        if (!strcmp(v[i].name, kept))
            return;
    v = oom_push(o, &stat[stats->n - 1].values, sizeof(*v), STAT_VALUES_MAX);
    if (v)
        *v = (struct oom_value){kept, value};
}

/* "PATH: cache:0KB rss:980KB …", or "PATH:" with a line for each value after it (5.3). */
void oom_parse_stat_header(struct oom_open *o, struct span text)
{
    struct oom_memcg_stat *stat;
    size_t at = span_find(text, ": cache:", 0);
    struct span path, values = {0};
    uint64_t kib;

    path = at != SPAN_NOT_FOUND ? span_sub(text, 0, at) : span_trim(text);
    if (at != SPAN_NOT_FOUND)
        values = span_from(text, at + 2);
    else if (span_ends(path, ":"))
        path = span_sub(path, 0, path.len - 1);
    stat = oom_push(o, &o->ev.memcg_stats, sizeof(*stat), STATS_MAX);
    if (stat)
        stat->path = oom_keep(o, path);
    if (!o->ev.oom_memcg.s && path.len)
        o->ev.oom_memcg = oom_keep(o, path);
    for (struct span w = span_word(&values); w.len; w = span_word(&values)) {
        size_t colon = span_rfind(w, ":");
        struct span number = span_from(w, colon == SPAN_NOT_FOUND ? w.len : colon + 1);

        if (stat && span_u64(&number, &kib) && span_is(number, "KB"))
            push_stat(o, span_sub(w, 0, colon), sat_mul_u64(kib, 1024));
    }
}

bool oom_parse_stat(struct oom_open *o, struct span text)
{
    struct span name = span_word(&text), number = span_word(&text);
    uint64_t value;

    if (!name.len || !span_u64(&number, &value) || number.len || span_trim(text).len)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!(name.s[i] >= 'a' && name.s[i] <= 'z') && !(name.s[i] >= '0' && name.s[i] <= '9') &&
            name.s[i] != '_')
            return false;
    push_stat(o, name, value);
    return true;
}

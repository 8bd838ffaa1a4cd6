/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Mem-Info block: totals, nodes, zones with their free lists, huge pages, swap. */
#include "extract/oomlog/oom_open.h"

#include <string.h>

#include "util/cleanup.h"
#include "util/math.h"

enum { TOTALS_MAX = 64, ZONE_VALUES_MAX = 64, HUGEPAGES_MAX = 256 };

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '(' || c == ')' || c == '-';
}

/* Takes "name:123" off the word; *ret_unit is what follows the number. */
static bool split_word(struct span word, struct span *ret_name, uint64_t *ret_value,
                       struct span *ret_unit)
{
    size_t n = 0;

    while (n < word.len && is_name_char(word.s[n]))
        n++;
    if (!n || n >= word.len || word.s[n] != ':')
        return false;
    *ret_name = span_sub(word, 0, n);
    word = span_from(word, n + 1);
    if (!span_u64(&word, ret_value))
        return false;
    *ret_unit = word;
    return true;
}

static struct oom_value *find_value(const struct oom_vec *vec, const char *name)
{
    struct oom_value *v = vec->data;

    for (uint32_t i = 0; i < vec->n; i++)
        if (!strcmp(v[i].name, name))
            return &v[i];
    return NULL;
}

static void set_total(struct oom_open *o, const char *name, uint64_t pages)
{
    struct oom_vec *totals = &o->ev.meminfo.totals;
    struct oom_value *v = name ? find_value(totals, name) : NULL;

    /* the first one counts; swap has fields of its own */
    if (!name || v || !strcmp(name, "swap_free") || !strcmp(name, "swap_total"))
        return;
    v = oom_push(o, totals, sizeof(*v), TOTALS_MAX);
    if (v)
        *v = (struct oom_value){name, pages};
}

/* Each word of the line is "name:pages". */
static bool is_totals(struct span text)
{
    struct span name, unit, word = span_word(&text);
    uint64_t value;

    if (!word.len)
        return false;
    for (; word.len; word = span_word(&text))
        if (!split_word(word, &name, &value, &unit) || unit.len)
            return false;
    return true;
}

static bool parse_totals(struct oom_open *o, struct span text)
{
    struct span name, unit;
    uint64_t value;

    if (!is_totals(text))
        return false;
    for (struct span word = span_word(&text); word.len; word = span_word(&text))
        if (split_word(word, &name, &value, &unit))
            set_total(o, oom_keep_name(o, name), value);
    o->totals_seen = true;
    return true;
}

/* --- "123 pages RAM" and the like --------------------------------------------------------------
 */

static bool parse_page_line(struct oom_open *o, struct span text)
{
    static const struct {
        const char *text, *name;
    } lines[] = {
        {" pages RAM", "ram"},
        {" pages of RAM", "ram"},
        {" pages HighMem", "highmem"},
        {" pages HighMem/MovableOnly", "highmem"},
        {" pages of HIGHMEM", "highmem"},
        {" pages reserved", "reserved"},
        {" reserved pages", "reserved"},
        {" pages cma reserved", "cma_reserved"},
        {" pages hwpoisoned", "hwpoisoned"},
        {" total pagecache pages", "pagecache"},
        {" pages in swap cache", "swap_cache"},
        {" pages swap cached", "swap_cache"},
        {" pages shared", "shared"},
        {" pages non-shared", "non_shared"},
    };
    struct span rest = span_trim(text);
    uint64_t pages;

    if (!span_u64(&rest, &pages))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        if (span_is(rest, lines[i].text)) {
            set_total(o, lines[i].name, pages);
            return true;
        }
    return false;
}

static bool parse_swap_line(struct oom_open *o, struct span text)
{
    static const char *const starts[] = {"Free swap", "Total swap"};
    int64_t *const fields[] = {&o->ev.meminfo.swap_free_bytes, &o->ev.meminfo.swap_total_bytes};

    for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
        struct span rest = text;
        uint64_t kib;

        if (!span_skip(&rest, starts[i]))
            continue;
        span_skip_blanks(&rest);
        if (!span_skip_char(&rest, '='))
            span_skip_char(&rest, ':');
        span_skip_blanks(&rest);
        if (span_u64(&rest, &kib) && span_starts(rest, "kB"))
            *fields[i] = (int64_t)sat_mul_u64(kib, 1024);
        return true;
    }
    return false;
}

/* --- nodes and zones ---------------------------------------------------------------------------
 */

/* "Node 0 " off the front; OOM_NONE if it is not there. */
static int64_t take_node(struct span *text)
{
    struct span rest = *text;
    int64_t node;

    if (!span_skip(&rest, "Node ") || !span_i64(&rest, &node) || !span_skip_char(&rest, ' '))
        return OOM_NONE;
    *text = rest;
    return node;
}

static struct oom_zone *zone_get(struct oom_open *o, int64_t node, struct span name)
{
    struct oom_vec *vec = name.s ? &o->ev.meminfo.zones : &o->ev.meminfo.nodes;
    struct oom_zone *z = vec->data;

    for (uint32_t i = 0; i < vec->n; i++)
        if (z[i].node == node && span_equal(z[i].name, name))
            return &z[i];
    z = oom_push(o, vec, sizeof(*z), OOMLOG_ZONES_MAX);
    if (z) {
        z->node = node;
        z->name = oom_keep(o, name);
    }
    return z;
}

/* The "name:123kB" words of the line, in bytes; "shmem_thp: 0kB" has a blank. */
static uint32_t zone_values(struct oom_open *o, struct span text, struct oom_value *ret)
{
    uint32_t n = 0;
    struct span pending = {0}, name, unit;
    uint64_t value;

    for (struct span w = span_word(&text); w.len && n < ZONE_VALUES_MAX; w = span_word(&text)) {
        if (span_ends(w, ":")) {
            pending = span_sub(w, 0, w.len - 1);
            continue;
        }
        if (split_word(w, &name, &value, &unit)) {
            pending = (struct span){0};
        } else if (pending.s && span_u64(&w, &value)) {
            name = pending;
            unit = w;
            pending = (struct span){0};
        } else {
            continue;
        }
        if (!span_is(unit, "kB") && !span_is(unit, "KB"))
            continue;
        ret[n] = (struct oom_value){oom_keep_name(o, name), sat_mul_u64(value, 1024)};
        n += ret[n].name && !find_value(&(struct oom_vec){ret, n, n}, ret[n].name);
    }
    return n;
}

static void fill_zone(struct oom_open *o, struct oom_zone *z, struct span text)
{
    struct oom_value values[ZONE_VALUES_MAX];
    struct span kept;
    uint32_t n;

    if (z->values || !(n = zone_values(o, text, values)))
        return;
    kept = oom_keep(o, (struct span){(const char *)values, n * sizeof(*values)});
    z->values = (struct oom_value *)kept.s;
    z->n_values = kept.s ? n : 0;
}

static bool parse_zone(struct oom_open *o, struct span text)
{
    int64_t node = take_node(&text);
    size_t at = span_find(text, " free:", 0);
    struct oom_zone *z;

    if (node != OOM_NONE &&
        (span_starts(text, "active_anon:") || span_starts(text, "gpu_active:"))) {
        z = zone_get(o, node, (struct span){0});
        if (z)
            fill_zone(o, z, text);
        return true;
    }
    if (at == SPAN_NOT_FOUND || at > 16 || span_find(text, " min:", at) == SPAN_NOT_FOUND)
        return false;
    z = zone_get(o, node, span_sub(text, 0, at));
    if (z)
        fill_zone(o, z, span_from(text, at));
    return true;
}

/* --- free lists: "Node 0 DMA: 1*4kB (U) 0*8kB … = 15872kB" -------------------------------------
 */

static bool take_blocks(struct span word, uint64_t *ret_count, uint64_t *ret_kib)
{
    return span_u64(&word, ret_count) && span_skip_char(&word, '*') && span_u64(&word, ret_kib) &&
           span_is(word, "kB");
}

static void fill_blocks(struct oom_open *o, struct oom_zone *z, struct span text)
{
    uint64_t count, kib;

    for (struct span w = span_word(&text); w.len; w = span_word(&text)) {
        if (span_is(w, "=")) {
            o->buddy_open = false;
            return;
        }
        if (!take_blocks(w, &count, &kib) || z->n_orders >= OOM_ORDERS_MAX)
            continue;
        /* the first block is one page */
        if (!z->n_orders && !o->buddy_page_size && kib >= 4 && kib <= 64 && !(kib & (kib - 1)))
            o->buddy_page_size = kib * 1024;
        z->blocks[z->n_orders++] = count;
    }
}

static bool starts_with_blocks(struct span text)
{
    uint64_t count, kib;

    return take_blocks(span_word(&text), &count, &kib);
}

static bool parse_buddy(struct oom_open *o, struct span text)
{
    int64_t node = take_node(&text);
    size_t at = span_find(text, ":", 0);
    struct oom_zone *z;

    if (at == SPAN_NOT_FOUND || !at || at > 16 || !starts_with_blocks(span_from(text, at + 1)))
        return false;
    z = zone_get(o, node, span_sub(text, 0, at));
    if (z && !z->n_orders) {
        o->buddy_open = true;
        fill_blocks(o, z, span_from(text, at + 1));
    }
    return true;
}

/* What pr_cont had to put in a record of its own. */
static bool parse_buddy_rest(struct oom_open *o, struct span text)
{
    struct oom_vec *zones = &o->ev.meminfo.zones;
    struct span rest = text;

    if (!o->buddy_open || !zones->n)
        return false;
    span_skip_blanks(&rest);
    if (rest.len && rest.s[0] == '(' && span_find(rest, ")", 0) != SPAN_NOT_FOUND)
        span_word(&rest);
    if (!starts_with_blocks(rest) && !span_starts(span_trim(text), "= "))
        return false;
    fill_blocks(o, (struct oom_zone *)zones->data + zones->n - 1, text);
    return true;
}

static bool parse_hugepages(struct oom_open *o, struct span text)
{
    struct oom_hugepages *h, row = {.node = take_node(&text)};
    uint64_t *const fields[] = {&row.total, &row.free, &row.surplus, &row.size_bytes};
    static const char *const keys[] = {
        "hugepages_total=", "hugepages_free=", "hugepages_surp=", "hugepages_size="};

    if (row.node == OOM_NONE || !span_starts(text, keys[0]))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct span word = span_word(&text);

        if (!span_skip(&word, keys[i]) || !span_u64(&word, fields[i]))
            return true;
    }
    row.size_bytes = sat_mul_u64(row.size_bytes, 1024);
    h = oom_push(o, &o->ev.meminfo.hugepages, sizeof(*h), HUGEPAGES_MAX);
    if (h)
        *h = row;
    return true;
}

/* Lines of the block that hold nothing we keep, but belong to it. */
static bool is_other(struct span text)
{
    static const char *const starts[] = {
        "lowmem_reserve[]:", "protections[]:", "Swap cache stats:", "Swap cache:", "protection: "};

    for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
        if (span_starts(text, starts[i]))
            return true;
    return span_ends(span_trim(text), " per-cpu:");
}

bool oom_parse_meminfo(struct oom_open *o, struct span text)
{
    static bool (*const parsers[])(struct oom_open *, struct span) = {
        parse_totals,    parse_zone,      parse_buddy,     parse_hugepages,
        parse_swap_line, parse_page_line, parse_buddy_rest};

    for (size_t i = 0; i < ARRAY_SIZE(parsers); i++)
        if (parsers[i](o, text)) {
            o->ev.meminfo.present = true;
            return true;
        }
    return is_other(text);
}

bool oom_is_meminfo(struct span text)
{
    size_t at = span_find(text, " free:", 0);
    struct span rest = text;
    int64_t node = take_node(&rest);

    if (at != SPAN_NOT_FOUND && at < 28 && span_find(text, "kB min:", at) != SPAN_NOT_FOUND)
        return true;
    if (node != OOM_NONE &&
        (span_starts(rest, "active_anon:") || span_starts(rest, "hugepages_total=")))
        return true;
    if (span_ends(text, " total pagecache pages") || span_ends(text, " pages in swap cache"))
        return true;
    return (span_starts(text, "active_anon:") || span_starts(text, "Active:")) && is_totals(text);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kallsyms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/names.h"
#include "kernel/private.h"
#include "util/cleanup.h"
#include "util/math.h"

#define TOKENS          256
#define TOKEN_TABLE_MAX 16384 /* real ones take 700 to 1000 bytes */
#define NAME_MAX_BYTES  1024  /* KSYM_NAME_LEN is 512 since 6.1 */
#define WINDOW_BYTES    65536

/*
 * Symbols whose address VMCOREINFO tells as well: the check values. Some of its SYMBOL() lines are
 * values instead (mem_section, vmemmap) and not here.
 */
static const char *const check_names[] = {
    "_stext",  "init_uts_ns",    "node_online_map", "init_top_pgt",     "swapper_pg_dir",
    "prb",     "log_buf",        "clear_seq",       "node_data",        "vmap_area_list",
    "log_end", "kallsyms_names", "_text",           "contig_page_data",
};

/* Name lengths: one byte ("kallsyms" since 2.6), or two when the first has its top bit set
 * ("kallsyms: support "big" kernel symbols", v6.1). */
enum length_coding { LENGTH_ULEB, LENGTH_BYTE, N_LENGTH_CODINGS };

/* How the n'th offset becomes an address: facts in scripts/kallsyms.c of each era. */
enum address_rule {
    RULE_PERCPU_ABSOLUTE, /* KALLSYMS_ABSOLUTE_PERCPU: x86_64, v4.6 to v6.14 */
    RULE_BASE_RELATIVE,   /* arm64 v4.6 to v6.19; x86_64 v6.15 to v6.19 */
    RULE_PLACE_RELATIVE,  /* "kallsyms: Use relative offsets to the place", 7.0 */
    RULE_ABSOLUTE,        /* a table of addresses: no KALLSYMS_BASE_RELATIVE */
    N_ADDRESS_RULES,
};

/* How a table was found to be written. */
struct reading {
    enum length_coding coding;
    enum address_rule rule;
};

/* A wanted symbol: where its first occurrence stands in the table. */
struct hit {
    bool found;
    uint32_t index;
};

/* What a token adds to a name's hash (names.h); `tail` is without the token's first character. */
struct piece {
    uint32_t hash, tail, power;
};

struct tokens {
    char table[TOKEN_TABLE_MAX];
    size_t len;
    uint16_t index[TOKENS];
    struct piece pieces[TOKENS];
};

/* A forward reader over the names, a window at a time. */
struct names_reader {
    struct kernel *k;
    uint64_t va; /* of window[0] */
    size_t pos, len;
    uint8_t window[WINDOW_BYTES];
};

int kallsyms_from_vmcoreinfo(struct kernel *k, struct kallsyms *ret, struct error *err)
{
    const struct vmcoreinfo *vi = kernel_vmcoreinfo(k);
    struct kallsyms ks = {0};
    uint64_t num_syms, base;

    if (vmcoreinfo_symbol(vi, "kallsyms_names", &ks.names) ||
        vmcoreinfo_symbol(vi, "kallsyms_num_syms", &num_syms) ||
        vmcoreinfo_symbol(vi, "kallsyms_token_table", &ks.token_table) ||
        vmcoreinfo_symbol(vi, "kallsyms_token_index", &ks.token_index) ||
        (vmcoreinfo_symbol(vi, "kallsyms_offsets", &ks.offsets) &&
         vmcoreinfo_symbol(vi, "kallsyms_addresses", &ks.addresses)))
        return error_set(err, -ENOENT, "VMCOREINFO names no kallsyms tables");
    if (kernel_read_u32(k, num_syms, &ks.count) < 0)
        return error_set(err, -EFAULT, "kallsyms_num_syms is unreadable");
    if (!vmcoreinfo_symbol(vi, "kallsyms_relative_base", &base)) {
        if (kernel_read_u64(k, base, &ks.relative_base) < 0)
            return error_set(err, -EFAULT, "kallsyms_relative_base is unreadable");
        ks.has_relative_base = true;
    }
    *ret = ks;
    return 0;
}

static struct piece hash_token(const struct tokens *t, size_t at)
{
    size_t left = at < t->len ? t->len - at : 0, len = strnlen(t->table + at, left);
    struct piece p = {.hash = names_hash(t->table + at, len), .power = 1};

    p.tail = len ? names_hash(t->table + at + 1, len - 1) : 0;
    for (size_t i = 0; i < len; i++)
        p.power *= NAMES_BASE;
    return p;
}

static int read_tokens(struct kernel *k, const struct kallsyms *ks, struct tokens *ret,
                       struct error *err)
{
    size_t end;

    if (kernel_read(k, ks->token_index, ret->index, sizeof(ret->index)) < 0)
        return error_set(err, -EFAULT, "kallsyms_token_index is unreadable");
    /* the last token may be up to a name long */
    end = ret->index[TOKENS - 1] + (size_t)NAME_MAX_BYTES;
    if (end > sizeof(ret->table))
        return error_set(err, -EBADMSG, "kallsyms_token_index is damaged");
    if (kernel_read(k, ks->token_table, ret->table, end) < 0)
        return error_set(err, -EFAULT, "kallsyms_token_table is unreadable");
    ret->len = end;
    for (size_t i = 0; i < TOKENS; i++)
        ret->pieces[i] = hash_token(ret, (size_t)min_u64(ret->index[i], end));
    return 0;
}

/* The next len bytes of names, or NULL. */
static const uint8_t *reader_bytes(struct names_reader *r, size_t len)
{
    const uint8_t *p;

    if (r->pos + len > r->len) {
        size_t n = sizeof(r->window);

        r->va += r->pos;
        r->pos = r->len = 0;
        /* near the end of readable memory a smaller window may still do */
        while (n >= len && n > 0 && kernel_read(r->k, r->va, r->window, n) < 0)
            n /= 2;
        if (n < len || n == 0)
            return NULL;
        r->len = n;
    }
    p = r->window + r->pos;
    r->pos += len;
    return p;
}

/* Expands one symbol's tokens into name, without the type letter. Its length, or -EBADMSG. */
static ssize_t expand(const struct tokens *t, const uint8_t *codes, size_t n_codes, char *name)
{
    size_t len = 0;

    for (size_t i = 0; i < n_codes; i++) {
        size_t at = t->index[codes[i]];

        for (; at < t->len && t->table[at]; at++) {
            if (len == NAME_MAX_BYTES)
                return -EBADMSG;
            name[len++] = t->table[at];
        }
    }
    return len ? (ssize_t)len : -EBADMSG;
}

/* The hash of a symbol's name, without spelling it out: of 100,000 names a few hundred are wanted.
 */
static uint32_t hash_name(const struct tokens *t, const uint8_t *codes, size_t n_codes)
{
    uint32_t hash = t->pieces[codes[0]].tail; /* the first character is the type letter */

    for (size_t i = 1; i < n_codes; i++)
        hash = hash * t->pieces[codes[i]].power + t->pieces[codes[i]].hash;
    return hash;
}

static const uint8_t *next_symbol(struct names_reader *r, enum length_coding coding,
                                  size_t *ret_codes)
{
    const uint8_t *p = reader_bytes(r, 1);
    size_t n;

    if (!p)
        return NULL;
    n = *p;
    if (coding == LENGTH_ULEB && (n & 0x80)) {
        p = reader_bytes(r, 1);
        if (!p)
            return NULL;
        n = (n & 0x7f) | (size_t)*p << 7;
    }
    *ret_codes = n;
    return n ? reader_bytes(r, n) : NULL;
}

/* One pass over all names: remembers where the wanted ones stand. */
static int scan_names(struct kernel *k, const struct kallsyms *ks, const struct tokens *t,
                      enum length_coding coding, const struct names *wanted, struct hit *hits)
{
    _cleanup_free_ struct names_reader *r = malloc(sizeof(*r));
    char name[NAME_MAX_BYTES];

    if (!r)
        return -ENOMEM;
    *r = (struct names_reader){.k = k, .va = ks->names};
    for (uint32_t i = 0; i < ks->count; i++) {
        size_t n_codes, w;
        const uint8_t *codes = next_symbol(r, coding, &n_codes);
        ssize_t len;

        if (!codes)
            return -EBADMSG;
        if (!names_may_have(wanted, hash_name(t, codes, n_codes)))
            continue;
        len = expand(t, codes, n_codes, name);
        if (len < 0)
            return -EBADMSG;
        w = names_find(wanted, name + 1, (size_t)len - 1); /* [0] is the type letter */
        if (w != NAMES_NONE && !hits[w].found)
            hits[w] = (struct hit){true, i};
    }
    return 0;
}

static int symbol_address(struct kernel *k, const struct kallsyms *ks, enum address_rule rule,
                          uint32_t index, uint64_t *ret)
{
    uint64_t place = ks->offsets + (uint64_t)index * 4;
    uint32_t offset;

    if (rule == RULE_ABSOLUTE)
        return kernel_read_u64(k, ks->addresses + (uint64_t)index * 8, ret);
    if (kernel_read_u32(k, place, &offset) < 0)
        return -EFAULT;
    switch (rule) {
    case RULE_PERCPU_ABSOLUTE:
        *ret = (int32_t)offset >= 0 ? offset
                                    : ks->relative_base - 1 - (uint64_t)(int64_t)(int32_t)offset;
        break;
    case RULE_BASE_RELATIVE:
        *ret = ks->relative_base + offset;
        break;
    default:
        *ret = place + (uint64_t)(int64_t)(int32_t)offset;
        break;
    }
    return 0;
}

/* Checked symbols that the rule gets right, or -1 if it gets one wrong. */
static int rule_score(struct kernel *k, const struct kallsyms *ks, enum address_rule rule,
                      const struct names *wanted, const struct hit *hits)
{
    int right = 0;

    for (size_t i = 0; i < ARRAY_SIZE(check_names); i++) {
        size_t w = names_find(wanted, check_names[i], strlen(check_names[i]));
        uint64_t want, got;

        if (!hits[w].found || vmcoreinfo_symbol(kernel_vmcoreinfo(k), check_names[i], &want))
            continue;
        if (symbol_address(k, ks, rule, hits[w].index, &got) < 0 || got != want)
            return -1;
        right++;
    }
    return right;
}

static bool rule_possible(const struct kallsyms *ks, enum address_rule rule)
{
    if (rule == RULE_ABSOLUTE)
        return ks->addresses;
    return ks->offsets && (rule == RULE_PLACE_RELATIVE || ks->has_relative_base);
}

/* Two right answers and no wrong one: a table shifted by one symbol gets _stext right by chance,
 * for a neighbour shares its address. Tables that VMCOREINFO names are not shifted, and without
 * CONFIG_KALLSYMS_ALL they hold no other name that it tells. */
#define RIGHT_ENOUGH       2
#define RIGHT_ENOUGH_NAMED 1

/* Tries all readings of the tables. Fills hits and *ret. */
static int decode(struct kernel *k, const struct kallsyms *ks, int enough,
                  const struct names *wanted, struct hit *hits, struct reading *ret,
                  struct error *err)
{
    _cleanup_free_ struct tokens *t = malloc(sizeof(*t));
    int r;

    if (!t)
        return error_set(err, -ENOMEM, "out of memory");
    if (!ks->count || ks->count > KALLSYMS_MAX_SYMBOLS)
        return error_set(err, -EBADMSG, "kallsyms claims %u symbols", ks->count);
    r = read_tokens(k, ks, t, err);
    if (r < 0)
        return r;
    for (enum length_coding coding = 0; coding < N_LENGTH_CODINGS; coding++) {
        memset(hits, 0, wanted->count * sizeof(*hits));
        if (scan_names(k, ks, t, coding, wanted, hits) < 0)
            continue;
        for (enum address_rule rule = 0; rule < N_ADDRESS_RULES; rule++) {
            if (!rule_possible(ks, rule) || rule_score(k, ks, rule, wanted, hits) < enough)
                continue;
            *ret = (struct reading){coding, rule};
            return 0;
        }
    }
    return error_set(err, -EBADMSG, "kallsyms is damaged or contradicts VMCOREINFO");
}

static void answer(struct kernel *k, const struct kallsyms *ks, enum address_rule rule,
                   const struct names *wanted, const struct hit *hits, const struct needs_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        uint64_t addr;
        size_t w;

        if (set->needs[i].kind != NEED_KIND_SYMBOL)
            continue;
        w = names_find(wanted, set->needs[i].name, strlen(set->needs[i].name));
        if (hits[w].found && !symbol_address(k, ks, rule, hits[w].index, &addr))
            set->found[i] = (struct resolved){.present = true, .addr = addr};
    }
}

static int collect_names(const struct needs_set *sets, size_t n_sets, struct names *ret,
                         struct error *err)
{
    size_t total = ARRAY_SIZE(check_names);
    int r;

    for (size_t s = 0; s < n_sets; s++)
        total += sets[s].count;
    r = names_init(ret, total, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(check_names); i++)
        names_add(ret, check_names[i]);
    for (size_t s = 0; s < n_sets; s++)
        for (size_t i = 0; i < sets[s].count; i++)
            if (sets[s].needs[i].kind == NEED_KIND_SYMBOL)
                names_add(ret, sets[s].needs[i].name);
    return 0;
}

/* The tables that hold together, wherever they are found. */
static int locate(struct kernel *k, const struct names *wanted, struct hit *hits,
                  struct kallsyms *ret, struct reading *ret_reading, struct error *err)
{
    struct kallsyms layouts[KALLSYMS_LAYOUTS];
    int r = kallsyms_from_vmcoreinfo(k, ret, err);

    if (r == 0)
        r = decode(k, ret, RIGHT_ENOUGH_NAMED, wanted, hits, ret_reading, err);
    if (r == 0)
        return 0;
    r = kallsyms_scan(k, err, layouts);
    if (r < 0)
        return r;
    for (size_t i = 0; i < KALLSYMS_LAYOUTS; i++) {
        *ret = layouts[i];
        r = decode(k, ret, RIGHT_ENOUGH, wanted, hits, ret_reading, err);
        if (r == 0)
            break;
    }
    if (r == 0 && err)
        *err = (struct error){0}; /* of the tries before */
    return r;
}

int kallsyms_resolve(struct kernel *k, const struct needs_set *sets, size_t n_sets,
                     struct error *err)
{
    _cleanup_(names_done) struct names wanted = {0};
    _cleanup_free_ struct hit *hits = NULL;
    struct reading reading;
    struct kallsyms ks;
    int r = collect_names(sets, n_sets, &wanted, err);

    if (r < 0)
        return r;
    hits = calloc(wanted.count, sizeof(*hits));
    if (!hits)
        return error_set(err, -ENOMEM, "out of memory");
    r = locate(k, &wanted, hits, &ks, &reading, err);
    if (r < 0)
        return r;
    for (size_t s = 0; s < n_sets; s++)
        answer(k, &ks, reading.rule, &wanted, hits, &sets[s]);
    return 0;
}

/* The walk of kallsyms_foreach(), once it is known how the table is written. */
static int walk_symbols(struct kernel *k, const struct kallsyms *ks, const struct reading *how,
                        int (*fn)(const char *name, char type, uint64_t addr, void *arg), void *arg)
{
    _cleanup_free_ struct names_reader *reader = malloc(sizeof(*reader));
    _cleanup_free_ struct tokens *t = malloc(sizeof(*t));
    char name[NAME_MAX_BYTES + 1];
    int r = 0;

    if (!reader || !t)
        return -ENOMEM;
    *reader = (struct names_reader){.k = k, .va = ks->names};
    if (read_tokens(k, ks, t, NULL) < 0)
        return -EBADMSG;
    for (uint32_t i = 0; i < ks->count && !r; i++) {
        size_t n_codes;
        const uint8_t *codes = next_symbol(reader, how->coding, &n_codes);
        ssize_t len = codes ? expand(t, codes, n_codes, name) : -EBADMSG;
        uint64_t addr;

        if (len < 0 || symbol_address(k, ks, how->rule, i, &addr) < 0)
            return -EBADMSG;
        name[len] = '\0';
        r = fn(name + 1, name[0], addr, arg);
    }
    return r;
}

int kallsyms_foreach(struct kernel *k,
                     int (*fn)(const char *name, char type, uint64_t addr, void *arg), void *arg,
                     struct error *err)
{
    _cleanup_(names_done) struct names wanted = {0};
    struct hit hits[ARRAY_SIZE(check_names)];
    struct reading reading;
    struct kallsyms ks;
    int r = collect_names(NULL, 0, &wanted, err);

    if (!r)
        r = locate(k, &wanted, hits, &ks, &reading, err);
    if (!r)
        r = walk_symbols(k, &ks, &reading, fn, arg);
    return r;
}

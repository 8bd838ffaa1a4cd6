/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The format is described in PROFILE.md. */
#include "kernel/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/uts.h"
#include "util/cleanup.h"
#include "util/math.h"

#define MAGIC        "vmcore-summary-profile"
#define FORMAT       1
#define LINE_MAX_LEN 512
#define WORDS_MAX    12
#define LINES_MAX    20000

/* ---- writing -------------------------------------------------------------------------------- */

static bool same_need(const struct need *a, const struct need *b)
{
    return a->kind == b->kind && !strcmp(a->type ? a->type : "", b->type ? b->type : "") &&
           !strcmp(a->name ? a->name : "", b->name ? b->name : "");
}

/* Did an earlier entry of the sets ask for the same? */
static bool asked_before(const struct needs_set *sets, size_t set, size_t entry)
{
    for (size_t s = 0; s <= set; s++)
        for (size_t i = 0; i < (s < set ? sets[s].count : entry); i++)
            if (same_need(&sets[s].needs[i], &sets[set].needs[entry]))
                return true;
    return false;
}

static const char *type_word(const struct need *n)
{
    return *n->type ? n->type : "-"; /* an enumerator of whichever enum */
}

/* Addresses of the lower half are no addresses but offsets into per-CPU areas (x86_64 until 6.14),
 * which KASLR does not move. */
static void write_symbol(struct buf *out, const char *name, uint64_t addr, uint64_t stext)
{
    if (addr >> 63)
        buf_printf(out, "symbol %s %" PRId64 "\n", name, (int64_t)(addr - stext));
    else
        buf_printf(out, "fixed %s %" PRIu64 "\n", name, addr);
}

static void write_need(struct buf *out, const struct need *n, const struct resolved *f,
                       uint64_t stext)
{
    switch (n->kind) {
    case NEED_KIND_SYMBOL:
        write_symbol(out, n->name, f->addr, stext);
        break;
    case NEED_KIND_TYPE:
        buf_printf(out, "type %s %u\n", n->type, f->size);
        break;
    case NEED_KIND_MEMBER:
        buf_printf(out, "member %s %s %u %u %u %u %u %u %d\n", n->type, n->name, f->offset, f->size,
                   f->bit_offset, f->bit_size, f->elem_size, f->elem_count, f->is_signed);
        break;
    case NEED_KIND_ENUMERATOR:
        buf_printf(out, "enumerator %s %s %" PRId64 "\n", type_word(n), n->name, f->value);
        break;
    }
}

static void write_identity(struct buf *out, const char *key, const char *value)
{
    if (*value)
        buf_printf(out, "%s %s\n", key, value);
}

void profile_write(struct buf *out, const struct profile_identity *id, uint64_t stext,
                   const struct needs_set *sets, size_t n_sets)
{
    buf_printf(out, MAGIC " %d\n", FORMAT);
    write_identity(out, "release", id->release);
    write_identity(out, "version", id->version);
    write_identity(out, "build-id", id->build_id);
    for (size_t s = 0; s < n_sets; s++)
        for (size_t i = 0; i < sets[s].count; i++)
            if (sets[s].found[i].present && !asked_before(sets, s, i))
                write_need(out, &sets[s].needs[i], &sets[s].found[i], stext);
}

/* ---- reading -------------------------------------------------------------------------------- */

struct reader {
    const char *pos, *end;
    unsigned lines;
};

/* The next line that is not too long, NUL-terminated; false at the end. */
static bool next_line(struct reader *r, char ret[static LINE_MAX_LEN])
{
    while (r->pos < r->end && r->lines++ < LINES_MAX) {
        const char *line = r->pos, *nl = memchr(line, '\n', (size_t)(r->end - line));
        size_t len = (size_t)((nl ? nl : r->end) - line);

        r->pos = nl ? nl + 1 : r->end;
        if (len >= LINE_MAX_LEN || memchr(line, 0, len))
            continue;
        memcpy(ret, line, len);
        ret[len] = '\0';
        return true;
    }
    return false;
}

static size_t split(char *line, char *ret[static WORDS_MAX])
{
    char *save = NULL;
    size_t n = 0;

    for (char *w = strtok_r(line, " ", &save); w && n < WORDS_MAX; w = strtok_r(NULL, " ", &save))
        ret[n++] = w;
    return n;
}

/* Decimal, with a sign where negative ones are allowed, and nothing else. */
static bool parse_u64(const char *s, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;

    if (!*s)
        return false;
    for (; *s; s++)
        if (*s < '0' || *s > '9' || !mul_u64(v, 10, &v) || !add_u64(v, (uint64_t)(*s - '0'), &v))
            return false;
    *ret = v;
    return v <= max;
}

static bool parse_i64(const char *s, int64_t *ret)
{
    bool negative = *s == '-';
    uint64_t v;

    if (!parse_u64(s + negative, INT64_MAX, &v))
        return false;
    *ret = negative ? -(int64_t)v : (int64_t)v;
    return true;
}

/* The words of a line after its first: what is asked for, and the answer. */
struct fact {
    struct need need;
    struct resolved found;
};

static bool parse_symbol(char *const *w, uint64_t stext, struct fact *ret)
{
    int64_t distance;

    if (!parse_i64(w[2], &distance))
        return false;
    ret->need = (struct need){NEED_KIND_SYMBOL, true, NULL, w[1]};
    ret->found.addr = stext + (uint64_t)distance;
    return true;
}

static bool parse_fixed(char *const *w, uint64_t stext, struct fact *ret)
{
    (void)stext;
    ret->need = (struct need){NEED_KIND_SYMBOL, true, NULL, w[1]};
    return parse_u64(w[2], UINT64_MAX, &ret->found.addr);
}

static bool parse_type(char *const *w, uint64_t stext, struct fact *ret)
{
    uint64_t size;

    (void)stext;
    if (!parse_u64(w[2], UINT32_MAX, &size))
        return false;
    ret->need = (struct need){NEED_KIND_TYPE, true, w[1], NULL};
    ret->found.size = (uint32_t)size;
    return true;
}

static bool parse_enumerator(char *const *w, uint64_t stext, struct fact *ret)
{
    (void)stext;
    ret->need = (struct need){NEED_KIND_ENUMERATOR, true, strcmp(w[1], "-") ? w[1] : "", w[2]};
    return parse_i64(w[3], &ret->found.value);
}

/* As btf_find_member() would have answered, and nothing that it never would. */
static bool plausible_member(const struct resolved *f)
{
    if (f->elem_size || f->elem_count)
        return !f->bit_size && sat_mul_u64(f->elem_size, f->elem_count) == f->size;
    return !f->bit_size || (f->bit_size + f->bit_offset <= f->size * 8 &&
                            (f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8));
}

static bool parse_member(char *const *w, uint64_t stext, struct fact *ret)
{
    uint64_t v[7];
    static const uint64_t max[7] = {UINT32_MAX, UINT32_MAX, 7, 64, UINT32_MAX, UINT32_MAX, 1};

    (void)stext;
    for (size_t i = 0; i < ARRAY_SIZE(v); i++)
        if (!parse_u64(w[3 + i], max[i], &v[i]))
            return false;
    ret->need = (struct need){NEED_KIND_MEMBER, true, w[1], w[2]};
    ret->found.offset = (uint32_t)v[0];
    ret->found.size = (uint32_t)v[1];
    ret->found.bit_offset = (uint8_t)v[2];
    ret->found.bit_size = (uint8_t)v[3];
    ret->found.elem_size = (uint32_t)v[4];
    ret->found.elem_count = (uint32_t)v[5];
    ret->found.is_signed = v[6];
    return plausible_member(&ret->found);
}

/* The kinds of lines that hold answers. */
static const struct {
    const char *word;
    size_t words; /* its own included */
    enum profile_part part;
    bool (*parse)(char *const *words, uint64_t stext, struct fact *ret);
} kinds[] = {
    {"symbol", 3, PROFILE_SYMBOLS, parse_symbol},
    {"fixed", 3, PROFILE_SYMBOLS, parse_fixed},
    {"type", 3, PROFILE_TYPES, parse_type},
    {"member", 10, PROFILE_TYPES, parse_member},
    {"enumerator", 4, PROFILE_TYPES, parse_enumerator},
};

static bool parse_fact(char *line, enum profile_part part, uint64_t stext, struct fact *ret)
{
    char *words[WORDS_MAX];
    size_t n = split(line, words);

    for (size_t i = 0; n && i < ARRAY_SIZE(kinds); i++)
        if (!strcmp(words[0], kinds[i].word)) {
            *ret = (struct fact){.found.present = true};
            return kinds[i].part == part && n == kinds[i].words &&
                   kinds[i].parse(words, stext, ret);
        }
    return false; /* a kind of a later version */
}

/* How many needs it answered. */
static size_t answer(const struct fact *fact, const struct needs_set *sets, size_t n_sets)
{
    size_t n = 0;

    for (size_t s = 0; s < n_sets; s++)
        for (size_t i = 0; i < sets[s].count; i++)
            if (!sets[s].found[i].present && same_need(&sets[s].needs[i], &fact->need)) {
                sets[s].found[i] = fact->found;
                n++;
            }
    return n;
}

static void take(const char *line, const char *key, char *ret, size_t cap)
{
    size_t len = strlen(key);

    if (!strncmp(line, key, len) && line[len] == ' ')
        snprintf(ret, cap, "%s", line + len + 1);
}

int profile_identify(const char *text, size_t len, struct error *err, struct profile_identity *ret)
{
    struct reader r = {.pos = text, .end = text + len};
    char line[LINE_MAX_LEN], *words[WORDS_MAX];
    struct profile_identity id = {0};
    uint64_t format;

    if (len > PROFILE_MAX_BYTES || !next_line(&r, line) || split(line, words) != 2 ||
        strcmp(words[0], MAGIC) != 0)
        return error_set(err, -EBADMSG, "the profile is not one");
    if (!parse_u64(words[1], UINT32_MAX, &format) || format != FORMAT)
        return error_set(err, -ENOTSUP, "the profile is of format %.20s, not %d", words[1], FORMAT);
    while (next_line(&r, line)) {
        take(line, "release", id.release, sizeof(id.release));
        take(line, "version", id.version, sizeof(id.version));
        take(line, "build-id", id.build_id, sizeof(id.build_id));
    }
    *ret = id;
    return 0;
}

/* ---- whose it is ---------------------------------------------------------------------------- */

static const char *or_unknown(const char *s)
{
    return *s ? s : "unknown";
}

int profile_check(const struct profile_identity *profile, const struct profile_identity *crashed,
                  struct error *err)
{
    bool same_release = *profile->release && !strcmp(profile->release, crashed->release);

    if (*profile->build_id && *crashed->build_id) {
        if (!strcmp(profile->build_id, crashed->build_id))
            return 0;
    } else if (same_release && *profile->version && !strcmp(profile->version, crashed->version)) {
        return 0;
    }
    if (!same_release)
        return error_set(err, -ESTALE, "profile of %s refused: the crashed kernel is %s",
                         or_unknown(profile->release), or_unknown(crashed->release));
    if (*profile->build_id && *crashed->build_id)
        return error_set(err, -ESTALE,
                         "profile of %s, build id %.12s, refused: the crashed kernel is of %.12s",
                         profile->release, profile->build_id, crashed->build_id);
    return error_set(err, -ESTALE, "profile of %s, %s, refused: the crashed kernel is %s",
                     profile->release, or_unknown(profile->version), or_unknown(crashed->version));
}

static void copy_field(char *ret, size_t cap, const struct uts *uts, enum uts_field f)
{
    snprintf(ret, cap, "%.*s", UTS_FIELD_BYTES - 1, uts->fields[f]);
}

static void identify_crashed(struct kernel *k, struct profile_identity *ret)
{
    const struct vmcoreinfo *vi = kernel_vmcoreinfo(k);
    struct uts uts;

    *ret = (struct profile_identity){0};
    (void)vmcoreinfo_string(vi, "BUILD-ID", ret->build_id, sizeof(ret->build_id));
    (void)vmcoreinfo_string(vi, "OSRELEASE", ret->release, sizeof(ret->release));
    if (!kernel_read_uts(k, &uts))
        return;
    copy_field(ret->release, sizeof(ret->release), &uts, UTS_RELEASE);
    copy_field(ret->version, sizeof(ret->version), &uts, UTS_VERSION);
}

int profile_resolve(struct kernel *k, const char *text, size_t len, enum profile_part part,
                    const struct needs_set *sets, size_t n_sets, struct error *err,
                    size_t *ret_answered)
{
    struct reader reader = {.pos = text, .end = text + len};
    struct profile_identity mine, crashed;
    char line[LINE_MAX_LEN];
    struct fact fact;
    size_t facts = 0, answered = 0;
    uint64_t stext = 0;
    int r = profile_identify(text, len, err, &mine);

    if (r < 0)
        return r;
    identify_crashed(k, &crashed);
    r = profile_check(&mine, &crashed, err);
    if (r < 0)
        return r;
    if (part == PROFILE_SYMBOLS && vmcoreinfo_symbol(kernel_vmcoreinfo(k), "_stext", &stext))
        return error_set(err, -ENOENT, "no _stext in VMCOREINFO to place the profile's symbols");
    while (next_line(&reader, line))
        if (parse_fact(line, part, stext, &fact)) {
            answered += answer(&fact, sets, n_sets);
            facts++;
        }
    if (!facts)
        return error_set(err, -ENOENT, "the profile has no %s",
                         part == PROFILE_SYMBOLS ? "symbols" : "types");
    *ret_answered = answered;
    return 0;
}

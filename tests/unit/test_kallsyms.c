/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kallsyms tables as scripts/kallsyms.c of each era lays them out, written into a tiny core. */
#include <errno.h>

#include "kernel/kallsyms.h"
#include "unit/suite.h"
#include "unit/tiny_core.h"
#include "util/cleanup.h"

enum rule { PERCPU_ABSOLUTE, BASE_RELATIVE, PLACE_RELATIVE, ABSOLUTE };

struct era {
    const char *name;
    enum rule rule;
    bool offsets_first; /* before the names, as until 6.3 */
    bool wide_counts;   /* num_syms and markers of 8 bytes, before 4.20 */
    bool uleb;          /* a length may take two bytes, since 6.1 */
    unsigned align;
};

static const struct era eras[] = {
    {"4.18", PERCPU_ABSOLUTE, true, true, false, 8},
    {"5.10", PERCPU_ABSOLUTE, true, false, false, 8},
    {"6.1", PERCPU_ABSOLUTE, true, false, true, 8},
    {"6.12", PERCPU_ABSOLUTE, false, false, true, 8},
    {"6.18", BASE_RELATIVE, false, false, true, 8},
    {"7.0", PLACE_RELATIVE, false, false, true, 4},
    {"absolute", ABSOLUTE, true, false, false, 8},
};

#define N_SYMBOLS   10240u
#define TABLES_PHYS 0x40000u
#define STEXT       (TINY_TEXT + 0x10000) /* relative_base; symbol i is at STEXT + 16 * i */

static struct tiny_core core;
static uint64_t at; /* physical, where the next table goes */

struct tables {
    uint64_t offsets, base, num_syms, names, markers, token_table, token_index;
};

static uint64_t symbol_addr(size_t i)
{
    return STEXT + 16 * i;
}

/* Every symbol has a filler name but these. */
static const struct {
    size_t index;
    const char *name;
} known[] = {
    {0, "_stext"},
    {5000, "init_uts_ns"},
    {7001, "wanted_symbol"},
    {9999, "node_online_map"},
};

static bool text_only; /* without the symbols that are data */

static void symbol_name(size_t i, char *ret, size_t cap)
{
    for (size_t n = 0; n < ARRAY_SIZE(known); n++)
        if (known[n].index == i && !(text_only && (i == 5000 || i == 9999))) {
            snprintf(ret, cap, "t%s", known[n].name);
            return;
        }
    if (i == 300) { /* longer than 127 codes: two length bytes where there may be two */
        snprintf(ret, cap, "t%0150d", 1);
        return;
    }
    snprintf(ret, cap, "Tf%zu", i);
}

static void align_to(unsigned align)
{
    at = (at + align - 1) & ~(uint64_t)(align - 1);
}

static void put_bytes(const void *p, size_t len)
{
    ck_assert_uint_le(at + len, sizeof(core.ram));
    memcpy(core.ram + at, p, len);
    at += len;
}

static void put_offsets(const struct era *e, struct tables *t)
{
    align_to(e->align);
    t->offsets = at;
    for (size_t i = 0; i < N_SYMBOLS; i++) {
        uint64_t addr = symbol_addr(i), place = TINY_TEXT + at;
        int32_t offset = e->rule == PERCPU_ABSOLUTE ? (int32_t)(STEXT - 1 - addr)
                         : e->rule == BASE_RELATIVE ? (int32_t)(addr - STEXT)
                                                    : (int32_t)(addr - place);

        if (e->rule == ABSOLUTE)
            put_bytes(&addr, 8);
        else
            put_bytes(&offset, 4);
    }
    if (e->rule == PERCPU_ABSOLUTE || e->rule == BASE_RELATIVE) {
        uint64_t base = STEXT;

        align_to(8);
        t->base = at;
        put_bytes(&base, 8);
    }
}

static void put_names(const struct era *e, struct tables *t)
{
    static uint32_t markers[N_SYMBOLS / 256 + 1];
    uint32_t count = N_SYMBOLS;

    align_to(e->align);
    t->num_syms = at;
    put_bytes(&count, 4);
    align_to(e->align);
    t->names = at;
    for (size_t i = 0; i < N_SYMBOLS; i++) {
        char name[256];
        uint8_t len[2];

        symbol_name(i, name, sizeof(name));
        if (i % 256 == 0)
            markers[i / 256] = (uint32_t)(at - t->names);
        len[0] = (uint8_t)strlen(name);
        len[1] = (uint8_t)(strlen(name) >> 7);
        if (e->uleb && len[1])
            len[0] = (uint8_t)(strlen(name) & 0x7f) | 0x80;
        put_bytes(len, e->uleb && len[1] ? 2 : 1);
        put_bytes(name, strlen(name)); /* every token is one letter: see put_tokens() */
    }
    align_to(e->align);
    t->markers = at;
    for (size_t i = 0; i < N_SYMBOLS / 256; i++) {
        uint64_t wide = markers[i];

        put_bytes(&wide, e->wide_counts ? 8 : 4);
    }
}

static void put_tokens(const struct era *e, struct tables *t)
{
    uint16_t index[256];

    align_to(e->align);
    t->token_table = at;
    for (int i = 0; i < 256; i++) {
        bool plain =
            (i >= '0' && i <= '9') || (i >= 'A' && i <= 'Z') || i == '_' || (i >= 'a' && i <= 'z');
        char token[16];

        if (plain)
            snprintf(token, sizeof(token), "%c", i);
        else
            snprintf(token, sizeof(token), "tok%d", i);
        index[i] = (uint16_t)(at - t->token_table);
        put_bytes(token, strlen(token) + 1);
    }
    align_to(e->align);
    t->token_index = at;
    put_bytes(index, sizeof(index));
}

static void build(const struct era *e, bool named)
{
    struct tables t = {0};
    size_t len;

    memset(&core, 0, sizeof(core));
    at = TABLES_PHYS;
    if (e->offsets_first)
        put_offsets(e, &t);
    put_names(e, &t);
    put_tokens(e, &t);
    if (!e->offsets_first)
        put_offsets(e, &t);
    snprintf(core.vmcoreinfo, sizeof(core.vmcoreinfo),
             "PAGESIZE=4096\nNUMBER(phys_base)=0\nSYMBOL(_stext)=%llx\n"
             "SYMBOL(init_uts_ns)=%llx\nSYMBOL(node_online_map)=%llx\n",
             (unsigned long long)symbol_addr(0), (unsigned long long)symbol_addr(5000),
             (unsigned long long)symbol_addr(9999));
    len = strlen(core.vmcoreinfo);
    if (!named)
        return;
    len += (size_t)snprintf(core.vmcoreinfo + len, sizeof(core.vmcoreinfo) - len,
                            "SYMBOL(kallsyms_names)=%llx\nSYMBOL(kallsyms_num_syms)=%llx\n"
                            "SYMBOL(kallsyms_token_table)=%llx\nSYMBOL(kallsyms_token_index)=%llx\n"
                            "SYMBOL(kallsyms_%s)=%llx\n",
                            TINY_TEXT + t.names, TINY_TEXT + t.num_syms, TINY_TEXT + t.token_table,
                            TINY_TEXT + t.token_index,
                            e->rule == ABSOLUTE ? "addresses" : "offsets", TINY_TEXT + t.offsets);
    if (t.base)
        snprintf(core.vmcoreinfo + len, sizeof(core.vmcoreinfo) - len,
                 "SYMBOL(kallsyms_relative_base)=%llx\n", TINY_TEXT + t.base);
}

enum { WANTED, LAST, ABSENT, N_NEEDS };
static const struct need needs[N_NEEDS] = {
    [WANTED] = NEED_SYMBOL("wanted_symbol"),
    [LAST] = NEED_SYMBOL("f10239"),
    [ABSENT] = NEED_SYMBOL("absent_symbol"),
};

static int resolve(struct resolved *f, struct error *err)
{
    struct needs_set set = {needs, f, N_NEEDS};
    struct image *im = tiny_open(&core);
    struct kernel *k = NULL;
    int r;

    ck_assert_int_eq(kernel_open(im, NULL, 0, NULL, &k), 0);
    r = kallsyms_resolve(k, &set, 1, err);
    kernel_close(k);
    image_close(im);
    return r;
}

static void assert_resolves(const struct era *e, bool named)
{
    struct resolved f[N_NEEDS] = {0};
    struct error err = {0};

    build(e, named);
    ck_assert_msg(resolve(f, &err) == 0, "%s: %s", e->name, err.text);
    ck_assert_uint_eq(f[WANTED].addr, symbol_addr(7001));
    ck_assert_uint_eq(f[LAST].addr, symbol_addr(10239));
    ck_assert(!f[ABSENT].present);
}

START_TEST(every_era_is_read_by_name)
{
    for (size_t i = 0; i < ARRAY_SIZE(eras); i++)
        assert_resolves(&eras[i], true);
}
END_TEST

START_TEST(every_era_is_found_by_scanning)
{
    for (size_t i = 0; i < ARRAY_SIZE(eras); i++)
        assert_resolves(&eras[i], false);
}
END_TEST

/* Without CONFIG_KALLSYMS_ALL VMCOREINFO's data symbols are in no table: _stext alone can be
 * checked. That does for tables that VMCOREINFO names, and not for those found by scanning. */
START_TEST(text_symbols_alone_do_where_the_tables_are_named)
{
    for (size_t i = 0; i < ARRAY_SIZE(eras); i++)
        for (int named = 0; named < 2; named++) {
            struct resolved f[N_NEEDS] = {0};
            struct error err = {0};

            build(&eras[i], named);
            memcpy(strstr(core.vmcoreinfo, "init_uts_ns"), "init_xts_ns", 11);
            memcpy(strstr(core.vmcoreinfo, "node_online_map"), "node_xnline_map", 15);
            ck_assert_msg((resolve(f, &err) == 0) == (named == 1), "%s: %s", eras[i].name,
                          err.text);
            ck_assert(f[WANTED].present == (named == 1));
            ck_assert(!named || f[WANTED].addr == symbol_addr(7001));
        }
}
END_TEST

/* What kernel_bootstrap() makes of tables without data, with a profile of this build id or none. */
static int bootstrap_text_only(const char *build_id, struct resolved *f, struct error *err)
{
    char profile[256];
    struct needs_set set = {needs, f, N_NEEDS};
    struct image *im;
    struct kernel *k = NULL;
    int r;

    text_only = true;
    build(&eras[2], true);
    text_only = false;
    strcat(core.vmcoreinfo, "BUILD-ID=aabbcc\n");
    snprintf(profile, sizeof(profile),
             "vmcore-summary-profile 1\nrelease 6.1.0-test\nbuild-id %s\n"
             "symbol wanted_symbol 1\nsymbol absent_symbol 4096\n",
             build_id ? build_id : "");
    im = tiny_open(&core);
    ck_assert_int_eq(kernel_open(im, &set, 1, NULL, &k), 0);
    if (build_id)
        kernel_use_profile(k, profile, strlen(profile));
    r = kernel_bootstrap(k, err);
    kernel_close(k);
    image_close(im);
    return r;
}

START_TEST(a_profile_adds_the_data_to_text_symbols)
{
    struct resolved f[N_NEEDS] = {0};
    struct error err = {0};

    ck_assert_int_ne(bootstrap_text_only("aabbcc", f, &err), -ENODATA);
    ck_assert_ptr_null(strstr(err.text, "functions alone"));
    ck_assert_uint_eq(f[WANTED].addr, symbol_addr(7001)); /* the kernel's own answer stays */
    ck_assert(f[ABSENT].present);
    ck_assert_uint_eq(f[ABSENT].addr, STEXT + 4096);
}
END_TEST

START_TEST(text_symbols_without_a_profile_are_told)
{
    static const struct {
        const char *build_id, *text;
    } cases[] = {{NULL, "(no CONFIG_KALLSYMS_ALL)"}, {"ddeeff", "; profile of 6.1.0-test"}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct resolved f[N_NEEDS] = {0};
        struct error err = {0};

        ck_assert_int_eq(bootstrap_text_only(cases[i].build_id, f, &err), -ENODATA);
        ck_assert_ptr_nonnull(strstr(err.text, "functions alone"));
        ck_assert_ptr_nonnull(strstr(err.text, cases[i].text));
        ck_assert(f[WANTED].present && !f[ABSENT].present);
    }
}
END_TEST

START_TEST(contradictions_are_refused)
{
    struct resolved f[N_NEEDS] = {0};
    struct error err = {0};
    char *line;

    build(&eras[2], true);
    line = strstr(core.vmcoreinfo, "SYMBOL(init_uts_ns)=");
    line[strlen("SYMBOL(init_uts_ns)=") + 15] ^= 1; /* its address no longer fits */
    ck_assert_int_eq(resolve(f, &err), -EBADMSG);
    ck_assert_ptr_nonnull(strstr(err.text, "contradicts VMCOREINFO"));
    ck_assert(!f[WANTED].present);
}
END_TEST

START_TEST(damage_is_survived)
{
    for (uint64_t byte = 0; byte < 4096; byte += 7) {
        struct resolved f[N_NEEDS] = {0};

        if (byte == 0)
            build(&eras[3], true);
        core.ram[TABLES_PHYS + byte] ^= 0xff; /* damage adds up */
        (void)resolve(f, NULL);
    }
}
END_TEST

UNIT_SUITE("kallsyms", every_era_is_read_by_name, every_era_is_found_by_scanning,
           text_symbols_alone_do_where_the_tables_are_named,
           a_profile_adds_the_data_to_text_symbols, text_symbols_without_a_profile_are_told,
           contradictions_are_refused, damage_is_survived)

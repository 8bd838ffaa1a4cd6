/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/profile_sources.h"

#include <ctype.h>
#include <errno.h>
#include <gelf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libelf.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/btf.h"
#include "kernel/names.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define RUNNING_NOTES   "/sys/kernel/notes"
#define NOTES_MAX_BYTES (1u << 20)
#define BUILD_ID_MAX    64

int source_read(const char *path, size_t max, struct error *err, char **ret, size_t *ret_len)
{
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    struct buf b = BUF_INIT(max + 1);
    char piece[65536];
    size_t n;

    if (!f)
        return error_set(err, -errno, "%s: %s", path, strerror(errno));
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0 && !b.full)
        buf_append(&b, piece, n);
    if (ferror(f) || b.full || b.len > max || !b.data) {
        int r = ferror(f) ? -EIO : b.full ? -EFBIG : -ENODATA;

        buf_done(&b);
        return error_set(err, r, "%s: %s", path, strerror(-r));
    }
    *ret = b.data;
    *ret_len = b.len;
    return 0;
}

/* ---- symbols -------------------------------------------------------------------------------- */

struct symbol_table {
    struct names wanted;
    uint64_t *addrs; /* by index of the name */
    bool *found;
};

static void symbol_table_done(struct symbol_table *t)
{
    names_done(&t->wanted);
    free(t->addrs);
    free(t->found);
}

static int collect(struct symbol_table *t, const struct needs_set *sets, size_t n_sets,
                   struct error *err)
{
    size_t total = 2;
    int r;

    for (size_t s = 0; s < n_sets; s++)
        total += sets[s].count;
    r = names_init(&t->wanted, total, err);
    if (r < 0)
        return r;
    t->addrs = calloc(total, sizeof(*t->addrs));
    t->found = calloc(total, sizeof(*t->found));
    if (!t->addrs || !t->found)
        return error_set(err, -ENOMEM, "out of memory");
    names_add(&t->wanted, "_stext");
    names_add(&t->wanted, "init_uts_ns");
    for (size_t s = 0; s < n_sets; s++)
        for (size_t i = 0; i < sets[s].count; i++)
            if (sets[s].needs[i].kind == NEED_KIND_SYMBOL)
                names_add(&t->wanted, sets[s].needs[i].name);
    return 0;
}

struct symbol_line {
    uint64_t addr;
    char type, name[512];
};

/* "ffffffff81000000 T _stext", perhaps followed by "\t[module]": false for such a one, and for
 * another line. */
static bool parse_symbol(const char *line, struct symbol_line *ret)
{
    char module[2] = "";

    return sscanf(line, "%" SCNx64 " %c %511s %1s", &ret->addr, &ret->type, ret->name, module) >=
               3 &&
           !module[0];
}

/* Returns false for a line that is no symbol of the kernel. */
static bool take_symbol(struct symbol_table *t, const char *line, uint64_t *ret_addr)
{
    struct symbol_line s;
    size_t i;

    if (!parse_symbol(line, &s))
        return false;
    i = names_find(&t->wanted, s.name, strlen(s.name));
    if (i != NAMES_NONE && !t->found[i]) {
        t->found[i] = true;
        t->addrs[i] = s.addr;
    }
    *ret_addr = s.addr;
    return true;
}

static void answer_symbols(const struct symbol_table *t, const struct needs_set *sets,
                           size_t n_sets)
{
    for (size_t s = 0; s < n_sets; s++)
        for (size_t i = 0; i < sets[s].count; i++) {
            const struct need *n = &sets[s].needs[i];
            size_t at = NAMES_NONE;

            if (n->kind == NEED_KIND_SYMBOL)
                at = names_find(&t->wanted, n->name, strlen(n->name));
            if (at != NAMES_NONE && t->found[at])
                sets[s].found[i] = (struct resolved){.present = true, .addr = t->addrs[at]};
        }
}

int source_symbols(const char *path, const struct needs_set *sets, size_t n_sets, struct error *err,
                   uint64_t *ret_stext)
{
    _cleanup_(symbol_table_done) struct symbol_table t = {0};
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    size_t stext, data, symbols = 0;
    uint64_t any = 0, addr;
    char line[1024];
    int r;

    if (!f)
        return error_set(err, -errno, "%s: %s", path, strerror(errno));
    r = collect(&t, sets, n_sets, err);
    if (r < 0)
        return r;
    while (fgets(line, sizeof(line), f))
        if (take_symbol(&t, line, &addr)) {
            any |= addr;
            symbols++;
        }
    if (symbols && !any)
        return error_set(err, -EPERM, "%s: addresses are hidden: be root, see kptr_restrict", path);
    stext = names_find(&t.wanted, "_stext", 6);
    if (!t.found[stext])
        return error_set(err, -EBADMSG, "%s: no symbol _stext: not a kernel's symbols", path);
    data = names_find(&t.wanted, "init_uts_ns", 11);
    if (!t.found[data])
        return error_set(err, -ENODATA,
                         "%s: names of functions alone (no CONFIG_KALLSYMS_ALL): take System.map "
                         "or vmlinux of the kernel's debuginfo",
                         path);
    answer_symbols(&t, sets, n_sets);
    *ret_stext = t.addrs[stext];
    return 0;
}

/* ---- one build ------------------------------------------------------------------------------ */

#define MAX_FUNCTIONS (1 << 19)
#define MIN_FUNCTIONS 100
/* A name that several functions have may be first in one table at another of them. */
#define MISFITS_ONE_IN 1000

/* The functions of a table, each where it is first. */
struct functions {
    struct names names;
    char **owned; /* names, of names.count */
    uint64_t *addrs;
    bool *seen; /* in the other table */
};

static void functions_done(struct functions *f)
{
    for (size_t i = 0; i < f->names.count; i++)
        free(f->owned[i]);
    names_done(&f->names);
    free(f->owned);
    free(f->addrs);
    free(f->seen);
}

static bool parse_function(const char *line, struct symbol_line *ret)
{
    return parse_symbol(line, ret) && strchr("tTwW", ret->type);
}

static int add_function(struct functions *f, const struct symbol_line *s)
{
    char *name;
    size_t i;

    if (f->names.count == MAX_FUNCTIONS ||
        names_find(&f->names, s->name, strlen(s->name)) != NAMES_NONE)
        return 0;
    name = strdup(s->name);
    if (!name)
        return -ENOMEM;
    i = names_add(&f->names, name);
    f->owned[i] = name;
    f->addrs[i] = s->addr;
    return 0;
}

static int read_functions(struct functions *f, const char *path, struct error *err)
{
    _cleanup_fclose_ FILE *file = fopen(path, "re");
    struct symbol_line s;
    char line[1024];
    int r;

    if (!file)
        return error_set(err, -errno, "%s: %s", path, strerror(errno));
    r = names_init(&f->names, MAX_FUNCTIONS, err);
    if (r < 0)
        return r;
    f->owned = calloc(MAX_FUNCTIONS, sizeof(*f->owned));
    f->addrs = calloc(MAX_FUNCTIONS, sizeof(*f->addrs));
    f->seen = calloc(MAX_FUNCTIONS, sizeof(*f->seen));
    if (!f->owned || !f->addrs || !f->seen)
        return error_set(err, -ENOMEM, "out of memory");
    while (fgets(line, sizeof(line), file))
        if (parse_function(line, &s) && add_function(f, &s) < 0)
            return error_set(err, -ENOMEM, "out of memory");
    return 0;
}

struct fit {
    size_t fitting, others;
    char other[128]; /* the first that lies elsewhere */
};

static int count_fitting(struct functions *f, const char *path, struct error *err, struct fit *ret)
{
    _cleanup_fclose_ FILE *file = fopen(path, "re");
    size_t stext = names_find(&f->names, "_stext", 6);
    bool moved_known = false;
    uint64_t moved = 0;
    struct symbol_line s;
    char line[1024];

    if (!file)
        return error_set(err, -errno, "%s: %s", path, strerror(errno));
    while (fgets(line, sizeof(line), file)) {
        size_t i =
            parse_function(line, &s) ? names_find(&f->names, s.name, strlen(s.name)) : NAMES_NONE;

        /* what comes before _stext is early code, mapped elsewhere on some machines */
        if (i != NAMES_NONE && i == stext) {
            moved = f->addrs[i] - s.addr;
            moved_known = true;
        }
        if (i == NAMES_NONE || f->seen[i] || !moved_known)
            continue;
        f->seen[i] = true;
        if (f->addrs[i] - s.addr == moved) {
            ret->fitting++;
        } else if (!ret->others++) {
            snprintf(ret->other, sizeof(ret->other), "%.127s", s.name);
        }
    }
    return 0;
}

int source_same_build(const char *known, const char *path, struct error *err)
{
    _cleanup_(functions_done) struct functions f = {0};
    struct fit fit = {0};
    int r = read_functions(&f, known, err);

    if (!r)
        r = count_fitting(&f, path, err, &fit);
    if (r < 0)
        return r;
    if (fit.others > fit.fitting / MISFITS_ONE_IN)
        return error_set(err, -ESTALE, "%s refused: of another build, in which %s lies elsewhere",
                         path, fit.other);
    if (fit.fitting < MIN_FUNCTIONS || fit.fitting < f.names.count / 2)
        return error_set(err, -ESTALE, "%s refused: it has %zu of the kernel's %zu functions", path,
                         fit.fitting, f.names.count);
    return 0;
}

static int answer_types(const char *path, const void *data, size_t len,
                        const struct needs_set *sets, size_t n_sets, struct error *err)
{
    _cleanup_(btf_done) struct btf b = {0};
    int r = btf_init(&b, data, len, err);

    if (r == -EBADMSG)
        return error_prepend(err, r, "%s", path);
    return r < 0 ? r : btf_resolve(&b, sets, n_sets, err);
}

int source_btf(const char *path, const struct needs_set *sets, size_t n_sets, struct error *err)
{
    _cleanup_free_ char *data = NULL;
    size_t len;
    int r = source_read(path, BTF_MAX_BYTES, err, &data, &len);

    return r < 0 ? r : answer_types(path, data, len, sets, n_sets, err);
}

/* ---- whose it is ---------------------------------------------------------------------------- */

int source_build_id(const char *hex, struct error *err, struct profile_identity *io_id)
{
    size_t len = strlen(hex);

    if (len < 8 || len > 2 * BUILD_ID_MAX || len % 2 || strspn(hex, "0123456789abcdefABCDEF") < len)
        return error_set(err, -EINVAL, "'%.140s' is not a build id", hex);
    for (size_t i = 0; i <= len; i++)
        io_id->build_id[i] = (char)tolower((unsigned char)hex[i]);
    return 0;
}

/* linux_banner of init/version.c: "Linux version %s (%s@%s) (%s) %s\n"; the last part begins with
 * the build's number, "#1 SMP …". */
int source_banner(const char *banner, struct error *err, struct profile_identity *io_id)
{
    static const char start[] = "Linux version ";
    const char *release = banner + sizeof(start) - 1, *version;

    if (strncmp(banner, start, sizeof(start) - 1) != 0 || !(version = strstr(release, ") #")) ||
        !isdigit((unsigned char)version[3]))
        return error_set(err, -EBADMSG, "'%.80s' is not what /proc/version says", banner);
    snprintf(io_id->release, sizeof(io_id->release), "%.*s", (int)strcspn(release, " "), release);
    snprintf(io_id->version, sizeof(io_id->version), "%.*s", (int)strcspn(version + 2, "\n"),
             version + 2);
    return 0;
}

/* The GNU build id among ELF notes. */
static void take_build_id(const char *notes, size_t len, struct profile_identity *io_id)
{
    struct cursor c = cursor_init(notes, len);

    while (!c.bad && cursor_left(&c) > 12) {
        uint32_t namesz = cursor_u32(&c), descsz = cursor_u32(&c), type = cursor_u32(&c);
        const char *name = cursor_bytes(&c, ((size_t)namesz + 3) & ~(size_t)3);
        const uint8_t *desc = cursor_bytes(&c, ((size_t)descsz + 3) & ~(size_t)3);

        if (c.bad || type != NT_GNU_BUILD_ID || namesz != 4 || memcmp(name, "GNU", 4) != 0 ||
            descsz > BUILD_ID_MAX)
            continue;
        for (uint32_t i = 0; i < descsz; i++)
            snprintf(io_id->build_id + (size_t)i * 2, 3, "%02x", desc[i]);
        return;
    }
}

void source_running(struct profile_identity *ret)
{
    _cleanup_free_ char *notes = NULL;
    struct utsname u;
    size_t len;

    *ret = (struct profile_identity){0};
    if (uname(&u) == 0) {
        snprintf(ret->release, sizeof(ret->release), "%s", u.release);
        snprintf(ret->version, sizeof(ret->version), "%s", u.version);
    }
    if (source_read(RUNNING_NOTES, NOTES_MAX_BYTES, NULL, &notes, &len) == 0)
        take_build_id(notes, len, ret);
}

/* ---- vmlinux -------------------------------------------------------------------------------- */

struct vmlinux {
    const char *path;
    int fd;
    Elf *elf;
};

static void vmlinux_close(struct vmlinux *v)
{
    elf_end(v->elf);
    if (v->fd >= 0)
        close(v->fd);
}

static int vmlinux_open(struct vmlinux *v, const char *path, struct error *err)
{
    elf_version(EV_CURRENT);
    v->path = path;
    v->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (v->fd < 0)
        return error_set(err, -errno, "%s: %s", path, strerror(errno));
    v->elf = elf_begin(v->fd, ELF_C_READ, NULL);
    if (!v->elf || elf_kind(v->elf) != ELF_K_ELF)
        return error_set(err, -EBADMSG,
                         "%s: not an ELF file; of a compressed image take what the kernel's"
                         " scripts/extract-vmlinux makes of it",
                         path);
    return 0;
}

/* A section by name; NULL where the file has none, or nothing of it. */
static Elf_Data *find_section(const struct vmlinux *v, const char *name, GElf_Shdr *ret)
{
    Elf_Scn *scn = NULL;
    size_t names;

    if (elf_getshdrstrndx(v->elf, &names) < 0)
        return NULL;
    while ((scn = elf_nextscn(v->elf, scn))) {
        const char *s = gelf_getshdr(scn, ret) ? elf_strptr(v->elf, names, ret->sh_name) : NULL;
        Elf_Data *data;

        if (!s || strcmp(s, name) != 0 || ret->sh_type == SHT_NOBITS)
            continue;
        data = elf_rawdata(scn, NULL);
        return data && data->d_buf && data->d_size ? data : NULL;
    }
    return NULL;
}

/* Of several symbols of a name the lowest, as kallsyms is sorted. */
static void take_elf_symbols(const struct vmlinux *v, struct symbol_table *t)
{
    GElf_Shdr sh;
    Elf_Data *data = find_section(v, ".symtab", &sh);
    GElf_Sym sym;

    for (int i = 0; data && gelf_getsym(data, i, &sym); i++) {
        const char *name = elf_strptr(v->elf, sh.sh_link, sym.st_name);
        size_t at = name && sym.st_shndx != SHN_UNDEF && GELF_ST_TYPE(sym.st_info) <= STT_FUNC
                        ? names_find(&t->wanted, name, strlen(name))
                        : NAMES_NONE;

        if (at == NAMES_NONE || (t->found[at] && t->addrs[at] <= sym.st_value))
            continue;
        t->found[at] = true;
        t->addrs[at] = sym.st_value;
    }
}

static int vmlinux_symbols(const struct vmlinux *v, const struct needs_set *sets, size_t n_sets,
                           struct error *err, uint64_t *ret_stext)
{
    _cleanup_(symbol_table_done) struct symbol_table t = {0};
    int r = collect(&t, sets, n_sets, err);
    size_t stext;

    if (r < 0)
        return r;
    take_elf_symbols(v, &t);
    stext = names_find(&t.wanted, "_stext", 6);
    if (!t.found[stext])
        return error_set(err, -ENOENT, "%s: no symbols; name a table with --symbols", v->path);
    answer_symbols(&t, sets, n_sets);
    *ret_stext = t.addrs[stext];
    return 0;
}

/* BTF made of the file's DWARF by pahole(1). */
static int pahole_types(const char *path, const struct needs_set *sets, size_t n_sets,
                        struct error *err)
{
    char temporary[] = "/tmp/vmcore-summary-btf.XXXXXX", option[64];
    char *argv[] = {"pahole", option, (char *)path, NULL};
    int status = -1, r, fd = mkstemp(temporary);
    pid_t pid;

    if (fd < 0)
        return error_set(err, -errno, "%s: %s", temporary, strerror(errno));
    close(fd);
    snprintf(option, sizeof(option), "--btf_encode_detached=%s", temporary);
    r = -posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
    if (r < 0)
        r = error_set(err, r, "%s has no BTF, and pahole, which makes it of DWARF: %s", path,
                      strerror(-r));
    else if (waitpid(pid, &status, 0) != pid || status != 0)
        r = error_set(err, -EBADMSG, "pahole makes no BTF of %s", path);
    else
        r = source_btf(temporary, sets, n_sets, err);
    unlink(temporary);
    return r;
}

static void take_banner(const struct vmlinux *v, struct profile_identity *io_id)
{
    static const char start[] = "Linux version ";
    GElf_Shdr sh;
    Elf_Data *data = find_section(v, ".rodata", &sh);
    const char *p = data ? data->d_buf : NULL, *end = p ? p + data->d_size : NULL;
    char text[512];

    /* other strings begin like it: linux_proc_banner, a format, and a banner without its number
     * (init/version.c, v6.1), which the last step of the build replaces */
    while (p && (p = memmem(p, (size_t)(end - p), start, sizeof(start) - 1))) {
        snprintf(text, sizeof(text), "%.*s", (int)(end - p < 511 ? end - p : 511), p);
        if (source_banner(text, NULL, io_id) == 0)
            return;
        p++;
    }
}

int source_vmlinux(const char *path, const struct needs_set *sets, size_t n_sets, bool want_types,
                   struct error *err, uint64_t *io_stext, struct profile_identity *io_id)
{
    _cleanup_(vmlinux_close) struct vmlinux v = {.fd = -1};
    int r = vmlinux_open(&v, path, err);
    Elf_Data *data;
    GElf_Shdr sh;

    if (r < 0)
        return r;
    data = find_section(&v, ".notes", &sh);
    if (data)
        take_build_id(data->d_buf, data->d_size, io_id);
    take_banner(&v, io_id);
    if (!*io_stext)
        r = vmlinux_symbols(&v, sets, n_sets, err, io_stext);
    if (r < 0 || !want_types)
        return r;
    data = find_section(&v, ".BTF", &sh);
    return data ? answer_types(path, data->d_buf, data->d_size, sets, n_sets, err)
                : pahole_types(path, sets, n_sets, err);
}

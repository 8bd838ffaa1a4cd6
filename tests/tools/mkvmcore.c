/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mkvmcore DESCRIPTION VMCORE: builds a vmcore from a readable text, so that tests show what they
 * feed in. `-` reads the description from stdin. A line is a directive; `#` begins a comment.
 * Numbers are decimal or 0x-hexadecimal.
 *
 *   class 32|64, data lsb|msb, type N, machine N    the ELF header; 64, lsb, 4 (core), 62 (x86-64)
 *   vmcoreinfo                                      lines up to `end` become the VMCOREINFO note
 *   note NAME TYPE HEX                              another note, after those before it
 *   load PHYS [virt=N] [memsz=N] [filesz=N] [offset=N]
 *                                                   a PT_LOAD; what follows is its content, unless
 *                                                   overridden its size is the content's
 *     u8|u16|u32|u64 N...                           little-endian integers
 *     hex AABB...                                   bytes
 *     string "TEXT"                                 without a NUL; \n \t \\ \" \xNN
 *     zero N                                        N zero bytes
 *     at N                                          goes to offset N of the segment, with zeros on
 *                                                   the way there; also back
 *   include FILE                                    as if its lines stood here; FILE is relative to
 *                                                   the including one. `at` may then overwrite
 *   nothing                                         no program headers at all
 *   poke OFFSET u8|u16|u32|u64 N                    overwrites bytes of the finished file
 *   truncate N                                      cuts the finished file to N bytes
 *
 * The file: ELF header, program headers (notes first, then the loads in their order), contents.
 */
#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"
#include "util/cleanup.h"

#define MAX_LOADS   64
#define MAX_PATCHES 64
#define MAX_BYTES   (64 << 20)

struct load {
    uint64_t phys, virt, memsz, filesz, offset;
    bool has_memsz, has_filesz, has_offset;
    struct buf content;
    size_t at; /* where the next directive writes */
};

struct patch {
    uint64_t offset, value;
    size_t size;
};

struct vmcore {
    int class, data;
    uint64_t type, machine;
    bool no_phdrs;
    struct buf notes;
    struct load loads[MAX_LOADS];
    size_t n_loads;
    struct patch patches[MAX_PATCHES];
    size_t n_patches;
    uint64_t truncate;
    bool has_truncate;
    bool in_vmcoreinfo;
    const char *path; /* of the description */
    struct buf vmcoreinfo;
};

static unsigned line_number;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fprintf(stderr, "mkvmcore: line %u: ", line_number);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(EXIT_FAILURE);
}

static uint64_t number(const char *s)
{
    char *end;
    uint64_t v;

    if (!s)
        die("a number is missing");
    errno = 0;
    v = strtoull(s, &end, 0);
    if (errno || *end || end == s)
        die("not a number: %s", s);
    return v;
}

static size_t int_size(const char *s)
{
    static const struct {
        const char *name;
        size_t size;
    } sizes[] = {{"u8", 1}, {"u16", 2}, {"u32", 4}, {"u64", 8}};

    for (size_t i = 0; s && i < ARRAY_SIZE(sizes); i++)
        if (strcmp(s, sizes[i].name) == 0)
            return sizes[i].size;
    return 0;
}

/* --- contents --------------------------------------------------------------------------------- */

static void put(struct load *l, const void *data, size_t len)
{
    static const char zeros[4096];

    while (l->content.len < l->at + len && !l->content.full) {
        size_t gap = l->at + len - l->content.len;

        buf_append(&l->content, zeros, gap < sizeof(zeros) ? gap : sizeof(zeros));
    }
    if (l->content.full)
        die("segment over %d bytes", MAX_BYTES);
    if (data && len)
        memcpy(l->content.data + l->at, data, len);
    l->at += len;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *p = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

    if (!p)
        die("not a hexadecimal digit: %c", c);
    return (int)(p - digits);
}

static void put_hex(struct buf *b, const char *s)
{
    for (; s && *s; s += 2)
        buf_char(b, (char)(hex_digit(s[0]) << 4 | hex_digit(s[1])));
}

static void put_string(struct load *l, const char *s)
{
    static const char escapes[] = "n\nt\t\\\\\"\"";

    s = strchr(s, '"');
    if (!s)
        die("a string begins with a quote");
    for (s++; *s && *s != '"'; s++) {
        char c = *s;

        if (c == '\\' && s[1] == 'x') {
            c = (char)(hex_digit(s[2]) << 4 | hex_digit(s[3]));
            s += 3;
        } else if (c == '\\') {
            const char *e = escapes;

            while (*e && *e != s[1])
                e += 2;
            if (!*e)
                die("unknown escape");
            c = e[1];
            s++;
        }
        put(l, &c, 1);
    }
    if (!*s)
        die("the string has no end");
}

static void add_note(struct buf *b, const char *name, uint32_t type, const void *desc, size_t len)
{
    Elf64_Nhdr nhdr = {(uint32_t)strlen(name) + 1, (uint32_t)len, type};

    buf_append(b, &nhdr, sizeof(nhdr));
    buf_append(b, name, nhdr.n_namesz);
    while (b->len % 4)
        buf_char(b, 0);
    buf_append(b, desc, len);
    while (b->len % 4)
        buf_char(b, 0);
}

/* --- directives ------------------------------------------------------------------------------- */

static struct load *current(struct vmcore *v)
{
    if (!v->n_loads)
        die("content before the first load");
    return &v->loads[v->n_loads - 1];
}

static void load_option(struct load *l, const char *word)
{
    const char *value = strchr(word, '=');

    if (!value)
        die("not NAME=NUMBER: %s", word);
    value++;
    if (strncmp(word, "virt=", 5) == 0)
        l->virt = number(value);
    else if (strncmp(word, "memsz=", 6) == 0)
        l->memsz = number(value), l->has_memsz = true;
    else if (strncmp(word, "filesz=", 7) == 0)
        l->filesz = number(value), l->has_filesz = true;
    else if (strncmp(word, "offset=", 7) == 0)
        l->offset = number(value), l->has_offset = true;
    else
        die("unknown option %s", word);
}

static void do_load(struct vmcore *v, char **words)
{
    struct load *l = &v->loads[v->n_loads];

    if (v->n_loads++ == MAX_LOADS)
        die("over %d loads", MAX_LOADS);
    *l = (struct load){.phys = number(words[0]), .content = BUF_INIT(MAX_BYTES)};
    for (words++; *words; words++)
        load_option(l, *words);
}

static void do_note(struct vmcore *v, char **words)
{
    struct buf desc = BUF_INIT(MAX_BYTES);

    if (!words[0] || !words[1])
        die("note NAME TYPE HEX");
    put_hex(&desc, words[2]);
    add_note(&v->notes, words[0], (uint32_t)number(words[1]), desc.data, desc.len);
    buf_done(&desc);
}

static void do_class(struct vmcore *v, char **words)
{
    v->class = number(words[0]) == 32 ? ELFCLASS32 : ELFCLASS64;
}

static void do_data(struct vmcore *v, char **words)
{
    v->data = words[0] && strcmp(words[0], "msb") == 0 ? ELFDATA2MSB : ELFDATA2LSB;
}

static void do_type(struct vmcore *v, char **words)
{
    v->type = number(words[0]);
}

static void do_machine(struct vmcore *v, char **words)
{
    v->machine = number(words[0]);
}

static void do_nothing(struct vmcore *v, char **words)
{
    (void)words;
    v->no_phdrs = true;
}

static void do_vmcoreinfo(struct vmcore *v, char **words)
{
    (void)words;
    v->in_vmcoreinfo = true;
}

static void do_hex(struct vmcore *v, char **words)
{
    struct buf b = BUF_INIT(MAX_BYTES);

    for (; *words; words++)
        put_hex(&b, *words);
    put(current(v), b.data, b.len);
    buf_done(&b);
}

static void do_zero(struct vmcore *v, char **words)
{
    put(current(v), NULL, number(words[0]));
}

static void do_at(struct vmcore *v, char **words)
{
    current(v)->at = number(words[0]);
    put(current(v), NULL, 0);
}

static void do_poke(struct vmcore *v, char **words)
{
    if (v->n_patches == MAX_PATCHES || !words[0] || !int_size(words[1]))
        die("poke OFFSET SIZE NUMBER, at most %d of them", MAX_PATCHES);
    v->patches[v->n_patches++] =
        (struct patch){number(words[0]), number(words[2]), int_size(words[1])};
}

static void do_truncate(struct vmcore *v, char **words)
{
    v->truncate = number(words[0]);
    v->has_truncate = true;
}

static void parse(struct vmcore *v, const char *path);

static void do_include(struct vmcore *v, char **words)
{
    const char *here = v->path, *slash = strrchr(here, '/');
    unsigned line = line_number;
    char path[4096];

    if (!words[0])
        die("include FILE");
    snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash + 1 - here) : 0, here, words[0]);
    parse(v, path);
    v->path = here;
    line_number = line;
}

static const struct {
    const char *name;
    void (*run)(struct vmcore *v, char **words);
} directives[] = {
    {"class", do_class},       {"data", do_data},
    {"type", do_type},         {"load", do_load},
    {"machine", do_machine},   {"vmcoreinfo", do_vmcoreinfo},
    {"note", do_note},         {"hex", do_hex},
    {"zero", do_zero},         {"at", do_at},
    {"nothing", do_nothing},   {"poke", do_poke},
    {"truncate", do_truncate}, {"include", do_include},
};

static void vmcoreinfo_line(struct vmcore *v, const char *line)
{
    if (strcmp(line, "end\n") == 0) {
        v->in_vmcoreinfo = false;
        add_note(&v->notes, "VMCOREINFO", 0, v->vmcoreinfo.data, v->vmcoreinfo.len);
    } else if (*line != '#') {
        buf_str(&v->vmcoreinfo, line);
    }
}

static size_t split(char *line, char **words, size_t max)
{
    size_t n = 0;
    char *save;

    for (char *w = strtok_r(line, " \t\n", &save); w && *w != '#' && n < max;
         w = strtok_r(NULL, " \t\n", &save))
        words[n++] = w;
    words[n] = NULL;
    return n;
}

static void directive(struct vmcore *v, char *line)
{
    char *words[256], *text = line + strspn(line, " \t");

    if (strncmp(text, "string ", 7) == 0) {
        put_string(current(v), text);
        return;
    }
    if (!split(text, words, ARRAY_SIZE(words) - 1))
        return;
    for (size_t i = 1; int_size(words[0]) && words[i]; i++) {
        uint64_t value = number(words[i]);

        put(current(v), &value, int_size(words[0]));
    }
    if (int_size(words[0]))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(directives); i++)
        if (strcmp(words[0], directives[i].name) == 0) {
            directives[i].run(v, words + 1);
            return;
        }
    die("unknown directive %s", words[0]);
}

static void parse(struct vmcore *v, const char *path)
{
    _cleanup_fclose_ FILE *in =
        strcmp(path, "-") == 0 ? fdopen(dup(STDIN_FILENO), "r") : fopen(path, "r");
    _cleanup_free_ char *line = NULL;
    size_t size = 0;

    if (!in)
        die("%s: %s", path, strerror(errno));
    v->path = path;
    line_number = 0;
    while (getline(&line, &size, in) >= 0) {
        line_number++;
        if (v->in_vmcoreinfo)
            vmcoreinfo_line(v, line);
        else
            directive(v, line);
    }
    if (v->in_vmcoreinfo)
        die("vmcoreinfo without end");
}

/* --- the file --------------------------------------------------------------------------------- */

static void write_at(int fd, const void *data, size_t len, uint64_t offset)
{
    if (len && pwrite(fd, data, len, (off_t)offset) != (ssize_t)len)
        die("write: %s", strerror(errno));
}

static uint64_t align_up(uint64_t v)
{
    return (v + 15) & ~15ULL;
}

static void set_phdr(Elf *elf, int i, GElf_Phdr ph)
{
    if (!gelf_update_phdr(elf, i, &ph))
        die("program header %d: %s", i, elf_errmsg(-1));
}

static uint64_t load_offset(const struct load *l, uint64_t pos)
{
    return l->has_offset ? l->offset : pos;
}

static GElf_Phdr load_phdr(const struct load *l, uint64_t pos)
{
    uint64_t filesz = l->has_filesz ? l->filesz : l->content.len;

    return (GElf_Phdr){
        .p_type = PT_LOAD,
        .p_flags = PF_R | PF_W | PF_X,
        .p_offset = load_offset(l, pos),
        .p_vaddr = l->virt,
        .p_paddr = l->phys,
        .p_filesz = filesz,
        .p_memsz = l->has_memsz ? l->memsz : filesz,
    };
}

static Elf *write_headers(const struct vmcore *v, int fd)
{
    Elf *elf = elf_begin(fd, ELF_C_WRITE, NULL);
    GElf_Ehdr eh;

    if (!elf || !gelf_newehdr(elf, v->class) || !gelf_getehdr(elf, &eh))
        die("ELF header: %s", elf_errmsg(-1));
    elf_flagelf(elf, ELF_C_SET, ELF_F_LAYOUT);
    eh.e_ident[EI_DATA] = (unsigned char)v->data;
    eh.e_type = (uint16_t)v->type;
    eh.e_machine = (uint16_t)v->machine;
    eh.e_version = EV_CURRENT;
    eh.e_phoff = v->no_phdrs ? 0 : gelf_fsize(elf, ELF_T_EHDR, 1, EV_CURRENT);
    if (!gelf_update_ehdr(elf, &eh))
        die("ELF header: %s", elf_errmsg(-1));
    return elf;
}

/* Program headers and, once libelf has written its part, the contents behind them. */
static void write_vmcore(const struct vmcore *v, int fd)
{
    Elf *elf = write_headers(v, fd);
    size_t n = v->n_loads + (v->notes.len != 0);
    uint64_t pos = align_up(gelf_fsize(elf, ELF_T_EHDR, 1, EV_CURRENT) +
                            gelf_fsize(elf, ELF_T_PHDR, n, EV_CURRENT));
    uint64_t at[MAX_LOADS], notes_at = pos;
    int i = 0;

    if (!v->no_phdrs && !gelf_newphdr(elf, n))
        die("program headers: %s", elf_errmsg(-1));
    if (v->notes.len)
        set_phdr(elf, i++,
                 (GElf_Phdr){.p_type = PT_NOTE, .p_offset = pos, .p_filesz = v->notes.len});
    pos = align_up(pos + v->notes.len);
    for (size_t k = 0; k < v->n_loads; k++) {
        set_phdr(elf, i++, load_phdr(&v->loads[k], pos));
        at[k] = pos;
        pos = align_up(pos + v->loads[k].content.len);
    }
    if (elf_update(elf, ELF_C_WRITE) < 0)
        die("%s", elf_errmsg(-1));
    elf_end(elf);
    write_at(fd, v->notes.data, v->notes.len, notes_at);
    for (size_t k = 0; k < v->n_loads; k++)
        write_at(fd, v->loads[k].content.data, v->loads[k].content.len, at[k]);
    for (size_t k = 0; k < v->n_patches; k++)
        write_at(fd, &v->patches[k].value, v->patches[k].size, v->patches[k].offset);
    if (v->has_truncate && ftruncate(fd, (off_t)v->truncate) < 0)
        die("truncate: %s", strerror(errno));
}

static void vmcore_done(struct vmcore *v)
{
    buf_done(&v->notes);
    buf_done(&v->vmcoreinfo);
    for (size_t i = 0; i < v->n_loads; i++)
        buf_done(&v->loads[i].content);
}

int main(int argc, char **argv)
{
    static struct vmcore v = {.class = ELFCLASS64,
                              .data = ELFDATA2LSB,
                              .type = ET_CORE,
                              .machine = EM_X86_64,
                              .notes = {.limit = MAX_BYTES},
                              .vmcoreinfo = {.limit = MAX_BYTES}};
    _cleanup_close_ int fd = -1;

    if (argc != 3) {
        fprintf(stderr, "usage: mkvmcore DESCRIPTION VMCORE\n");
        return 2;
    }
    fd = open(argv[2], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        die("%s: %s", argv[2], strerror(errno));
    elf_version(EV_CURRENT);
    parse(&v, argv[1]);
    write_vmcore(&v, fd);
    vmcore_done(&v);
    return EXIT_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF vmcores: what /proc/vmcore is, and what cp, makedumpfile -E, QEMU and libvirt write; and
 * /proc/kcore, of the kernel that runs. Memory is found by p_paddr alone: p_vaddr may be 0 or -1,
 * and p_offset is not p_paddr where the first 640 KiB come from a backup region.
 */
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "core/image_ops.h"
#include "core/ranges.h"
#include "core/window.h"
#include "util/cleanup.h"
#include "util/math.h"

/* /proc/vmcore has at most 65534; files by makedumpfile -E may have more (PN_XNUM). */
#define ELF_MAX_PHDRS (1 << 17)
/* NT_PRSTATUS of 8192 CPUs take 3 MiB; device dumps, which follow VMCOREINFO, may take any. */
#define ELF_MAX_NOTES_BYTES (8 << 20)
/* A PT_LOAD is up to three segments: in the file, cut off the file's end, left out by a filter. */
#define SEGMENTS_PER_LOAD 3
/* No machine has more physical memory (Arm's D128; x86 has 52 bits). */
#define MAX_PHYS_BYTES (1ULL << 56)

static void elf_endp(Elf **elf)
{
    elf_end(*elf);
}

/* PT_LOADs as they are gathered. */
struct loads {
    struct segment *segments;
    size_t n, count;
    bool all_at_zero; /* p_paddr 0 everywhere: a process */
    bool any_virtual; /* p_paddr -1 somewhere: /proc/kcore */
};

static bool elf_probe(const struct image_head *head)
{
    return head->len >= SELFMAG && memcmp(head->bytes, ELFMAG, SELFMAG) == 0;
}

static int check_header(Elf *elf, GElf_Ehdr *ret, struct error *err)
{
    static const char only[] = "only 64-bit little-endian ELF cores are read";
    const char *ident = elf_getident(elf, NULL);

    if (elf_kind(elf) != ELF_K_ELF || !ident)
        return error_set(err, -EBADMSG, "the ELF header is damaged or cut short");
    if (ident[EI_CLASS] != ELFCLASS64)
        return error_set(err, -ENOTSUP, "a 32-bit ELF file: %s", only);
    if (ident[EI_DATA] != ELFDATA2LSB)
        return error_set(err, -ENOTSUP, "a big-endian ELF file: %s", only);
    if (!gelf_getehdr(elf, ret))
        return error_set(err, -EBADMSG, "the ELF header is damaged or cut short");
    if (ret->e_type != ET_CORE)
        return error_set(err, -ENOTSUP, "an ELF file, but not a core (e_type %u)", ret->e_type);
    return 0;
}

/* The VMCOREINFO note among those of a chunk; others (NT_PRSTATUS, device dumps) are passed over.
 */
static int find_vmcoreinfo(struct image *im, Elf_Data *notes, struct error *err)
{
    static const char name[] = "VMCOREINFO";
    size_t at = 0, next, name_at, desc_at;
    GElf_Nhdr note;

    while ((next = gelf_getnote(notes, at, &note, &name_at, &desc_at)) > at) {
        const char *bytes = notes->d_buf;

        if (note.n_namesz == sizeof(name) && memcmp(bytes + name_at, name, sizeof(name)) == 0) {
            /* one that is too long is none */
            if (note.n_descsz > VMCOREINFO_MAX_BYTES)
                return 0;
            return vmcoreinfo_init(&im->vmcoreinfo, bytes + desc_at, note.n_descsz, err);
        }
        at = next;
    }
    return 0;
}

static int read_notes(struct image *im, Elf *elf, const GElf_Phdr *ph, struct error *err)
{
    Elf_Type type = ph->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
    uint64_t len = min_u64(ph->p_filesz, ELF_MAX_NOTES_BYTES);
    Elf_Data *notes;

    if (im->vmcoreinfo.text || ph->p_offset >= im->file_bytes)
        return 0;
    len = min_u64(len, im->file_bytes - ph->p_offset);
    notes = elf_getdata_rawchunk(elf, (int64_t)ph->p_offset, len, type);
    return notes ? find_vmcoreinfo(im, notes, err) : 0;
}

static void add_segment(struct loads *l, uint32_t index, struct image_range range, bool has_data)
{
    if (range.mem_bytes)
        l->segments[l->n++] = (struct segment){range, has_data, index};
}

/* Splits a PT_LOAD by what the file has of it. One that no machine has room for, and one at -1
 * (vmalloc, modules, vmemmap in /proc/kcore), describes no physical memory. */
static void add_load(struct loads *l, struct image *im, const GElf_Phdr *ph, uint32_t index)
{
    uint64_t mem = max_u64(ph->p_memsz, ph->p_filesz), end, whole = 0, cut;
    bool virt_known = ph->p_vaddr && ph->p_vaddr != UINT64_MAX;
    struct image_range r = {.phys = ph->p_paddr, .virt = ph->p_vaddr, .file_offset = ph->p_offset};

    l->count++;
    l->all_at_zero = l->all_at_zero && ph->p_paddr == 0;
    l->any_virtual = l->any_virtual || ph->p_paddr == UINT64_MAX;
    if (ph->p_paddr == UINT64_MAX)
        return;
    if (!add_u64(ph->p_paddr, mem, &end) || end > MAX_PHYS_BYTES) {
        im->absurd_segment = true;
        return;
    }
    if (ph->p_offset < im->file_bytes)
        whole = min_u64(ph->p_filesz, im->file_bytes - ph->p_offset);
    cut = ph->p_filesz - whole;

    r.mem_bytes = r.file_bytes = whole;
    add_segment(l, index, r, true);
    r.phys += whole;
    r.virt += virt_known ? whole : 0;
    r.file_offset += whole;
    r.mem_bytes = r.file_bytes = cut;
    add_segment(l, index, r, false);
    r.phys += cut;
    r.virt += virt_known ? cut : 0;
    r.file_offset += cut;
    r.mem_bytes = mem - whole - cut;
    r.file_bytes = 0;
    add_segment(l, index, r, false);
}

static int read_phdrs(struct image *im, Elf *elf, size_t n, struct loads *l, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        GElf_Phdr ph;
        int r;

        if (!gelf_getphdr(elf, (int)i, &ph))
            return error_set(err, -EBADMSG, "the program headers are damaged or cut short");
        if (ph.p_type == PT_LOAD)
            add_load(l, im, &ph, (uint32_t)i);
        if (ph.p_type == PT_NOTE) {
            r = read_notes(im, elf, &ph, err);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

static int check_loads(const struct image *im, const struct loads *l, struct error *err)
{
    if (!l->n)
        return error_set(err, -EBADMSG, "an ELF core without memory (no PT_LOAD of any)");
    if (l->count > 1 && l->all_at_zero && !im->vmcoreinfo.len)
        return error_set(err, -ENOTSUP, "the core of a process, not of a kernel");
    return 0;
}

/* /proc/kcore has the VMCOREINFO of a kernel that did not crash ("/proc/kcore: add vmcoreinfo note
 * to /proc/kcore", v4.19); a crash notes its time there. */
static bool is_live(const struct image *im, const struct loads *l)
{
    uint64_t t;

    return l->any_virtual && vmcoreinfo_decimal(&im->vmcoreinfo, "CRASHTIME", &t) == -ENOENT;
}

static int read_elf(struct image *im, Elf *elf, struct error *err)
{
    _cleanup_free_ struct segment *segments = NULL;
    struct loads l = {.all_at_zero = true};
    GElf_Ehdr eh;
    size_t n;
    int r = check_header(elf, &eh, err);

    if (r < 0)
        return r;
    im->machine = eh.e_machine;
    if (elf_getphdrnum(elf, &n) < 0)
        return error_set(err, -EBADMSG, "the program headers are damaged or cut short");
    if (n > ELF_MAX_PHDRS)
        return error_set(err, -E2BIG, "%zu program headers: at most %d are read", n, ELF_MAX_PHDRS);
    l.segments = segments = calloc(n * SEGMENTS_PER_LOAD + 1, sizeof(*segments));
    if (!segments)
        return error_set(err, -ENOMEM, "out of memory");
    r = read_phdrs(im, elf, n, &l, err);
    if (r < 0)
        return r;
    r = check_loads(im, &l, err);
    if (r < 0)
        return r;
    im->live = is_live(im, &l);
    r = ranges_lay(segments, l.n, &im->ranges, &im->n_ranges);
    return r < 0 ? error_set(err, r, "out of memory") : 0;
}

static int elf_open(struct image *im, struct error *err)
{
    _cleanup_(elf_endp) Elf *elf = NULL;

    elf_version(EV_CURRENT);
    /* not ELF_C_READ_MMAP: libelf would map all of the file */
    elf = elf_begin(im->fd, ELF_C_READ, NULL);
    if (!elf)
        return error_set(err, -EBADMSG, "%s", elf_errmsg(-1));
    im->priv = calloc(1, sizeof(struct windows));
    if (!im->priv)
        return error_set(err, -ENOMEM, "out of memory");
    return read_elf(im, elf, err);
}

/* 0 if [phys, end) is in the file from end to end. */
static int check_range(const struct image *im, uint64_t phys, uint64_t end)
{
    const struct image_range *r = ranges_find(im->ranges, im->n_ranges, phys);
    const struct image_range *last = im->ranges + im->n_ranges;

    for (; phys < end; r++) {
        if (!r || r == last || r->phys > phys)
            return -EFAULT;
        if (!r->file_bytes)
            return -ENODATA;
        if (!range_within(r->file_offset, r->file_bytes, im->file_bytes))
            return -EFAULT;
        phys = range_end(r);
    }
    return 0;
}

static int elf_read(struct image *im, uint64_t phys, void *ret, size_t len)
{
    const struct image_range *range = ranges_find(im->ranges, im->n_ranges, phys);
    uint8_t *to = ret;
    int r = check_range(im, phys, phys + len);

    for (; r == 0 && len; range++) {
        uint64_t skip = phys - range->phys;
        size_t n = (size_t)min_u64(len, range->mem_bytes - skip);

        r = windows_read(im->priv, im->fd, im->file_bytes, range->file_offset + skip, to, n);
        phys += n;
        to += n;
        len -= n;
    }
    return r;
}

static void elf_drop_caches(struct image *im)
{
    if (im->priv)
        windows_drop(im->priv);
}

static void elf_close(struct image *im)
{
    elf_drop_caches(im);
    free(im->priv);
}

const struct image_ops image_elf = {
    .name = "elf",
    .flattened_name = "elf-flattened",
    .probe = elf_probe,
    .open = elf_open,
    .read = elf_read,
    .drop_caches = elf_drop_caches,
    .close = elf_close,
};

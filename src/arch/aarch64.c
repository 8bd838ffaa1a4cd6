/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aarch64: Documentation/arch/arm64/memory.rst, arch/arm64/include/asm/{memory,pgtable-hwdef}.h,
 * arch/arm64/kernel/vmcore_info.c.
 */
#include <elf.h>
#include <errno.h>

#include "arch/arch.h"
#include "util/math.h"

extern const struct arch_ops arch_aarch64;

/* bits [1:0] of a descriptor */
#define DESC_TYPE  3U
#define DESC_BLOCK 1U /* maps memory; not in the lowest level */
#define DESC_TABLE 3U /* the next table, or in the lowest level a page */

#define PA_48_MASK 0x0000ffffffffffffULL
/* With LPA2 (4 and 16 KiB pages, 52 bits) two more bits stand in place, and two in [9:8]. */
#define PA_50_MASK 0x0003ffffffffffffULL

/* Images of distribution kernels take 35 to 60 MB; they begin on 64 KiB, just below _stext. */
#define IMAGE_GUESS_BYTES (64ULL << 20)
#define IMAGE_ALIGN       (64ULL << 10)

/* What VMCOREINFO says. */
struct info {
    uint64_t page_shift;
    uint64_t va_bits;      /* CONFIG_ARM64_VA_BITS */
    uint64_t actual;       /* what this machine runs with: fewer where it lacks the extension */
    uint64_t image_offset; /* kimage_voffset */
    uint64_t stext;
};

static uint64_t top_of(unsigned bits)
{
    return -(1ULL << bits);
}

static bool lookup(const struct vmcoreinfo *vi, const char *name, uint64_t *ret)
{
    int64_t v;

    if (vmcoreinfo_number(vi, name, &v))
        return false;
    *ret = (uint64_t)v;
    return true;
}

static int read_info(const struct vmcoreinfo *vi, struct error *err, struct info *ret)
{
    uint64_t page, t1sz;

    if (vmcoreinfo_decimal(vi, "PAGESIZE", &page) || !lookup(vi, "VA_BITS", &ret->va_bits))
        return error_set(err, -ENOENT, "no PAGESIZE or VA_BITS in VMCOREINFO");
    if (!lookup(vi, "kimage_voffset", &ret->image_offset) ||
        vmcoreinfo_symbol(vi, "_stext", &ret->stext))
        return error_set(err, -ENOENT, "no kimage_voffset or _stext in VMCOREINFO");
    if (page != 4096 && page != 16384 && page != 65536)
        return error_set(err, -EBADMSG, "pages of %llu bytes", (unsigned long long)page);
    ret->page_shift = page == 4096 ? 12 : page == 16384 ? 14 : 16;
    ret->actual = ret->va_bits;
    /* "arm64/crash_core: Export TCR_EL1.T1SZ in vmcoreinfo", v5.9 */
    if (lookup(vi, "TCR_EL1_T1SZ", &t1sz) && t1sz < 64)
        ret->actual = 64 - t1sz;
    if (ret->va_bits < 36 || ret->va_bits > 52 || ret->actual < 36 || ret->actual > ret->va_bits)
        return error_set(err, -EBADMSG, "addresses of %llu bits of %llu",
                         (unsigned long long)ret->actual, (unsigned long long)ret->va_bits);
    return 0;
}

/*
 * The tables of 64 KiB pages are laid out for the configured bits; on a machine with fewer, TTBR1
 * points into the top table, and swapper_pg_dir still to its start. With the other sizes the
 * machine runs with a level or entries less, and the top table begins where it always does
 * ("arm64: mm: Add support for folding PUDs at runtime", v6.9).
 */
static void set_tables(const struct vmcoreinfo *vi, const struct info *info, struct arch_mm *mm)
{
    uint64_t root;

    mm->page_shift = (unsigned)info->page_shift;
    mm->index_bits = mm->page_shift - 3;
    mm->va_bits = (unsigned)(mm->page_shift == 16 ? info->va_bits : info->actual);
    mm->phys_mask = (mm->page_shift < 16 && info->actual > 48 ? PA_50_MASK : PA_48_MASK) &
                    -(1ULL << mm->page_shift);
    if (vmcoreinfo_symbol(vi, "swapper_pg_dir", &root))
        return;
    mm->root_phys = root - info->image_offset;
    mm->levels = (mm->va_bits - mm->page_shift + mm->index_bits - 1) / mm->index_bits;
}

/*
 * The direct map. Since "arm64: mm: Flip kernel VA space" (v5.4) it is the lower half of the
 * kernel's addresses and the image is in the upper one; before, the other way round.
 */
static struct arch_linear direct_map(const struct vmcoreinfo *vi, const struct info *info)
{
    unsigned bits = (unsigned)info->actual;
    bool flipped = info->stext >= top_of((unsigned)min_u64(bits, 48) - 1);
    uint64_t phys, start = top_of(bits), end = top_of((unsigned)min_u64(bits, 48) - 1);

    if (!lookup(vi, "PHYS_OFFSET", &phys))
        return (struct arch_linear){0};
    if (!flipped) {
        start = top_of(bits - 1);
        return (struct arch_linear){start, -start, phys};
    }
    /*
     * A kernel for 52 bits on a machine of 48: since "arm64: mm: make vmemmap region a projection
     * of the linear region" (v5.11) PHYS_OFFSET belongs to the start of the 52-bit map and is
     * negative by nearly its size; before, to the start of what is used of it. Randomising the map
     * (CONFIG_RANDOMIZE_BASE) makes it negative by less than 2^47.
     */
    if (info->actual < info->va_bits && (int64_t)phys < -(1LL << 50))
        phys += start - top_of((unsigned)info->va_bits);
    return (struct arch_linear){start, end - start, phys};
}

static int aarch64_mm_init(const struct image *im, struct error *err, struct arch_mm *ret)
{
    const struct vmcoreinfo *vi = image_vmcoreinfo(im);
    uint64_t vmalloc_start, vmalloc_end, image;
    struct info info;
    int r = read_info(vi, err, &info);

    if (r < 0)
        return r;
    image = info.stext & -IMAGE_ALIGN;
    *ret = (struct arch_mm){
        .ops = &arch_aarch64,
        .kernel_half = top_of((unsigned)info.actual),
        /* __tag_reset(), asm/memory.h; the machine ignores the byte where tags are in use (TBI1) */
        .tag_bits = 0xffULL << 56,
        .direct_map = direct_map(vi, &info),
        /* vmalloc areas lie around the image, so only the tables say where it ends */
        .image_guess = {image, IMAGE_GUESS_BYTES, image - info.image_offset},
    };
    set_tables(vi, &info, ret);
    if (lookup(vi, "VMALLOC_START", &vmalloc_start) && lookup(vi, "VMALLOC_END", &vmalloc_end) &&
        vmalloc_end > vmalloc_start)
        ret->vmalloc_bytes = vmalloc_end - vmalloc_start;
    return 0;
}

static bool is_lpa2(const struct arch_mm *mm)
{
    return mm->phys_mask & (1ULL << 48);
}

/* 2 MiB, 1 GiB; 32 MiB; 512 MiB: a level more with addresses of 52 bits (Arm ARM, D8.3). */
static unsigned highest_block_level(const struct arch_mm *mm)
{
    return (mm->page_shift == 12 ? 3 : 2) + (mm->va_bits > 48);
}

/* Address bits of a descriptor: __pte_to_phys(), asm/pgtable-hwdef.h. */
static uint64_t output_address(const struct arch_mm *mm, uint64_t entry)
{
    uint64_t phys = entry & mm->phys_mask;

    if (mm->page_shift == 16) /* zero unless CONFIG_ARM64_PA_BITS_52 */
        phys |= (entry & 0xf000) << 36;
    else if (is_lpa2(mm))
        phys |= (entry & 0x300) << 42;
    return phys;
}

static bool aarch64_entry(const struct arch_mm *mm, unsigned level, uint64_t entry,
                          uint64_t *ret_phys, bool *ret_leaf)
{
    bool block = (entry & DESC_TYPE) == DESC_BLOCK;

    if ((entry & DESC_TYPE) != DESC_TABLE && !block)
        return false;
    if (block && (level == 1 || level > highest_block_level(mm)))
        return false;
    *ret_leaf = block || level == 1;
    *ret_phys = output_address(mm, entry);
    return true;
}

const struct arch_ops arch_aarch64 = {
    .name = "aarch64",
    .machine = EM_AARCH64,
    .mark = "kimage_voffset",
    .mm_init = aarch64_mm_init,
    .entry = aarch64_entry,
};

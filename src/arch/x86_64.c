/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86_64: Documentation/arch/x86/x86_64/mm.rst,
 * arch/x86/include/asm/{page_64_types,pgtable_types}.h.
 */
#include <elf.h>
#include <errno.h>

#include "arch/arch.h"

extern const struct arch_ops arch_x86_64;

#define START_KERNEL_MAP          0xffffffff80000000ULL
#define KERNEL_IMAGE_SIZE_DEFAULT (1ULL << 30) /* with RANDOMIZE_BASE; modules start above it */

/* VMALLOC_SIZE_TB_L4 and _L5 */
#define VMALLOC_BYTES_4_LEVELS (32ULL << 40)
#define VMALLOC_BYTES_5_LEVELS (12800ULL << 40)

#define ENTRY_PRESENT   (1ULL << 0)
#define ENTRY_PSE       (1ULL << 7)  /* level 2 and 3: maps a large page */
#define ENTRY_PROTNONE  (1ULL << 8)  /* _PAGE_BIT_GLOBAL re-used: present to software only */
#define ENTRY_PAT_LARGE (1ULL << 12) /* large pages: an attribute where the address would start */
#define ENTRY_PHYS_MASK 0x000ffffffffff000ULL

/*
 * Where the image was loaded: NUMBER(phys_base) ("x86/crash: Update the kdump VMCOREINFO"
 * era, 4.10); before that from the kernel image's own PT_LOAD.
 */
static int image_phys_base(const struct image *im, uint64_t *ret)
{
    const struct image_range *ranges;
    int64_t number;

    if (!vmcoreinfo_number(image_vmcoreinfo(im), "phys_base", &number)) {
        *ret = (uint64_t)number;
        return 0;
    }
    for (size_t i = image_ranges(im, &ranges); i-- > 0;) {
        if (ranges[i].virt < START_KERNEL_MAP || ranges[i].virt == UINT64_MAX)
            continue;
        *ret = ranges[i].phys - (ranges[i].virt - START_KERNEL_MAP);
        return 0;
    }
    return -ENOENT;
}

static uint64_t number_or(const struct vmcoreinfo *vi, const char *name, uint64_t fallback)
{
    int64_t v;

    return vmcoreinfo_number(vi, name, &v) ? fallback : (uint64_t)v;
}

static int x86_64_mm_init(const struct image *im, struct error *err, struct arch_mm *ret)
{
    const struct vmcoreinfo *vi = image_vmcoreinfo(im);
    bool five_levels = number_or(vi, "pgtable_l5_enabled", 0) == 1;
    uint64_t phys_base, root, size = number_or(vi, "KERNEL_IMAGE_SIZE", KERNEL_IMAGE_SIZE_DEFAULT);

    if (image_phys_base(im, &phys_base) < 0)
        return error_set(err, -ENOENT, "no phys_base in VMCOREINFO and no kernel-image PT_LOAD");
    if (!size || size > -START_KERNEL_MAP)
        size = KERNEL_IMAGE_SIZE_DEFAULT;
    *ret = (struct arch_mm){
        .ops = &arch_x86_64,
        .page_shift = 12,
        .levels = five_levels ? 5 : 4,
        .index_bits = 9,
        .va_bits = five_levels ? 57 : 48,
        .phys_mask = ENTRY_PHYS_MASK & ~number_or(vi, "sme_mask", 0),
        .kernel_half = five_levels ? 0xff00000000000000ULL : 0xffff800000000000ULL,
        .image_map = {START_KERNEL_MAP, size, phys_base},
        /* VMALLOC_END is the last byte, not the one behind it */
        .vmalloc_bytes = (five_levels ? VMALLOC_BYTES_5_LEVELS : VMALLOC_BYTES_4_LEVELS) - 1,
    };
    /* swapper_pg_dir is a name for init_top_pgt (asm/pgtable_64.h). Without a root the image map
     * still reads the log. */
    if (!vmcoreinfo_symbol(vi, "init_top_pgt", &root) ||
        !vmcoreinfo_symbol(vi, "swapper_pg_dir", &root))
        ret->root_phys = root - START_KERNEL_MAP + phys_base;
    else
        ret->levels = 0;
    return 0;
}

/* pte_present(), pmd_large(), pud_large() and their pfn masks: asm/pgtable.h. */
static bool x86_64_entry(const struct arch_mm *mm, unsigned level, uint64_t entry,
                         uint64_t *ret_phys, bool *ret_leaf)
{
    bool large = (level == 2 || level == 3) && (entry & ENTRY_PSE);

    if (!(entry & ENTRY_PRESENT) && !(level == 1 && (entry & ENTRY_PROTNONE)))
        return false;
    *ret_leaf = level == 1 || large;
    *ret_phys = entry & mm->phys_mask & ~(large ? ENTRY_PAT_LARGE : 0);
    return true;
}

const struct arch_ops arch_x86_64 = {
    .name = "x86_64",
    .machine = EM_X86_64,
    .mark = "phys_base",
    .mm_init = x86_64_mm_init,
    .entry = x86_64_entry,
};

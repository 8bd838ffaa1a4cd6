/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/arch.h"

#include <errno.h>

#include "util/cleanup.h"

extern const struct arch_ops arch_x86_64;
extern const struct arch_ops arch_aarch64;

static const struct arch_ops *const archs[] = {
    &arch_x86_64,
    &arch_aarch64,
};

const struct arch_ops *arch_find(uint16_t machine)
{
    for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
        if (archs[i]->machine == machine)
            return archs[i];
    return NULL;
}

const struct arch_ops *arch_of_vmcoreinfo(const struct vmcoreinfo *vi)
{
    int64_t v;

    for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
        if (!vmcoreinfo_number(vi, archs[i]->mark, &v))
            return archs[i];
    return NULL;
}

static bool in_linear(const struct arch_linear *l, uint64_t va)
{
    return va >= l->virt && va - l->virt < l->bytes;
}

static void from_linear(const struct arch_linear *l, uint64_t va, uint64_t *ret_phys,
                        uint64_t *ret_left)
{
    *ret_phys = l->phys + (va - l->virt);
    *ret_left = l->bytes - (va - l->virt);
}

/* Follows the page tables from the root down to the entry that maps va. */
static int walk(const struct arch_mm *mm, struct image *im, uint64_t va, uint64_t *ret_phys,
                uint64_t *ret_left)
{
    uint64_t table = mm->root_phys, translated = va & ((1ULL << mm->va_bits) - 1);

    for (unsigned level = mm->levels; level >= 1; level--) {
        unsigned shift = mm->page_shift + (level - 1) * mm->index_bits;
        uint64_t index = translated >> shift;
        uint64_t entry, phys;
        bool leaf = level == 1;
        int r = image_read(im, table + index * sizeof(entry), &entry, sizeof(entry));

        translated &= (1ULL << shift) - 1;
        if (r < 0)
            return r;
        if (!mm->ops->entry(mm, level, entry, &phys, &leaf))
            return -EFAULT;
        if (leaf) {
            uint64_t size = 1ULL << shift, offset = va & (size - 1);

            *ret_phys = (phys & ~(size - 1)) + offset;
            *ret_left = size - offset;
            return 0;
        }
        table = phys;
    }
    return -EFAULT;
}

int arch_translate(const struct arch_mm *mm, struct image *im, uint64_t va, uint64_t *ret_phys,
                   uint64_t *ret_left)
{
    int r;

    va = arch_untag(mm, va);
    if (va < mm->kernel_half)
        return -EFAULT;
    if (in_linear(&mm->image_map, va)) {
        from_linear(&mm->image_map, va, ret_phys, ret_left);
        return 0;
    }
    if (in_linear(&mm->direct_map, va)) {
        from_linear(&mm->direct_map, va, ret_phys, ret_left);
        return 0;
    }
    r = walk(mm, im, va, ret_phys, ret_left);
    if (r < 0 && in_linear(&mm->image_guess, va)) {
        from_linear(&mm->image_guess, va, ret_phys, ret_left);
        return 0;
    }
    return r;
}

bool arch_tables_agree(const struct arch_mm *mm, struct image *im, uint64_t va)
{
    uint64_t by_tables, phys, left;

    return !walk(mm, im, va, &by_tables, &left) && !arch_translate(mm, im, va, &phys, &left) &&
           phys == by_tables;
}

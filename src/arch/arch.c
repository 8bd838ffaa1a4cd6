/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/arch.h"

#include <errno.h>

#include "util/cleanup.h"

extern const struct arch_ops arch_x86_64;

static const struct arch_ops *const archs[] = {
    &arch_x86_64,
};

const struct arch_ops *arch_find(uint16_t machine)
{
    for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
        if (archs[i]->machine == machine)
            return archs[i];
    return NULL;
}

static bool in_linear(const struct arch_linear *l, uint64_t va)
{
    return va >= l->virt && va - l->virt < l->bytes;
}

/* Follows the page tables from the root down to the entry that maps va. */
static int walk(const struct arch_mm *mm, struct image *im, uint64_t va, uint64_t *ret_phys,
                uint64_t *ret_left)
{
    uint64_t table = mm->root_phys;

    for (unsigned level = mm->levels; level >= 1; level--) {
        unsigned shift = mm->page_shift + (level - 1) * mm->index_bits;
        uint64_t index = (va >> shift) & ((1ULL << mm->index_bits) - 1);
        uint64_t entry, phys;
        bool leaf = level == 1;

        if (image_read(im, table + index * sizeof(entry), &entry, sizeof(entry)) < 0 ||
            !mm->ops->entry(mm, level, entry, &phys, &leaf))
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
    const struct arch_linear *map = &mm->image_map;

    if (va < mm->kernel_half)
        return -EFAULT;
    if (!in_linear(map, va))
        return walk(mm, im, va, ret_phys, ret_left);
    *ret_phys = map->phys + (va - map->virt);
    *ret_left = map->bytes - (va - map->virt);
    return 0;
}

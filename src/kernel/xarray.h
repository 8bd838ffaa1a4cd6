/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_XARRAY_H
#define KERNEL_XARRAY_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"

/*
 * An xarray (include/linux/xarray.h, v4.20 and later; an IDR is one): a tree of nodes of 64 slots,
 * in which a pointer to a node is tagged with its lowest two bits (10).
 */
struct xarray {
    struct kernel *k;
    uint64_t head_va;             /* address of the xa_head pointer */
    const struct resolved *slots; /* xa_node.slots, an array of pointers */
    const struct resolved *shift; /* xa_node.shift */
    size_t max_entries;
};

/*
 * Calls fn for each pointer stored, by ascending index, until fn returns non-zero (returned as it
 * is). Value, sibling and reserved entries are passed over. Damaged subtrees are left out. 0;
 * -EFAULT or -EBADMSG if some subtree was left out; -E2BIG after max_entries entries or as many
 * nodes.
 */
int xarray_foreach(const struct xarray *xa, int (*fn)(uint64_t index, uint64_t entry, void *arg),
                   void *arg);

#endif

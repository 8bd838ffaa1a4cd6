/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_LIST_H
#define KERNEL_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"

/*
 * Walks a circular struct list_head from its head, bounded and with cycle detection (Brent).
 *
 *     struct list_walk w = list_walk_init(k, head, max);
 *     while ((r = list_walk_next(&w, &node)) > 0)
 *         ...container of node...
 *     if (r < 0)
 *         ...partial: broken after w.count entries...
 *
 * Returns 1 and *ret_node; 0 at the head again; -EFAULT at an unreadable node, -EBADMSG where
 * next->prev does not point back (the list was being changed, or is damaged), -ELOOP on a cycle
 * that does not pass the head, -E2BIG after max nodes.
 */
struct list_walk {
    struct kernel *k;
    uint64_t head, pos;
    uint64_t tortoise;
    size_t count, max, lap, lap_size;
};

struct list_walk list_walk_init(struct kernel *k, uint64_t head, size_t max);
int list_walk_next(struct list_walk *w, uint64_t *ret_node);

#endif

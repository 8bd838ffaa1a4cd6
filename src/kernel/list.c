/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/list.h"

#include <errno.h>

struct list_walk list_walk_init(struct kernel *k, uint64_t head, size_t max)
{
    return (struct list_walk){
        .k = k, .head = head, .pos = head, .tortoise = head, .max = max, .lap_size = 1};
}

/* The node behind w->pos: 1, 0 at the head, or what is wrong. */
static int read_next(const struct list_walk *w, uint64_t *ret)
{
    uint64_t node[2]; /* struct list_head { next, prev } */
    uint64_t next;
    int r = kernel_read_u64(w->k, w->pos, &next);

    if (r < 0)
        return r;
    if (next == w->head)
        return 0;
    if (!kernel_is_kva(w->k, next))
        return -EBADMSG;
    if (w->count >= w->max)
        return -E2BIG;
    r = kernel_read(w->k, next, node, sizeof(node));
    if (r < 0)
        return r;
    if (node[1] != w->pos)
        return -EBADMSG;
    *ret = next;
    return 1;
}

int list_walk_next(struct list_walk *w, uint64_t *ret_node)
{
    unsigned tries = 0;
    uint64_t next;
    int r;

    /* a node that came or went in between */
    do
        r = read_next(w, &next);
    while ((r == -EBADMSG || r == -EFAULT) && kernel_try_again(w->k, &tries));
    if (r <= 0)
        return r;
    /* Brent: the tortoise rests at the start of each lap, and laps double */
    if (next == w->tortoise)
        return -ELOOP;
    if (++w->lap == w->lap_size) {
        w->lap = 0;
        w->lap_size *= 2;
        w->tortoise = next;
    }
    w->pos = next;
    w->count++;
    *ret_node = next;
    return 1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_SLAB_PRIVATE_H
#define KERNEL_SLAB_PRIVATE_H

#include "kernel/slab.h"

/* MAX_PARTIAL_TO_SCAN (mm/slub.c): slabs of one partial list that are looked at. */
#define SLAB_PARTIAL_MAX 10000
/* Slabs looked at in all; beyond it each list gets no more than SLAB_PARTIAL_MIN. */
#define SLAB_VISITS_MAX  400000
#define SLAB_PARTIAL_MIN 200

/* Bytes of struct slab or struct page that are read at once; more than any has. */
#define SLAB_DESCRIPTOR_MAX 128

/* Where one kernel keeps what describes a slab: struct slab, or struct page before it. */
struct slab_layout {
    const struct resolved *cache, *list, *inuse, *objects, *next;
    size_t bytes;
};

/* One walk over the caches. */
struct slab_reader {
    struct kernel *k;
    const struct resolved *found;
    struct slab_layout layout;
    unsigned nodes;       /* entries of a cache's node array that are memory of its own */
    uint64_t ram_bytes;   /* nothing is larger than this */
    uint64_t visits_left; /* of SLAB_VISITS_MAX */
    /* the cache being read: its struct kmem_cache */
    uint8_t *raw;
    size_t raw_len;
};

/* A slab's descriptor. */
struct slab_page {
    uint64_t next, prev; /* its place in a node's list */
    uint64_t chain;      /* the next slab of a CPU's partial list */
    uint32_t inuse, objects;
};

/* A member of the cache being read, or `fallback` where the kernel has none. */
uint64_t slab_raw(const struct slab_reader *s, enum slab_need need, uint64_t fallback);

/* Entry `node` of the node array of the cache being read; 0 for none. */
uint64_t slab_raw_node(const struct slab_reader *s, unsigned node);

/* The first problem of a cache is kept; any problem makes it inexact. */
void slab_problem(struct slab_cache *c, const char *problem);

/* true if so many slabs with so many objects fit into the machine. */
bool slab_plausible(const struct slab_reader *s, const struct slab_cache *c, uint64_t slabs,
                    uint64_t objects);

/*
 * Add to c what a node counts of the cache being read, or what is free but kept for CPUs. Problems
 * are c's; no error stops the walk. false if the node's counts are lost.
 */
bool slub_count_node(struct slab_reader *s, struct slab_cache *c, uint64_t node);
void slub_count_cached(struct slab_reader *s, struct slab_cache *c);
bool slab_array_count_node(struct slab_reader *s, struct slab_cache *c, uint64_t node);
void slab_array_count_cached(struct slab_reader *s, struct slab_cache *c);

/*
 * Reads the descriptor at addr. -EBADMSG if it does not belong to the cache or its counts
 * contradict each other: the memory is no slab of it any more.
 */
int slub_read_page(struct slab_reader *s, const struct slab_cache *c, uint64_t addr,
                   struct slab_page *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_MM_H
#define KERNEL_MM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"

/*
 * Nodes, zones and the counters of the memory manager. The functions take `found`, the answers to a
 * needs table that begins with MM_NEEDS; an extractor's own entries follow from N_MM_NEEDS on.
 */
enum mm_need {
    MM_NODE_DATA,
    MM_CONTIG_PAGE_DATA,
    MM_NODE_STATES,
    MM_N_ONLINE,
    MM_NODEMASK,
    MM_NODE_ZONES,
    MM_NODE_ID,
    MM_VM_ZONE_STAT,
    MM_VM_NODE_STAT,
    MM_NODE_STAT,
    MM_NODE_PER_CPU,
    MM_NODE_DIFF,
    MM_ZONE_PRESENT,
    MM_ZONE_STAT,
    MM_ZONE_PER_CPU,
    MM_ZONE_DIFF,
    MM_ZONE_LISTS,
    MM_LISTS_COUNT,
    MM_PAGESET,
    MM_PAGESET_DIFF,
    MM_PAGESET_COUNT,
    MM_WATERMARK,
    MM_WATERMARK_OLD,
    MM_WATERMARK_BOOST,
    MM_WMARK_MIN,
    MM_WMARK_LOW,
    MM_WMARK_HIGH,
    N_MM_NEEDS
};

/*
 * A CPU's share of a zone, struct per_cpu_pageset, was split into its free lists and its counters
 * in "mm/page_alloc: split per cpu page lists and zone stats" (28f836b6777b, v5.14). zone.watermark
 * became _watermark and got a boost in "mm: reclaim small amounts of memory when an external
 * fragmentation event occurs" (1c30844d2dfe, v5.0).
 */
#define MM_NEEDS                                                                                   \
    [MM_NODE_DATA] = NEED_SYMBOL_OR_NEXT("node_data"),                                             \
    [MM_CONTIG_PAGE_DATA] = OPT_SYMBOL("contig_page_data"),                                        \
    [MM_NODE_STATES] = OPT_SYMBOL("node_states"),                                                  \
    [MM_N_ONLINE] = OPT_ENUMERATOR("node_states", "N_ONLINE"),                                     \
    [MM_NODEMASK] = OPT_TYPE("nodemask_t"),                                                        \
    [MM_NODE_ZONES] = NEED_MEMBER("pglist_data", "node_zones"),                                    \
    [MM_NODE_ID] = OPT_MEMBER("pglist_data", "node_id"),                                           \
    [MM_VM_ZONE_STAT] = OPT_SYMBOL("vm_zone_stat"),                                                \
    [MM_VM_NODE_STAT] = OPT_SYMBOL("vm_node_stat"),                                                \
    [MM_NODE_STAT] = OPT_MEMBER("pglist_data", "vm_stat"),                                         \
    [MM_NODE_PER_CPU] = OPT_MEMBER("pglist_data", "per_cpu_nodestats"),                            \
    [MM_NODE_DIFF] = OPT_MEMBER("per_cpu_nodestat", "vm_node_stat_diff"),                          \
    [MM_ZONE_PRESENT] = NEED_MEMBER("zone", "present_pages"),                                      \
    [MM_ZONE_STAT] = NEED_MEMBER("zone", "vm_stat"),                                               \
    [MM_ZONE_PER_CPU] = OPT_MEMBER("zone", "per_cpu_zonestats"),                                   \
    [MM_ZONE_DIFF] = OPT_MEMBER("per_cpu_zonestat", "vm_stat_diff"),                               \
    [MM_ZONE_LISTS] = OPT_MEMBER("zone", "per_cpu_pageset"),                                       \
    [MM_LISTS_COUNT] = OPT_MEMBER("per_cpu_pages", "count"),                                       \
    [MM_PAGESET] = OPT_MEMBER("zone", "pageset"),                                                  \
    [MM_PAGESET_DIFF] = OPT_MEMBER("per_cpu_pageset", "vm_stat_diff"),                             \
    [MM_PAGESET_COUNT] = OPT_MEMBER("per_cpu_pageset", "pcp.count"),                               \
    [MM_WATERMARK] = OPT_MEMBER("zone", "_watermark"),                                             \
    [MM_WATERMARK_OLD] = OPT_MEMBER("zone", "watermark"),                                          \
    [MM_WATERMARK_BOOST] = OPT_MEMBER("zone", "watermark_boost"),                                  \
    [MM_WMARK_MIN] = OPT_ENUMERATOR("zone_watermarks", "WMARK_MIN"),                               \
    [MM_WMARK_LOW] = OPT_ENUMERATOR("zone_watermarks", "WMARK_LOW"),                               \
    [MM_WMARK_HIGH] = OPT_ENUMERATOR("zone_watermarks", "WMARK_HIGH")

#define MM_NODES_MAX 1024 /* MAX_NUMNODES with the largest NODES_SHIFT of a distribution, 10 */
#define MM_ZONES_MAX 8    /* a node's; kernels have at most 6 (enum zone_type) */
#define MM_ITEMS_MAX 192  /* of enum zone_stat_item or node_stat_item; 7.x has about 60 */
#define MM_READS_MAX (1u << 20) /* per-CPU reads of one struct mm: some seconds */

struct mm_node {
    unsigned id;
    uint64_t addr; /* struct pglist_data */
};

struct mm {
    struct kernel *k;
    const struct resolved *found;
    size_t n_nodes;
    struct mm_node nodes[MM_NODES_MAX]; /* the online ones */
    uint32_t reads_left;
    /* Nodes, zones or per-CPU parts that could not be read: sums lack them. */
    uint64_t lost;
};

/* Finds the online nodes. -ENOENT with text if there are none. */
int mm_init(struct mm *m, struct kernel *k, const struct resolved *found, struct error *err);

struct mm_zone {
    uint64_t addr; /* struct zone */
    unsigned node;
    unsigned index;         /* within the node: enum zone_type */
    uint64_t present_pages; /* 0: the machine has no such memory */
};

/* Zones of all nodes, those without memory included: mm_zone_at() takes 0 … mm_zone_count() - 1. */
size_t mm_zone_count(const struct mm *m);
int mm_zone_at(struct mm *m, size_t i, struct mm_zone *ret);

/*
 * The counters of a zone, of all zones (vm_zone_stat) or of all nodes (vm_node_stat), in enum
 * order, with every possible CPU's difference added: what zone_page_state_snapshot() would return
 * for each. /proc/meminfo leaves the differences out, which is up to 125 pages a CPU, zone and
 * item. Fails only where nothing was read; what was lost is counted in m->lost.
 */
struct mm_stats {
    size_t count;
    int64_t items[MM_ITEMS_MAX];
};
int mm_zone_stats(struct mm *m, const struct mm_zone *z, struct mm_stats *ret);
int mm_all_zone_stats(struct mm *m, struct mm_stats *ret);
int mm_all_node_stats(struct mm *m, struct mm_stats *ret);

/* The counter that an enumerator names, not below 0. false if this kernel does not have it. */
bool mm_item(const struct mm_stats *s, const struct resolved *enumerator, uint64_t *ret);

/*
 * Pages on the free lists of the CPUs: neither free (NR_FREE_PAGES) nor used. -ENOENT where the
 * kernel's types do not tell.
 */
int mm_zone_list_pages(struct mm *m, const struct mm_zone *z, uint64_t *ret);

/* min_wmark_pages() and its like, `which` being MM_WMARK_MIN, _LOW or _HIGH: boost included. */
int mm_zone_watermark(struct mm *m, const struct mm_zone *z, enum mm_need which, uint64_t *ret);

/* Bytes of address space for vmalloc; 0 if this build does not know. */
uint64_t mm_vmalloc_total_bytes(const struct kernel *k);

#endif

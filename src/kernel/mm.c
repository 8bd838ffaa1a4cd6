/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/mm.h"

#include <errno.h>
#include <string.h>

#include "kernel/percpu.h"
#include "kernel/private.h"
#include "util/math.h"

/* The kernel's symbol, or VMCOREINFO's word where kallsyms holds no data. */
static uint64_t symbol_addr(const struct mm *m, enum mm_need need, const char *name)
{
    uint64_t addr;

    if (m->found[need].present)
        return m->found[need].addr;
    return vmcoreinfo_symbol(kernel_vmcoreinfo(m->k), name, &addr) ? 0 : addr;
}

/* &node_states[N_ONLINE], which VMCOREINFO calls node_online_map (include/linux/nodemask.h). */
static uint64_t online_mask_addr(const struct mm *m)
{
    const struct resolved *states = &m->found[MM_NODE_STATES], *online = &m->found[MM_N_ONLINE],
                          *mask = &m->found[MM_NODEMASK];
    uint64_t addr;

    if (states->present && online->present && mask->present && online->value >= 0)
        return states->addr + (uint64_t)online->value * mask->size;
    return vmcoreinfo_symbol(kernel_vmcoreinfo(m->k), "node_online_map", &addr) ? 0 : addr;
}

/* Without a mask there is node 0. */
static void read_online_mask(const struct mm *m, uint64_t words[static MM_NODES_MAX / 64])
{
    uint64_t addr = online_mask_addr(m), size = m->found[MM_NODEMASK].size;

    if (!m->found[MM_NODEMASK].present &&
        vmcoreinfo_size(kernel_vmcoreinfo(m->k), "nodemask_t", &size))
        size = 8;
    memset(words, 0, MM_NODES_MAX / 8);
    if (!addr || kernel_read(m->k, addr, words, (size_t)min_u64(size, MM_NODES_MAX / 8)) < 0)
        words[0] = 1;
}

static void add_node(struct mm *m, unsigned id, uint64_t addr)
{
    uint64_t told;

    if (!kernel_is_kva(m->k, addr) ||
        (!kernel_field(m->k, addr, &m->found[MM_NODE_ID], &told) && told != id)) {
        m->lost++;
        return;
    }
    m->nodes[m->n_nodes++] = (struct mm_node){id, addr};
}

int mm_init(struct mm *m, struct kernel *k, const struct resolved *found, struct error *err)
{
    uint64_t online[MM_NODES_MAX / 64], array, single;

    *m = (struct mm){.k = k, .found = found, .reads_left = MM_READS_MAX};
    array = symbol_addr(m, MM_NODE_DATA, "node_data");
    single = symbol_addr(m, MM_CONTIG_PAGE_DATA, "contig_page_data");
    if (array) { /* CONFIG_NUMA: struct pglist_data *node_data[MAX_NUMNODES] */
        read_online_mask(m, online);
        for (unsigned id = 0; id < MM_NODES_MAX; id++) {
            uint64_t addr = 0;

            if (!(online[id / 64] >> (id % 64) & 1))
                continue;
            kernel_read_u64(k, array + id * sizeof(addr), &addr);
            add_node(m, id, addr);
        }
    } else if (single) {
        add_node(m, 0, single);
    } else {
        return error_set(err, -ENOENT, "no symbol `node_data` or `contig_page_data`");
    }
    return m->n_nodes ? 0 : error_set(err, -ENOENT, "no node of memory could be read");
}

static size_t zones_a_node(const struct mm *m)
{
    return (size_t)min_u64(m->found[MM_NODE_ZONES].elem_count, MM_ZONES_MAX);
}

size_t mm_zone_count(const struct mm *m)
{
    return m->n_nodes * zones_a_node(m);
}

int mm_zone_at(struct mm *m, size_t i, struct mm_zone *ret)
{
    const struct resolved *zones = &m->found[MM_NODE_ZONES];
    const struct mm_node *node;
    struct mm_zone z;
    int r;

    if (i >= mm_zone_count(m))
        return -ENOENT;
    node = &m->nodes[i / zones_a_node(m)];
    z.node = node->id;
    z.index = (unsigned)(i % zones_a_node(m));
    z.addr = node->addr + zones->offset + (uint64_t)z.index * zones->elem_size;
    r = kernel_field(m->k, z.addr, &m->found[MM_ZONE_PRESENT], &z.present_pages);
    if (r < 0) {
        m->lost++;
        return r;
    }
    *ret = z;
    return 0;
}

/* Element i of an array of signed integers of `size` bytes. */
static uint64_t signed_at(const uint8_t *array, size_t size, size_t i)
{
    uint64_t v = 0;
    unsigned unused = (unsigned)(64 - size * 8);

    memcpy(&v, array + i * size, size);
    return (uint64_t)((int64_t)(v << unused) >> unused);
}

/* Adds an array of signed integers in the dump to the counters; it may wrap, like theirs. */
static int add_array(struct mm *m, uint64_t addr, const struct resolved *array, struct mm_stats *s)
{
    uint8_t buf[MM_ITEMS_MAX * 8];
    size_t n = (size_t)min_u64(array->elem_count, MM_ITEMS_MAX);
    int r;

    if (!array->elem_size || array->elem_size > 8)
        return -EINVAL;
    r = kernel_read(m->k, addr, buf, n * array->elem_size);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++)
        s->items[i] = (int64_t)((uint64_t)s->items[i] + signed_at(buf, array->elem_size, i));
    if (s->count < n)
        s->count = n;
    return 0;
}

/* A CPU's copy of what the per-CPU pointer member `ptr` of the struct at `base` points to. */
static int cpu_copy(struct mm *m, uint64_t base, const struct resolved *ptr, unsigned cpu,
                    uint64_t *ret_addr)
{
    uint64_t value;
    int r = kernel_field(m->k, base, ptr, &value);

    if (r < 0)
        return r;
    if (!m->reads_left)
        return -E2BIG;
    m->reads_left--;
    return percpu_addr(m->k, value, cpu, ret_addr);
}

static void add_differences(struct mm *m, uint64_t base, const struct resolved *ptr,
                            const struct resolved *diff, struct mm_stats *s)
{
    if (!ptr->present || !diff->present || !percpu_cpu_end(m->k)) {
        m->lost++;
        return;
    }
    percpu_foreach(m->k, cpu)
    {
        uint64_t addr;

        if (cpu_copy(m, base, ptr, cpu, &addr) < 0 ||
            add_array(m, addr + diff->offset, diff, s) < 0)
            m->lost++;
    }
}

static void add_zone_differences(struct mm *m, const struct mm_zone *z, struct mm_stats *s)
{
    bool old = m->found[MM_PAGESET].present;

    if (z->present_pages) /* others share a boot-time page set, which says nothing */
        add_differences(m, z->addr, &m->found[old ? MM_PAGESET : MM_ZONE_PER_CPU],
                        &m->found[old ? MM_PAGESET_DIFF : MM_ZONE_DIFF], s);
}

static int add_zone(struct mm *m, const struct mm_zone *z, struct mm_stats *s)
{
    const struct resolved *stat = &m->found[MM_ZONE_STAT];

    return add_array(m, z->addr + stat->offset, stat, s);
}

int mm_zone_stats(struct mm *m, const struct mm_zone *z, struct mm_stats *ret)
{
    struct mm_stats s = {0};
    int r = add_zone(m, z, &s);

    if (r < 0)
        return r;
    add_zone_differences(m, z, &s);
    *ret = s;
    return 0;
}

/* The global array has no type of its own in BTF, but is as long as each zone's or node's. */
static bool add_global(struct mm *m, enum mm_need symbol, enum mm_need array, struct mm_stats *s)
{
    return m->found[symbol].present && m->found[array].present &&
           add_array(m, m->found[symbol].addr, &m->found[array], s) == 0;
}

int mm_all_zone_stats(struct mm *m, struct mm_stats *ret)
{
    struct mm_stats s = {0};
    bool global = add_global(m, MM_VM_ZONE_STAT, MM_ZONE_STAT, &s);

    for (size_t i = 0; i < mm_zone_count(m); i++) {
        struct mm_zone z;

        if (mm_zone_at(m, i, &z) < 0)
            continue;
        if (!global && add_zone(m, &z, &s) < 0)
            m->lost++;
        add_zone_differences(m, &z, &s);
    }
    if (!s.count)
        return -ENOENT;
    *ret = s;
    return 0;
}

int mm_all_node_stats(struct mm *m, struct mm_stats *ret)
{
    const struct resolved *stat = &m->found[MM_NODE_STAT];
    struct mm_stats s = {0};
    bool global = add_global(m, MM_VM_NODE_STAT, MM_NODE_STAT, &s);

    for (size_t i = 0; i < m->n_nodes; i++) {
        uint64_t node = m->nodes[i].addr;

        if (!global && add_array(m, node + stat->offset, stat, &s) < 0)
            m->lost++;
        add_differences(m, node, &m->found[MM_NODE_PER_CPU], &m->found[MM_NODE_DIFF], &s);
    }
    if (!s.count)
        return -ENOENT;
    *ret = s;
    return 0;
}

bool mm_item(const struct mm_stats *s, const struct resolved *enumerator, uint64_t *ret)
{
    if (!enumerator->present || enumerator->value < 0 || (uint64_t)enumerator->value >= s->count)
        return false;
    *ret = clamp_count(s->items[enumerator->value]);
    return true;
}

int mm_zone_list_pages(struct mm *m, const struct mm_zone *z, uint64_t *ret)
{
    bool old = m->found[MM_PAGESET].present;
    const struct resolved *ptr = &m->found[old ? MM_PAGESET : MM_ZONE_LISTS];
    const struct resolved *count = &m->found[old ? MM_PAGESET_COUNT : MM_LISTS_COUNT];
    uint64_t sum = 0;

    if (!ptr->present || !count->present || !percpu_cpu_end(m->k))
        return -ENOENT;
    percpu_foreach(m->k, cpu)
    {
        uint64_t addr;
        int64_t pages;

        if (!z->present_pages)
            break;
        if (cpu_copy(m, z->addr, ptr, cpu, &addr) < 0 ||
            kernel_field_i64(m->k, addr, count, &pages) < 0)
            m->lost++;
        else
            sum = sat_add_u64(sum, clamp_count(pages));
    }
    *ret = sum;
    return 0;
}

int mm_zone_watermark(struct mm *m, const struct mm_zone *z, enum mm_need which, uint64_t *ret)
{
    bool old = m->found[MM_WATERMARK_OLD].present;
    const struct resolved *f = &m->found[old ? MM_WATERMARK_OLD : MM_WATERMARK];
    uint64_t pages, boost = 0;
    int r;

    if (!m->found[which].present || m->found[which].value < 0)
        return -ENOENT;
    r = kernel_field_at(m->k, z->addr, f, (size_t)m->found[which].value, &pages);
    if (r < 0)
        return r;
    r = kernel_field(m->k, z->addr, &m->found[MM_WATERMARK_BOOST], &boost);
    if (r < 0 && r != -ENOENT)
        return r;
    *ret = sat_add_u64(pages, boost);
    return 0;
}

uint64_t mm_vmalloc_total_bytes(const struct kernel *k)
{
    return k->mm.vmalloc_bytes;
}

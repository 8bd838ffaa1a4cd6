/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/percpu.h"

#include <errno.h>
#include <string.h>

#include "kernel/private.h"
#include "util/math.h"

static unsigned highest_bit(const uint64_t *mask, unsigned limit)
{
    unsigned end = 0;

    for (unsigned i = 0; i < limit; i++)
        if (mask[i / 64] >> (i % 64) & 1)
            end = i + 1;
    return end;
}

static void add_mask(struct kernel *k, const struct resolved *mask, size_t bytes,
                     uint64_t to[static CPU_MASK_WORDS])
{
    uint64_t words[CPU_MASK_WORDS] = {0};

    if (!mask->present || kernel_read(k, mask->addr, words, bytes) < 0)
        return;
    for (size_t i = 0; i < CPU_MASK_WORDS; i++)
        to[i] |= words[i];
}

/* Reads the masks once a process. nr_cpu_ids bounds them: bits above it are not memory of theirs.
 */
static const struct cpu_map *cpu_map(struct kernel *k)
{
    struct cpu_map *m = &k->cpus;
    uint32_t n = 0;
    size_t bytes;

    if (m->tried)
        return m;
    memset(m, 0, sizeof(*m));
    m->tried = true;
    if (!k->core[CORE_NR_CPU_IDS].present || !k->core[CORE_CPU_POSSIBLE_MASK].present ||
        kernel_read_u32(k, k->core[CORE_NR_CPU_IDS].addr, &n) < 0 || n == 0 || n > NR_CPUS_MAX)
        return m;
    bytes = (n + 63) / 64 * 8;
    if (kernel_read(k, k->core[CORE_CPU_POSSIBLE_MASK].addr, m->possible, bytes) < 0)
        return m;
    add_mask(k, &k->core[CORE_CPU_ONLINE_MASK], bytes, m->online);
    add_mask(k, &k->core[CORE_CPU_ACTIVE_MASK], bytes, m->online);
    m->end = highest_bit(m->possible, n);
    return m;
}

unsigned percpu_cpu_end(struct kernel *k)
{
    return cpu_map(k)->end;
}

bool percpu_cpu_possible(struct kernel *k, unsigned cpu)
{
    const struct cpu_map *m = cpu_map(k);

    return cpu < m->end && (m->possible[cpu / 64] >> (cpu % 64) & 1);
}

unsigned percpu_online_count(struct kernel *k)
{
    const struct cpu_map *m = cpu_map(k);
    unsigned count = 0;

    for (unsigned i = 0; i < m->end; i++)
        count += (m->online[i / 64] >> (i % 64) & 1) != 0;
    return count;
}

int percpu_addr(struct kernel *k, uint64_t ptr, unsigned cpu, uint64_t *ret_addr)
{
    const struct resolved *offsets = &k->core[CORE_PER_CPU_OFFSET];
    uint64_t offset;
    int r;

    if (!percpu_cpu_possible(k, cpu))
        return -ENOENT;
    if (!offsets->present) { /* !CONFIG_SMP: there is one copy, in place */
        if (percpu_cpu_end(k) > 1)
            return -ENOENT;
        *ret_addr = ptr;
        return 0;
    }
    r = kernel_read_u64(k, offsets->addr + (uint64_t)cpu * sizeof(offset), &offset);
    if (r < 0)
        return r;
    *ret_addr = ptr + offset;
    return 0;
}

int percpu_counter_sum(struct kernel *k, uint64_t va, int64_t *ret)
{
    const struct resolved *counters = &k->core[CORE_PERCPU_COUNTER_COUNTERS];
    uint64_t ptr, sum;
    int64_t count;
    int r = kernel_field_i64(k, va, &k->core[CORE_PERCPU_COUNTER_COUNT], &count);

    if (r < 0)
        return r;
    sum = (uint64_t)count;
    if (!kernel_field(k, va, counters, &ptr) && ptr) {
        percpu_foreach(k, cpu)
        {
            uint64_t addr;
            uint32_t diff;

            if (!percpu_addr(k, ptr, cpu, &addr) && !kernel_read_u32(k, addr, &diff))
                sum += (uint64_t)(int64_t)(int32_t)diff;
        }
    }
    *ret = (int64_t)sum;
    return 0;
}

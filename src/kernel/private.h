/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_PRIVATE_H
#define KERNEL_PRIVATE_H

#include "arch/arch.h"
#include "kernel/kernel.h"

/* What the kernel room itself must know: resolved with everybody else's needs. */
enum core_need {
    CORE_PER_CPU_OFFSET,
    CORE_CPU_POSSIBLE_MASK,
    CORE_CPU_ONLINE_MASK,
    CORE_CPU_ACTIVE_MASK,
    CORE_NR_CPU_IDS,
    CORE_PERCPU_COUNTER_COUNT,
    CORE_PERCPU_COUNTER_COUNTERS,
    CORE_START_BTF,
    CORE_STOP_BTF,
    CORE_INIT_UTS_NS,
    N_CORE_NEEDS,
};
extern const struct need core_needs[N_CORE_NEEDS];

#define NR_CPUS_MAX    8192
#define TLB_ENTRIES    256
#define CPU_MASK_WORDS (NR_CPUS_MAX / 64)

/* A remembered translation of one page of 2^shift bytes; virt is its start, ~0 for none. */
struct tlb_entry {
    uint64_t virt, phys;
};

struct cpu_map {
    bool tried;
    unsigned end; /* highest possible CPU + 1 */
    uint64_t possible[CPU_MASK_WORDS], online[CPU_MASK_WORDS];
};

/* What a forked child finds out for its parent. */
struct kernel_shared {
    struct resolved core[N_CORE_NEEDS];
    struct profile_use profile;
};

struct kernel {
    struct image *im;
    struct arch_mm mm;
    uint64_t page_size;
    const struct needs_set *sets;
    size_t n_sets;
    const char *profile; /* borrowed text, or NULL */
    size_t profile_len;
    struct kernel_shared *shared;
    struct resolved *core;               /* N_CORE_NEEDS, in shared */
    struct tlb_entry small[TLB_ENTRIES]; /* pages */
    struct tlb_entry large[TLB_ENTRIES]; /* 2 MiB pieces of larger mappings */
    struct cpu_map cpus;
    struct kernel_stats stats;
};

#endif

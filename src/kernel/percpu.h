/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_PERCPU_H
#define KERNEL_PERCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/kernel.h"

/*
 * Per-CPU memory: address(cpu) = pointer or symbol + __per_cpu_offset[cpu]
 * (include/asm-generic/percpu.h), before and after x86 moved its percpu section to link addresses
 * ("x86/percpu/64: Use relative percpu offsets", v6.15).
 *
 * CPUs are the possible ones: counters of a CPU that went offline still count.
 */

/* One more than the highest possible CPU; 0 if unknown. Bounded by NR_CPUS 8192. */
unsigned percpu_cpu_end(struct kernel *k);
bool percpu_cpu_possible(struct kernel *k, unsigned cpu);

/*
 * CPUs that were online when the kernel crashed; 0 if unknown. The crashing one stops the others,
 * and each then leaves the online mask (local_cpu_stop() of arm64, stop_this_cpu() of x86), not the
 * active one, which it had joined after it: so those of either mask.
 */
unsigned percpu_online_count(struct kernel *k);

/* The address of a CPU's copy. -ENOENT before bootstrap or for an impossible CPU. */
int percpu_addr(struct kernel *k, uint64_t ptr, unsigned cpu, uint64_t *ret_addr);

/* for each possible CPU */
#define percpu_foreach(k, cpu)                                                                     \
    for (unsigned cpu = 0, cpu##_end = percpu_cpu_end(k); cpu < cpu##_end; cpu++)                  \
        if (percpu_cpu_possible(k, cpu))

/*
 * A struct percpu_counter at va: count plus every CPU's difference, which is what
 * percpu_counter_sum() would return (lib/percpu_counter.c). Where only `count` can be read, that.
 */
int percpu_counter_sum(struct kernel *k, uint64_t va, int64_t *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTIL_DEADLINE_H
#define UTIL_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/*
 * Points in time on CLOCK_MONOTONIC, in nanoseconds: the wall clock of a capture kernel may stand
 * at 1970 or jump when it is set.
 */
#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_USEC 1000ULL

static inline uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static inline uint64_t deadline_after_ms(uint64_t ms)
{
    return now_ns() + ms * NSEC_PER_MSEC;
}

static inline bool deadline_passed(uint64_t deadline_ns)
{
    return now_ns() >= deadline_ns;
}

/* Milliseconds left, rounded up, at most INT_MAX and at least 0: what poll(2) takes. */
static inline int deadline_left_ms(uint64_t deadline_ns)
{
    uint64_t now = now_ns(), left;

    if (now >= deadline_ns)
        return 0;
    left = (deadline_ns - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
    return left > 0x7fffffff ? 0x7fffffff : (int)left;
}

#endif

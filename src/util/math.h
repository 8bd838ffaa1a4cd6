/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTIL_MATH_H
#define UTIL_MATH_H

#include <stdbool.h>
#include <stdint.h>

/* Checked and saturating arithmetic for numbers that come from a dump. */

/* true and *ret set if a + b fits; false and *ret untouched if it does not. */
static inline bool add_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
    uint64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *ret = sum;
    return true;
}

static inline bool mul_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
    uint64_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *ret = product;
    return true;
}

/* The summary's integers never exceed 2^63-1 (summary/FORMAT.md); sums of hostile ones stop there.
 */
static inline uint64_t sat_add_u64(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return add_u64(a, b, &sum) && sum <= INT64_MAX ? sum : INT64_MAX;
}

static inline uint64_t sat_mul_u64(uint64_t a, uint64_t b)
{
    uint64_t product;

    return mul_u64(a, b, &product) && product <= INT64_MAX ? product : INT64_MAX;
}

/* true if [offset, offset + len) lies within [0, total). */
static inline bool range_within(uint64_t offset, uint64_t len, uint64_t total)
{
    return offset <= total && len <= total - offset;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* A signed counter as a count: another CPU may have been stopped half-way, leaving it below 0. */
static inline uint64_t clamp_count(int64_t v)
{
    return v < 0 ? 0 : (uint64_t)v;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_NAMES_H
#define KERNEL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/*
 * A set of wanted names, for passes that look at a hundred thousand names to find a few hundred.
 * Each name that is found gets a small number by which the caller keeps what it learnt.
 */
struct names {
    const char **names; /* borrowed */
    size_t count;
    uint32_t *slots; /* open addressing: index + 1 into names, 0 for free */
    size_t mask;
};

/* Room for up to `capacity` names. -ENOMEM. */
int names_init(struct names *n, size_t capacity, struct error *err);
void names_done(struct names *n);

/* Adds a name unless it is there; returns its index. */
size_t names_add(struct names *n, const char *name);

#define NAMES_NONE SIZE_MAX

/* The index of a name of len bytes, or NAMES_NONE. */
size_t names_find(const struct names *n, const char *name, size_t len);

/*
 * The hash of a name is a polynomial in NAMES_BASE, so that it can be put together from the hashes
 * of pieces: hash(a b) = hash(a) * NAMES_BASE^len(b) + hash(b). kallsyms.c does that with tokens.
 */
#define NAMES_BASE 0x9e3779b1u
uint32_t names_hash(const char *s, size_t len);

/* false if no wanted name has this hash: nearly always, and then the name need not be spelt out. */
bool names_may_have(const struct names *n, uint32_t hash);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_BTF_H
#define KERNEL_BTF_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"
#include "kernel/needs.h"
#include "util/error.h"

/*
 * The crashed kernel's own type information (Documentation/bpf/btf.rst), parsed as data that may be
 * damaged. Only what the needs tables ask for is looked at; functions are skipped.
 */
struct btf {
    const uint8_t *data; /* borrowed */
    size_t len;
    const uint8_t *types, *strings;
    size_t types_len, strings_len;
    uint32_t *offsets; /* owned: where in `types` type id i+1 starts */
    uint32_t count;    /* types, without void */
    bool cut;          /* the walk ended before types_len: an unknown kind or damage */
};

/* Larger than any kernel's (7.3 with everything: 7 MB). */
#define BTF_MAX_BYTES (64u << 20)

/*
 * Reads the header and indexes the types. -EBADMSG if it is not BTF or holds no type at all; damage
 * further on ends the index there (`cut`).
 */
int btf_init(struct btf *b, const void *data, size_t len, struct error *err);
void btf_done(struct btf *b);

/* Fills the type, member and enumerator needs of the sets. -ENOMEM only; absence is no error. */
int btf_resolve(const struct btf *b, const struct needs_set *sets, size_t n_sets,
                struct error *err);

/*
 * Finds the BTF of the kernel image as btf_resolve_kernel() does, and copies it: *ret is the
 * caller's to free. Unreadable parts are zero. -ENOENT if there is none.
 */
int btf_read_kernel(struct kernel *k, const struct resolved *start, const struct resolved *stop,
                    struct error *err, uint8_t **ret, size_t *ret_len);

/*
 * Finds the BTF of the kernel image, by its symbols or, without them, by scanning the image for a
 * header that holds together, and resolves the sets. -ENOENT if there is none.
 */
int btf_resolve_kernel(struct kernel *k, const struct resolved *start, const struct resolved *stop,
                       const struct needs_set *sets, size_t n_sets, struct error *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_PROFILE_H
#define KERNEL_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"
#include "kernel/needs.h"
#include "util/buf.h"
#include "util/error.h"

/*
 * A kernel profile: the answers to all needs tables for one kernel, made while it runs, for kernels
 * that carry no kallsyms or no BTF in their memory. A text file, described in PROFILE.md. What is
 * read of one may be damaged or made up: it yields wrong numbers at worst, which every user of a
 * `struct resolved` survives.
 */
#define PROFILE_MAX_BYTES (1u << 20)

/* Whose profile it is. Empty strings for what is not known. */
struct profile_identity {
    char release[65], version[65]; /* as uname -r and uname -v have them */
    char build_id[129];            /* lower-case hexadecimal */
};

/*
 * Writes a profile. `found` of the sets holds what is known; symbols have addresses as in the same
 * kernel whose _stext is at `stext`.
 */
void profile_write(struct buf *out, const struct profile_identity *id, uint64_t stext,
                   const struct needs_set *sets, size_t n_sets);

/* Reads whose profile the text is. -EBADMSG if it is none, -ENOTSUP for another format. */
int profile_identify(const char *text, size_t len, struct error *err, struct profile_identity *ret);

/*
 * Is the profile the crashed kernel's? By build id if both have one, else by release and version.
 * -ESTALE with "profile of A refused: the crashed kernel is B".
 */
int profile_check(const struct profile_identity *profile, const struct profile_identity *crashed,
                  struct error *err);

enum profile_part { PROFILE_SYMBOLS, PROFILE_TYPES };

/*
 * Answers the needs of one part that have no answer yet, if the profile is the crashed kernel's;
 * *ret_answered is how many. Symbols are moved to where VMCOREINFO says that _stext is. Errors as
 * profile_check() and profile_identify(); -ENOENT if it has nothing of that part, or VMCOREINFO no
 * _stext.
 */
int profile_resolve(struct kernel *k, const char *text, size_t len, enum profile_part part,
                    const struct needs_set *sets, size_t n_sets, struct error *err,
                    size_t *ret_answered);

#endif

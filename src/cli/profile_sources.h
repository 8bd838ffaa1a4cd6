/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_PROFILE_SOURCES_H
#define CLI_PROFILE_SOURCES_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/needs.h"
#include "kernel/profile.h"
#include "util/error.h"

/* Where a profile's answers come from: files of the machine that builds a capture image. */

/* A whole file, also of /proc and /sys; *ret is the caller's to free. -EFBIG above max bytes. */
int source_read(const char *path, size_t max, struct error *err, char **ret, size_t *ret_len);

/*
 * Answers the symbol needs from a table like /proc/kallsyms or System.map: the first of a name
 * counts, as in the kernel's own table; modules' symbols are passed over. -EBADMSG without _stext,
 * -EPERM where every address is hidden, -ENODATA where no symbol is data.
 */
int source_symbols(const char *path, const struct needs_set *sets, size_t n_sets, struct error *err,
                   uint64_t *ret_stext);

/*
 * Whether a table of symbols is of the same build as one that is known to be the kernel's, and may
 * have functions alone: they lie where that has them, all moved by one distance (KASLR). File names
 * do not tell: builds of one release share them. -ESTALE with a sentence if not.
 */
int source_same_build(const char *known, const char *path, struct error *err);

/* Answers the type needs from a file of BTF. */
int source_btf(const char *path, const struct needs_set *sets, size_t n_sets, struct error *err);

/*
 * What a vmlinux ELF file tells: its .BTF or, made by pahole, that of its DWARF; its symbols where
 * it has them and *io_stext is still 0; its build id and release into *io_id.
 */
int source_vmlinux(const char *path, const struct needs_set *sets, size_t n_sets, bool want_types,
                   struct error *err, uint64_t *io_stext, struct profile_identity *io_id);

/* The running kernel's names and build id. */
void source_running(struct profile_identity *ret);

/* "Linux version RELEASE (…) VERSION", as /proc/version has it. -EBADMSG. */
int source_banner(const char *banner, struct error *err, struct profile_identity *io_id);

/* 4 to 64 bytes in hexadecimal, which becomes lower-case. -EINVAL. */
int source_build_id(const char *hex, struct error *err, struct profile_identity *io_id);

#endif

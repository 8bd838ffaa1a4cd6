/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CORE_VMCOREINFO_H
#define CORE_VMCOREINFO_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/*
 * The VMCOREINFO note: "KEY=VALUE" lines that a kernel leaves about itself for readers of its dump
 * (Documentation/admin-guide/kdump/vmcoreinfo.rst). Values are text; what they are is told by the
 * key: SYMBOL() and KERNELOFFSET are hexadecimal without 0x, SIZE(), OFFSET() and LENGTH() decimal,
 * NUMBER() signed decimal or 0x-hexadecimal.
 */
struct vmcoreinfo {
    char *text; /* owned, NUL-terminated */
    size_t len;
};

/* The kernel keeps the note in one page, at most 64 KiB; beyond that it is not one. */
#define VMCOREINFO_MAX_BYTES 65536

/* Copies the note's bytes. -ENOMEM, -E2BIG. */
int vmcoreinfo_init(struct vmcoreinfo *vi, const void *data, size_t len, struct error *err);
void vmcoreinfo_done(struct vmcoreinfo *vi);

/*
 * The value of a key such as "OSRELEASE" or "CRASHTIME": borrowed, not NUL-terminated, *ret_len
 * bytes. The last of several lines wins, as in makedumpfile. -ENOENT.
 */
int vmcoreinfo_value(const struct vmcoreinfo *vi, const char *key, const char **ret_value,
                     size_t *ret_len);

/* The value as a string cut to cap - 1 bytes. -ENOENT. */
int vmcoreinfo_string(const struct vmcoreinfo *vi, const char *key, char *ret, size_t cap);

/* Numbers. -ENOENT if the key is absent, -EBADMSG if its value is not such a number. */
int vmcoreinfo_symbol(const struct vmcoreinfo *vi, const char *name, uint64_t *ret_addr);
int vmcoreinfo_offset(const struct vmcoreinfo *vi, const char *member, uint64_t *ret_bytes);
int vmcoreinfo_size(const struct vmcoreinfo *vi, const char *type, uint64_t *ret_bytes);
int vmcoreinfo_length(const struct vmcoreinfo *vi, const char *array, uint64_t *ret_count);
int vmcoreinfo_number(const struct vmcoreinfo *vi, const char *name, int64_t *ret);
/* A bare key whose value is unsigned decimal (PAGESIZE, CRASHTIME). */
int vmcoreinfo_decimal(const struct vmcoreinfo *vi, const char *key, uint64_t *ret);

#endif

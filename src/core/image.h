/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CORE_IMAGE_H
#define CORE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/vmcoreinfo.h"
#include "util/error.h"

/*
 * A dump as physical memory. Today an ELF vmcore, as /proc/vmcore is; `struct image_ops` is the
 * seam for other formats. Knows nothing of symbols, types or virtual addresses.
 */
struct image;

/* A run of physical memory that the dump describes, as its PT_LOAD says. Bytes. */
struct image_range {
    uint64_t phys, mem_bytes; /* what the crashed machine had */
    uint64_t file_bytes;      /* what the file holds of it, from its start; less if filtered */
    uint64_t file_offset;
    uint64_t virt; /* p_vaddr: 0 or ~0 where the writer did not know */
};

/*
 * Opens a vmcore. -ENOTSUP with a sentence that says what the file is instead (compressed dump,
 * 32-bit, foreign endian, not a core …), -EBADMSG for a core without memory, other errno from open.
 * A core without VMCOREINFO opens: image_vmcoreinfo() is then empty.
 */
int image_open(const char *path, struct error *err, struct image **ret);
void image_close(struct image *im);
void image_closep(struct image **im);

/*
 * Reads len bytes at a physical address. All or nothing. -EFAULT where the dump has no such memory
 * or the file ends early, -ENODATA where a filter left the page out.
 */
int image_read(struct image *im, uint64_t phys, void *ret, size_t len);

const struct vmcoreinfo *image_vmcoreinfo(const struct image *im);

/* ELF e_machine (EM_X86_64 …); 0 where the dump does not say, until somebody who knows sets it. */
uint16_t image_machine(const struct image *im);
void image_set_machine(struct image *im, uint16_t machine);

/* Bytes of the whole file, and "elf", "kcore", "kdump", "elf-flattened", "kdump-flattened": the
 * header record. */
uint64_t image_bytes(const struct image *im);
const char *image_kind(const struct image *im);

/*
 * true for a running kernel's memory (/proc/kcore), which changes while it is read. What was read
 * before may be remembered for a while; image_refresh() forgets it.
 */
bool image_is_live(const struct image *im);
void image_refresh(struct image *im);

/*
 * true if a PT_LOAD claims more memory than a machine can have: it is no range, and of the others
 * /proc/vmcore may tell wrong offsets, which it gets by adding the sizes of those before.
 */
bool image_has_absurd_segment(const struct image *im);

/* The ranges in ascending physical order, not overlapping. */
size_t image_ranges(const struct image *im, const struct image_range **ret);

/* Bytes read so far by this process, and reads that failed: the `end` record. */
uint64_t image_bytes_read(const struct image *im);

/*
 * Drops mappings and opens a private file position: call it in a forked child before it reads, so
 * that children never share state through the descriptor.
 */
int image_after_fork(struct image *im);

#endif

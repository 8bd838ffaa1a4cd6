/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/image.h"
#include "kernel/needs.h"
#include "util/error.h"

/*
 * The crashed kernel: its virtual memory, symbols and types. kernel_open() needs VMCOREINFO alone,
 * which is enough for the log; kernel_bootstrap() adds what the needs tables ask for.
 *
 * Every read returns 0 or a negative code without text (-EFAULT unmapped or not in the dump,
 * -ENODATA filtered out, -ENOENT a member that this kernel does not have), leaves *ret untouched
 * when it fails, and is counted: kernel_stats().
 */
struct kernel;

struct kernel_stats {
    uint64_t bytes_read;
    uint64_t faults;           /* reads that failed */
    uint64_t filtered;         /* of those, for a page that a filter left out: -ENODATA */
    uint64_t first_fault_addr; /* meaningful when faults > 0 */
};

/*
 * im stays the caller's and must outlive the kernel. `sets` (borrowed, likewise) are what
 * kernel_bootstrap() will resolve. -ENOTSUP for a machine this build has no src/arch/ for: the
 * caller may go on with image_vmcoreinfo() alone. -EBADMSG, likewise, if the dump's segments are
 * nonsense.
 */
int kernel_open(struct image *im, const struct needs_set *sets, size_t n_sets, struct error *err,
                struct kernel **ret);
void kernel_close(struct kernel *k);
void kernel_closep(struct kernel **k);

/*
 * A profile (kernel/profile.h) for kernel_bootstrap(), which takes from it what the dump's own
 * kallsyms and BTF do not answer: they are missing, functions alone, or have holes. The text is
 * borrowed until then.
 */
void kernel_use_profile(struct kernel *k, const char *text, size_t len);

/* What kernel_bootstrap() took from a profile, also where it ran in a forked child. */
struct profile_use {
    bool symbols, types;
};
struct profile_use kernel_profile_use(const struct kernel *k);

/* What the kernel room itself resolves with everybody's needs; returns how many there are. */
size_t kernel_own_needs(const struct need **ret);

/*
 * Finds kallsyms and BTF in the dump and fills every `found` of the sets. Absent names are no
 * error. Fails if there are no symbols at all; without BTF symbols alone are resolved; -ENODATA
 * after all that could be was, if the symbols are those of functions alone. May run in a
 * forked child when the `found` arrays lie in shared memory, which costs the parent none of the
 * 6 MB it takes; kernel_adopt() then makes the parent use what the child found.
 */
int kernel_bootstrap(struct kernel *k, struct error *err);
void kernel_adopt(struct kernel *k);

struct image *kernel_image(struct kernel *k);
const struct vmcoreinfo *kernel_vmcoreinfo(const struct kernel *k);
struct kernel_stats kernel_stats(const struct kernel *k);
uint64_t kernel_page_size(const struct kernel *k);

/*
 * For who met contradictions: true if the memory is that of a running kernel, which may have
 * changed under the walk, and *tries (zeroed at first) is not used up. What follows is then read
 * anew.
 */
bool kernel_try_again(struct kernel *k, unsigned *tries);

/* Bytes at a kernel virtual address; may cross pages; all or nothing. */
int kernel_read(struct kernel *k, uint64_t va, void *ret, size_t len);

/* An unsigned integer of 1, 2, 4 or 8 bytes (-EINVAL otherwise); a pointer is one of 8. */
int kernel_read_uint(struct kernel *k, uint64_t va, size_t size, uint64_t *ret);
int kernel_read_u32(struct kernel *k, uint64_t va, uint32_t *ret);
int kernel_read_u64(struct kernel *k, uint64_t va, uint64_t *ret);

/*
 * A NUL-terminated string: at most cap - 1 bytes are kept, *ret is always terminated on success.
 * Stops early at the end of readable memory. Returns its length.
 */
ssize_t kernel_read_str(struct kernel *k, uint64_t va, char *ret, size_t cap);

/*
 * The member f of the struct at `base`, as an integer; bitfields are extracted, enums and pointers
 * are integers too. kernel_field_i64() sign-extends from the member's size. -ENOENT if f is absent,
 * -EINVAL if it is no integer (an array or a struct that is not just one integer wide).
 */
int kernel_field(struct kernel *k, uint64_t base, const struct resolved *f, uint64_t *ret);
int kernel_field_i64(struct kernel *k, uint64_t base, const struct resolved *f, int64_t *ret);

/* Element i of the integer-array member f. -E2BIG beyond the array's end. */
int kernel_field_at(struct kernel *k, uint64_t base, const struct resolved *f, size_t i,
                    uint64_t *ret);
int kernel_field_at_i64(struct kernel *k, uint64_t base, const struct resolved *f, size_t i,
                        int64_t *ret);

/* The char-array member f as a string (need not be terminated in the dump). Returns its length. */
ssize_t kernel_field_str(struct kernel *k, uint64_t base, const struct resolved *f, char *ret,
                         size_t cap);

/* The same, out of a struct that was read whole into buf (len bytes of it): no dump access. */
int buf_field(const void *buf, size_t len, const struct resolved *f, uint64_t *ret);

/* The struct that holds the member f at address `member`: container_of(). */
static inline uint64_t kernel_container(uint64_t member, const struct resolved *f)
{
    return member - f->offset;
}

/* true for an address in the kernel half: a cheap sanity check before a pointer is followed. */
bool kernel_is_kva(const struct kernel *k, uint64_t va);

#endif

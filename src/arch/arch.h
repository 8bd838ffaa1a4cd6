/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/image.h"
#include "util/error.h"

/*
 * The one room with architecture names. An architecture is a const struct arch_ops: numbers that
 * describe its page tables, and one small function for a page-table entry.
 *
 * To add an architecture:
 *   1. Write src/arch/NAME.c with a `const struct arch_ops arch_NAME`, its rules cited from the
 *      kernel's arch/NAME/include/asm/pgtable*.h and Documentation/arch/NAME.
 *   2. mm_init() fills a struct arch_mm from VMCOREINFO (and, where a key is missing in older
 *      kernels, from the PT_LOADs): page size, levels, root table, linear ranges.
 *   3. entry() decodes one page-table entry of one level.
 *   4. Add it to the array in arch.c and to the comment of arch_find().
 *   5. Give it a mark, if VMCOREINFO has one: QEMU's kdump files name no machine.
 *   6. Add page-table cases to tests/unit/test_arch_NAME.c, each entry commented.
 */

/* A range of virtual memory whose physical address needs no page tables. Bytes. */
struct arch_linear {
    uint64_t virt, bytes, phys;
};

/* How virtual addresses of one crashed kernel become physical. */
struct arch_mm {
    const struct arch_ops *ops;
    unsigned page_shift;
    unsigned levels;     /* of the kernel's page tables; 0 if the root is unknown */
    unsigned index_bits; /* of each level but the top, which takes what is left of va_bits */
    unsigned va_bits;    /* of an address, as far as the tables translate it */
    uint64_t root_phys;
    uint64_t phys_mask;            /* address bits of an entry, without encryption bits */
    uint64_t kernel_half;          /* lowest kernel virtual address */
    uint64_t tag_bits;             /* of a pointer, which the machine does not look at; 0 if none */
    struct arch_linear image_map;  /* kernel text, data and bss */
    struct arch_linear direct_map; /* all of RAM; 0 bytes where the tables tell it */
    /* Where the image is, but with an end that is not known: only for what the tables do not map.
     */
    struct arch_linear image_guess;
    uint64_t vmalloc_bytes; /* VMALLOC_TOTAL, address space for vmalloc; 0 if unknown */
};

struct arch_ops {
    const char *name; /* as uname -m has it */
    uint16_t machine; /* ELF e_machine */
    const char *mark; /* NUMBER() that VMCOREINFO has on this architecture alone */

    /* -EBADMSG or -ENOENT with text if VMCOREINFO and PT_LOADs do not tell enough. */
    int (*mm_init)(const struct image *im, struct error *err, struct arch_mm *ret);

    /*
     * One entry of level `level` (1 = the lowest). Returns false if it maps nothing; else sets
     * *ret_phys to the next table, or, with *ret_leaf, to the memory that it maps.
     */
    bool (*entry)(const struct arch_mm *mm, unsigned level, uint64_t entry, uint64_t *ret_phys,
                  bool *ret_leaf);
};

/* The architecture of an ELF machine: x86_64, aarch64. NULL if this build knows none. */
const struct arch_ops *arch_find(uint16_t machine);

/* The architecture whose mark VMCOREINFO has, for dumps that name no machine. NULL if none. */
const struct arch_ops *arch_of_vmcoreinfo(const struct vmcoreinfo *vi);

/* true if the kernel's page tables map va, and to where arch_translate() finds it. */
bool arch_tables_agree(const struct arch_mm *mm, struct image *im, uint64_t va);

/*
 * A pointer without the tag that KASAN or MTE keeps in it: the bit below says what all of tag_bits
 * are in a plain address. Elsewhere the pointer itself.
 */
static inline uint64_t arch_untag(const struct arch_mm *mm, uint64_t va)
{
    uint64_t sign = (mm->tag_bits & -mm->tag_bits) >> 1;

    return va & sign ? va | mm->tag_bits : va;
}

/*
 * Translates a kernel virtual address, tagged or not: *ret_phys, and in *ret_left the bytes from
 * there on that are contiguous in both spaces (at least 1). -EFAULT if it is not mapped or a table
 * is not in the dump. At most `levels` reads of 8 bytes.
 */
int arch_translate(const struct arch_mm *mm, struct image *im, uint64_t va, uint64_t *ret_phys,
                   uint64_t *ret_left);

#endif

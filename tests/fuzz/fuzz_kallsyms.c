/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kallsyms from a damaged dump. The input is laid into memory where VMCOREINFO says the tables are:
 * num_syms, relative_base, names, token table, token index, offsets at fixed places.
 */
#include <stdint.h>
#include <stdlib.h>

#include "kernel/kallsyms.h"
#include "unit/tiny_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TABLES 0x40000u

static const struct need needs[] = {NEED_SYMBOL("init_task"), NEED_SYMBOL("_stext")};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tiny_core core;
    struct resolved found[2] = {0};
    const struct needs_set set = {needs, found, 2};
    struct kernel *k = NULL;
    struct image *im;

    memset(&core, 0, sizeof(core));
    memcpy(core.ram + TABLES, data, size < 0x8000 ? size : 0x8000);
    snprintf(core.vmcoreinfo, sizeof(core.vmcoreinfo),
             "PAGESIZE=4096\nNUMBER(phys_base)=0\nSYMBOL(_stext)=%llx\nSYMBOL(init_uts_ns)=%llx\n"
             "SYMBOL(kallsyms_num_syms)=%llx\nSYMBOL(kallsyms_relative_base)=%llx\n"
             "SYMBOL(kallsyms_names)=%llx\nSYMBOL(kallsyms_token_table)=%llx\n"
             "SYMBOL(kallsyms_token_index)=%llx\nSYMBOL(kallsyms_offsets)=%llx\n",
             TINY_TEXT, TINY_TEXT + 0x100, TINY_TEXT + TABLES, TINY_TEXT + TABLES + 8,
             TINY_TEXT + TABLES + 0x10, TINY_TEXT + TABLES + 0x1000, TINY_TEXT + TABLES + 0x3000,
             TINY_TEXT + TABLES + 0x4000);
    im = tiny_open(&core);
    if (kernel_open(im, NULL, 0, NULL, &k) < 0)
        abort();
    (void)kallsyms_resolve(k, &set, 1, NULL);
    kernel_close(k);
    image_close(im);
    return 0;
}

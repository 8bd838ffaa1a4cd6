/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel profile that was made up. The crashed kernel has the build id aabbccdd and the version
 * "#1 fuzz"; what comes out must be what BTF and kallsyms could have answered.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/profile.h"
#include "kernel/uts.h"
#include "unit/tiny_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct need needs[] = {
    NEED_SYMBOL("slab_caches"),        NEED_TYPE("page"),
    NEED_MEMBER("kmem_cache", "name"), NEED_MEMBER("per_cpu_nodestat", "vm_node_stat_diff"),
    NEED_ENUMERATOR("", "PGTY_slab"),  NEED_ENUMERATOR("node_stat_item", "NR_ANON_MAPPED"),
};
#define N_NEEDS (sizeof(needs) / sizeof(needs[0]))

static void require(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tiny_core core;
    struct resolved found[N_NEEDS] = {0};
    const struct needs_set set = {needs, found, N_NEEDS};
    struct uts uts = {{"Linux", "fuzz", "6.1.0-fuzz", "#1 fuzz"}};
    struct profile_identity id;
    struct kernel *k = NULL;
    size_t answered = 0;
    struct image *im;

    memcpy(core.ram + 0x100, &uts, sizeof(uts));
    snprintf(core.vmcoreinfo, sizeof(core.vmcoreinfo),
             "PAGESIZE=4096\nNUMBER(phys_base)=0\nSYMBOL(_stext)=%llx\nSYMBOL(init_uts_ns)=%llx\n"
             "BUILD-ID=aabbccdd\n",
             TINY_TEXT, TINY_TEXT + 0x100);
    im = tiny_open(&core);
    require(kernel_open(im, NULL, 0, NULL, &k) == 0);
    if (profile_identify((const char *)data, size, NULL, &id) == 0)
        require(strlen(id.release) < 65 && strlen(id.version) < 65 && strlen(id.build_id) < 129);
    (void)profile_resolve(k, (const char *)data, size, PROFILE_SYMBOLS, &set, 1, NULL, &answered);
    for (size_t i = 1; i < N_NEEDS; i++)
        require(!found[i].present);
    (void)profile_resolve(k, (const char *)data, size, PROFILE_TYPES, &set, 1, NULL, &answered);
    for (size_t i = 0; i < N_NEEDS; i++) {
        uint64_t array = (uint64_t)found[i].elem_size * found[i].elem_count;

        require(!found[i].elem_size || array == found[i].size);
        require(found[i].bit_offset < 8 && found[i].bit_size <= 64);
    }
    kernel_close(k);
    image_close(im);
    return 0;
}

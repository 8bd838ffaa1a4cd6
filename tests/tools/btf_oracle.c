/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares our BTF reader with libbpf's on a file of BTF (such as /sys/kernel/btf/vmlinux): every
 * named member of every struct and union must lie at the same bit, with the same size.
 */
#include <bpf/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"
#include "util/cleanup.h"

/* btf.h of ours and libbpf's both have a struct btf: the reader is met through this one call. */
#include "tools/btf_oracle.h"

static long differences, members;

static void compare_member(const struct btf *b, const struct btf_type *t, __u32 id, __u32 i)
{
    const struct btf_member *m = btf_members(t) + i;
    const char *name = btf__name_by_offset(b, m->name_off);
    __u32 bit = btf_member_bit_offset(t, i), bits = btf_member_bitfield_size(t, i);
    __s64 size = btf__resolve_size(b, m->type);
    struct resolved r;

    if (!*name)
        return;
    members++;
    if (!oracle_member(id, name, &r)) {
        /* types without a size: forward declarations in kernels' own BTF do not occur by value */
        differences += size > 0;
        return;
    }
    if (r.offset != bit / 8 || r.bit_size != bits || (bits && r.bit_offset != bit % 8) ||
        (!bits && r.size != size)) {
        if (differences++ < 10)
            printf("type %u member %s: ours %u+%u:%u size %u, libbpf bit %u:%u size %lld\n", id,
                   name, r.offset, r.bit_offset, r.bit_size, r.size, bit, bits, size);
    }
}

int main(int argc, char **argv)
{
    struct btf *b = argc == 2 ? btf__parse(argv[1], NULL) : NULL;
    __u32 count;

    if (!b || !oracle_open(argv[1], &count)) {
        fprintf(stderr, "usage: btf_oracle FILE\n");
        return 2;
    }
    if (count != btf__type_cnt(b) - 1) {
        printf("%u types, libbpf has %u\n", count, btf__type_cnt(b) - 1);
        differences++;
    }
    for (__u32 id = 1; id < btf__type_cnt(b); id++) {
        const struct btf_type *t = btf__type_by_id(b, id);

        for (__u32 i = 0; btf_is_composite(t) && i < btf_vlen(t); i++)
            compare_member(b, t, id, i);
    }
    printf("%ld members compared, %ld differ\n", members, differences);
    btf__free(b);
    oracle_close();
    return differences || !members;
}

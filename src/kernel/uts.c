/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/uts.h"

#include <string.h>

/* How far into struct uts_namespace the names may begin: after a kref, which may be debugged. */
#define UTS_MAX_OFFSET 64

static bool is_uts(const char *bytes)
{
    return !memcmp(bytes, "Linux", sizeof("Linux"));
}

/*
 * OFFSET(uts_namespace.name) is in VMCOREINFO since "kdump: append uts_namespace.name offset to
 * VMCOREINFO" (v5.11); before, the names follow a kref and are known by how they begin.
 */
bool kernel_read_uts(struct kernel *k, struct uts *ret)
{
    const struct vmcoreinfo *vi = kernel_vmcoreinfo(k);
    char bytes[UTS_MAX_OFFSET + sizeof(*ret)];
    uint64_t at, offset;

    if (vmcoreinfo_symbol(vi, "init_uts_ns", &at))
        return false;
    if (!vmcoreinfo_offset(vi, "uts_namespace.name", &offset) && offset <= 4096)
        return !kernel_read(k, at + offset, ret, sizeof(*ret)) && is_uts(ret->fields[UTS_SYSNAME]);
    if (kernel_read(k, at, bytes, sizeof(bytes)))
        return false;
    for (offset = 0; offset <= UTS_MAX_OFFSET; offset += 4)
        if (is_uts(bytes + offset)) {
            memcpy(ret, bytes + offset, sizeof(*ret));
            return true;
        }
    return false;
}

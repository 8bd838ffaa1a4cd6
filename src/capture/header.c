/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/header.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "summary/writer.h"

/* struct new_utsname: six strings, as include/uapi/linux/utsname.h has them. */
#define UTS_FIELD_BYTES 65
enum uts_field { UTS_SYSNAME, UTS_NODENAME, UTS_RELEASE, UTS_VERSION, UTS_MACHINE, UTS_DOMAINNAME };
#define UTS_BYTES (6 * UTS_FIELD_BYTES)

/* How far into struct uts_namespace the names may begin: after a kref, which may be debugged. */
#define UTS_MAX_OFFSET 64

struct uts {
    char fields[6][UTS_FIELD_BYTES];
};

static bool is_uts(const char *bytes)
{
    return !memcmp(bytes, "Linux", sizeof("Linux"));
}

/*
 * OFFSET(uts_namespace.name) is in VMCOREINFO since "kdump: append uts_namespace.name offset to
 * VMCOREINFO" (v5.11); before, the names follow a kref and are known by how they begin.
 */
static bool read_uts(struct kernel *k, struct uts *ret)
{
    const struct vmcoreinfo *vi = kernel_vmcoreinfo(k);
    char bytes[UTS_MAX_OFFSET + UTS_BYTES];
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

static void emit_uts(struct emit *e, const char *name, const struct uts *uts, enum uts_field f)
{
    const char *s = uts->fields[f];

    emit_strn(e, name, s, strnlen(s, UTS_FIELD_BYTES));
}

static void emit_arch(struct emit *e, const struct image *im)
{
    const struct arch_ops *arch = arch_find(image_machine(im));
    char name[32];

    snprintf(name, sizeof(name), "elf-machine-%u", image_machine(im));
    emit_str(e, "arch", arch ? arch->name : name);
}

static void emit_kernel(struct emit *e, const struct header_source *source)
{
    const struct vmcoreinfo *vi = image_vmcoreinfo(source->im);
    struct uts uts;
    bool has_uts = source->k && read_uts(source->k, &uts);
    char text[256];

    if (has_uts)
        emit_uts(e, "release", &uts, UTS_RELEASE);
    else if (!vmcoreinfo_string(vi, "OSRELEASE", text, sizeof(text)))
        emit_str(e, "release", text);
    if (has_uts) {
        emit_uts(e, "version", &uts, UTS_VERSION);
        emit_uts(e, "nodename", &uts, UTS_NODENAME);
    }
    if (!vmcoreinfo_string(vi, "BUILD-ID", text, sizeof(text)))
        emit_str(e, "build_id", text);
    if (!has_uts)
        emit_partial(e, "the kernel's names (init_uts_ns) cannot be read");
}

int header_run(void *arg, struct emit *e, struct error *err)
{
    const struct header_source *source = arg;
    const struct vmcoreinfo *vi = image_vmcoreinfo(source->im);
    uint64_t v;

    (void)err;
    emit_begin(e, "header");
    emit_u64(e, "format", SUMMARY_FORMAT);
    emit_str(e, "tool", "vmcore-summary " VERSION);
    emit_arch(e, source->im);
    emit_kernel(e, source);
    if (!vmcoreinfo_decimal(vi, "CRASHTIME", &v))
        emit_u64(e, "crash_time", v);
    if (source->k)
        emit_u64(e, "page_size_bytes", kernel_page_size(source->k));
    else if (!vmcoreinfo_decimal(vi, "PAGESIZE", &v))
        emit_u64(e, "page_size_bytes", v);
    emit_u64(e, "core_bytes", image_bytes(source->im));
    emit_str(e, "core_kind", image_kind(source->im));
    return emit_end(e);
}

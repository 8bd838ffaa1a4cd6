/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/header.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "arch/arch.h"
#include "kernel/uts.h"
#include "summary/writer.h"

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
    bool has_uts = source->k && kernel_read_uts(source->k, &uts);
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
    if (image_is_live(source->im)) {
        emit_bool(e, "live", true);
        emit_u64(e, "capture_time", (uint64_t)time(NULL));
    }
    if (source->k)
        emit_u64(e, "page_size_bytes", kernel_page_size(source->k));
    else if (!vmcoreinfo_decimal(vi, "PAGESIZE", &v))
        emit_u64(e, "page_size_bytes", v);
    if (!image_is_live(source->im)) /* whose size is that of the address space */
        emit_u64(e, "core_bytes", image_bytes(source->im));
    emit_str(e, "core_kind", image_kind(source->im));
    return emit_end(e);
}

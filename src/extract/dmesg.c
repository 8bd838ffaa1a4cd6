/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel log, each record as it lies in the buffer: readers add the prefix and escape. */
#include <stdio.h>

#include "extract/extract.h"
#include "kernel/printk.h"

#define CALLER_IS_CPU 0x80000000U

/* As `[ T123]` and `[ C0]` of CONFIG_PRINTK_CALLER; absent where the format does not say. */
static void emit_caller(struct emit *e, const struct log_record *rec)
{
    char caller[16];

    if (!rec->has_caller)
        return;
    snprintf(caller, sizeof(caller), "%c%u", rec->caller & CALLER_IS_CPU ? 'C' : 'T',
             rec->caller & ~CALLER_IS_CPU);
    emit_str(e, "caller", caller);
}

static int emit_line(const struct log_record *rec, void *arg)
{
    struct emit *e = arg;

    emit_begin(e, "line");
    emit_u64(e, "seq", rec->seq);
    emit_u64(e, "ts_ns", rec->ts_ns);
    emit_u64(e, "level", rec->level);
    emit_u64(e, "facility", rec->facility);
    emit_caller(e, rec);
    emit_strn(e, "text", rec->text, rec->text_len);
    if (rec->truncated)
        emit_bool(e, "truncated", true);
    return emit_end(e);
}

static int run(struct extract *x)
{
    struct log_stats stats = {0};
    int r = printk_foreach(x->k, emit_line, x->emit, x->err, &stats);

    if (r == 0 && stats.damaged)
        emit_partial(x->emit, "%llu records are damaged or were being written",
                     (unsigned long long)stats.damaged);
    return r;
}

const struct extractor extract_dmesg = {
    .name = "dmesg",
    .title = "the kernel log",
    .flags = EXTRACT_VITAL,
    /* a log of 16 MiB, the largest that kernels are built with, is 60 MiB of lines at most */
    .budget = {.time_ms = 10000, .memory_bytes = 4 << 20, .output_bytes = 60 << 20},
    .run = run,
};

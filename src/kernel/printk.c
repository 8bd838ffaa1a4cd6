/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/printk.h"

#include <errno.h>

#include "kernel/printk_formats.h"

/* No struct of the log comes near a page; larger values are damage. */
#define LAYOUT_MAX_BYTES 4096

int log_layout_read(const struct vmcoreinfo *vi, const struct log_layout_key *keys, size_t n,
                    struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        const char *what = keys[i].is_size ? "SIZE" : "OFFSET";
        uint64_t v;
        int r = keys[i].is_size ? vmcoreinfo_size(vi, keys[i].key, &v)
                                : vmcoreinfo_offset(vi, keys[i].key, &v);

        if (r == -ENOENT)
            return error_set(err, r, "VMCOREINFO has no %s(%s)", what, keys[i].key);
        if (r < 0 || v > LAYOUT_MAX_BYTES)
            return error_set(err, -EBADMSG, "VMCOREINFO: %s(%s) is nonsense", what, keys[i].key);
        *keys[i].ret = (uint32_t)v;
    }
    return 0;
}

int printk_foreach(struct kernel *k, int (*fn)(const struct log_record *rec, void *arg), void *arg,
                   struct error *err, struct log_stats *ret_stats)
{
    const struct vmcoreinfo *vi = kernel_vmcoreinfo(k);
    struct log_sink sink = {.fn = fn, .arg = arg};
    uint64_t addr;
    int r;

    if (vmcoreinfo_symbol(vi, "prb", &addr) == 0)
        r = printk_ringbuffer_foreach(k, &sink, err);
    else if (vmcoreinfo_symbol(vi, "log_first_idx", &addr) == 0)
        r = printk_records_foreach(k, &sink, err);
    else
        return error_set(err, -ENOENT, "VMCOREINFO names no kernel log");
    if (r == 0 && !sink.stats.records && sink.stats.damaged)
        r = error_set(err, -EBADMSG, "none of the kernel log's records can be read");
    if (ret_stats)
        *ret_stats = sink.stats;
    return r;
}

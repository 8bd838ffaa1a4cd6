/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Section `oom`: what the OOM killer wrote into the kernel's log. */
#include <errno.h>

#include "extract/extract.h"
#include "extract/oomlog/oom_records.h"
#include "extract/oomlog/oomlog.h"
#include "kernel/printk.h"
#include "util/cleanup.h"

static int emit_event(void *arg, const struct oom_event *event)
{
    struct extract *x = arg;

    return oom_records_emit(x->emit, event);
}

/* A record may hold several lines; only the first can begin anything. */
static int take_record(const struct log_record *rec, void *arg)
{
    struct oom_line line = {
        .seq = rec->seq,
        .ts_ns = rec->ts_ns > INT64_MAX ? INT64_MAX : (int64_t)rec->ts_ns,
        .caller = rec->has_caller ? (int64_t)rec->caller : OOM_NONE,
        .wall_s = OOM_NONE,
        .facility = rec->facility,
        .level = rec->level,
    };
    struct span text = {rec->text, rec->text_len};
    int r = 0;

    while (!r && text.len) {
        size_t end = span_find(text, "\n", 0);

        line.text = span_sub(text, 0, end);
        line.cut = rec->truncated && end == SPAN_NOT_FOUND;
        r = oomlog_line(arg, &line);
        line.continued = true;
        text = end == SPAN_NOT_FOUND ? (struct span){0} : span_from(text, end + 1);
    }
    return r;
}

static int run_oom(struct extract *x)
{
    _cleanup_(oomlog_freep) struct oomlog *p = oomlog_new(kernel_page_size(x->k), emit_event, x);
    struct log_stats stats = {0};
    int r, finished;

    if (!p)
        return error_set(x->err, -ENOMEM, "no memory for the OOM log parser");
    r = printk_foreach(x->k, take_record, p, x->err, &stats);
    /* events of a log that could be read in part are worth as much */
    finished = oomlog_finish(p);
    if (r)
        return r;
    if (finished)
        return error_set(x->err, finished, "events could not be written");
    if (stats.damaged)
        emit_partial(x->emit, "%llu damaged log records left out",
                     (unsigned long long)stats.damaged);
    return 0;
}

const struct extractor extract_oom = {
    .name = "oom",
    .title = "OOM killer: who asked, who was chosen, who died",
    .flags = EXTRACT_VITAL,
    .budget = {.time_ms = 5000, .memory_bytes = 8 << 20, .output_bytes = 8 << 20},
    .run = run_oom,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extract/oomlog/oom_records.h"

#include <stdio.h>

#include "util/cleanup.h"
#include "util/math.h"

#define CALLER_IS_CPU 0x80000000LL /* printk_caller_id() */

/* Fields the log does not tell are left out. */
static void opt(struct emit *e, const char *name, int64_t value)
{
    if (value != OOM_NONE)
        emit_i64(e, name, value);
}

static void opt_str(struct emit *e, const char *name, struct span value)
{
    if (value.s)
        emit_strn(e, name, value.s, value.len);
}

static void opt_true(struct emit *e, const char *name, bool value)
{
    if (value)
        emit_bool(e, name, true);
}

static void bytes_field(struct emit *e, const char *name, uint64_t bytes)
{
    char field[80];

    snprintf(field, sizeof(field), "%s_bytes", name);
    emit_u64(e, field, bytes);
}

static void begin(struct emit *e, const char *record, const struct oom_event *ev)
{
    emit_begin(e, record);
    emit_u64(e, "event", ev->seq);
}

static void charge(struct emit *e, const char *name, const struct oom_charge *c)
{
    char field[64];

    snprintf(field, sizeof(field), "%s_usage_bytes", name);
    opt(e, field, c->usage_bytes);
    snprintf(field, sizeof(field), "%s_limit_bytes", name);
    opt(e, field, c->limit_bytes);
    snprintf(field, sizeof(field), "%s_failcnt", name);
    opt(e, field, c->failcnt);
}

/* As the dmesg section shows it: "T107" a task, "C3" a CPU in an interrupt. */
static void caller(struct emit *e, int64_t id)
{
    char text[24];

    if (id == OOM_NONE)
        return;
    snprintf(text, sizeof(text), "%c%u", id & CALLER_IS_CPU ? 'C' : 'T',
             (unsigned)(id & ~CALLER_IS_CPU));
    emit_str(e, "caller", text);
}

static void event_trigger(struct emit *e, const struct oom_event *ev)
{
    opt_str(e, "trigger_comm", ev->trigger_comm);
    opt(e, "trigger_pid", ev->trigger_pid);
    opt(e, "trigger_oom_score_adj", ev->trigger_oom_score_adj);
    opt(e, "trigger_oom_adj", ev->trigger_oom_adj);
    if (ev->has_gfp)
        emit_addr(e, "gfp_mask", ev->gfp_mask);
    opt_str(e, "gfp_flags", ev->gfp_flags);
    opt(e, "order", ev->order);
    opt_true(e, "manual", ev->manual);
    opt_str(e, "oom_policy", ev->policy);
}

static void event_constraint(struct emit *e, const struct oom_event *ev)
{
    emit_str(e, "constraint", oom_constraint_name(ev->constraint));
    opt_str(e, "constraint_text", ev->constraint_text);
    opt_str(e, "nodemask", ev->nodemask);
    opt_str(e, "cpuset", ev->cpuset);
    opt_str(e, "mems_allowed", ev->mems_allowed);
    opt_str(e, "oom_memcg", ev->oom_memcg);
    opt_str(e, "task_memcg", ev->task_memcg);
    opt_str(e, "group_memcg", ev->group_memcg);
    charge(e, "memcg", &ev->memory);
    charge(e, "memcg_memsw", &ev->memsw);
    charge(e, "memcg_kmem", &ev->kmem);
    charge(e, "memcg_swap", &ev->swap);
}

static int emit_event(struct emit *e, const struct oom_event *ev)
{
    emit_begin(e, "event");
    emit_u64(e, "seq", ev->seq);
    emit_u64(e, "line", ev->line_seq);
    opt(e, "ts_ns", ev->ts_ns);
    opt_str(e, "log_time", ev->time);
    caller(e, ev->caller);
    event_trigger(e, ev);
    event_constraint(e, ev);
    opt(e, "selected_pid", ev->selected_pid);
    opt_str(e, "selected_comm", ev->selected_comm);
    opt(e, "selected_uid", ev->selected_uid);
    opt(e, "selected_score", ev->selected_score);
    opt_true(e, "allocating_task", ev->allocating_task);
    emit_str(e, "outcome", oom_outcome_name(ev->outcome));
    emit_u64(e, "victims", ev->victims.n);
    if (ev->skipped)
        emit_u64(e, "already_exiting", ev->skipped);
    opt_str(e, "panic", ev->panic);
    opt_true(e, "panic_is_consequence", ev->panic_is_consequence);
    emit_bool(e, "complete", !ev->missing);
    if (ev->missing)
        emit_str(e, "missing", ev->missing);
    if (ev->omitted)
        emit_u64(e, "omitted_rows", ev->omitted);
    emit_u64(e, "page_size_bytes", ev->page_size);
    if (!ev->page_size_known)
        emit_bool(e, "page_size_assumed", true);
    return emit_end(e);
}

static int emit_victims(struct emit *e, const struct oom_event *ev)
{
    const struct oom_victim *v = ev->victims.data;
    int r = 0;

    for (uint32_t i = 0; i < ev->victims.n && !r; i++) {
        begin(e, "victim", ev);
        opt(e, "ts_ns", v[i].ts_ns);
        opt(e, "pid", v[i].pid);
        opt_str(e, "comm", v[i].comm);
        opt(e, "uid", v[i].uid);
        opt(e, "total_vm_bytes", v[i].total_vm_bytes);
        opt(e, "anon_rss_bytes", v[i].anon_rss_bytes);
        opt(e, "file_rss_bytes", v[i].file_rss_bytes);
        opt(e, "shmem_rss_bytes", v[i].shmem_rss_bytes);
        opt(e, "swap_bytes", v[i].swap_bytes);
        opt(e, "pgtables_bytes", v[i].pgtables_bytes);
        opt(e, "oom_score_adj", v[i].oom_score_adj);
        opt(e, "score", v[i].score);
        emit_bool(e, "reaped", v[i].reaped);
        opt_true(e, "reap_failed", v[i].reap_failed);
        opt_true(e, "kill_line_missing", !v[i].kill_line);
        r = emit_end(e);
    }
    return r;
}

static int emit_sharers(struct emit *e, const struct oom_event *ev)
{
    const struct oom_sharer *s = ev->sharers.data;
    int r = 0;

    for (uint32_t i = 0; i < ev->sharers.n && !r; i++) {
        begin(e, "sharer", ev);
        opt(e, "ts_ns", s[i].ts_ns);
        opt(e, "pid", s[i].pid);
        opt_str(e, "comm", s[i].comm);
        r = emit_end(e);
    }
    return r;
}

/* --- meminfo ---------------------------------------------------------------------------------- */

/* "reserved" has been seen as 2^32 minus something */
static bool is_sane_total(const struct oom_event *ev, const struct oom_value *v)
{
    int64_t ram = oom_total(ev, "ram");

    return ram == OOM_NONE || v->value <= (uint64_t)ram || v->value < 0xff000000;
}

static void zone_fields(struct emit *e, const struct oom_zone *z)
{
    for (uint32_t i = 0; i < z->n_values; i++)
        bytes_field(e, z->values[i].name, z->values[i].value);
    if (!z->n_orders)
        return;
    emit_array_begin(e, "free_blocks");
    for (uint32_t i = 0; i < z->n_orders; i++)
        emit_u64(e, NULL, z->blocks[i]);
    emit_array_end(e);
}

static void zone_array(struct emit *e, const char *name, const struct oom_vec *vec)
{
    const struct oom_zone *z = vec->data;

    if (!vec->n)
        return;
    emit_array_begin(e, name);
    for (uint32_t i = 0; i < vec->n; i++) {
        emit_object_begin(e, NULL);
        opt(e, "node", z[i].node);
        opt_str(e, "name", z[i].name);
        zone_fields(e, &z[i]);
        emit_object_end(e);
    }
    emit_array_end(e);
}

static void hugepages_array(struct emit *e, const struct oom_vec *vec)
{
    const struct oom_hugepages *h = vec->data;

    if (!vec->n)
        return;
    emit_array_begin(e, "hugepages");
    for (uint32_t i = 0; i < vec->n; i++) {
        emit_object_begin(e, NULL);
        emit_i64(e, "node", h[i].node);
        emit_u64(e, "size_bytes", h[i].size_bytes);
        emit_u64(e, "total", h[i].total);
        emit_u64(e, "free", h[i].free);
        emit_u64(e, "surplus", h[i].surplus);
        emit_object_end(e);
    }
    emit_array_end(e);
}

static int emit_meminfo(struct emit *e, const struct oom_event *ev)
{
    const struct oom_value *v = ev->meminfo.totals.data;

    if (!ev->meminfo.present)
        return 0;
    begin(e, "meminfo", ev);
    for (uint32_t i = 0; i < ev->meminfo.totals.n; i++)
        if (is_sane_total(ev, &v[i]))
            bytes_field(e, v[i].name, sat_mul_u64(v[i].value, ev->page_size));
    opt(e, "swap_free_bytes", ev->meminfo.swap_free_bytes);
    opt(e, "swap_total_bytes", ev->meminfo.swap_total_bytes);
    zone_array(e, "nodes", &ev->meminfo.nodes);
    zone_array(e, "zones", &ev->meminfo.zones);
    hugepages_array(e, &ev->meminfo.hugepages);
    return emit_end(e);
}

static int emit_memcg_stats(struct emit *e, const struct oom_event *ev)
{
    const struct oom_memcg_stat *s = ev->memcg_stats.data;
    int r = 0;

    for (uint32_t i = 0; i < ev->memcg_stats.n && !r; i++) {
        const struct oom_value *v = s[i].values.data;

        if (!s[i].values.n)
            continue;
        begin(e, "memcg_stat", ev);
        opt_str(e, "memcg", s[i].path);
        emit_object_begin(e, "stat");
        for (uint32_t j = 0; j < s[i].values.n; j++)
            emit_u64(e, v[j].name, v[j].value);
        emit_object_end(e);
        r = emit_end(e);
    }
    return r;
}

/* --- tables -------------------------------------------------------------------------------------
 */

static int emit_slabs(struct emit *e, const struct oom_event *ev)
{
    const struct oom_slab *s = ev->slabs.data;
    int r = 0;

    for (uint32_t i = 0; i < ev->slabs.n && !r; i++) {
        begin(e, "slab", ev);
        opt_str(e, "name", s[i].name);
        emit_u64(e, "used_bytes", s[i].used_bytes);
        emit_u64(e, "total_bytes", s[i].total_bytes);
        r = emit_end(e);
    }
    return r;
}

static int emit_allocations(struct emit *e, const struct oom_event *ev)
{
    const struct oom_allocation *a = ev->allocations.data;
    int r = 0;

    for (uint32_t i = 0; i < ev->allocations.n && !r; i++) {
        begin(e, "allocation", ev);
        emit_u64(e, "bytes", a[i].bytes);
        opt_true(e, "rounded", !a[i].exact);
        emit_u64(e, "calls", a[i].calls);
        opt_str(e, "site", a[i].site);
        opt_str(e, "module", a[i].module);
        opt_str(e, "function", a[i].function);
        r = emit_end(e);
    }
    return r;
}

static int64_t opt_i32(int32_t v)
{
    return v == INT32_MIN ? OOM_NONE : v;
}

static int emit_candidates(struct emit *e, const struct oom_event *ev)
{
    const struct oom_candidate *c = ev->candidates.data;
    int r = 0;

    for (uint32_t i = 0; i < ev->candidates.n && !r; i++) {
        begin(e, "candidate", ev);
        emit_i64(e, "pid", c[i].pid);
        opt(e, "tgid", c[i].tgid);
        opt(e, "uid", c[i].uid);
        opt_str(e, "comm", c[i].comm);
        opt(e, "total_vm_bytes", oom_pages(ev, c[i].total_vm));
        opt(e, "rss_bytes", oom_pages(ev, c[i].rss));
        opt(e, "rss_anon_bytes", oom_pages(ev, c[i].rss_anon));
        opt(e, "rss_file_bytes", oom_pages(ev, c[i].rss_file));
        opt(e, "rss_shmem_bytes", oom_pages(ev, c[i].rss_shmem));
        opt(e, "pgtables_bytes",
            c[i].pgtables_bytes != OOM_NONE ? c[i].pgtables_bytes
                                            : oom_pages(ev, c[i].pgtables_pages));
        opt(e, "swap_bytes", oom_pages(ev, c[i].swap));
        opt(e, "oom_score_adj", opt_i32(c[i].oom_score_adj));
        opt(e, "oom_adj", opt_i32(c[i].oom_adj));
        r = emit_end(e);
    }
    return r;
}

int oom_records_emit(struct emit *e, const struct oom_event *ev)
{
    static int (*const parts[])(struct emit *, const struct oom_event *) = {
        emit_event,       emit_victims, emit_sharers,     emit_meminfo,
        emit_memcg_stats, emit_slabs,   emit_allocations, emit_candidates};
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(parts) && !r; i++)
        r = parts[i](e, ev);
    return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "report/model_private.h"
#include "util/math.h"

/* Room for one more event: the first few stay, of the others the oldest goes. */
static struct model_event *new_event(struct model_oom *o)
{
    struct model_event *e;

    if (o->kept == MODEL_EVENTS) {
        memmove(&o->events[MODEL_EVENTS_FIRST], &o->events[MODEL_EVENTS_FIRST + 1],
                (MODEL_EVENTS - MODEL_EVENTS_FIRST - 1) * sizeof(*e));
        o->kept--;
    }
    e = &o->events[o->kept++];
    *e = (struct model_event){0};
    return e;
}

/* The event of a victim or candidate; NULL for one that is no longer kept. */
static struct model_event *find_event(struct model_oom *o, uint64_t seq)
{
    for (size_t i = o->kept; i-- > 0;)
        if (o->events[i].seq == seq)
            return &o->events[i];
    return NULL;
}

void model_take_event(struct model *m, const struct summary_record *rec)
{
    struct model_event *e = new_event(&m->oom);
    const json_t *order = json_object_get(rec->json, "order");

    m->has_oom = true;
    m->oom.n_events++;
    e->seq = record_u64(rec, "seq", 0);
    e->has_time = json_object_get(rec->json, "ts_ns");
    e->ts_ns = record_u64(rec, "ts_ns", 0);
    e->trigger_pid = record_u64(rec, "trigger_pid", 0);
    e->has_order = json_is_integer(order);
    e->order = json_integer_value(order);
    e->manual = record_bool(rec, "manual", false) || (e->has_order && e->order < 0);
    e->has_trigger_pid = json_object_get(rec->json, "trigger_pid");
    e->has_limit = json_object_get(rec->json, "memcg_limit_bytes");
    e->memcg_limit_bytes = record_u64(rec, "memcg_limit_bytes", 0);
    if (!record_bool(rec, "complete", true))
        model_copy(e->missing, sizeof(e->missing), record_str(rec, "missing", "something"));
    model_copy_field(e->trigger_comm, rec, "trigger_comm");
    e->has_trigger = e->trigger_comm[0];
    model_copy(e->gfp, sizeof(e->gfp),
               record_str(rec, "gfp_flags", record_str(rec, "gfp_mask", "")));
    model_copy_field(e->constraint, rec, "constraint");
    model_copy_field(e->outcome, rec, "outcome");
    model_copy_field(e->oom_memcg, rec, "oom_memcg");
    model_copy_field(e->task_memcg, rec, "task_memcg");
    if (e->oom_memcg[0] || !strcmp(e->constraint, "memcg"))
        m->oom.n_memcg++;
}

/* Counts kills by name; names beyond the room are not counted. */
static void count_comm(struct model_oom *o, const char *comm)
{
    for (size_t i = 0; i < o->n_comms; i++)
        if (!strcmp(o->comms[i].comm, comm)) {
            o->comms[i].kills++;
            return;
        }
    if (o->n_comms == MODEL_COMMS)
        return;
    model_copy(o->comms[o->n_comms].comm, MODEL_NAME, comm);
    o->comms[o->n_comms++].kills = 1;
}

void model_take_victim(struct model *m, const struct summary_record *rec)
{
    struct model_event *e = find_event(&m->oom, record_u64(rec, "event", UINT64_MAX));
    struct model_victim v = {
        .pid = record_u64(rec, "pid", 0),
        .ts_ns = record_u64(rec, "ts_ns", 0),
        .anon_bytes = record_u64(rec, "anon_rss_bytes", 0),
        .file_bytes = record_u64(rec, "file_rss_bytes", 0),
        .shmem_bytes = record_u64(rec, "shmem_rss_bytes", 0),
        .oom_score_adj = record_i64(rec, "oom_score_adj", 0),
        .has_rss = json_object_get(rec->json, "anon_rss_bytes"),
        .has_adj = json_object_get(rec->json, "oom_score_adj"),
        .reaped = record_bool(rec, "reaped", false),
        .reap_failed = record_bool(rec, "reap_failed", false),
    };

    m->has_oom = true;
    m->oom.n_victims++;
    m->oom.n_reaped += v.reaped;
    model_copy_field(v.comm, rec, "comm");
    count_comm(&m->oom, v.comm);
    if (!e)
        return;
    if (e->n_victims < MODEL_VICTIMS)
        e->victims[e->n_victims] = v;
    e->n_victims++;
    e->killed_bytes = sat_add_u64(e->killed_bytes, sat_add_u64(v.anon_bytes, v.shmem_bytes));
    e->killed_bytes = sat_add_u64(e->killed_bytes, v.file_bytes);
}

void model_take_candidate(struct model *m, const struct summary_record *rec)
{
    struct model_event *e = find_event(&m->oom, record_u64(rec, "event", UINT64_MAX));
    uint64_t rss = record_u64(rec, "rss_bytes", 0);

    if (!e)
        return;
    e->n_candidates++;
    if (e->n_candidates > 1 && rss <= e->largest.rss_bytes)
        return;
    e->largest.rss_bytes = rss;
    e->largest.pid = record_u64(rec, "pid", 0);
    e->largest.oom_score_adj = record_i64(rec, "oom_score_adj", 0);
    model_copy_field(e->largest.comm, rec, "comm");
}

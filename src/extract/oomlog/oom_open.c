/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extract/oomlog/oom_open.h"

#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/math.h"

enum { CHUNK_SIZE = 4096, TEXT_MAX = 4096, PAGE_SIZE_DEFAULT = 4096 };

struct oom_open *oom_open_new(const struct oom_line *line)
{
    struct oom_open *o = calloc(1, sizeof(*o));
    struct oom_event *ev;

    if (!o)
        return NULL;
    ev = &o->ev;
    o->bytes = sizeof(*o);
    ev->line_seq = line->seq;
    ev->ts_ns = line->ts_ns;
    ev->caller = line->caller;
    ev->trigger_pid = ev->trigger_oom_score_adj = ev->trigger_oom_adj = ev->order = OOM_NONE;
    ev->selected_pid = ev->selected_uid = ev->selected_score = OOM_NONE;
    ev->memory = ev->memsw = ev->kmem = ev->swap =
        (struct oom_charge){OOM_NONE, OOM_NONE, OOM_NONE};
    ev->meminfo.swap_free_bytes = ev->meminfo.swap_total_bytes = OOM_NONE;
    ev->time = oom_keep(o, line->time);
    o->first_wall_s = line->wall_s;
    oom_open_touch(o, line);
    return o;
}

static void free_vecs(struct oom_event *ev)
{
    struct oom_memcg_stat *stats = ev->memcg_stats.data;
    struct oom_vec *vecs[] = {
        &ev->victims,        &ev->sharers,           &ev->candidates,    &ev->slabs,
        &ev->allocations,    &ev->memcg_stats,       &ev->meminfo.zones, &ev->meminfo.nodes,
        &ev->meminfo.totals, &ev->meminfo.hugepages,
    };

    for (uint32_t i = 0; i < ev->memcg_stats.n; i++)
        free(stats[i].values.data);
    for (size_t i = 0; i < ARRAY_SIZE(vecs); i++)
        free(vecs[i]->data);
}

void oom_open_free(struct oom_open *o)
{
    if (!o)
        return;
    free_vecs(&o->ev);
    while (o->arena) {
        struct oom_chunk *next = o->arena->next;

        free(o->arena);
        o->arena = next;
    }
    free(o->summary);
    free(o);
}

void oom_open_touch(struct oom_open *o, const struct oom_line *line)
{
    o->last_seq = line->seq;
    o->last_ts_ns = line->ts_ns;
    o->last_wall_s = line->wall_s;
}

static char *arena_take(struct oom_open *o, size_t len)
{
    struct oom_chunk *c = o->arena;
    size_t size;

    len = (len + 7) & ~(size_t)7;
    if (o->bytes > OOMLOG_MEMORY_MAX)
        return NULL;
    if (!c || c->size - c->used < len) {
        size = (size_t)max_u64(len, CHUNK_SIZE);
        c = malloc(sizeof(*c) + size);
        if (!c)
            return NULL;
        *c = (struct oom_chunk){o->arena, 0, size};
        o->arena = c;
        o->bytes += sizeof(*c) + size;
    }
    c->used += len;
    return c->data + c->used - len;
}

struct span oom_keep(struct oom_open *o, struct span text)
{
    size_t len = text.len < TEXT_MAX ? text.len : TEXT_MAX;
    char *copy;

    if (!text.s)
        return text;
    copy = arena_take(o, len + 1);
    if (!copy)
        return (struct span){0};
    memcpy(copy, text.s, len);
    copy[len] = '\0';
    return (struct span){copy, len};
}

const char *oom_keep_name(struct oom_open *o, struct span text)
{
    struct span kept = oom_keep(o, span_sub(text, 0, 64));
    char *name = (char *)kept.s;

    for (size_t i = 0; name && i < kept.len; i++) {
        char c = name[i];

        if (c >= 'A' && c <= 'Z')
            name[i] = (char)(c | 0x20);
        else if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
            name[i] = '_';
    }
    /* isolated(anon) */
    while (name && kept.len && name[kept.len - 1] == '_')
        name[--kept.len] = '\0';
    return name && *name ? name : NULL;
}

void *oom_push(struct oom_open *o, struct oom_vec *vec, size_t size, uint32_t max)
{
    char *data = vec->data;

    if (vec->n >= max || o->bytes > OOMLOG_MEMORY_MAX) {
        o->ev.omitted++;
        return NULL;
    }
    if (vec->n == vec->capacity) {
        uint32_t capacity = vec->capacity ? vec->capacity * 2 : 8;

        data = reallocarray(vec->data, capacity, size);
        if (!data) {
            o->ev.omitted++;
            return NULL;
        }
        o->bytes += (capacity - vec->capacity) * size;
        vec->data = data;
        vec->capacity = capacity;
    }
    data += (size_t)vec->n++ * size;
    memset(data, 0, size);
    return data;
}

bool oom_open_decided(const struct oom_open *o)
{
    return o->has_summary || o->has_decision || o->ev.victims.n || o->no_killable ||
           o->ev.panic.s || o->ev.skipped;
}

static bool is_page_size(uint64_t size)
{
    return size >= 4096 && size <= 65536 && !(size & (size - 1));
}

/* A victim's "total-vm" in kB and its table row in pages tell the page size between them. */
static uint64_t page_size_of_victims(const struct oom_event *ev)
{
    const struct oom_victim *v = ev->victims.data;

    for (uint32_t i = 0; i < ev->victims.n; i++) {
        const struct oom_candidate *c = oom_candidate_find(ev, v[i].pid);

        if (c && c->total_vm > 0 && v[i].total_vm_bytes > 0 &&
            v[i].total_vm_bytes % c->total_vm == 0 &&
            is_page_size((uint64_t)(v[i].total_vm_bytes / c->total_vm)))
            return (uint64_t)(v[i].total_vm_bytes / c->total_vm);
    }
    return 0;
}

uint64_t oom_open_page_size(const struct oom_open *o)
{
    return o->buddy_page_size ? o->buddy_page_size : page_size_of_victims(&o->ev);
}

static void conclude_constraint(struct oom_open *o)
{
    static const struct {
        const char *text;
        enum oom_constraint constraint;
    } texts[] = {
        {"CONSTRAINT_NONE", OOM_CONSTRAINT_NONE},
        {"CONSTRAINT_CPUSET", OOM_CONSTRAINT_CPUSET},
        {"CONSTRAINT_MEMORY_POLICY", OOM_CONSTRAINT_MEMORY_POLICY},
        {"CONSTRAINT_MEMCG", OOM_CONSTRAINT_MEMCG},
    };
    struct oom_event *ev = &o->ev;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (span_is(ev->constraint_text, texts[i].text))
            ev->constraint = texts[i].constraint;
    /* 5.2-rc printed CONSTRAINT_NONE for a control group: the group's name decides, and before
     * that line existed the message and the usage lines. */
    if (ev->oom_memcg.s || o->memcg_message || o->memcg_seen ||
        (o->memcg_trace && !ev->constraint_text.s))
        ev->constraint = OOM_CONSTRAINT_MEMCG;
    else if (ev->constraint == OOM_CONSTRAINT_UNKNOWN && (o->global_message || ev->meminfo.present))
        ev->constraint = OOM_CONSTRAINT_NONE;
}

static const char *find_missing(const struct oom_open *o)
{
    const struct oom_event *ev = &o->ev;

    if (!o->has_header || ev->order == OOM_NONE)
        return "header";
    if (ev->outcome == OOM_OUTCOME_UNKNOWN)
        return "outcome";
    if (!o->totals_seen && !o->memcg_seen)
        return "memory";
    if (o->elided || o->cut || ev->omitted)
        return "lines";
    return NULL;
}

/* Old kill lines say nothing of these; the table may. */
static void complete_victim(const struct oom_event *ev, struct oom_victim *v)
{
    const struct oom_candidate *c = oom_candidate_find(ev, v->pid);

    if (v->pid != OOM_NONE && v->pid == ev->selected_pid) {
        v->score = v->score == OOM_NONE ? ev->selected_score : v->score;
        v->uid = v->uid == OOM_NONE ? ev->selected_uid : v->uid;
    }
    if (!c)
        return;
    if (v->uid == OOM_NONE)
        v->uid = c->uid;
    if (v->oom_score_adj == OOM_NONE && c->oom_score_adj != INT32_MIN)
        v->oom_score_adj = c->oom_score_adj;
    if (v->total_vm_bytes == OOM_NONE)
        v->total_vm_bytes = oom_pages(ev, c->total_vm);
    if (v->swap_bytes == OOM_NONE)
        v->swap_bytes = oom_pages(ev, c->swap);
    if (v->pgtables_bytes == OOM_NONE)
        v->pgtables_bytes =
            c->pgtables_bytes != OOM_NONE ? c->pgtables_bytes : oom_pages(ev, c->pgtables_pages);
}

/* The rows were compared before the page size was known. */
static void conclude_largest(struct oom_event *ev)
{
    const struct oom_candidate *c = ev->candidates.data;

    for (uint32_t i = 0; i < ev->candidates.n; i++)
        if (oom_candidate_bytes(ev, &c[i]) > oom_candidate_bytes(ev, &ev->largest))
            ev->largest = c[i];
}

/*
 * A name that holds ",task=" has been taken for the end of the path before it; the kill line's name
 * is certain.
 */
static void conclude_selected(struct oom_event *ev)
{
    const struct oom_victim *v = ev->victims.data;

    for (uint32_t i = 0; i < ev->victims.n; i++) {
        size_t more = v[i].comm.len - ev->selected_comm.len;

        if (v[i].pid != ev->selected_pid || !ev->selected_comm.s || !v[i].comm.s ||
            v[i].comm.len <= ev->selected_comm.len || !span_ends(v[i].comm, ev->selected_comm.s) ||
            ev->task_memcg.len < more)
            continue;
        ev->selected_comm = v[i].comm;
        ev->task_memcg.len -= more;
    }
}

void oom_open_conclude(struct oom_open *o, uint64_t page_size)
{
    struct oom_event *ev = &o->ev;
    struct oom_victim *v = ev->victims.data;

    ev->page_size_known = page_size != 0;
    ev->page_size = page_size ? page_size : PAGE_SIZE_DEFAULT;
    conclude_largest(ev);
    conclude_selected(ev);
    conclude_constraint(o);
    if (ev->victims.n)
        ev->outcome = OOM_OUTCOME_KILLED;
    else if (ev->panic.s)
        ev->outcome = OOM_OUTCOME_PANIC;
    else if (o->no_killable || ev->skipped)
        ev->outcome = OOM_OUTCOME_NO_VICTIM;
    ev->missing = find_missing(o);
    for (uint32_t i = 0; i < ev->victims.n; i++)
        complete_victim(ev, &v[i]);
}

int64_t oom_pages(const struct oom_event *e, int64_t pages)
{
    if (pages == OOM_NONE || pages < 0)
        return OOM_NONE;
    return (int64_t)sat_mul_u64((uint64_t)pages, e->page_size);
}

int64_t oom_candidate_bytes(const struct oom_event *e, const struct oom_candidate *c)
{
    int64_t parts[] = {oom_pages(e, c->rss), oom_pages(e, c->swap), c->pgtables_bytes,
                       oom_pages(e, c->pgtables_pages)};
    uint64_t sum = 0;

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        sum = sat_add_u64(sum, clamp_count(parts[i]));
    return (int64_t)sum;
}

const struct oom_candidate *oom_candidate_find(const struct oom_event *e, int64_t pid)
{
    const struct oom_candidate *c = e->candidates.data;

    for (uint32_t i = 0; i < e->candidates.n; i++)
        if (c[i].pid == pid)
            return &c[i];
    return e->has_largest && e->largest.pid == pid ? &e->largest : NULL;
}

int64_t oom_total(const struct oom_event *e, const char *name)
{
    const struct oom_value *v = e->meminfo.totals.data;

    for (uint32_t i = 0; i < e->meminfo.totals.n; i++)
        if (!strcmp(v[i].name, name))
            return (int64_t)min_u64(v[i].value, INT64_MAX);
    return OOM_NONE;
}

const char *oom_constraint_name(enum oom_constraint c)
{
    static const char *const names[] = {
        [OOM_CONSTRAINT_UNKNOWN] = "unknown", [OOM_CONSTRAINT_NONE] = "none",
        [OOM_CONSTRAINT_CPUSET] = "cpuset",   [OOM_CONSTRAINT_MEMORY_POLICY] = "memory_policy",
        [OOM_CONSTRAINT_MEMCG] = "memcg",
    };

    return names[c];
}

const char *oom_outcome_name(enum oom_outcome o)
{
    static const char *const names[] = {
        [OOM_OUTCOME_UNKNOWN] = "unknown",
        [OOM_OUTCOME_KILLED] = "killed",
        [OOM_OUTCOME_PANIC] = "panic",
        [OOM_OUTCOME_NO_VICTIM] = "no_victim",
    };

    return names[o];
}

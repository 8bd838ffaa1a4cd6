/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/model_private.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/math.h"

struct model *model_new(void)
{
    struct model *m = calloc(1, sizeof(*m));

    if (m)
        m->page_size_bytes = 4096; /* a header that is lost does not say */
    return m;
}

void model_freep(struct model **m)
{
    free(*m);
}

uint64_t model_mem(const struct model *m, enum model_mem which)
{
    return m->memory.bytes[which];
}

void model_copy(char *dst, size_t cap, const char *src)
{
    size_t len = strlen(src);

    if (len >= cap) {
        len = cap - 1;
        /* back to the start of a character */
        while (len && ((unsigned char)src[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(dst, src, len);
    dst[len] = '\0';
}

static void take_header(struct model *m, const struct summary_record *rec)
{
    m->has_header = true;
    m->format = record_u64(rec, "format", 0);
    m->live = record_bool(rec, "live", false);
    m->crash_time = record_i64(rec, m->live ? "capture_time" : "crash_time", 0);
    m->page_size_bytes = record_u64(rec, "page_size_bytes", m->page_size_bytes);
    model_copy_field(m->tool, rec, "tool");
    model_copy_field(m->arch, rec, "arch");
    model_copy_field(m->release, rec, "release");
    model_copy_field(m->version, rec, "version");
    model_copy_field(m->nodename, rec, "nodename");
    model_copy_field(m->build_id, rec, "build_id");
    model_copy_field(m->core_kind, rec, "core_kind");
}

/* A load average: a text like "0.52". */
static void take_load(char *dst, size_t cap, const struct summary_record *rec, const char *name)
{
    const json_t *v = json_object_get(rec->json, name);

    if (json_is_string(v))
        model_copy(dst, cap, json_string_value(v));
    else if (json_is_number(v))
        snprintf(dst, cap, "%.2f", json_number_value(v));
}

static void take_crash(struct model *m, const struct summary_record *rec)
{
    m->has_crash = true;
    m->has_pid = json_is_integer(json_object_get(rec->json, "pid"));
    m->has_cpu = json_is_integer(json_object_get(rec->json, "cpu"));
    m->has_uptime = json_is_integer(json_object_get(rec->json, "uptime_s"));
    m->pid = record_u64(rec, "pid", 0);
    m->cpu = record_u64(rec, "cpu", 0);
    m->cpus = record_u64(rec, "cpus", 0);
    m->tasks = record_u64(rec, "tasks", 0);
    m->uptime_s = record_u64(rec, "uptime_s", 0);
    model_copy_field(m->panic, rec, "panic");
    model_copy_field(m->oops, rec, "oops");
    model_copy_field(m->reason, rec, "reason");
    model_copy_field(m->comm, rec, "comm");
    model_copy_field(m->taint, rec, "taint");
    take_load(m->load1, sizeof(m->load1), rec, "load1");
    take_load(m->load5, sizeof(m->load5), rec, "load5");
    take_load(m->load15, sizeof(m->load15), rec, "load15");
}

static void take_hidden(struct model *m, const json_t *names)
{
    struct buf b = BUF_INIT(sizeof(m->memory.hidden) - 1);

    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));

        if (!name)
            continue;
        buf_str(&b, b.len ? ", " : "");
        buf_str(&b, name);
    }
    model_copy(m->memory.hidden, sizeof(m->memory.hidden), b.data ? b.data : "");
    buf_done(&b);
}

static void take_part(struct model *m, const struct summary_record *rec)
{
    struct model_part *part;

    if (m->memory.n_parts == MODEL_PARTS)
        return;
    part = &m->memory.parts[m->memory.n_parts++];
    model_copy_field(part->name, rec, "name");
    part->bytes = record_u64(rec, "bytes", 0);
    part->estimate = !record_bool(rec, "exact", true);
}

static void take_total(struct model *m, const struct summary_record *rec)
{
    static const char *const names[MEM_COUNT] = {
        [MEM_TOTAL] = "MemTotal",
        [MEM_FREE] = "MemFree",
        [MEM_AVAILABLE] = "MemAvailable",
        [MEM_BUFFERS] = "Buffers",
        [MEM_CACHED] = "Cached",
        [MEM_SWAP_CACHED] = "SwapCached",
        [MEM_SHMEM] = "Shmem",
        [MEM_ANON] = "AnonPages",
        [MEM_MLOCKED] = "Mlocked",
        [MEM_RECLAIMABLE] = "SReclaimable",
        [MEM_UNRECLAIM] = "SUnreclaim",
        [MEM_KRECLAIMABLE] = "KReclaimable",
        [MEM_PAGE_TABLES] = "PageTables",
        [MEM_SEC_PAGE_TABLES] = "SecPageTables",
        [MEM_KERNEL_STACK] = "KernelStack",
        [MEM_PERCPU] = "Percpu",
        [MEM_VMALLOC] = "VmallocUsed",
        [MEM_HUGETLB] = "Hugetlb",
        [MEM_HUGETLB_FREE] = "HugetlbFree",
        [MEM_BOUNCE] = "Bounce",
        [MEM_SWAP_TOTAL] = "SwapTotal",
        [MEM_SWAP_FREE] = "SwapFree",
        [MEM_COMMIT_LIMIT] = "CommitLimit",
        [MEM_COMMITTED] = "Committed_AS",
        [MEM_UNACCOUNTED] = "Unaccounted",
    };
    const char *name = record_str(rec, "name", "");

    m->has_memory = true;
    if (record_array(rec, "hidden"))
        take_hidden(m, record_array(rec, "hidden"));
    for (size_t i = 0; i < MEM_COUNT; i++)
        if (!strcmp(name, names[i])) {
            m->memory.known[i] = true;
            m->memory.bytes[i] = record_u64(rec, "bytes", 0);
        }
}

static void take_zone(struct model *m, const struct summary_record *rec)
{
    const json_t *blocks = record_array(rec, "free_blocks");
    struct model_zone *z;

    if (m->n_zones == MODEL_ZONES || !record_u64(rec, "managed_bytes", 0))
        return;
    z = &m->zones[m->n_zones++];
    model_copy_field(z->name, rec, "name");
    z->node = record_u64(rec, "node", 0);
    z->free_bytes = record_u64(rec, "free_bytes", 0);
    z->min_bytes = record_u64(rec, "min_bytes", 0);
    z->low_bytes = record_u64(rec, "low_bytes", 0);
    z->high_bytes = record_u64(rec, "high_bytes", 0);
    z->managed_bytes = record_u64(rec, "managed_bytes", 0);
    z->n_orders = (size_t)min_u64(json_array_size(blocks), MODEL_ORDERS);
    for (size_t i = 0; i < z->n_orders; i++)
        z->free_blocks[i] = clamp_count(json_integer_value(json_array_get(blocks, i)));
}

static void take_cache(struct model *m, const struct summary_record *rec)
{
    struct model_slab *s = &m->slab;
    struct model_cache c = {
        .bytes = record_u64(rec, "bytes", 0),
        .objects_total = record_u64(rec, "objects_total", 0),
        .objects_active = record_u64(rec, "objects_active", 0),
        .object_size_bytes = record_u64(rec, "object_size_bytes", 0),
        .reclaimable = record_bool(rec, "reclaimable", false),
        .estimate = !record_bool(rec, "exact", true),
    };
    size_t at;

    m->has_slab = true;
    s->n_caches++;
    s->bytes = sat_add_u64(s->bytes, c.bytes);
    if (c.reclaimable)
        s->reclaimable_bytes = sat_add_u64(s->reclaimable_bytes, c.bytes);
    else
        s->unreclaimable_bytes = sat_add_u64(s->unreclaimable_bytes, c.bytes);
    model_copy_field(c.name, rec, "name");
    for (at = s->kept; at && s->top[at - 1].bytes < c.bytes; at--)
        if (at < MODEL_TOP)
            s->top[at] = s->top[at - 1];
    if (at < MODEL_TOP)
        s->top[at] = c;
    s->kept = (size_t)min_u64(s->kept + 1, MODEL_TOP);
}

static void take_policy(struct model *m, const struct summary_record *rec)
{
    const char *decision = json_string_value(json_object_get(rec->json, "decision"));

    if (decision && !strcmp(decision, "skip"))
        model_copy_field(m->no_dump, rec, "reason");
}

static void take_module(struct model *m, const struct summary_record *rec)
{
    const char *taint = record_str(rec, "taint", "");
    struct model_module *mod;

    m->has_module = true;
    m->n_modules++;
    m->module_bytes = sat_add_u64(m->module_bytes, record_u64(rec, "bytes", 0));
    if (!*taint)
        return;
    m->n_tainted++;
    if (m->n_tainted > MODEL_MODULES)
        return;
    mod = &m->tainted[m->n_tainted - 1];
    mod->bytes = record_u64(rec, "bytes", 0);
    model_copy_field(mod->name, rec, "name");
    model_copy_field(mod->taint, rec, "taint");
}

static void take_trailer(struct model *m, const struct summary_record *rec)
{
    const json_t *names = record_array(rec, "profile"), *name;
    size_t i;

    json_array_foreach(names, i, name)
    {
        const char *s = json_is_string(name) ? json_string_value(name) : "";

        m->profile_symbols |= !strcmp(s, "symbols");
        m->profile_types |= !strcmp(s, "types");
    }
}

static void take_end(struct model *m, const struct summary_record *rec)
{
    struct model_section *s;

    if (m->n_sections == MODEL_SECTIONS)
        return;
    s = &m->sections[m->n_sections++];
    model_copy(s->name, sizeof(s->name), rec->section);
    model_copy_field(s->status, rec, "status");
    model_copy_field(s->reason, rec, "reason");
    s->rows = record_u64(rec, "rows", 0);
    s->filtered = !strcmp(s->status, "partial") && record_u64(rec, "filtered", 0) &&
                  record_u64(rec, "filtered", 0) == record_u64(rec, "faults", 0);
}

void model_add(struct model *m, const struct summary_record *rec)
{
    static const struct {
        const char *section, *record;
        void (*take)(struct model *m, const struct summary_record *rec);
    } takers[] = {
        {"header", "header", take_header},
        {"policy", "policy", take_policy},
        {"crash", "crash", take_crash},
        {"dmesg", "line", model_take_log},
        {"oom", "event", model_take_event},
        {"oom", "victim", model_take_victim},
        {"oom", "candidate", model_take_candidate},
        {"memory", "total", take_total},
        {"memory", "part", take_part},
        {"zone", "zone", take_zone},
        {"slab", "cache", take_cache},
        {"task", "task", model_take_task},
        {"task", "thread", model_take_thread},
        {"task", "total", model_take_task_total},
        {"module", "module", take_module},
        {"trailer", "trailer", take_trailer},
    };

    if (!strcmp(rec->section, "trailer"))
        m->has_trailer = true;
    if (!strcmp(rec->record, "end")) {
        take_end(m, rec);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(takers); i++)
        if (record_is(rec, takers[i].section, takers[i].record))
            takers[i].take(m, rec);
}

int model_fill(struct model *m, struct summary_reader *r, struct error *err)
{
    struct summary_record rec;
    int status;

    while ((status = summary_next(r, err, &rec)) > 0)
        model_add(m, &rec);
    return status;
}

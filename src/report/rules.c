/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/rules.h"

#include <inttypes.h>
#include <string.h>

#include "report/human.h"
#include "report/text.h"
#include "util/cleanup.h"
#include "util/math.h"

/* True if part is more than percent of whole, and whole is known. */
static bool above(uint64_t part, unsigned percent, uint64_t whole)
{
    return whole && sat_mul_u64(part, 100) > sat_mul_u64(whole, percent);
}

/* "614 MiB (60.2 % of RAM)" */
static void append_share(struct buf *b, uint64_t bytes, uint64_t whole, const char *of)
{
    human_size(b, bytes);
    buf_str(b, " (");
    human_percent(b, bytes, whole);
    buf_printf(b, " of %s)", of);
}

static void append_task(struct buf *b, const char *comm, uint64_t pid)
{
    text_append(b, comm[0] ? comm : "?");
    buf_printf(b, "[%" PRIu64 "]", pid);
}

static bool panic_was_asked_for(const struct model *m, struct buf *b)
{
    if (strcmp(m->reason, "oom") ||
        (!strstr(m->panic, "panic_on_oom") && !strstr(m->panic, "compulsory")))
        return false;
    buf_str(b,
            "The panic was asked for: with vm.panic_on_oom set, an OOM ends the machine instead of "
            "a process.");
    return true;
}

static bool unaccounted_is_large(const struct model *m, struct buf *b)
{
    uint64_t total = model_mem(m, MEM_TOTAL), bytes = model_mem(m, MEM_UNACCOUNTED);

    if (!above(bytes, 10, total))
        return false;
    buf_str(b, "No counter of the kernel explains ");
    append_share(b, bytes, total, "RAM");
    buf_str(b, ". Pages that a driver or module takes directly are counted nowhere; so are leaked "
               "ones.");
    if (m->memory.hidden[0]) {
        buf_str(b, " This kernel does not count ");
        text_append(b, m->memory.hidden);
        buf_str(b, ", either.");
    }
    return true;
}

static bool slab_is_large(const struct model *m, struct buf *b)
{
    uint64_t total = model_mem(m, MEM_TOTAL), bytes = model_mem(m, MEM_UNRECLAIM);

    if (!bytes)
        bytes = m->slab.unreclaimable_bytes;
    if (!above(bytes, 30, total))
        return false;
    buf_str(b, "Unreclaimable slab holds ");
    append_share(b, bytes, total, "RAM");
    buf_str(b, ": memory of the kernel itself, which killing processes frees only indirectly.");
    return true;
}

static bool one_cache_dominates(const struct model *m, struct buf *b)
{
    const struct model_cache *c = &m->slab.top[0];

    /* a third of next to nothing is not worth a line */
    if (!m->slab.kept || !above(c->bytes, 30, m->slab.bytes) ||
        !above(c->bytes, 5, model_mem(m, MEM_TOTAL)))
        return false;
    buf_str(b, "One slab cache, ");
    text_append(b, c->name);
    buf_str(b, ", holds ");
    append_share(b, c->bytes, m->slab.bytes, "slab");
    buf_str(b, ", ");
    human_percent(b, c->bytes, model_mem(m, MEM_TOTAL));
    buf_printf(b, " of RAM, in %s%" PRIu64 " objects, ", c->estimate ? "about " : "",
               c->objects_total);
    human_percent(b, c->objects_active, c->objects_total);
    buf_str(b, " of them in use.");
    return true;
}

static bool one_task_dominates(const struct model *m, struct buf *b)
{
    const struct model_task_row *t = &m->task.top[0];

    if (!m->task.kept || !above(t->rss_bytes, 50, model_mem(m, MEM_TOTAL)))
        return false;
    buf_str(b, "One process, ");
    append_task(b, t->comm, t->pid);
    buf_str(b, m->live ? ", holds " : ", held ");
    append_share(b, t->rss_bytes, model_mem(m, MEM_TOTAL), "RAM");
    buf_str(b, m->live ? "." : " at the end.");
    return true;
}

static bool shmem_is_large(const struct model *m, struct buf *b)
{
    uint64_t total = model_mem(m, MEM_TOTAL), bytes = model_mem(m, MEM_SHMEM);

    if (!above(bytes, 25, total))
        return false;
    buf_str(b, "tmpfs and shared memory hold ");
    append_share(b, bytes, total, "RAM");
    buf_str(b, ". It goes away with its files or its last user, not with the process that wrote "
               "it; without swap it cannot be reclaimed.");
    return true;
}

static bool page_tables_are_large(const struct model *m, struct buf *b)
{
    uint64_t total = model_mem(m, MEM_TOTAL), bytes = model_mem(m, MEM_PAGE_TABLES);

    if (!above(bytes, 10, total))
        return false;
    buf_str(b, "Page tables alone hold ");
    append_share(b, bytes, total, "RAM");
    buf_str(b, ", as when many processes map the same large memory.");
    return true;
}

static bool hugetlb_is_large(const struct model *m, struct buf *b)
{
    uint64_t total = model_mem(m, MEM_TOTAL), bytes = model_mem(m, MEM_HUGETLB);

    if (!above(bytes, 30, total))
        return false;
    buf_str(b, "The pool of huge pages (hugetlb) keeps ");
    append_share(b, bytes, total, "RAM");
    buf_str(b, " from everything else, used or not.");
    return true;
}

static bool vmalloc_is_large(const struct model *m, struct buf *b)
{
    uint64_t total = model_mem(m, MEM_TOTAL), bytes = model_mem(m, MEM_VMALLOC);

    if (!above(bytes, 20, total))
        return false;
    buf_str(b, "vmalloc areas of the kernel hold ");
    append_share(b, bytes, total, "RAM");
    buf_char(b, '.');
    return true;
}

static bool swap_is_full(const struct model *m, struct buf *b)
{
    uint64_t total = model_mem(m, MEM_SWAP_TOTAL), free = model_mem(m, MEM_SWAP_FREE);

    if (!total || !m->memory.known[MEM_SWAP_FREE] || above(free, 5, total))
        return false;
    buf_str(b, "Swap was full: ");
    human_size(b, free);
    buf_str(b, " of ");
    human_size(b, total);
    buf_str(b, " left.");
    return true;
}

static bool no_swap(const struct model *m, struct buf *b)
{
    if (!m->oom.n_events || !m->memory.known[MEM_SWAP_TOTAL] || model_mem(m, MEM_SWAP_TOTAL))
        return false;
    buf_str(b, "There is no swap: anonymous memory and tmpfs could only be freed by killing or "
               "deleting.");
    return true;
}

static bool memcg_limits(const struct model *m, struct buf *b)
{
    const struct model_event *last = NULL;

    for (size_t i = 0; i < m->oom.kept; i++)
        if (m->oom.events[i].oom_memcg[0])
            last = &m->oom.events[i];
    if (!m->oom.n_memcg)
        return false;
    buf_printf(b,
               "%" PRIu64 " of %" PRIu64 " OOM decisions came from a cgroup's own limit, not "
               "from a lack of memory in the machine",
               m->oom.n_memcg, m->oom.n_events);
    if (last) {
        buf_str(b, " (the last: ");
        text_append_short(b, last->oom_memcg, 80);
        buf_char(b, ')');
    }
    buf_char(b, '.');
    return true;
}

/* The last event that was about the whole machine. */
static const struct model_event *last_global_event(const struct model *m)
{
    for (size_t i = m->oom.kept; i-- > 0;)
        if (!m->oom.events[i].oom_memcg[0] && strcmp(m->oom.events[i].constraint, "memcg"))
            return &m->oom.events[i];
    return NULL;
}

static uint64_t blocks_from(const struct model_zone *z, uint64_t order)
{
    uint64_t n = 0;

    for (size_t i = (size_t)min_u64(order, MODEL_ORDERS); i < z->n_orders; i++)
        n = sat_add_u64(n, z->free_blocks[i]);
    return n;
}

static bool memory_is_fragmented(const struct model *m, struct buf *b)
{
    const struct model_event *e = last_global_event(m);
    uint64_t free = 0, min = 0;

    /* the zones of a machine that runs are not those of its last OOM */
    if (m->live || !e || !e->has_order || e->order <= 0)
        return false;
    for (size_t i = 0; i < m->n_zones; i++) {
        if (!m->zones[i].n_orders || blocks_from(&m->zones[i], (uint64_t)e->order))
            return false;
        free = sat_add_u64(free, m->zones[i].free_bytes);
        min = sat_add_u64(min, m->zones[i].min_bytes);
    }
    if (!m->n_zones || free < min)
        return false;
    buf_printf(b, "The last request was for a block of order %" PRId64 " (", e->order);
    human_size(b, sat_mul_u64(m->page_size_bytes, 1ULL << min_u64((uint64_t)e->order, 40)));
    buf_str(b, " in one piece); ");
    human_size(b, free);
    buf_str(b, " were free, but no zone had a free block that large: memory was fragmented.");
    return true;
}

static bool below_watermark(const struct model *m, struct buf *b)
{
    const struct model_zone *worst = NULL;
    size_t n = 0;

    for (size_t i = 0; i < m->n_zones; i++) {
        const struct model_zone *z = &m->zones[i];

        if (z->free_bytes >= z->min_bytes)
            continue;
        n++;
        if (!worst || z->managed_bytes > worst->managed_bytes)
            worst = z;
    }
    if (!worst)
        return false;
    human_count(b, n, "zone was", "zones were");
    buf_printf(b, " below the min watermark; the largest, node %" PRIu64 " ", worst->node);
    text_append(b, worst->name);
    buf_str(b, ", had ");
    human_size(b, worst->free_bytes);
    buf_str(b, " free of ");
    human_size(b, worst->managed_bytes);
    buf_str(b, " (min ");
    human_size(b, worst->min_bytes);
    buf_str(b, ").");
    return true;
}

static bool largest_was_protected(const struct model *m, struct buf *b)
{
    const struct model_event *e = last_global_event(m);

    if (!e || !e->n_candidates || e->largest.oom_score_adj > -900)
        return false;
    buf_str(b, "The largest process at the last OOM, ");
    append_task(b, e->largest.comm, e->largest.pid);
    buf_str(b, " with ");
    human_size(b, e->largest.rss_bytes);
    buf_printf(b, ", was protected from the OOM killer (oom_score_adj %" PRId64 ").",
               e->largest.oom_score_adj);
    return true;
}

static bool nothing_to_kill(const struct model *m, struct buf *b)
{
    if (!strstr(m->panic, "deadlocked on memory") && !strstr(m->panic, "no killable processes"))
        return false;
    buf_str(b, "The OOM killer found no process that it may kill: every process that was left was "
               "protected or a part of the kernel.");
    return true;
}

static bool killed_again_and_again(const struct model *m, struct buf *b)
{
    const struct model_comm *most = NULL;

    for (size_t i = 0; i < m->oom.n_comms; i++)
        if (!most || m->oom.comms[i].kills > most->kills)
            most = &m->oom.comms[i];
    if (!most || most->kills < 3)
        return false;
    text_append(b, most->comm[0] ? most->comm : "?");
    buf_printf(b, " was killed %" PRIu64 " times: several ran, or something started it again.",
               most->kills);
    return true;
}

static bool many_in_dstate(const struct model *m, struct buf *b)
{
    if (m->task.n_dstate < 5)
        return false;
    human_count(b, m->task.n_dstate, "task is", "tasks are");
    buf_str(b, " in uninterruptible sleep (state D)");
    for (size_t i = 0; i < m->task.kept_dstate; i++) {
        buf_str(b, i ? ", " : ": ");
        append_task(b, m->task.dstate[i].comm, m->task.dstate[i].pid);
    }
    buf_str(b, m->task.n_dstate > m->task.kept_dstate ? ", ..." : ".");
    return true;
}

static bool has_letter(const struct model_module *mod, const char *letters)
{
    return strpbrk(mod->taint, letters);
}

static bool foreign_modules(const struct model *m, struct buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_tainted && i < MODEL_MODULES; i++) {
        if (!has_letter(&m->tainted[i], "OPF"))
            continue;
        buf_str(b, n++ ? ", " : "Modules from outside the kernel tree are loaded: ");
        text_append(b, m->tainted[i].name);
    }
    if (!n)
        return false;
    buf_str(b, m->n_tainted > MODEL_MODULES ? ", ..." : ".");
    return true;
}

const struct rule rules[] = {
    {"panic_on_oom", panic_was_asked_for},
    {"nothing_to_kill", nothing_to_kill},
    {"unaccounted", unaccounted_is_large},
    {"one_task", one_task_dominates},
    {"one_cache", one_cache_dominates},
    {"slab_unreclaimable", slab_is_large},
    {"shmem", shmem_is_large},
    {"page_tables", page_tables_are_large},
    {"hugetlb", hugetlb_is_large},
    {"vmalloc", vmalloc_is_large},
    {"memcg_limit", memcg_limits},
    {"fragmented", memory_is_fragmented},
    {"below_min", below_watermark},
    {"swap_full", swap_is_full},
    {"no_swap", no_swap},
    {"protected", largest_was_protected},
    {"killed_again", killed_again_and_again},
    {"dstate", many_in_dstate},
    {"foreign_module", foreign_modules},
};
const size_t n_rules = ARRAY_SIZE(rules);

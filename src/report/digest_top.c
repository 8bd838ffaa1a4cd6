/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/digest_private.h"
#include "report/human.h"
#include "util/cleanup.h"
#include "util/utf8.h"

/* A cell of at least `width` columns, then a blank; to the right if width is negative. */
static void cell(struct text *t, const char *s, int width)
{
    size_t columns = strlen(s), want = (size_t)(width < 0 ? -width : width);

    /* s is safe: what is not ASCII is one column a character */
    columns = utf8_columns(s, columns);
    if (width < 0)
        text_pad(t->out, columns, want);
    buf_str(t->out, s);
    if (width > 0)
        text_pad(t->out, columns, want);
    buf_char(t->out, ' ');
}

static void cell_size(struct text *t, uint64_t bytes, int width)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(64);

    if (bytes)
        human_size(&b, bytes);
    else
        buf_char(&b, '-');
    cell(t, b.data, width);
}

static void cell_name(struct text *t, const char *name, int width)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(1024);

    text_append_short(&b, name, (size_t)width);
    cell(t, b.data ? b.data : "", width);
}

static void cell_percent(struct text *t, uint64_t part, uint64_t whole, int width)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(64);

    human_percent(&b, part, whole);
    cell(t, b.data, width);
}

static void cell_u64(struct text *t, uint64_t n, int width)
{
    char s[24];

    snprintf(s, sizeof(s), "%" PRIu64, n);
    cell(t, s, width);
}

static void top_caches(struct text *t, const struct model *m)
{
    _cleanup_(buf_done) struct buf about = BUF_INIT(400);
    const struct model_slab *s = &m->slab;

    if (!s->kept)
        return;
    human_size(&about, s->bytes);
    buf_printf(&about, " in %" PRIu64 " caches, ", s->n_caches);
    human_size(&about, s->unreclaimable_bytes);
    buf_str(&about, " of it unreclaimable");
    text_heading(t, "LARGEST SLAB CACHES", about.data);
    text_style_begin(t, STYLE_DIM);
    buf_str(t->out,
            "  NAME                           SIZE OF SLAB    OBJECTS  IN USE  OBJECT SIZE\n");
    text_style_end(t, STYLE_DIM);
    for (size_t i = 0; i < s->kept && s->top[i].bytes; i++) {
        const struct model_cache *c = &s->top[i];

        buf_str(t->out, "  ");
        cell_name(t, c->name, 25);
        cell_size(t, c->bytes, -9);
        cell_percent(t, c->bytes, s->bytes, -7);
        cell_u64(t, c->objects_total, -10);
        cell_percent(t, c->objects_active, c->objects_total, -7);
        cell_size(t, c->object_size_bytes, -12);
        if (c->estimate)
            buf_str(t->out, "~");
        text_end_line(t->out);
    }
}

static void top_tasks(struct text *t, const struct model *m)
{
    _cleanup_(buf_done) struct buf about = BUF_INIT(400);
    const struct model_task *task = &m->task;

    if (!task->kept)
        return;
    human_count(&about, task->n_processes, "process, ", "processes, ");
    human_count(&about, task->n_kthreads, "kernel thread", "kernel threads");
    text_heading(t, "LARGEST PROCESSES", about.data);
    text_style_begin(t, STYLE_DIM);
    buf_str(t->out, "     PID COMM                 RSS      ANON      FILE     SHMEM      SWAP"
                    "   ADJ\n");
    text_style_end(t, STYLE_DIM);
    for (size_t i = 0; i < task->kept && task->top[i].rss_bytes; i++) {
        const struct model_task_row *row = &task->top[i];
        char adj[24];

        snprintf(adj, sizeof(adj), "%" PRId64, row->oom_score_adj);
        cell_u64(t, row->pid, -8);
        cell_name(t, row->comm, 15);
        cell_size(t, row->rss_bytes, -9);
        cell_size(t, row->anon_bytes, -9);
        cell_size(t, row->file_bytes, -9);
        cell_size(t, row->shmem_bytes, -9);
        cell_size(t, row->swap_bytes, -9);
        cell(t, adj, -5);
        text_end_line(t->out);
    }
}

static void tainting_modules(struct text *t, const struct model *m)
{
    _cleanup_(buf_done) struct buf b = BUF_INIT(8192), about = BUF_INIT(400);

    if (!m->n_modules)
        return;
    human_count(&about, m->n_modules, "loaded, ", "loaded, ");
    human_size(&about, m->module_bytes);
    if (m->n_tainted)
        buf_printf(&about, "; %" PRIu64 " taint%s the kernel", m->n_tainted,
                   m->n_tainted == 1 ? "s" : "");
    else
        buf_str(&about, "; none taints the kernel");
    text_heading(t, "MODULES", about.data);
    for (size_t i = 0; i < m->n_tainted && i < MODEL_MODULES; i++) {
        buf_str(&b, i ? ", " : "");
        text_append(&b, m->tainted[i].name);
        buf_str(&b, " (");
        text_append(&b, m->tainted[i].taint);
        buf_str(&b, ") ");
        human_size(&b, m->tainted[i].bytes);
    }
    if (m->n_tainted > MODEL_MODULES)
        buf_printf(&b, ", and %" PRIu64 " more", m->n_tainted - MODEL_MODULES);
    if (b.len)
        text_paragraph(t, "  ", b.data);
}

void digest_top(struct text *t, const struct model *m)
{
    top_caches(t, m);
    top_tasks(t, m);
    tainting_modules(t, m);
}

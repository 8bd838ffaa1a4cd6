/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "extract/extract.h"
#include "kernel/module.h"
#include "kernel/taint.h"
#include "util/cleanup.h"
#include "util/math.h"

/*
 * The loaded modules, as /proc/modules lists them, newest first: who may have leaked, and whose
 * code was running. /proc/modules shows the parts of a module that its init still uses as long as
 * it does, and so does `bytes`.
 */
static const struct need needs[N_MODULE_NEEDS] = {MODULE_NEEDS};

struct totals {
    struct extract *x;
    uint64_t modules, bytes;
};

/* So many names of 56 bytes stay within a line, however they are escaped. */
#define MAX_USERS 500

struct users {
    struct emit *emit;
    size_t count;
};

static int emit_user(const char *name, size_t len, void *arg)
{
    struct users *users = arg;

    if (users->count++ == MAX_USERS)
        return -E2BIG;
    emit_strn(users->emit, NULL, name, len);
    return 0;
}

static void emit_users(struct extract *x, const struct module *m)
{
    struct users users = {.emit = x->emit};
    int r;

    if (!x->found[MODULE_SOURCE_LIST].present)
        return;
    emit_array_begin(x->emit, "users");
    r = module_foreach_user(x->k, x->found, m->addr, emit_user, &users);
    emit_array_end(x->emit);
    if (r < 0)
        emit_partial(x->emit, "users of a module: %s", error_text(NULL, r));
}

static int emit_module(const struct module *m, void *arg)
{
    struct totals *totals = arg;
    struct emit *e = totals->x->emit;
    char letters[TAINT_LETTERS_CAP];

    emit_begin(e, "module");
    emit_strn(e, "name", m->name, m->name_len);
    if (m->has_layout) {
        emit_u64(e, "bytes", m->bytes);
        emit_addr(e, "base", m->base);
    }
    emit_str(e, "state", m->state);
    if (m->has_refcount)
        emit_i64(e, "refcount", m->refcount);
    emit_users(totals->x, m);
    if (m->has_taints) {
        taint_letters(m->taints, letters);
        emit_str(e, "taint", letters);
    }
    totals->modules++;
    totals->bytes = sat_add_u64(totals->bytes, m->bytes);
    return emit_end(e);
}

static int run(struct extract *x)
{
    struct totals totals = {.x = x};
    struct module_walk_result walk;
    int r = module_foreach(x->k, x->found, emit_module, &totals, &walk);

    if (r)
        return error_set(x->err, r, "module: %s", error_text(NULL, r));
    if (walk.list_error && !walk.modules)
        return error_set(x->err, walk.list_error, "the list of modules cannot be read: %s",
                         error_text(NULL, walk.list_error));
    if (walk.list_error)
        emit_partial(x->emit, "the list of modules breaks off after %zu: %s", walk.modules,
                     error_text(NULL, walk.list_error));
    if (walk.unreadable)
        emit_partial(x->emit, "%zu modules cannot be read", walk.unreadable);
    emit_begin(x->emit, "total");
    emit_u64(x->emit, "modules", totals.modules);
    emit_u64(x->emit, "bytes", totals.bytes);
    return emit_end(x->emit);
}

const struct extractor extract_module = {
    .name = "module",
    .title = "Loaded modules with their size, users and taint",
    .needs = needs,
    .n_needs = ARRAY_SIZE(needs),
    .budget = {.time_ms = 3000, .memory_bytes = 8 << 20, .output_bytes = 8 << 20},
    .run = run,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/module.h"

#include <errno.h>

#include "kernel/list.h"
#include "util/cleanup.h"
#include "util/math.h"

/* A distribution builds some 5,000; each is at least a page of module area, which is 1.5 GiB. */
#define MAX_MODULES 65536
/* module_memory.base … one for each enum mod_mem_type, of which there are 7 */
#define MAX_PARTS 32
/* include/linux/module.h: MODULE_REF_BASE */
#define REF_BASE 1

static const char *state_name(const struct resolved *found, uint64_t state)
{
    /* m_show(), kernel/module/procfs.c */
    static const struct {
        enum module_need need;
        const char *name;
    } states[] = {
        {MODULE_LIVE, "Live"},
        {MODULE_COMING, "Loading"},
        {MODULE_GOING, "Unloading"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        if ((int64_t)state == found[states[i].need].value)
            return states[i].name;
    return "?";
}

/* ≥ v6.4: an array of parts; the first is the text, whose base is the module's. */
static int read_parts(struct kernel *k, const struct resolved *found, struct module *m)
{
    const struct resolved *mem = &found[MODULE_MEM];
    uint64_t base = 0, bytes = 0, part;
    int r;

    if (!mem->elem_count || mem->elem_count > MAX_PARTS)
        return -EBADMSG;
    if ((r = kernel_field(k, m->addr + mem->offset, &found[MODULE_MEM_BASE], &base)))
        return r;
    for (uint32_t i = 0; i < mem->elem_count; i++) {
        if ((r = kernel_field(k, m->addr + mem->offset + (uint64_t)i * mem->elem_size,
                              &found[MODULE_MEM_SIZE], &part)))
            return r;
        bytes = sat_add_u64(bytes, part);
    }
    m->base = base;
    m->bytes = bytes;
    return 0;
}

static int read_layouts(struct kernel *k, const struct resolved *found, struct module *m)
{
    uint64_t core, init;
    int r;

    if ((r = kernel_field(k, m->addr, &found[MODULE_CORE_BASE], &m->base)) ||
        (r = kernel_field(k, m->addr, &found[MODULE_CORE_SIZE], &core)) ||
        (r = kernel_field(k, m->addr, &found[MODULE_INIT_SIZE], &init)))
        return r;
    m->bytes = sat_add_u64(core, init);
    return 0;
}

static int read_module(struct kernel *k, const struct resolved *found, uint64_t addr,
                       uint64_t state, struct module *ret)
{
    struct module m = {.addr = addr, .state = state_name(found, state)};
    ssize_t len = kernel_field_str(k, addr, &found[MODULE_NAME], m.name, sizeof(m.name));

    if (len < 0)
        return (int)len;
    m.name_len = (size_t)len;
    m.has_layout =
        !(found[MODULE_MEM].present ? read_parts(k, found, &m) : read_layouts(k, found, &m));
    m.has_refcount = !kernel_field_i64(k, addr, &found[MODULE_REFCNT], &m.refcount);
    m.refcount -= REF_BASE; /* -1: being unloaded */
    m.has_taints = !kernel_field(k, addr, &found[MODULE_TAINTS], &m.taints);
    *ret = m;
    return 0;
}

int module_foreach(struct kernel *k, const struct resolved *found,
                   int (*fn)(const struct module *m, void *arg), void *arg,
                   struct module_walk_result *ret)
{
    struct list_walk w = list_walk_init(k, found[MODULE_LIST_HEAD].addr, MAX_MODULES);
    struct module_walk_result result = {0};
    struct module m;
    uint64_t node, state;
    int r, stop = 0;

    while (!stop && (r = list_walk_next(&w, &node)) > 0) {
        uint64_t addr = kernel_container(node, &found[MODULE_LIST]);

        if (kernel_field(k, addr, &found[MODULE_STATE], &state)) {
            result.unreadable++;
            continue;
        }
        if ((int64_t)state == found[MODULE_UNFORMED].value)
            continue;
        if (read_module(k, found, addr, state, &m)) {
            result.unreadable++;
            continue;
        }
        result.modules++;
        stop = fn(&m, arg);
    }
    result.list_error = stop ? 0 : r;
    *ret = result;
    return stop;
}

int module_foreach_user(struct kernel *k, const struct resolved *found, uint64_t addr,
                        int (*fn)(const char *name, size_t len, void *arg), void *arg)
{
    const struct resolved *list = &found[MODULE_SOURCE_LIST];
    const struct resolved *use_list = &found[MODULE_USE_SOURCE_LIST];
    char name[MODULE_NAME_CAP];
    struct list_walk w;
    uint64_t node, user;
    int r;

    if (!list->present || !use_list->present || !found[MODULE_USE_SOURCE].present)
        return -ENOENT;
    w = list_walk_init(k, addr + list->offset, MAX_MODULES);
    while ((r = list_walk_next(&w, &node)) > 0) {
        ssize_t len = -EFAULT;
        int stop;

        if (!kernel_field(k, kernel_container(node, use_list), &found[MODULE_USE_SOURCE], &user))
            len = kernel_field_str(k, user, &found[MODULE_NAME], name, sizeof(name));
        if (len >= 0 && (stop = fn(name, (size_t)len, arg)))
            return stop;
    }
    return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_MODULE_H
#define KERNEL_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"

/*
 * Loadable modules. The functions take `found`, the answers to a needs table that begins with
 * MODULE_NEEDS.
 */
enum module_need {
    MODULE_LIST_HEAD,
    MODULE_LIST,
    MODULE_NAME,
    MODULE_STATE,
    MODULE_TAINTS,
    MODULE_REFCNT,
    MODULE_SOURCE_LIST,
    MODULE_USE_SOURCE_LIST,
    MODULE_USE_SOURCE,
    MODULE_CORE_BASE,
    MODULE_CORE_SIZE,
    MODULE_INIT_SIZE,
    MODULE_MEM,
    MODULE_MEM_BASE,
    MODULE_MEM_SIZE,
    MODULE_LIVE,
    MODULE_COMING,
    MODULE_GOING,
    MODULE_UNFORMED,
    N_MODULE_NEEDS
};

/*
 * core_layout and init_layout became mem[] in "module: replace module_layout with module_memory"
 * (ac3b43283923, v6.4). refcnt and the lists of users exist with CONFIG_MODULE_UNLOAD.
 */
#define MODULE_NEEDS                                                                               \
    [MODULE_LIST_HEAD] = NEED_SYMBOL("modules"), [MODULE_LIST] = NEED_MEMBER("module", "list"),    \
    [MODULE_NAME] = NEED_MEMBER("module", "name"),                                                 \
    [MODULE_STATE] = NEED_MEMBER("module", "state"),                                               \
    [MODULE_TAINTS] = OPT_MEMBER("module", "taints"),                                              \
    [MODULE_REFCNT] = OPT_MEMBER("module", "refcnt"),                                              \
    [MODULE_SOURCE_LIST] = OPT_MEMBER("module", "source_list"),                                    \
    [MODULE_USE_SOURCE_LIST] = OPT_MEMBER("module_use", "source_list"),                            \
    [MODULE_USE_SOURCE] = OPT_MEMBER("module_use", "source"),                                      \
    [MODULE_CORE_BASE] = OPT_MEMBER("module", "core_layout.base"),                                 \
    [MODULE_CORE_SIZE] = OPT_MEMBER("module", "core_layout.size"),                                 \
    [MODULE_INIT_SIZE] = OPT_MEMBER("module", "init_layout.size"),                                 \
    [MODULE_MEM] = OPT_MEMBER("module", "mem"),                                                    \
    [MODULE_MEM_BASE] = OPT_MEMBER("module_memory", "base"),                                       \
    [MODULE_MEM_SIZE] = OPT_MEMBER("module_memory", "size"),                                       \
    [MODULE_LIVE] = NEED_ENUMERATOR("module_state", "MODULE_STATE_LIVE"),                          \
    [MODULE_COMING] = NEED_ENUMERATOR("module_state", "MODULE_STATE_COMING"),                      \
    [MODULE_GOING] = NEED_ENUMERATOR("module_state", "MODULE_STATE_GOING"),                        \
    [MODULE_UNFORMED] = NEED_ENUMERATOR("module_state", "MODULE_STATE_UNFORMED")

/* MODULE_NAME_LEN is 64 - sizeof(long). */
#define MODULE_NAME_CAP 65

struct module {
    uint64_t addr;
    char name[MODULE_NAME_CAP];
    size_t name_len;
    const char *state;    /* as /proc/modules says: "Live", "Loading", "Unloading", or "?" */
    bool has_layout;      /* base and bytes are known */
    uint64_t base, bytes; /* as in /proc/modules: all parts, those freed after init no more */
    bool has_refcount;
    int64_t refcount; /* without the kernel's own reference to a live module */
    bool has_taints;
    uint64_t taints; /* a mask for taint_letters() */
};

struct module_walk_result {
    size_t modules;
    size_t unreadable; /* passed over: a damaged module costs only itself */
    int list_error;    /* why the list ended early, 0 if it did not */
};

/*
 * Calls fn for each module as /proc/modules lists them, newest first and without those that are
 * still being put together, until fn returns non-zero (returned as it is).
 */
int module_foreach(struct kernel *k, const struct resolved *found,
                   int (*fn)(const struct module *m, void *arg), void *arg,
                   struct module_walk_result *ret);

/*
 * Calls fn for the name of each module that uses the module at addr, in the order of /proc/modules,
 * until fn returns non-zero (returned as it is). Users whose name cannot be read are passed over.
 * 0, or a negative code where the list of users is broken, -ENOENT where the kernel keeps none.
 */
int module_foreach_user(struct kernel *k, const struct resolved *found, uint64_t addr,
                        int (*fn)(const char *name, size_t len, void *arg), void *arg);

#endif

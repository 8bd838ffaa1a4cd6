/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_CGROUP_H
#define KERNEL_CGROUP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/kernel.h"

/*
 * Control groups by path. As in kernel/task.h the functions take the answers to a table that holds
 * these entries, here by a pointer to the first of them: CGROUP_NEEDS(first) places them.
 */
enum cgroup_need {
    CGROUP_CSS_SET_DFL,
    CGROUP_CSS_SET_SUBSYS,
    CGROUP_CSS_CGROUP,
    CGROUP_ROOT,
    CGROUP_KN,
    CGROUP_KN_NAME,
    CGROUP_KN_PARENT,
    CGROUP_KN_PARENT_OLD,
    CGROUP_MEMORY_ID,
    N_CGROUP_NEEDS
};

/* kernfs_node.parent became __parent in "kernfs: Use RCU to access kernfs_node::parent" (v6.15). */
#define CGROUP_NEEDS(first)                                                                        \
    [(first) + CGROUP_CSS_SET_DFL] = OPT_MEMBER("css_set", "dfl_cgrp"),                            \
               [(first) + CGROUP_CSS_SET_SUBSYS] = OPT_MEMBER("css_set", "subsys"),                \
               [(first) + CGROUP_CSS_CGROUP] = OPT_MEMBER("cgroup_subsys_state", "cgroup"),        \
               [(first) + CGROUP_ROOT] = OPT_MEMBER("cgroup", "root"),                             \
               [(first) + CGROUP_KN] = OPT_MEMBER("cgroup", "kn"),                                 \
               [(first) + CGROUP_KN_NAME] = OPT_MEMBER("kernfs_node", "name"),                     \
               [(first) + CGROUP_KN_PARENT] = OPT_MEMBER("kernfs_node", "__parent"),               \
               [(first) + CGROUP_KN_PARENT_OLD] = OPT_MEMBER("kernfs_node", "parent"),             \
               [(first) + CGROUP_MEMORY_ID] = OPT_ENUMERATOR("cgroup_subsys_id", "memory_cgrp_id")

/* The longest path that is made; PATH_MAX, as in /proc/PID/cgroup. */
#define CGROUP_PATH_CAP 4096

/*
 * The cgroup that a css_set (task_struct.cgroups) puts its tasks in: in the unified hierarchy, or
 * in the memory controller's where that is still a version 1 hierarchy of its own.
 */
int cgroup_of_css_set(struct kernel *k, const struct resolved *found, uint64_t css_set,
                      uint64_t *ret_cgroup);

/*
 * The cgroup's path from the root of its hierarchy, which is "/". Returns the length. -E2BIG where
 * it does not fit or is nested too deeply.
 */
ssize_t cgroup_path(struct kernel *k, const struct resolved *found, uint64_t cgroup,
                    char ret[static CGROUP_PATH_CAP]);

#endif

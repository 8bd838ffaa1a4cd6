/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/cgroup.h"

#include <errno.h>
#include <string.h>

/* No directory below a path of PATH_MAX bytes is deeper. */
#define MAX_DEPTH (CGROUP_PATH_CAP / 2)
#define NAME_CAP  256 /* NAME_MAX and the NUL */

/* The v1 hierarchy that the memory controller is bound to; -ENOENT where it is bound to none. */
static int memory_v1_cgroup(struct kernel *k, const struct resolved *f, uint64_t css_set,
                            uint64_t dfl_cgroup, uint64_t *ret)
{
    int64_t id = f[CGROUP_MEMORY_ID].value;
    uint64_t css, cgroup, root, dfl_root;
    int r;

    if (!f[CGROUP_MEMORY_ID].present || id < 0)
        return -ENOENT;
    if ((r = kernel_field_at(k, css_set, &f[CGROUP_CSS_SET_SUBSYS], (size_t)id, &css)) ||
        (r = kernel_field(k, css, &f[CGROUP_CSS_CGROUP], &cgroup)) ||
        (r = kernel_field(k, cgroup, &f[CGROUP_ROOT], &root)) ||
        (r = kernel_field(k, dfl_cgroup, &f[CGROUP_ROOT], &dfl_root)))
        return r;
    /* In the unified hierarchy this css may be an ancestor's: the controller need not be enabled.
     */
    if (root == dfl_root)
        return -ENOENT;
    *ret = cgroup;
    return 0;
}

int cgroup_of_css_set(struct kernel *k, const struct resolved *found, uint64_t css_set,
                      uint64_t *ret_cgroup)
{
    uint64_t dfl, v1;
    int r = kernel_field(k, css_set, &found[CGROUP_CSS_SET_DFL], &dfl);

    if (r)
        return r;
    *ret_cgroup = memory_v1_cgroup(k, found, css_set, dfl, &v1) ? dfl : v1;
    return 0;
}

ssize_t cgroup_path(struct kernel *k, const struct resolved *found, uint64_t cgroup,
                    char ret[static CGROUP_PATH_CAP])
{
    const struct resolved *parent_of =
        &found[found[CGROUP_KN_PARENT].present ? CGROUP_KN_PARENT : CGROUP_KN_PARENT_OLD];
    char path[CGROUP_PATH_CAP], name[NAME_CAP];
    size_t start = sizeof(path) - 1;
    uint64_t node, parent, name_va;
    ssize_t len;
    int r = kernel_field(k, cgroup, &found[CGROUP_KN], &node);

    path[start] = '\0';
    for (unsigned depth = 0; !r; depth++) { /* from the leaf up, filling path from its end */
        if ((r = kernel_field(k, node, parent_of, &parent)) || !parent)
            break;
        if ((r = kernel_field(k, node, &found[CGROUP_KN_NAME], &name_va)))
            break;
        len = kernel_read_str(k, name_va, name, sizeof(name));
        if (len < 0)
            return len;
        if (depth >= MAX_DEPTH || (size_t)len + 1 > start)
            return -E2BIG;
        start -= (size_t)len;
        memcpy(path + start, name, (size_t)len);
        path[--start] = '/';
        node = parent;
    }
    if (r)
        return r;
    if (!path[start])
        path[--start] = '/';
    memcpy(ret, path + start, sizeof(path) - start);
    return (ssize_t)(sizeof(path) - 1 - start);
}

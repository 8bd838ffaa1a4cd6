/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/needs.h"

#include <stdio.h>

void need_name(const struct need *n, char *ret, size_t cap)
{
    switch (n->kind) {
    case NEED_KIND_SYMBOL:
        snprintf(ret, cap, "symbol `%s`", n->name);
        break;
    case NEED_KIND_TYPE:
        snprintf(ret, cap, "`struct %s`", n->type);
        break;
    case NEED_KIND_MEMBER:
        snprintf(ret, cap, "member `%s.%s`", n->type, n->name);
        break;
    case NEED_KIND_ENUMERATOR:
        snprintf(ret, cap, "enumerator `%s`", n->name);
        break;
    }
}

const struct need *needs_first_missing(const struct need *needs, const struct resolved *found,
                                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool other = needs[i].how == NEED_OR_NEXT && i + 1 < count && found[i + 1].present;

        if (needs[i].how != NEED_OPTIONAL && !found[i].present && !other)
            return &needs[i];
    }
    return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extract/extract.h"

#include <string.h>

#include "util/cleanup.h"

/* The order of the summary, a line each; those that are EXTRACT_VITAL run first. */
/* clang-format off */
const struct extractor *const extractors[] = {
    &extract_crash,
    &extract_dmesg,
    &extract_oom,
    &extract_memory,
    &extract_zone,
    &extract_slab,
    &extract_task,
    &extract_module,
    NULL, /* the end */
};
/* clang-format on */
const size_t n_extractors = ARRAY_SIZE(extractors) - 1;

const struct extractor *extractor_find(const char *name)
{
    for (size_t i = 0; i < n_extractors; i++)
        if (!strcmp(extractors[i]->name, name))
            return extractors[i];
    return NULL;
}

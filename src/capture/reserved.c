/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/reserved.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

size_t reserved_ranges(const char *proc, struct image_range ret[RESERVED_MAX])
{
    _cleanup_fclose_ FILE *f = NULL;
    char path[PATH_MAX], line[256];
    size_t n = 0;

    snprintf(path, sizeof(path), "%s/iomem", proc);
    f = fopen(path, "re");
    while (f && n < RESERVED_MAX && fgets(line, sizeof(line), f)) {
        char *dash;
        uint64_t start = strtoull(line, &dash, 16), end;

        if (!strstr(line, " : Crash kernel") || *dash != '-')
            continue;
        end = strtoull(dash + 1, NULL, 16);
        if (end > start && end != UINT64_MAX)
            ret[n++] = (struct image_range){.phys = start, .mem_bytes = end - start + 1};
    }
    return n;
}

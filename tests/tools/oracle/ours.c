/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/btf_oracle.h"

#include <stdio.h>
#include <stdlib.h>

#include "kernel/btf_format.h"
#include "util/cleanup.h"

static uint8_t *data;
static struct btf ours;

bool oracle_open(const char *path, uint32_t *ret_count)
{
    _cleanup_fclose_ FILE *f = fopen(path, "rb");
    size_t len;

    data = malloc(BTF_MAX_BYTES);
    if (!f || !data)
        return false;
    len = fread(data, 1, BTF_MAX_BYTES, f);
    if (btf_init(&ours, data, len, NULL) < 0)
        return false;
    *ret_count = ours.count;
    return true;
}

bool oracle_member(uint32_t struct_id, const char *name, struct resolved *ret)
{
    return btf_find_member(&ours, struct_id, name, ret);
}

void oracle_close(void)
{
    btf_done(&ours);
    free(data);
}

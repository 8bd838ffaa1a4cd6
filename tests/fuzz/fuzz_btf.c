/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BTF from a damaged dump: the input is a kernel's BTF. */
#include <stdint.h>
#include <stdlib.h>

#include "kernel/btf.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct need needs[] = {
    NEED_MEMBER("task", "pid"), NEED_MEMBER("task", "inner.deep"),  NEED_MEMBER("task", "stat"),
    NEED_TYPE("alias"),         NEED_ENUMERATOR("", "ZONE_NORMAL"), NEED_ENUMERATOR("big", "BIG"),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct resolved found[ARRAY_SIZE(needs)] = {0};
    const struct needs_set set = {needs, found, ARRAY_SIZE(needs)};
    struct btf b;

    if (btf_init(&b, data, size, NULL) < 0)
        return 0;
    if (btf_resolve(&b, &set, 1, NULL) < 0)
        abort();
    btf_done(&b);
    return 0;
}

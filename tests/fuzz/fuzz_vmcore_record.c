/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the record of a dump: a known state, and only an incomplete one was removed. */
#include <stdlib.h>
#include <string.h>

#include "summary/vmcore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vmcore_record r = vmcore_record_parse((const char *)data, size);

    if (!vmcore_state_name(r.state) || (r.removed && r.state != VMCORE_INCOMPLETE))
        abort();
    return 0;
}

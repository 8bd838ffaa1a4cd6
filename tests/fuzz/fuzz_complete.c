/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a dump file: an answer with its reason, no more memory there than was to be. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/complete.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("dump", MFD_CLOEXEC);
    struct complete c;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    c = complete_check(fd);
    close(fd);
    if (c.state > COMPLETE_NO || (c.state != COMPLETE_YES && !c.why[0]) ||
        (c.want_bytes && c.have_bytes > c.want_bytes))
        abort();
    return 0;
}

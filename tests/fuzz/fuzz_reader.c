/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The summary reader on any bytes: every record is asked for fields, twice. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "summary/reader.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t read_all(struct summary_reader *r)
{
    struct summary_record rec;
    uint64_t sum = 0;

    while (summary_next(r, NULL, &rec) > 0) {
        if (strlen(rec.line) > rec.line_len)
            abort();
        sum += rec.line_len + record_u64(&rec, "bytes", 0) % 7 +
               strlen(record_str(&rec, "name", "")) + json_array_size(record_array(&rec, "x"));
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    uint64_t first;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    if (summary_reader_open_fd(fd, NULL, &r))
        return 0;
    first = read_all(r);
    if (summary_reader_rewind(r, NULL) || read_all(r) != first)
        abort();
    return 0;
}

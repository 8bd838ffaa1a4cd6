/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes from a section's child, in pieces of any size (the first byte): what passes is the same
 * for every size, and is whole lines that look like records of that section. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/lines.h"
#include "util/math.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PREFIX "{\"section\":\"s\",\"record\":\""

struct seen {
    uint64_t rows, bytes;
};

static int sink(void *arg, const char *line, size_t len, struct error *err)
{
    struct seen *seen = arg;

    (void)err;
    seen->rows++;
    seen->bytes += len;
    if (len < sizeof(PREFIX) || memcmp(line, PREFIX, sizeof(PREFIX) - 1) || line[len - 1] != '\n' ||
        memchr(line, '\n', len - 1) || memchr(line, '\0', len) ||
        !strncmp(line + sizeof(PREFIX) - 1, "end\"", 4))
        abort();
    return 0;
}

static struct seen pass(const char *data, size_t size, size_t piece)
{
    struct seen seen = {0};
    struct lines l;

    lines_init(&l, "s", UINT64_MAX, sink, &seen);
    for (size_t at = 0; at < size; at += piece)
        if (lines_feed(&l, data + at, (size_t)min_u64(piece, size - at), NULL))
            abort();
    if (l.rows != seen.rows || l.bytes != size)
        abort();
    lines_done(&l);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole, pieces;

    if (!size)
        return 0;
    whole = pass((const char *)data + 1, size - 1, size);
    pieces = pass((const char *)data + 1, size - 1, (size_t)data[0] + 1);
    if (whole.rows != pieces.rows || whole.bytes != pieces.bytes)
        abort();
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two summaries of any records (JSON Lines, with a line "==" between them) compared: no control
 * byte but newlines and our own colours comes out, JSON stays JSON, a summary does not differ from
 * itself, and there are as many differences one way as the other.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/report_checks.h"
#include "report/diff.h"
#include "summary/reader.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct part {
    const uint8_t *data;
    size_t size;
};

static int fill(struct diff *d, enum diff_side side, const struct part *part)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    int status = summary_reader_open_fd(gzip_file(part->data, part->size), NULL, &r);

    return status ? status : diff_fill(d, side, r, NULL);
}

static int compare(struct diff *d, const struct part *old, const struct part *new)
{
    int r = fill(d, DIFF_OLD, old);

    if (!r)
        r = fill(d, DIFF_NEW, new);
    diff_merge(d);
    return r;
}

static size_t count_differences(const struct diff *d)
{
    size_t n = 0;
    int64_t delta;

    for (size_t i = 0; i < d->n; i++)
        for (size_t f = 0; f < DIFF_FIELDS && d->rows[i].kind->fields[f]; f++)
            n += diff_delta(d, &d->rows[i], f, &delta);
    return n;
}

static void print_all(const struct diff *d)
{
    static const struct diff_options options[] = {
        {.columns = 80, .color = true},
        {.columns = 20, .all = true},
        {.columns = 80, .section = "slab", .paths = {"old", "new\x1b[2J"}},
    };
    bool plain = false;

    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        (void)diff_print(d, &options[i], take_text, &plain);
    (void)diff_print_json(d, NULL, take_json, &plain);
    (void)diff_print_json(d, "task", take_json, &plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char between[] = "\n==\n";
    const uint8_t *cut = size ? memmem(data, size, between, strlen(between)) : NULL;
    size_t first = cut ? (size_t)(cut - data) + 1 : size;
    struct part old = {data, first}, new = {data + first, 0};
    _cleanup_(diff_done) struct diff d = {0}, back = {0}, same = {0};

    if (size > 1 << 20)
        return 0;
    if (cut)
        new = (struct part){cut + strlen(between), size - first - strlen(between) + 1};
    if (compare(&d, &old, &new))
        return 0;
    print_all(&d);
    if (compare(&back, &new, &old) || count_differences(&back) != count_differences(&d))
        abort();
    if (compare(&same, &old, &old) || count_differences(&same))
        abort();
    return 0;
}

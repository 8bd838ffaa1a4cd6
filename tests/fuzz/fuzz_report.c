/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The digest, the tables and the JSON of any records (JSON Lines): whatever they say, no control
 * byte but newlines and our own colours comes out, and JSON stays JSON. */
#include <stddef.h>
#include <stdint.h>

#include "fuzz/report_checks.h"
#include "report/digest.h"
#include "report/table.h"
#include "summary/reader.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void report_all(struct summary_reader *r)
{
    static const char *const sections[] = {"oom", "task", "a"};
    static const struct digest_options options = {.columns = 80, .color = true};
    struct buf text = BUF_INIT(1 << 20);
    bool plain = false, log = true;

    if (!report_digest(r, &options, NULL, &text))
        must_be_safe(text.data, text.len, false);
    buf_done(&text);
    for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
        (void)report_section(r, sections[i], true, take_text, &plain, NULL);
    if (!summary_reader_rewind(r, NULL))
        (void)report_dmesg(r, true, take_text, &log, NULL);
    if (!summary_reader_rewind(r, NULL))
        (void)report_json(r, NULL, take_json, &plain, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;

    if (size <= 1 << 20 && !summary_reader_open_fd(gzip_file(data, size), NULL, &r))
        report_all(r);
    return 0;
}

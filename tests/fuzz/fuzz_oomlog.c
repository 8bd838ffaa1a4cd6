/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a log. The first says how they are read: 'r' as ring-buffer records, whose first two
 * bytes are caller and facility; else as a text log in pieces of that many bytes. Every record that
 * comes out must be JSON that the reader takes, and what people see must steer no terminal and fit
 * 80 columns.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/oom_text.h"
#include "extract/oomlog/oom_records.h"
#include "extract/oomlog/oomlog.h"
#include "extract/oomlog/textlog.h"
#include "util/cleanup.h"
#include "util/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct emit *emit;
    struct oomlog *parser;
};

static int check_json(void *arg, const char *line, size_t len)
{
    json_error_t error;
    json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

    (void)arg;
    if (!json) {
        fprintf(stderr, "%s in %.*s", error.text, (int)len, line);
        abort();
    }
    json_decref(json);
    return 0;
}

static void check_text(const char *text, size_t len)
{
    size_t start = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            if (utf8_columns(text + start, i - start) > 80) {
                fprintf(stderr, "too wide: %.*s\n", (int)(i - start), text + start);
                abort();
            }
            start = i + 1;
        } else if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
            abort();
        }
    }
}

static int take_event(void *arg, const struct oom_event *event)
{
    struct run *run = arg;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        abort();
    oom_text_print(out, event, 5);
    fclose(out);
    check_text(text, len);
    free(text);
    return oom_records_emit(run->emit, event);
}

static int take_line(void *arg, const struct oom_line *line)
{
    struct run *run = arg;

    return oomlog_line(run->parser, line);
}

static void feed_records(struct run *run, const char *data, size_t size)
{
    struct oom_line line = {.wall_s = OOM_NONE};

    while (size > 2) {
        const char *end = memchr(data, '\n', size);
        size_t n = end ? (size_t)(end - data) : size;

        if (n > 2) {
            line.caller = data[0] & 3;
            line.facility = data[1] & 1;
            line.continued = data[1] & 2;
            line.ts_ns = data[1] & 4 ? OOM_NONE : (int64_t)line.seq * 1000000;
            line.text = (struct span){data + 2, n - 2};
            oomlog_line(run->parser, &line);
            line.seq++;
        }
        n += end != NULL;
        data += n;
        size -= n;
    }
}

static void feed_text(struct run *run, const char *data, size_t size, size_t step)
{
    _cleanup_(textlog_freep) struct textlog *text = textlog_new(take_line, run);

    for (size_t at = 0; text && at < size; at += step)
        textlog_feed(text, data + at, size - at < step ? size - at : step);
    if (text)
        textlog_finish(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {.emit = emit_new("oom", check_json, NULL)};

    run.parser = oomlog_new(0, take_event, &run);
    if (run.parser && run.emit && size > 1) {
        if (data[0] == 'r')
            feed_records(&run, (const char *)data + 1, size - 1);
        else
            feed_text(&run, (const char *)data + 1, size - 1, (size_t)data[0] + 1);
        oomlog_finish(run.parser);
    }
    oomlog_free(run.parser);
    emit_free(run.emit);
    return 0;
}

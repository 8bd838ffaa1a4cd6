/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The digest, the tables and the JSON of any records (JSON Lines): whatever they say, no control
 * byte but newlines and our own colours comes out, and JSON stays JSON. */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "report/digest.h"
#include "report/table.h"
#include "summary/reader.h"
#include "util/cleanup.h"
#include "util/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int gzip_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    gzFile gz;

    if (fd < 0 || !(gz = gzdopen(dup(fd), "wb1")))
        abort();
    if (size && gzwrite(gz, data, (unsigned)size) != (int)size)
        abort();
    gzclose(gz);
    return fd;
}

/* An SGR sequence at s, or 0. */
static size_t colour_len(const char *s, size_t len)
{
    size_t n = 2;

    if (len < 3 || s[0] != '\x1b' || s[1] != '[')
        return 0;
    while (n < len && (s[n] == ';' || (s[n] >= '0' && s[n] <= '9')))
        n++;
    return n < len && s[n] == 'm' ? n + 1 : 0;
}

static void must_be_safe(const char *s, size_t len, bool white_space)
{
    while (len) {
        uint32_t cp = 0;
        size_t n = colour_len(s, len);

        if (!n) {
            n = utf8_char(s, len, &cp);
            if (!n || (cp < 0x20 && cp != '\n' && !(white_space && cp == '\t')) ||
                (cp >= 0x7f && cp < 0xa0) || (cp >= 0x202a && cp <= 0x202e))
                abort();
        }
        s += n;
        len -= n;
    }
}

static int take_text(void *arg, const char *text, size_t len)
{
    must_be_safe(text, len, *(bool *)arg);
    return 0;
}

static int take_json(void *arg, const char *text, size_t len)
{
    json_t *json = json_loadb(text, len, JSON_ALLOW_NUL, NULL);

    if (!json)
        abort();
    json_decref(json);
    return take_text(arg, text, len);
}

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

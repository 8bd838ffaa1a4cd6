/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUZZ_REPORT_CHECKS_H
#define FUZZ_REPORT_CHECKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "util/utf8.h"

/* What the fuzz targets of report/ share: records in, output checked. */

static inline int gzip_file(const uint8_t *data, size_t size)
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
static inline size_t colour_len(const char *s, size_t len)
{
    size_t n = 2;

    if (len < 3 || s[0] != '\x1b' || s[1] != '[')
        return 0;
    while (n < len && (s[n] == ';' || (s[n] >= '0' && s[n] <= '9')))
        n++;
    return n < len && s[n] == 'm' ? n + 1 : 0;
}

static inline void must_be_safe(const char *s, size_t len, bool white_space)
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

static inline int take_text(void *arg, const char *text, size_t len)
{
    must_be_safe(text, len, *(bool *)arg);
    return 0;
}

static inline int take_json(void *arg, const char *text, size_t len)
{
    json_t *json = json_loadb(text, len, JSON_ALLOW_NUL, NULL);

    if (!json)
        abort();
    json_decref(json);
    return take_text(arg, text, len);
}

#endif

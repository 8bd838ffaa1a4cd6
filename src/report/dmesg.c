/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <string.h>

#include "report/table.h"
#include "util/deadline.h"

/* isprint() and isspace() in the C locale, whatever the caller's is. */
static bool is_printed(unsigned char c, bool terminal)
{
    if (c >= 0x20 && c < 0x7f)
        return true;
    return terminal ? c == '\t' || c == '\n' : c >= '\t' && c <= '\r';
}

/*
 * kexec-tools (util_lib/elf_info.c): "[%5llu.%06llu] ", then each byte as it is if it is printable
 * or white space in the C locale and as \xNN otherwise, then a newline; lines of a record after the
 * first have no prefix. A byte that was not UTF-8 is \xNN in the summary already.
 */
void report_dmesg_line(struct buf *b, const struct summary_record *rec, bool terminal)
{
    const json_t *text = json_object_get(rec->json, "text");
    const char *s = json_string_value(text);
    uint64_t ts_ns = record_u64(rec, "ts_ns", 0);
    size_t len = json_string_length(text);

    buf_printf(b, "[%5llu.%06llu] ", ts_ns / NSEC_PER_SEC, ts_ns % NSEC_PER_SEC / NSEC_PER_USEC);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];

        if (is_printed(c, terminal))
            buf_char(b, (char)c);
        else
            buf_printf(b, "\\x%02x", c);
    }
    buf_char(b, '\n');
}

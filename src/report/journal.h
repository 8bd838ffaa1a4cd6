/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_JOURNAL_H
#define REPORT_JOURNAL_H

#include <stddef.h>

#include "util/buf.h"
#include "util/error.h"

/*
 * The journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), without libsystemd: one
 * datagram an entry, of "FIELD=value\n", or "FIELD\n", a 64-bit little-endian length, the bytes and
 * "\n" where the value holds a newline.
 */
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* A datagram larger than this may be refused by the socket's send buffer; ours are far below. */
#define JOURNAL_ENTRY_LIMIT (64 << 10)

/* field is trusted: capital letters, digits and '_'. value may hold any byte. */
void journal_field(struct buf *entry, const char *field, const char *value, size_t len);
void journal_field_str(struct buf *entry, const char *field, const char *value);
__attribute__((format(printf, 3, 4))) void journal_field_printf(struct buf *entry,
                                                                const char *field, const char *fmt,
                                                                ...);

/* Sends the entry. Negative errno with text; -E2BIG if a field did not fit. */
int journal_send(const char *socket_path, const struct buf *entry, struct error *err);

#endif

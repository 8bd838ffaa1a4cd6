/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/journal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util/cleanup.h"

void journal_field(struct buf *entry, const char *field, const char *value, size_t len)
{
    buf_str(entry, field);
    if (memchr(value, '\n', len)) {
        buf_char(entry, '\n');
        for (unsigned shift = 0; shift < 64; shift += 8)
            buf_char(entry, (char)((uint64_t)len >> shift & 0xff));
    } else {
        buf_char(entry, '=');
    }
    buf_append(entry, value, len);
    buf_char(entry, '\n');
}

void journal_field_str(struct buf *entry, const char *field, const char *value)
{
    journal_field(entry, field, value, strlen(value));
}

void journal_field_printf(struct buf *entry, const char *field, const char *fmt, ...)
{
    char value[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(value, sizeof(value), fmt, ap);
    va_end(ap);
    journal_field_str(entry, field, value);
}

int journal_send(const char *socket_path, const struct buf *entry, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_close_ int fd = -1;
    ssize_t sent;

    if (entry->full)
        return error_set(err, -E2BIG, "the journal entry is too long");
    if (strlen(socket_path) >= sizeof(address.sun_path))
        return error_set(err, -ENAMETOOLONG, "%s: the path is too long", socket_path);
    strcpy(address.sun_path, socket_path);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(err, -errno, "cannot make a socket: %s", strerror(errno));
    do
        sent = sendto(fd, entry->data, entry->len, MSG_NOSIGNAL, (struct sockaddr *)&address,
                      sizeof(address));
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return error_set(err, -errno, "cannot send to %s: %s", socket_path, strerror(errno));
    return 0;
}

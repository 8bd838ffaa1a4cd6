/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTIL_IO_H
#define UTIL_IO_H

#include <stddef.h>

/* write(2) until all of it is written, through signals. Negative errno; -EIO if it takes nothing.
 */
int write_all(int fd, const void *data, size_t len);

/* The same from data + *io_done on; *io_done advances also when it fails. */
int write_some(int fd, const void *data, size_t len, size_t *io_done);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTIL_JSON_H
#define UTIL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/*
 * Writes JSON (RFC 8259) into a buffer, commas included. Names are trusted; string values are not:
 * control characters become \u00NN, and bytes that are not UTF-8 become the four characters \xNN
 * (as /dev/kmsg and vmcore-dmesg show them), so that the output is always valid. Integers above
 * 2^63-1 are written as 2^63-1 (summary/FORMAT.md). A NULL name means: inside an array.
 */
struct json {
    struct buf *out;
    bool need_comma;
};

void json_object_begin(struct json *j, const char *name);
void json_object_end(struct json *j);
void json_array_begin(struct json *j, const char *name);
void json_array_end(struct json *j);
void json_u64(struct json *j, const char *name, uint64_t value);
void json_i64(struct json *j, const char *name, int64_t value);
void json_bool(struct json *j, const char *name, bool value);
void json_str(struct json *j, const char *name, const char *value);
void json_strn(struct json *j, const char *name, const char *value, size_t len);
/* An address: "0x…", for it may exceed 2^63-1. */
void json_addr(struct json *j, const char *name, uint64_t value);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int code, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return code;
    err->code = code;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    return code;
}

int error_prepend(struct error *err, int code, const char *fmt, ...)
{
    char before[sizeof(err->text)];
    size_t len;
    va_list ap;

    if (!err)
        return code;
    snprintf(before, sizeof(before), "%s", error_text(err, code));
    err->code = code;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof(err->text) - len, ": %s", before);
    return code;
}

const char *error_text(const struct error *err, int code)
{
    if (err && err->text[0])
        return err->text;
    /* what is not damage must not read like damage: "No data available" */
    return code == -ENODATA ? "left out by the dump's filter" : strerror(code < 0 ? -code : code);
}

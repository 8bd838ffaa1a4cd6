/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTIL_ERROR_H
#define UTIL_ERROR_H

#include <stddef.h>

/*
 * The one error idiom of the project.
 *
 * A function that can fail returns an int: 0 (or a count) on success, a negative errno value on
 * failure. Callers decide by the code; the text is for people. Functions whose failure deserves a
 * sentence take a `struct error *err`, which may be NULL when the caller wants the code alone, as
 * scans over damaged memory do. Library rooms never print: the runner or the command does, once.
 *
 * The codes that carry meaning across rooms:
 *   -EFAULT   the dump does not hold that memory, or an address is unmapped
 *   -ENODATA  the dump once held it, but a filter (makedumpfile) left it out
 *   -ENOENT   a symbol, type, member, key or record is not there
 *   -EBADMSG  data contradicts itself: damaged, or not what it claims to be
 *   -E2BIG    a bound of ours was hit
 *   -ELOOP    a linked structure runs in a circle
 *   -ETIME    a deadline passed
 *   -ENOTSUP  a format or machine that this build does not read
 */
struct error {
    int code;
    char text[256];
};

/* Sets text (unless err is NULL) and returns code, so that `return error_set(...)` reads well. */
__attribute__((format(printf, 3, 4))) int error_set(struct error *err, int code, const char *fmt,
                                                    ...);

/* Puts "fmt: " before what err already says; sets it plainly if it says nothing. Returns code. */
__attribute__((format(printf, 3, 4))) int error_prepend(struct error *err, int code,
                                                        const char *fmt, ...);

/* What err says, or the errno text of code where err is NULL or empty. Never NULL. */
const char *error_text(const struct error *err, int code);

#endif

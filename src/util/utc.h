/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTIL_UTC_H
#define UTIL_UTC_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Calendar dates in UTC. Not gmtime_r(), which asks for the time zone, reads its file, and alone
 * adds 100 KB (the C library's scanf among them) to the static program.
 */
struct utc {
    int year, month, day; /* 1970 … 9999, 1 … 12, 1 … 31 */
    int hour, minute, second;
    int weekday; /* 0: Sunday */
};

/* Of seconds since 1970. false if the year is not 1970 to 9999. */
bool utc_from_time(int64_t time_s, struct utc *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/utc.h"

#define DAY_S      86400
#define YEAR_DAYS  365
#define THURSDAY   4 /* 1970-01-01 */
#define YEAR_FIRST 1970
/* the calendar repeats */
#define CYCLE_YEARS 400
#define CYCLE_DAYS  146097
#define TIME_END    253402300800 /* 10000-01-01 */

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

bool utc_from_time(int64_t time_s, struct utc *ret)
{
    struct utc u = {.year = YEAR_FIRST, .month = 1};
    int64_t days = time_s / DAY_S;
    int left = (int)(time_s % DAY_S);

    if (time_s < 0 || time_s >= TIME_END)
        return false;
    u.weekday = (int)((days + THURSDAY) % 7);
    u.year += (int)(days / CYCLE_DAYS) * CYCLE_YEARS;
    days %= CYCLE_DAYS;
    for (; days >= YEAR_DAYS + is_leap(u.year); u.year++)
        days -= YEAR_DAYS + is_leap(u.year);
    for (; days >= month_days(u.year, u.month); u.month++)
        days -= month_days(u.year, u.month);
    u.day = (int)days + 1;
    u.hour = left / 3600;
    u.minute = left / 60 % 60;
    u.second = left % 60;
    *ret = u;
    return true;
}

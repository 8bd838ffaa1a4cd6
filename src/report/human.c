/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/human.h"

#include <inttypes.h>
#include <time.h>

#include "util/cleanup.h"
#include "util/deadline.h"
#include "util/utc.h"

void human_size(struct buf *b, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1023.5 && unit + 1 < ARRAY_SIZE(units)) {
        value /= 1024;
        unit++;
    }
    if (!unit || value >= 99.95 || value == (double)(uint64_t)value)
        buf_printf(b, "%.0f %s", value, units[unit]);
    else
        buf_printf(b, value >= 9.995 ? "%.1f %s" : "%.2f %s", value, units[unit]);
}

void human_percent(struct buf *b, uint64_t part, uint64_t whole)
{
    double percent = whole ? 100.0 * (double)part / (double)whole : 0;

    if (!part || !whole)
        buf_str(b, "0 %");
    else if (percent < 0.1)
        buf_str(b, "<0.1 %");
    else if (percent >= 99.95)
        /* what is not all must not read as if it were */
        buf_printf(b, "%.4g %%", part < whole ? 99.9 : percent);
    else
        buf_printf(b, "%.1f %%", percent);
}

void human_duration(struct buf *b, uint64_t ns)
{
    static const struct {
        uint64_t below_s, big_s, small_s;
        const char *big, *small;
    } forms[] = {
        {3600, 60, 1, "min", "s"},
        {86400, 3600, 60, "h", "min"},
        {UINT64_MAX, 86400, 3600, "d", "h"},
    };
    uint64_t s = ns / NSEC_PER_SEC;

    if (s < 60) {
        buf_printf(b, s < 10 ? "%.2f s" : "%.1f s", (double)(ns / NSEC_PER_MSEC) / 1000);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        if (s < forms[i].below_s) {
            buf_printf(b, "%" PRIu64 " %s %" PRIu64 " %s", s / forms[i].big_s, forms[i].big,
                       s % forms[i].big_s / forms[i].small_s, forms[i].small);
            return;
        }
}

void human_timestamp(struct buf *b, uint64_t ns)
{
    buf_printf(b, "%llu.%06llu s", ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / NSEC_PER_USEC);
}

/* A capture image has no time zones, and its program not the code for them (util/utc.h). */
static bool append_local_time(struct buf *b, int64_t time_s)
{
#ifndef STATIC_BUILD
    time_t t = (time_t)time_s;
    struct tm tm;
    char text[64];

    if (localtime_r(&t, &tm) && strftime(text, sizeof(text), "%a %F %T %Z", &tm)) {
        buf_str(b, text);
        return true;
    }
#else
    (void)b, (void)time_s;
#endif
    return false;
}

void human_time(struct buf *b, int64_t time_s, bool local)
{
    static const char weekdays[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    struct utc u;

    if (time_s <= 0 || !utc_from_time(time_s, &u))
        buf_str(b, "unknown time");
    else if (!local || !append_local_time(b, time_s))
        buf_printf(b, "%s %04d-%02d-%02d %02d:%02d:%02d UTC", weekdays[u.weekday], u.year, u.month,
                   u.day, u.hour, u.minute, u.second);
}

void human_count(struct buf *b, uint64_t n, const char *singular, const char *plural)
{
    buf_printf(b, "%" PRIu64 " %s", n, n == 1 ? singular : plural);
}

void human_complete(struct buf *b, const struct complete *c)
{
    static const char *const states[] = {
        [COMPLETE_UNKNOWN] = "unknown: ",
        [COMPLETE_YES] = "whole",
        [COMPLETE_NO] = "incomplete: ",
    };

    buf_str(b, states[c->state]);
    if (c->state == COMPLETE_YES)
        return;
    buf_str(b, c->why);
    if (c->state == COMPLETE_UNKNOWN || !c->want_bytes)
        return;
    buf_str(b, "; ");
    human_percent(b, c->have_bytes, c->want_bytes);
    buf_str(b, " of its memory is there, ");
    human_size(b, c->have_bytes);
    buf_str(b, " of ");
    human_size(b, c->want_bytes);
}

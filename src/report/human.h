/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_HUMAN_H
#define REPORT_HUMAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/complete.h"
#include "util/buf.h"

/* Numbers as people read them, always with their unit. Each appends to b. */

/* "0 B", "512 B", "4 KiB", "1.25 MiB", "12.3 GiB": three or four digits, binary units. */
void human_size(struct buf *b, uint64_t bytes);

/* "40.1 %" of whole; "0 %" of nothing. */
void human_percent(struct buf *b, uint64_t part, uint64_t whole);

/* "0.35 s", "29.4 s", "3 min 12 s", "2 h 5 min", "12 d 3 h". */
void human_duration(struct buf *b, uint64_t ns);

/* "29.371355 s": a log's time stamp, seconds since boot. */
void human_timestamp(struct buf *b, uint64_t ns);

/* "Fri 2026-11-21 10:58:03 UTC" from seconds since 1970; "unknown time" for 0 and nonsense. */
void human_time(struct buf *b, int64_t time_s, bool local);

/* "1 process", "2 processes". */
void human_count(struct buf *b, uint64_t n, const char *singular, const char *plural);

/* "whole"; "incomplete: REASON; 43.1 % of its memory is there, 412 MiB of 956 MiB"; "unknown:
 * REASON". */
void human_complete(struct buf *b, const struct complete *c);

#endif

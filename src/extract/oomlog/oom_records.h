/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXTRACT_OOMLOG_OOM_RECORDS_H
#define EXTRACT_OOMLOG_OOM_RECORDS_H

#include "extract/emit.h"
#include "extract/oomlog/oomlog.h"

/*
 * Emits the event as the records of the `oom` section: event, victim, sharer, meminfo, memcg_stat,
 * slab, allocation, candidate. 0 or what emit_end() said.
 */
int oom_records_emit(struct emit *e, const struct oom_event *ev);

#endif

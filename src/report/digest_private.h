/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_DIGEST_PRIVATE_H
#define REPORT_DIGEST_PRIVATE_H

#include "report/model.h"
#include "report/text.h"

/* The parts of the digest, a file each. Each writes nothing where the summary has nothing. */

/* The OOM decisions as a timeline, up to the panic. */
void digest_oom(struct text *t, const struct model *m);

/* Where memory is: the bar and its legend. */
void digest_memory(struct text *t, const struct model *m);

/* The largest caches and processes, modules that taint. */
void digest_top(struct text *t, const struct model *m);

/* The log around the first sign of trouble, where that is not a lack of memory. */
void digest_log(struct text *t, const struct model *m);

/* When the log says that it ended: the panic, or its last line. */
uint64_t model_end_ns(const struct model *m);

#endif

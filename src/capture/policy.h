/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_POLICY_H
#define CAPTURE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/estimate.h"
#include "extract/emit.h"
#include "util/error.h"

/* Whether the full dump is written too: Mode= of vmcore-summary.conf(5). */
enum policy_mode {
    POLICY_ALONGSIDE, /* always */
    POLICY_INSTEAD,   /* never, if there is a summary */
    POLICY_AUTO,      /* unless it cannot fit */
};

/* "alongside", "instead", "auto"; -EINVAL with text for anything else. */
int policy_mode_find(const char *name, struct error *err, enum policy_mode *ret);

/* What the administrator wants. */
struct policy {
    enum policy_mode mode;
    unsigned level; /* makedumpfile -d */
    enum compression compression;
    uint64_t min_free_bytes; /* to be left on the target */
};

/* What is known when it is time to decide. */
struct policy_facts {
    const struct estimate *estimate; /* not valid: none could be made */
    const char *no_estimate;         /* why; NULL or a sentence */
    bool has_free;
    uint64_t free_bytes; /* on the dump's target, after the summary */
    bool has_summary;    /* a file that will stay, with the log in it */
    bool made_room;      /* by removing what is beyond the limits of retention */
};

struct policy_decision {
    bool skip; /* the full dump */
    char reason[192];
};

/*
 * Decides. When in doubt the dump is written: only a summary that is kept, and in `auto` only
 * figures that say it cannot fit, make it superfluous.
 */
void policy_decide(const struct policy *p, const struct policy_facts *f,
                   struct policy_decision *ret);

/* The section `policy`, one record of that name. 0 or negative as emit_end(). */
int policy_emit(struct emit *e, const struct policy *p, const struct policy_facts *f,
                const struct policy_decision *d);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/policy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "util/cleanup.h"
#include "util/math.h"

static const char *const modes[] = {
    [POLICY_ALONGSIDE] = "alongside",
    [POLICY_INSTEAD] = "instead",
    [POLICY_AUTO] = "auto",
};

int policy_mode_find(const char *name, struct error *err, enum policy_mode *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (!strcasecmp(name, modes[i])) {
            *ret = (enum policy_mode)i;
            return 0;
        }
    return error_set(err, -EINVAL, "'%s' is none of alongside, instead and auto", name);
}

/* Mebibytes with one digit, for the reason's text. */
static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

__attribute__((format(printf, 3, 4))) static void decide(struct policy_decision *d, bool skip,
                                                         const char *fmt, ...)
{
    va_list ap;

    d->skip = skip;
    va_start(ap, fmt);
    vsnprintf(d->reason, sizeof(d->reason), fmt, ap);
    va_end(ap);
}

static const struct estimate_level *wanted_level(const struct policy *p,
                                                 const struct policy_facts *f)
{
    return f->estimate && f->estimate->valid && p->level < ESTIMATE_LEVELS
               ? &f->estimate->levels[p->level]
               : NULL;
}

static void decide_by_room(const struct policy *p, const struct policy_facts *f,
                           struct policy_decision *ret)
{
    const struct estimate_level *l = wanted_level(p, f);

    if (!l)
        decide(ret, false, "its size is not known: %s", f->no_estimate ? f->no_estimate : "?");
    else if (!f->has_free)
        decide(ret, false, "the room on its target is not known");
    else if (estimate_fits(l, p->min_free_bytes, f->free_bytes))
        decide(ret, false, "about %.1f MiB fit into %.1f MiB%s", mib(l->bytes), mib(f->free_bytes),
               f->made_room ? ", old summaries and dumps removed" : "");
    else
        decide(ret, f->has_summary,
               "about %.1f MiB, and %.1f MiB to be left free, do not fit into %.1f MiB%s",
               mib(l->bytes), mib(p->min_free_bytes), mib(f->free_bytes),
               f->has_summary ? "" : ", but there is no summary in its place");
}

void policy_decide(const struct policy *p, const struct policy_facts *f,
                   struct policy_decision *ret)
{
    if (p->mode == POLICY_ALONGSIDE)
        decide(ret, false, "Mode=alongside");
    else if (p->mode == POLICY_AUTO)
        decide_by_room(p, f, ret);
    else if (f->has_summary)
        decide(ret, true, "Mode=instead");
    else
        decide(ret, false, "Mode=instead, but there is no summary in its place");
}

int policy_emit(struct emit *e, const struct policy *p, const struct policy_facts *f,
                const struct policy_decision *d)
{
    const struct estimate_level *l = wanted_level(p, f);

    emit_begin(e, "policy");
    emit_str(e, "mode", modes[p->mode]);
    emit_str(e, "decision", d->skip ? "skip" : "dump");
    emit_str(e, "reason", d->reason);
    emit_u64(e, "level", p->level);
    emit_str(e, "compression", compression_name(p->compression));
    if (l) {
        emit_u64(e, "estimate_bytes", l->bytes);
        emit_u64(e, "error_bytes", l->error_bytes);
    }
    if (f->has_free)
        emit_u64(e, "free_bytes", f->free_bytes);
    emit_u64(e, "min_free_bytes", p->min_free_bytes);
    return emit_end(e);
}

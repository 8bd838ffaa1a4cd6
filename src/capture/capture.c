/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "capture/header.h"
#include "capture/section.h"
#include "capture/target.h"
#include "kernel/kernel.h"
#include "kernel/profile.h"
#include "util/cleanup.h"
#include "util/deadline.h"
#include "util/math.h"

/* The header is a few reads; symbols and types take 6 MiB, and a scan of the image some time. */
static const struct budget header_budget = {5000, 4 << 20, 64 << 10};
static const struct budget bootstrap_budget = {20000, 64 << 20, 4096};
/* The estimate looks at some thousand pages for a fraction of a second. */
static const struct budget estimate_budget = {5000, 8 << 20, 64 << 10};

struct capture {
    const struct capture_options *o;
    struct image *im;
    struct kernel *k; /* NULL if this build cannot read this machine */
    struct summary_writer *w;
    uint64_t start_ns, deadline_ns;
    struct error no_kernel; /* why k is NULL */
    struct profile_use profile;
    struct error no_symbols; /* why bootstrap found none; empty while it has not failed */
    struct needs_set *sets;  /* one an extractor, same indexes */
    struct resolved *found;  /* of all sets, shared with children */
    size_t found_bytes;
    struct estimate *estimate; /* shared with children; NULL if it is not wanted */
    char no_estimate[128];
    bool has_log; /* the dmesg section holds something */
    uint64_t max_child_bytes;
    struct capture_result result;
};

bool capture_wants(const char *list, const char *name)
{
    static const char separators[] = " \t,";
    size_t len, name_len = strlen(name);
    bool any = false;

    for (const char *p = list ? list : ""; *p; p += len) {
        p += strspn(p, separators);
        len = strcspn(p, separators);
        if (len && len == name_len && !memcmp(p, name, len))
            return true;
        any |= len > 0;
    }
    return !any;
}

/* ---- sections ------------------------------------------------------------------------------- */

/* emit_sink_fn */
static int write_own_line(void *arg, const char *line, size_t len)
{
    return summary_section_lines(arg, line, len, NULL);
}

/* section_sink_fn */
static int write_line(void *arg, const char *line, size_t len, struct error *err)
{
    return summary_section_lines(arg, line, len, err);
}

static void account(struct capture *c, const char *name, const struct section_result *r)
{
    c->result.bytes_read = sat_add_u64(c->result.bytes_read, r->end.bytes_read);
    c->max_child_bytes = max_u64(c->max_child_bytes, r->max_rss_bytes);
    c->result.sections++;
    c->result.bad += r->end.status >= SECTION_TIMEOUT;
    c->has_log |= !strcmp(name, "dmesg") && r->end.rows > 0;
    if (c->o->progress)
        c->o->progress(c->o->arg, name, &r->end);
}

static struct section_job new_job(const struct capture *c, const char *name,
                                  const struct budget *budget)
{
    struct section_job job = {.name = name,
                              .budget = *budget,
                              .im = c->im,
                              .k = c->k,
                              .writer = c->w,
                              .deadline_ns = c->deadline_ns,
                              .whole_ms = c->o->deadline_ms};

    if (c->o->section_deadline_ms)
        job.budget.time_ms = (uint32_t)min_u64(c->o->section_deadline_ms, UINT32_MAX);
    return job;
}

/* A section that a job writes or, without one, that *r tells of already. */
static int write_section(struct capture *c, const char *name, const struct section_job *job,
                         struct section_result *r, struct error *err)
{
    int e = summary_section_begin(c->w, name, err);

    if (!e && job)
        e = section_run(job, write_line, c->w, err, r);
    if (!e)
        e = summary_section_end(c->w, &r->end, err);
    if (!e)
        account(c, name, r);
    return e;
}

static int write_header(struct capture *c, struct error *err)
{
    struct header_source source = {c->im, c->k};
    struct section_job job = new_job(c, "header", &header_budget);
    struct section_result result = {0};

    job.run = header_run;
    job.arg = &source;
    return write_section(c, "header", &job, &result, err);
}

struct extractor_run {
    const struct extractor *x;
    struct kernel *k;
    const struct resolved *found;
};

static int run_extractor(void *arg, struct emit *e, struct error *err)
{
    struct extractor_run *run = arg;
    struct extract x = {run->k, run->found, e, err};

    return run->x->run(&x);
}

/* true, and *ret says why, if the section cannot or may not run. */
static bool must_skip(const struct capture *c, size_t i, struct section_result *ret)
{
    const struct extractor *x = c->o->extractors[i];
    const struct need *missing = NULL;
    const char *why = c->no_symbols.text;
    char name[128];

    if (!c->k) {
        section_result_set(ret, SECTION_SKIPPED, "%s", c->no_kernel.text);
        return true;
    }
    if (!(x->flags & EXTRACT_VITAL))
        missing = needs_first_missing(x->needs, c->sets[i].found, x->n_needs);
    if (missing) {
        need_name(missing, name, sizeof(name));
        section_result_set(ret, SECTION_SKIPPED, "no %s%s%s", name, *why ? ": " : "", why);
        return true;
    }
    if (deadline_passed(c->deadline_ns)) {
        section_result_set(ret, SECTION_TIMEOUT,
                           "the deadline for the whole capture passed before it began");
        return true;
    }
    return false;
}

static int write_extractor(struct capture *c, size_t i, struct error *err)
{
    const struct extractor *x = c->o->extractors[i];
    struct extractor_run run = {x, c->k, c->sets[i].found};
    struct section_job job = new_job(c, x->name, &x->budget);
    struct section_result result = {0};
    bool skip = must_skip(c, i, &result);

    job.run = run_extractor;
    job.arg = &run;
    return write_section(c, x->name, skip ? NULL : &job, &result, err);
}

/* The wanted extractors with these flags, in the order of the array. */
static int write_extractors(struct capture *c, unsigned vital, struct error *err)
{
    for (size_t i = 0; i < c->o->n_extractors; i++) {
        const struct extractor *x = c->o->extractors[i];
        int r;

        if ((x->flags & EXTRACT_VITAL) != vital || !capture_wants(c->o->sections, x->name))
            continue;
        r = write_extractor(c, i, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- symbols and types ---------------------------------------------------------------------- */

/* The profile's text, the caller's to free; NULL without one. */
static char *read_profile(const char *path, size_t *ret_len)
{
    _cleanup_fclose_ FILE *f = path ? fopen(path, "re") : NULL;
    char *text = f ? malloc(PROFILE_MAX_BYTES) : NULL;

    if (text)
        *ret_len = fread(text, 1, PROFILE_MAX_BYTES, f);
    return text;
}

static int run_bootstrap(void *arg, struct emit *e, struct error *err)
{
    const struct capture *c = arg;
    size_t len = 0;
    _cleanup_free_ char *profile = read_profile(c->o->profile, &len);
    int r;

    (void)e;
    kernel_use_profile(c->k, profile, len);
    r = kernel_bootstrap(c->k, err);
    kernel_use_profile(c->k, NULL, 0);
    return r;
}

/* In a child: what it finds lies in shared memory, what it allocates is gone with it. */
static void bootstrap(struct capture *c)
{
    struct section_job job = new_job(c, "symbols", &bootstrap_budget);
    struct section_result result;

    job.budget.time_ms = bootstrap_budget.time_ms; /* every section after it needs its result */
    job.run = run_bootstrap;
    job.arg = c;
    section_run(&job, NULL, NULL, NULL, &result);
    c->max_child_bytes = max_u64(c->max_child_bytes, result.max_rss_bytes);
    c->result.bytes_read = sat_add_u64(c->result.bytes_read, result.end.bytes_read);
    /* a partial one met filtered pages where it searched, and found the symbols all the same */
    if (result.end.status != SECTION_OK && result.end.status != SECTION_PARTIAL)
        error_set(&c->no_symbols, -ENOENT, "%s", result.reason);
    /* one that was ended half-way may have left half an answer */
    if (result.end.status == SECTION_TIMEOUT || result.end.status == SECTION_KILLED)
        memset(c->found, 0, c->found_bytes);
    else
        c->profile = kernel_profile_use(c->k);
    kernel_adopt(c->k);
    /* from here on no section can change what the next one believes */
    mprotect(c->found, c->found_bytes, PROT_READ);
}

static bool any_needs_symbols(const struct capture *c)
{
    for (size_t i = 0; i < c->o->n_extractors; i++) {
        const struct extractor *x = c->o->extractors[i];

        if (!(x->flags & EXTRACT_VITAL) && capture_wants(c->o->sections, x->name))
            return true;
    }
    return false;
}

static int make_sets(struct capture *c, struct error *err)
{
    const struct capture_options *o = c->o;
    size_t total = 0;
    struct resolved *found;

    for (size_t i = 0; i < o->n_extractors; i++)
        total += o->extractors[i]->n_needs;
    c->found_bytes = (total + 1) * sizeof(*found);
    c->sets = calloc(o->n_extractors + 1, sizeof(*c->sets));
    found = mmap(NULL, c->found_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED || !c->sets)
        return error_set(err, -ENOMEM, "no memory");
    c->found = found;
    for (size_t i = 0; i < o->n_extractors; i++) {
        c->sets[i] = (struct needs_set){o->extractors[i]->needs, found, o->extractors[i]->n_needs};
        found += o->extractors[i]->n_needs;
    }
    return 0;
}

/* ---- policy --------------------------------------------------------------------------------- */

static bool wants_estimate(const struct capture *c)
{
    const char *list = c->o->sections;

    return (c->o->policy && c->o->policy->mode == POLICY_AUTO) ||
           (!capture_wants(list, "") && capture_wants(list, "estimate"));
}

static int write_estimate(struct capture *c, struct error *err)
{
    struct section_job job = new_job(c, "estimate", &estimate_budget);
    struct section_result result = {0};
    struct estimate_source source;
    int r;

    c->estimate =
        mmap(NULL, sizeof(*c->estimate), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c->estimate == MAP_FAILED) {
        c->estimate = NULL;
        return error_set(err, -ENOMEM, "no memory");
    }
    c->estimate->compression = c->o->policy ? c->o->policy->compression : COMPRESS_LZO;
    source = (struct estimate_source){c->im, c->k, c->estimate};
    job.run = estimate_run;
    job.arg = &source;
    if (!c->k)
        section_result_set(&result, SECTION_SKIPPED, "%s", c->no_kernel.text);
    r = write_section(c, "estimate", c->k ? &job : NULL, &result, err);
    if (result.end.status != SECTION_OK) {
        c->estimate->valid = false;
        snprintf(c->no_estimate, sizeof(c->no_estimate), "%.127s", result.reason);
    }
    return r;
}

static void decide(struct capture *c, struct policy_facts *facts, struct policy_decision *ret)
{
    const struct policy *p = c->o->policy;

    facts->has_free = !target_free_bytes(c->o->dump_target, &facts->free_bytes);
    policy_decide(p, facts, ret);
    if (!ret->skip || p->mode != POLICY_AUTO || !c->o->make_room)
        return;
    facts->made_room = c->o->make_room(
        c->o->arg, sat_add_u64(c->estimate->levels[p->level].bytes, p->min_free_bytes));
    if (!facts->made_room)
        return;
    facts->has_free = !target_free_bytes(c->o->dump_target, &facts->free_bytes);
    policy_decide(p, facts, ret);
}

static int write_policy(struct capture *c, struct error *err)
{
    _cleanup_(emit_freep) struct emit *e = emit_new("policy", write_own_line, c->w);
    struct policy_facts facts = {.estimate = c->estimate, .no_estimate = c->no_estimate};
    struct section_end end = {.status = SECTION_OK, .rows = 1};
    struct policy_decision decision;
    int r;

    if (!e)
        return error_set(err, -ENOMEM, "no memory");
    facts.has_summary = c->o->keeps_summary && c->has_log && !summary_writer_lost(c->w);
    decide(c, &facts, &decision);
    c->result.skip_dump = decision.skip;
    c->result.sections++;
    r = summary_section_begin(c->w, "policy", err);
    if (!r && policy_emit(e, c->o->policy, &facts, &decision))
        r = error_set(err, -EIO, "the policy cannot be written");
    return r ? r : summary_section_end(c->w, &end, err);
}

static int write_decision(struct capture *c, struct error *err)
{
    int r = wants_estimate(c) ? write_estimate(c, err) : 0;

    return !r && c->o->policy ? write_policy(c, err) : r;
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* The header is written before anyone can know. */
static void emit_profile(struct emit *e, struct profile_use use)
{
    if (!use.symbols && !use.types)
        return;
    emit_array_begin(e, "profile");
    if (use.symbols)
        emit_str(e, NULL, "symbols");
    if (use.types)
        emit_str(e, NULL, "types");
    emit_array_end(e);
}

static int emit_trailer(const struct capture *c)
{
    _cleanup_(emit_freep) struct emit *e = emit_new("trailer", write_own_line, c->w);

    if (!e)
        return -ENOMEM;
    emit_begin(e, "trailer");
    emit_u64(e, "sections", c->result.sections);
    emit_u64(e, "duration_us", c->result.duration_us);
    emit_u64(e, "peak_memory_bytes", c->result.peak_memory_bytes);
    emit_u64(e, "bytes_read", c->result.bytes_read);
    emit_bool(e, "complete", !c->result.bad);
    emit_profile(e, c->profile);
    return emit_end(e);
}

static int write_trailer(struct capture *c, struct error *err)
{
    struct section_end end = {.status = SECTION_OK, .rows = 1};
    struct rusage self = {0};
    int r;

    getrusage(RUSAGE_SELF, &self);
    c->result.peak_memory_bytes = sat_add_u64((uint64_t)self.ru_maxrss * 1024, c->max_child_bytes);
    c->result.duration_us = (now_ns() - c->start_ns) / NSEC_PER_USEC;
    r = summary_section_begin(c->w, "trailer", err);
    if (r < 0)
        return r;
    r = emit_trailer(c);
    if (r < 0)
        return error_set(err, r, "the trailer cannot be written");
    return summary_section_end(c->w, &end, err);
}

static void close_capture(struct capture *c)
{
    kernel_close(c->k);
    if (c->found)
        munmap(c->found, c->found_bytes);
    if (c->estimate)
        munmap(c->estimate, sizeof(*c->estimate));
    free(c->sets);
}

int capture_run(struct image *im, const struct capture_options *options, struct summary_writer *w,
                struct error *err, struct capture_result *ret)
{
    _cleanup_(close_capture) struct capture c = {.o = options, .im = im, .w = w};
    int r;

    c.start_ns = now_ns();
    c.deadline_ns = c.start_ns + options->deadline_ms * NSEC_PER_MSEC;
    r = make_sets(&c, err);
    if (r < 0)
        return r;
    r = kernel_open(im, c.sets, options->n_extractors, &c.no_kernel, &c.k);
    if (r < 0 && !c.no_kernel.text[0])
        error_set(&c.no_kernel, r, "%s", strerror(-r));
    r = write_header(&c, err);
    if (!r)
        r = write_extractors(&c, EXTRACT_VITAL, err);
    if (!r && c.k && any_needs_symbols(&c))
        bootstrap(&c);
    if (!r)
        r = write_extractors(&c, 0, err);
    if (!r)
        r = write_decision(&c, err);
    if (!r)
        r = write_trailer(&c, err);
    if (!r)
        *ret = c.result;
    return r;
}

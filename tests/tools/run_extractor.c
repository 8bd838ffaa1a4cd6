/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run_extractor VMCORE SECTION…: the JSON lines of these sections on standard output, without the
 * processes, limits and compression of the capture. For working on an extractor, and for tests that
 * compare one with a witness. What went wrong is said on standard error; exits 1 if a section was
 * skipped or failed, 2 if the dump could not be read.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/image.h"
#include "extract/extract.h"
#include "kernel/kernel.h"
#include "util/cleanup.h"

#define SECTIONS_MAX 32

struct job {
    const struct extractor *x;
    struct resolved *found;
};

static int print_line(void *arg, const char *line, size_t len)
{
    return fwrite(line, 1, len, arg) == len ? 0 : -1;
}

static int run_section(struct kernel *k, const struct job *job)
{
    const struct need *missing = needs_first_missing(job->x->needs, job->found, job->x->n_needs);
    _cleanup_(emit_freep) struct emit *e = emit_new(job->x->name, print_line, stdout);
    struct error err = {0};
    struct extract x = {k, job->found, e, &err};
    char name[128];
    int r;

    if (!e)
        return -1;
    if (missing) {
        need_name(missing, name, sizeof(name));
        fprintf(stderr, "%s: skipped: no %s\n", job->x->name, name);
        return -1;
    }
    r = job->x->run(&x);
    if (r < 0)
        fprintf(stderr, "%s: failed: %s\n", job->x->name, error_text(&err, r));
    else if (emit_partial_reason(e))
        fprintf(stderr, "%s: partial: %s\n", job->x->name, emit_partial_reason(e));
    return r;
}

static size_t find_sections(char *names[], struct job *ret, struct needs_set *ret_sets)
{
    size_t n = 0;

    for (; *names && n < SECTIONS_MAX; names++) {
        const struct extractor *x = extractor_find(*names);

        if (!x) {
            fprintf(stderr, "run_extractor: no section %s\n", *names);
            exit(2);
        }
        ret[n] = (struct job){x, calloc(x->n_needs + 1, sizeof(struct resolved))};
        ret_sets[n] = (struct needs_set){x->needs, ret[n].found, x->n_needs};
        n++;
    }
    return n;
}

int main(int argc, char *argv[])
{
    struct job jobs[SECTIONS_MAX];
    struct needs_set sets[SECTIONS_MAX];
    struct error err = {0};
    struct image *im = NULL;
    struct kernel *k = NULL;
    int status = 0, r;
    size_t n;

    if (argc < 3) {
        fprintf(stderr, "usage: run_extractor VMCORE SECTION...\n");
        return 2;
    }
    n = find_sections(argv + 2, jobs, sets);
    r = image_open(argv[1], &err, &im);
    if (!r)
        r = kernel_open(im, sets, n, &err, &k);
    if (!r)
        r = kernel_bootstrap(k, &err);
    if (r < 0) {
        fprintf(stderr, "run_extractor: %s: %s\n", argv[1], error_text(&err, r));
        status = 2;
    }
    for (size_t i = 0; i < n; i++) {
        if (k && (status == 0 || jobs[i].x->flags & EXTRACT_VITAL) && run_section(k, &jobs[i]) < 0)
            status = status ? status : 1;
        free(jobs[i].found);
    }
    kernel_close(k);
    if (im)
        image_close(im);
    return status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rehearsal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/child.h"
#include "summary/reader.h"
#include "summary/writer.h"
#include "util/cleanup.h"

/* In the child, which becomes the program. */
static int become(void *arg)
{
    const struct rehearsal *r = arg;
    const char *argv[] = {"vmcore-summary", "capture", "--output", r->output, "--no-console",
                          "--quiet",        "--live",  NULL,       NULL};

    if (r->vmcore) {
        argv[6] = "--vmcore";
        argv[7] = r->vmcore;
    }
    /* who may lift limits would: sections set theirs. Not for root alone: others never could */
    prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE);
    if (setrlimit(RLIMIT_DATA, &(struct rlimit){r->memory_bytes, r->memory_bytes}))
        return 126;
    execv(r->program, (char *const *)argv);
    return 127;
}

static int run_program(const struct rehearsal *r, struct error *err)
{
    int signal = 0, status;

    if (access(r->program, X_OK))
        return error_set(err, -errno, "%s: %s", r->program, strerror(errno));
    status = child_run(become, (void *)r, r->timeout_ms, &(struct child_limits){0}, &signal);
    if (status == -ETIME)
        return error_set(err, status, "it had not ended after %" PRIu64 " s", r->timeout_ms / 1000);
    if (status == -ECHILD)
        return error_set(err, status, "it was ended by %s", child_signal_name(signal));
    if (status == 127)
        return error_set(err, -ENOEXEC, "%s cannot be run", r->program);
    if (status < 0)
        return error_set(err, status, "%s", strerror(-status));
    return status ? error_set(err, -EIO, "there would be no summary") : 0;
}

static void add_section(struct rehearsal_result *ret, const struct summary_record *rec)
{
    struct rehearsal_section *s = &ret->sections[ret->n_sections];

    if (ret->n_sections == REHEARSAL_SECTIONS || !strcmp(rec->section, "trailer"))
        return;
    snprintf(s->name, sizeof(s->name), "%s", rec->section);
    snprintf(s->status, sizeof(s->status), "%s", record_str(rec, "status", "?"));
    snprintf(s->reason, sizeof(s->reason), "%s", record_str(rec, "reason", ""));
    s->rows = record_u64(rec, "rows", 0);
    s->duration_us = record_u64(rec, "duration_us", 0);
    ret->n_sections++;
}

static int read_result(const char *directory, struct error *err, struct rehearsal_result *ret)
{
    _cleanup_(summary_reader_closep) struct summary_reader *reader = NULL;
    char path[PATH_MAX];
    struct summary_record rec;
    struct stat st;
    int r;

    snprintf(path, sizeof(path), "%s/" SUMMARY_FILE_NAME, directory);
    if (stat(path, &st))
        return error_set(err, -errno, "there would be no summary");
    ret->bytes = (uint64_t)st.st_size;
    r = summary_reader_open(path, err, &reader);
    while (!r && (r = summary_next(reader, err, &rec)) > 0) {
        r = 0;
        if (!strcmp(rec.record, "end")) {
            add_section(ret, &rec);
        } else if (record_is(&rec, "trailer", "trailer")) {
            ret->peak_memory_bytes = record_u64(&rec, "peak_memory_bytes", 0);
            ret->duration_us = record_u64(&rec, "duration_us", 0);
            ret->complete = record_bool(&rec, "complete", false);
        }
    }
    return r;
}

int rehearse(const struct rehearsal *r, struct error *err, struct rehearsal_result *ret)
{
    struct rehearsal_result result = {0};
    int status = run_program(r, err);

    if (!status)
        status = read_result(r->output, err, &result);
    if (status < 0)
        return status;
    *ret = result;
    return 0;
}

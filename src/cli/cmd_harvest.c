/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/config.h"
#include "capture/retention.h"
#include "capture/target.h"
#include "cli/command.h"
#include "cli/summaries.h"
#include "report/digest.h"
#include "report/human.h"
#include "report/journal.h"
#include "report/model.h"
#include "report/text.h"
#include "summary/writer.h"
#include "summary/vmcore.h"
#include "util/cleanup.h"

#define NAME "harvest"

/* Beside a summary that has been told of. */
#define SEEN_NAME ".seen"

/* Ours, in systemd/vmcore-summary.catalog, too. Never another one. */
#define MESSAGE_ID        "52d767be0094425d9727dea1a36cc57f"
#define PRIORITY_CRITICAL "2" /* syslog(3) LOG_CRIT, what kernel panics of a machine deserve */

#define TEXT_LIMIT (64 << 10) /* of a digest */

struct harvest {
    const char *directory, *motd, *socket;
    bool text;
    uint64_t told;
    struct buf motd_text; /* about the latest */
};

static void print_help(void)
{
    puts("Usage: vmcore-summary harvest [OPTION]...\n"
         "Writes a journal entry for each summary that has not been told of yet. Run at\n"
         "boot by vmcore-summary-harvest.service.\n\n"
         "  -D, --directory=DIR   look for summaries in DIR and below\n"
         "      --motd=FILE       write a line about the latest new one there, for people\n"
         "                        who log in\n"
         "  -h, --help            show this help\n\n"
         "See vmcore-summary-harvest(8).");
}

static int parse_options(int argc, char **argv, struct harvest *h)
{
    enum { OPT_MOTD = 256, OPT_TEXT, OPT_SOCKET };
    static const struct option options[] = {
        {"directory", required_argument, NULL, 'D'},
        {"motd", required_argument, NULL, OPT_MOTD},
        {"text", no_argument, NULL, OPT_TEXT},
        {"socket", required_argument, NULL, OPT_SOCKET}, /* for tests */
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "D:h", options, NULL)) >= 0)
        switch (c) {
        case 'D':
            h->directory = optarg;
            break;
        case OPT_MOTD:
            h->motd = optarg;
            break;
        case OPT_TEXT:
            h->text = true;
            break;
        case OPT_SOCKET:
            h->socket = optarg;
            break;
        case 'h':
            print_help();
            return EXIT_SUCCESS;
        default:
            return command_usage_error(NAME);
        }
    return command_no_arguments(NAME, argc);
}

/* The marker's path beside a summary; NULL if memory is out. */
static char *marker_path(const char *summary)
{
    _cleanup_free_ char *copy = strdup(summary);
    char *path = NULL;

    if (!copy || asprintf(&path, "%s/" SEEN_NAME, dirname(copy)) < 0)
        return NULL;
    return path;
}

static void append_state(struct buf *b, struct summary_damage d)
{
    if (d.bad_members || d.bad_lines || d.gave_up)
        buf_str(b, " The summary is damaged.");
    else if (d.truncated || d.no_trailer)
        buf_str(b, " The summary is incomplete.");
}

static void append_vmcore(struct buf *b, const struct vmcore_file *v)
{
    if (v->state != VMCORE_INCOMPLETE || !v->name[0])
        return;
    buf_str(b, " The vmcore is ");
    if (v->contents.state == COMPLETE_NO)
        human_complete(b, &v->contents);
    else
        buf_str(b, "incomplete");
    buf_char(b, '.');
}

static void make_entry(struct buf *entry, const struct model *m, const struct summary_file *file,
                       struct summary_damage damage)
{
    _cleanup_(buf_done) struct buf message = BUF_INIT(8192);
    struct vmcore_file vmcore = vmcore_beside(file->path);

    report_sentence(m, true, &message);
    append_state(&message, damage);
    append_vmcore(&message, &vmcore);
    buf_str(&message, " Details: vmcore-summary show ");
    text_append(&message, file->path);
    journal_field_str(entry, "MESSAGE", message.data);
    journal_field_str(entry, "MESSAGE_ID", MESSAGE_ID);
    journal_field_str(entry, "PRIORITY", PRIORITY_CRITICAL);
    journal_field_str(entry, "SYSLOG_IDENTIFIER", "vmcore-summary");
    journal_field_str(entry, "VMCORE_SUMMARY_FILE", file->path);
    journal_field_str(entry, "VMCORE_SUMMARY_REASON", m->reason[0] ? m->reason : "unknown");
    journal_field_str(entry, "VMCORE_SUMMARY_PANIC", m->panic);
    journal_field_str(entry, "VMCORE_SUMMARY_KERNEL", m->release);
    journal_field_str(entry, "VMCORE_SUMMARY_NODENAME", m->nodename);
    journal_field_str(entry, "VMCORE_SUMMARY_COMM", m->comm);
    journal_field_printf(entry, "VMCORE_SUMMARY_CRASH_TIME", "%" PRId64, m->crash_time);
    journal_field_printf(entry, "VMCORE_SUMMARY_OOM_EVENTS", "%" PRIu64, m->oom.n_events);
    journal_field_printf(entry, "VMCORE_SUMMARY_VICTIMS", "%" PRIu64, m->oom.n_victims);
    journal_field_str(entry, "VMCORE_SUMMARY_VMCORE", vmcore_state_name(vmcore.state));
}

static int mark_seen(const char *marker)
{
    _cleanup_close_ int fd =
        open(marker, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

    return fd < 0 ? -errno : 0;
}

/* Over that of the capture, if it could write one: what became of the vmcore is known now. */
static int write_text(const char *path, struct error *err)
{
    _cleanup_(buf_done) struct buf text = BUF_INIT(TEXT_LIMIT);
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    struct digest_options options = {.path = path, .after_reboot = true};
    _cleanup_free_ char *copy = strdup(path);
    _cleanup_close_ int dir_fd =
        copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
    int status = dir_fd < 0 ? error_set(err, -errno, "cannot open its directory") : 0;

    if (!status)
        status = summary_reader_open(path, err, &r);
    if (!status)
        status = report_digest(r, &options, err, &text);
    if (!status)
        status = target_write_file(dir_fd, SUMMARY_DIGEST_NAME, text.data, text.len, err);
    return status;
}

/* Tells of one summary. The marker comes last: rather told twice than never. */
static int harvest_one(struct harvest *h, const struct summary_file *file, const char *marker,
                       struct error *err)
{
    _cleanup_(buf_done) struct buf entry = BUF_INIT(JOURNAL_ENTRY_LIMIT);
    _cleanup_(summary_reader_closep) struct summary_reader *r = NULL;
    _cleanup_(model_freep) struct model *m = model_new();
    int status;

    if (!m)
        return error_set(err, -ENOMEM, "out of memory");
    status = summary_reader_open(file->path, err, &r);
    if (!status)
        status = model_fill(m, r, err);
    if (status)
        return status;
    make_entry(&entry, m, file, summary_reader_damage(r));
    status = journal_send(h->socket, &entry, err);
    if (status)
        return status;
    h->told++;
    buf_truncate(&h->motd_text, 0);
    report_sentence(m, true, &h->motd_text);
    status = mark_seen(marker);
    if (status)
        return error_set(err, status, "cannot write %s: %s", marker, strerror(-status));
    return h->text ? write_text(file->path, err) : 0;
}

/* Whether list holds a finished summary in the directory of files[at], an unfinished one. */
static bool has_finished_sibling(const struct summary_list *list, size_t at)
{
    const char *path = list->files[at].path;
    size_t dir_len = (size_t)(strrchr(path, '/') - path) + 1;

    for (size_t i = 0; i < list->n; i++)
        if (!list->files[i].unpublished && !strncmp(list->files[i].path, path, dir_len) &&
            !strchr(list->files[i].path + dir_len, '/'))
            return true;
    return false;
}

static int harvest_all(struct harvest *h, const struct summary_list *list)
{
    int failed = 0;

    for (size_t i = 0; i < list->n; i++) {
        const struct summary_file *file = &list->files[i];
        _cleanup_free_ char *marker = marker_path(file->path);
        struct error err = {0};
        int r = marker ? 0 : -ENOMEM;

        if (file->live) /* no crash, and no news */
            continue;
        if (marker &&
            (!access(marker, F_OK) || (file->unpublished && has_finished_sibling(list, i))))
            continue;
        if (!r)
            r = harvest_one(h, file, marker, &err);
        if (!r)
            continue;
        command_error(NAME, "%s: %s", file->path, error_text(&err, r));
        failed++;
    }
    return failed;
}

/* Written aside and renamed, so that a login never reads half a line. */
static int write_motd(const struct harvest *h)
{
    _cleanup_free_ char *copy = strdup(h->motd), *temporary = NULL;
    _cleanup_fclose_ FILE *f = NULL;
    int r;

    if (!copy || asprintf(&temporary, "%s.new", h->motd) < 0)
        return -ENOMEM;
    if (mkdir(dirname(copy), 0755) && errno != EEXIST)
        return -errno;
    f = fopen(temporary, "we");
    if (!f)
        return -errno;
    fprintf(f, "%s\nDetails: vmcore-summary show", h->motd_text.data);
    if (h->told > 1)
        fprintf(f, " (%" PRIu64 " crashes are new: vmcore-summary list)", h->told);
    fputc('\n', f);
    fchmod(fileno(f), 0644);
    r = fflush(f) || rename(temporary, h->motd) ? -errno : 0;
    if (r)
        unlink(temporary);
    return r;
}

/* After telling: what goes has been heard of. */
static void keep_few(void)
{
    struct config config;

    config_read(CONFIG_PATH, &config);
    retention_run(config.directory, -1, &config.retention, (struct retention_dump){0});
}

static int run_harvest(struct harvest *h)
{
    _cleanup_(summary_list_done) struct summary_list list = {0};
    struct error err = {0};
    int r = summaries_find(h->directory, &err, &list), failed;

    if (r) {
        command_error(NAME, "%s", error_text(&err, r));
        return EXIT_FAILURE;
    }
    failed = harvest_all(h, &list);
    if (h->motd && h->told) {
        r = write_motd(h);
        if (r) {
            command_error(NAME, "cannot write %s: %s", h->motd, strerror(-r));
            failed++;
        }
    }
    if (!h->directory)
        keep_few();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(int argc, char **argv)
{
    struct harvest h = {.socket = JOURNAL_SOCKET, .motd_text = BUF_INIT(8192)};
    int status = parse_options(argc, argv, &h);

    if (status < 0)
        status = run_harvest(&h);
    buf_done(&h.motd_text);
    return status;
}

const struct command cmd_harvest = {NAME, "tell the journal of new summaries (at boot)", run};

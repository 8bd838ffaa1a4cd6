/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/config.h"

#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/cleanup.h"
#include "util/math.h"

#define CONFIG_MAX_LINES    10000
#define CONFIG_MAX_WARNINGS 20 /* a file */
#define DURATION_MAX_MS     (24ULL * 3600 * 1000)

static int parse_path(const char *value, void *ret, size_t size, struct error *err)
{
    if (value[0] != '/')
        return error_set(err, -EINVAL, "'%s' is not an absolute path", value);
    if (strlen(value) >= size)
        return error_set(err, -EINVAL, "path is too long");
    strcpy(ret, value);
    return 0;
}

static int parse_string(const char *value, void *ret, size_t size, struct error *err)
{
    if (strlen(value) >= size)
        return error_set(err, -EINVAL, "value is too long");
    strcpy(ret, value);
    return 0;
}

int config_parse_bool(const char *value, void *ret, size_t size, struct error *err)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true}, {"true", true},   {"on", true},   {"1", true},
                 {"no", false}, {"false", false}, {"off", false}, {"0", false}};

    (void)size;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (!strcasecmp(value, words[i].word)) {
            *(bool *)ret = words[i].value;
            return 0;
        }
    return error_set(err, -EINVAL, "'%s' is neither yes nor no", value);
}

/* A place for the digest: whether, or another device. */
static int parse_sink(const char *value, void *ret, size_t size, struct error *err)
{
    bool on = false;

    if (!strcasecmp(value, "auto"))
        return parse_string("auto", ret, size, err);
    if (value[0] == '/')
        return parse_string(value, ret, size, err);
    if (config_parse_bool(value, &on, sizeof(on), NULL) < 0)
        return error_set(err, -EINVAL, "'%s' is none of yes, no, auto and a device", value);
    return parse_string(on ? "yes" : "no", ret, size, err);
}

/* A number with a unit, or of seconds without one, as in systemd.time(7) but only one of them. */
int config_parse_duration(const char *value, void *ret_ms, size_t size, struct error *err)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"", 1000},   {"s", 1000},    {"sec", 1000}, {"ms", 1},
                 {"m", 60000}, {"min", 60000}, {"h", 3600000}};
    uint64_t n, ms;
    char *end;

    (void)size;
    errno = 0;
    n = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || errno)
        return error_set(err, -EINVAL, "'%s' is not a duration like 60s", value);
    end += strspn(end, " \t");
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (strcmp(end, units[i].unit))
            continue;
        if (!mul_u64(n, units[i].ms, &ms) || !ms || ms > DURATION_MAX_MS)
            return error_set(err, -EINVAL, "'%s' is not between 1 ms and 24 h", value);
        *(uint64_t *)ret_ms = ms;
        return 0;
    }
    return error_set(err, -EINVAL, "'%s' is not a duration like 60s", value);
}

/* Empty means 0: no such duration. */
static int parse_optional_duration(const char *value, void *ret_ms, size_t size, struct error *err)
{
    if (value[0])
        return config_parse_duration(value, ret_ms, size, err);
    *(uint64_t *)ret_ms = 0;
    return 0;
}

static int parse_space(const char *value, void *ret, size_t size, struct error *err)
{
    (void)size;
    return space_parse(value, err, ret);
}

/* Empty means 0: no such limit. */
static int parse_count(const char *value, void *ret, size_t size, struct error *err)
{
    uint64_t n;
    char *end;

    (void)size;
    errno = 0;
    n = strtoull(value, &end, 10);
    if (*end || errno || (value[0] && (value[0] < '0' || value[0] > '9')))
        return error_set(err, -EINVAL, "'%s' is not a number", value);
    *(uint64_t *)ret = n;
    return 0;
}

int config_parse_size(const char *value, void *ret_bytes, size_t size, struct error *err)
{
    struct space space;
    int r = space_parse(value, err, &space);

    (void)size;
    if (r < 0)
        return r;
    if (space.unit != SPACE_BYTES || space.value > INT64_MAX)
        return error_set(err, -EINVAL, "'%s' is not a size like 64M", value);
    *(uint64_t *)ret_bytes = space.value;
    return 0;
}

int config_parse_level(const char *value, void *ret_level, size_t size, struct error *err)
{
    unsigned long n;
    char *end;

    (void)size;
    n = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end || n >= ESTIMATE_LEVELS)
        return error_set(err, -EINVAL, "'%s' is not a dump level from 0 to 31", value);
    *(unsigned *)ret_level = (unsigned)n;
    return 0;
}

int config_parse_compression(const char *value, void *ret, size_t size, struct error *err)
{
    (void)size;
    return compression_find(value, err, ret);
}

static int parse_mode(const char *value, void *ret, size_t size, struct error *err)
{
    (void)size;
    return policy_mode_find(value, err, ret);
}

#define FIELD(name_) offsetof(struct config, name_), sizeof(((struct config *)NULL)->name_)

const struct config_item config_items[] = {
    {"Capture", "Directory", "/var/crash/vmcore-summary",
     "Where summaries are kept: a directory for each crash is made in it.", parse_path,
     FIELD(directory)},
    {"Capture", "Deadline", "60s", "How long reading the dump may take in all.",
     config_parse_duration, FIELD(deadline_ms)},
    {"Capture", "SectionDeadline", "", "How long each section may take; empty for its own limit.",
     parse_optional_duration, FIELD(section_deadline_ms)},
    {"Capture", "Sections", "", "Names of the sections to write; empty for all.", parse_string,
     FIELD(sections)},
    {"Capture", "Console", "auto",
     "Whether the digest is printed on the consoles: yes, no, a device, or auto (in the capture "
     "kernel only).",
     parse_sink, FIELD(console)},
    {"Capture", "Kmsg", "auto",
     "Likewise the kernel's log, a line a record: yes, no, a device, or auto.", parse_sink,
     FIELD(kmsg)},
    {"Capture", "Pmsg", "auto",
     "Likewise pstore's /dev/pmsg0, where there is one: yes, no, a device, or auto.", parse_sink,
     FIELD(pmsg)},
    {"Capture", "Strict", "no",
     "Whether the exit status tells of a summary that is not complete or not where it belongs.",
     config_parse_bool, FIELD(strict)},
    {"Capture", "Profile", "/etc/vmcore-summary.profile",
     "A kernel profile, for kernels without symbols or types in their memory.", parse_path,
     FIELD(profile)},
    {"Retention", "KeepMax", "200", "How many summaries of crashes are kept; empty for all.",
     parse_count, FIELD(retention.keep_max)},
    {"Retention", "MaxUse", "", "What they may take: a size or a percentage of the file system.",
     parse_space, FIELD(retention.max_use)},
    {"Retention", "KeepFree", "", "Old ones go to leave that free: a size or a percentage.",
     parse_space, FIELD(retention.keep_free)},
    {"Retention", "BaselineKeep", "14", "How many live summaries are kept; empty for all.",
     parse_count, FIELD(retention.baseline_keep)},
    {"Retention", "RemoveVmcore", "no",
     "Whether a vmcore beside an old summary goes with it, in place of keeping both.",
     config_parse_bool, FIELD(retention.remove_vmcore)},
    {"Dump", "Mode", "alongside",
     "Whether the full dump is written too: alongside, instead (never), or auto (if it fits).",
     parse_mode, FIELD(policy.mode)},
    {"Dump", "DumpLevel", "31", "makedumpfile's level, for the estimate of its size.",
     config_parse_level, FIELD(policy.level)},
    {"Dump", "Compression", "lzo", "Likewise its compression: none, lzo, snappy, zlib or zstd.",
     config_parse_compression, FIELD(policy.compression)},
    {"Dump", "MinFree", "64M", "What auto leaves free on the target besides the dump.",
     config_parse_size, FIELD(policy.min_free_bytes)},
};
const size_t n_config_items = ARRAY_SIZE(config_items);

void config_init(struct config *ret)
{
    *ret = (struct config){0};
    for (const struct config_item *i = config_items; i < config_items + n_config_items; i++)
        i->parse(i->value, (char *)ret + i->offset, i->size, NULL);
}

/* A file being read; inih (as packaged) does not tell its handler the line. */
struct config_file {
    const char *path;
    FILE *in;
    struct config *config;
    config_warn_fn warn;
    void *arg;
    unsigned line, warnings;
};

__attribute__((format(printf, 3, 4))) static void warn_line(struct config_file *f, unsigned line,
                                                            const char *fmt, ...)
{
    char what[300], text[PATH_MAX + sizeof(what) + 32];
    va_list ap;

    if (!f->warn || f->warnings++ >= CONFIG_MAX_WARNINGS)
        return;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    snprintf(text, sizeof(text), "%s:%u: %s", f->path, line, what);
    f->warn(f->arg, text);
}

/* ini_reader: a line without leading blanks, for inih takes an indented line as more of the value
 * before it. A line that does not fit becomes an empty one. */
static char *read_line(char *str, int num, void *stream)
{
    struct config_file *f = stream;
    size_t len;
    int c;

    if (f->line >= CONFIG_MAX_LINES || !fgets(str, num, f->in))
        return NULL;
    f->line++;
    len = strlen(str);
    if (len && str[len - 1] != '\n' && !feof(f->in)) {
        while ((c = fgetc(f->in)) != EOF && c != '\n')
            ;
        warn_line(f, f->line, "line is too long");
        str[0] = '\0';
    }
    len = strspn(str, " \t");
    memmove(str, str + len, strlen(str + len) + 1);
    return str;
}

/* ini_handler. Never says "error" to inih, which would hide a line that it cannot parse. */
static int take_assignment(void *user, const char *section, const char *name, const char *value)
{
    struct config_file *f = user;
    struct error err = {0};

    for (const struct config_item *i = config_items; i < config_items + n_config_items; i++) {
        if (strcmp(i->section, section) || strcmp(i->key, name))
            continue;
        if (i->parse(value, (char *)f->config + i->offset, i->size, &err) < 0)
            warn_line(f, f->line, "%s: %s, ignored", name, err.text);
        return 1;
    }
    warn_line(f, f->line, "unknown key '%s' in section [%s], ignored", name, section);
    return 1;
}

static int load_file(const char *path, struct config *io_config, config_warn_fn warn, void *arg,
                     struct error *err)
{
    struct config_file f = {path, NULL, io_config, warn, arg, 0, 0};
    _cleanup_fclose_ FILE *in = fopen(path, "re");
    int r;

    if (!in)
        return error_set(err, -errno, "%s: %s", path, strerror(errno));
    f.in = in;
    r = ini_parse_stream(read_line, &f, take_assignment, &f);
    if (r > 0)
        warn_line(&f, (unsigned)r, "neither [Section], KEY=VALUE nor a comment, ignored");
    if (r < 0 || ferror(in))
        return error_set(err, -EIO, "%s: cannot be read", path);
    return 0;
}

static int is_drop_in(const struct dirent *e)
{
    size_t len = strlen(e->d_name);

    return e->d_name[0] != '.' && len > 5 && !strcmp(e->d_name + len - 5, ".conf");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* the same order in every locale */
}

int config_load(const char *path, struct config *io_config, config_warn_fn warn, void *arg,
                struct error *err)
{
    char dir[PATH_MAX], file[PATH_MAX];
    struct dirent **entries = NULL;
    int n, r = load_file(path, io_config, warn, arg, err);

    snprintf(dir, sizeof(dir), "%s.d", path);
    n = scandir(dir, &entries, is_drop_in, by_name);
    for (int i = 0; i < n; i++) {
        struct error drop_in = {0};

        if (snprintf(file, sizeof(file), "%s/%s", dir, entries[i]->d_name) < (int)sizeof(file) &&
            load_file(file, io_config, warn, arg, &drop_in) < 0 && warn)
            warn(arg, drop_in.text);
        free(entries[i]);
    }
    free(entries);
    return r;
}

void config_read(const char *path, struct config *ret)
{
    config_init(ret);
    (void)config_load(path, ret, NULL, NULL, NULL);
}

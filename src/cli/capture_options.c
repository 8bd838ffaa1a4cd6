/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/capture_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "core/kcore.h"
#include "extract/extract.h"
#include "extract/extract.h"
#include "summary/writer.h"
#include "util/buf.h"
#include "util/error.h"

#define NAME "capture"

static void print_help(void)
{
    puts("Usage: vmcore-summary capture [OPTION]...\n"
         "Writes a summary of a crashed kernel's memory, or of the running one's.\n\n"
         "      --vmcore FILE       the dump (default: " PROC_VMCORE ")\n"
         "      --live              the running kernel, through " PROC_KCORE "\n"
         "      --output DIR        write " SUMMARY_FILE_NAME " into DIR, which is\n"
         "                          made if it is not there (default: a new directory\n"
         "                          below that of the configuration; '' for no file,\n"
         "                          only the digest)\n"
         "      --no-target REASON  write no file; the digest says why\n"
         "      --deadline SECONDS  for reading the dump in all (default: 60)\n"
         "      --section NAME      only this section; may be repeated\n"
         "      --profile FILE      a kernel profile (vmcore-summary-profile(8)), used\n"
         "                          where the dump has no symbols or types of its own\n"
         "      --config FILE       in place of " CONFIG_PATH "\n"
         "      --console[=DEVICE]  print the digest there (default: the kernel's consoles\n"
         "                          when " PROC_VMCORE " is read)\n"
         "      --no-console        do not\n"
         "      --policy            tell by the exit status whether the full dump is\n"
         "                          wanted\n"
         "      --dump-target DIR   where it would be written (default: with the summary)\n"
         "      --dump-level N      makedumpfile's level, 0 to 31 (default: 31)\n"
         "      --dump-compression NAME\n"
         "                          none, lzo, snappy, zlib or zstd (default: lzo)\n"
         "      --strict            fail also if the summary is not complete, or not\n"
         "                          where it belongs\n"
         "      --verbose           a line for each section even if stderr is no terminal\n"
         "      --quiet             nothing but errors\n"
         "  -h, --help              show this help\n\n"
         "Sections:");
    for (size_t i = 0; i < n_extractors; i++)
        printf("  %-10s %s\n", extractors[i]->name, extractors[i]->title);
    puts("\nExit status: 0 if a summary was written, or could not be and --strict is not\n"
         "given; 1 if FILE is no dump that can be read, or with --strict; 2 for a wrong\n"
         "command line. With --policy, 10: the full dump is to be left out, by Mode= of\n"
         "the configuration.");
}

/* ---- the configuration ---------------------------------------------------------------------- */

static void warn_config(void *arg, const char *text)
{
    (void)arg;
    command_error(NAME, "%s", text);
}

static bool is_section(const char *name)
{
    return !strcmp(name, "header") || !strcmp(name, "trailer") || !strcmp(name, "estimate") ||
           extractor_find(name);
}

/* Takes unknown names out of the configuration's list: a typing mistake costs no summary. */
static void check_sections(char *list)
{
    struct buf known = BUF_INIT(sizeof(((struct config *)NULL)->sections) - 1);
    char *save = NULL;

    for (char *word = strtok_r(list, " \t,", &save); word; word = strtok_r(NULL, " \t,", &save))
        if (is_section(word))
            buf_printf(&known, "%s ", word);
        else
            command_error(NAME, "unknown section '%s' in the configuration, ignored", word);
    strcpy(list, known.data ? known.data : "");
    buf_done(&known);
}

static void load_config(struct config *ret, const char *path)
{
    struct error err = {0};
    int r;

    config_init(ret);
    r = config_load(path ? path : CONFIG_PATH, ret, warn_config, NULL, &err);
    if (r < 0 && (path || r != -ENOENT))
        command_error(NAME, "%s; the defaults hold", err.text);
    check_sections(ret->sections);
}

/* ---- the command line ----------------------------------------------------------------------- */

enum {
    OPT_VMCORE = 256,
    OPT_LIVE,
    OPT_OUTPUT,
    OPT_NO_TARGET,
    OPT_DEADLINE,
    OPT_SECTION,
    OPT_PROFILE,
    OPT_CONFIG,
    OPT_CONSOLE,
    OPT_NO_CONSOLE,
    OPT_STRICT,
    OPT_POLICY,
    OPT_DUMP_TARGET,
    OPT_DUMP_LEVEL,
    OPT_DUMP_COMPRESSION,
    OPT_VERBOSE,
    OPT_QUIET,
};

static const struct option long_options[] = {
    {"vmcore", required_argument, NULL, OPT_VMCORE},
    {"live", no_argument, NULL, OPT_LIVE},
    {"output", required_argument, NULL, OPT_OUTPUT},
    {"no-target", required_argument, NULL, OPT_NO_TARGET},
    {"deadline", required_argument, NULL, OPT_DEADLINE},
    {"section", required_argument, NULL, OPT_SECTION},
    {"profile", required_argument, NULL, OPT_PROFILE},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"console", optional_argument, NULL, OPT_CONSOLE},
    {"no-console", no_argument, NULL, OPT_NO_CONSOLE},
    {"strict", no_argument, NULL, OPT_STRICT},
    {"policy", no_argument, NULL, OPT_POLICY},
    {"dump-target", required_argument, NULL, OPT_DUMP_TARGET},
    {"dump-level", required_argument, NULL, OPT_DUMP_LEVEL},
    {"dump-compression", required_argument, NULL, OPT_DUMP_COMPRESSION},
    {"verbose", no_argument, NULL, OPT_VERBOSE},
    {"quiet", no_argument, NULL, OPT_QUIET},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* The file that --config names, NULL without one: it is read before the other options. */
static const char *find_config_option(int argc, char **argv)
{
    const char *path = NULL;
    int opt;

    opterr = 0;
    optind = 0;
    while ((opt = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
        if (opt == OPT_CONFIG)
            path = optarg;
    opterr = 1;
    optind = 0;
    return path;
}

static int add_section(struct config *config, bool first, const char *name, struct error *err)
{
    size_t len;

    if (!is_section(name))
        return error_set(err, -EINVAL, "unknown section '%s'", name);
    if (first)
        config->sections[0] = '\0';
    len = strlen(config->sections);
    if (snprintf(config->sections + len, sizeof(config->sections) - len, "%s ", name) >=
        (int)(sizeof(config->sections) - len))
        return error_set(err, -EINVAL, "too many sections");
    return 0;
}

static int set_console(struct config *config, const char *value, struct error *err)
{
    if (strlen(value) >= sizeof(config->console))
        return error_set(err, -EINVAL, "name of the console is too long");
    strcpy(config->console, value);
    return 0;
}

static int set_profile(struct config *config, const char *path, struct error *err)
{
    if (strlen(path) >= sizeof(config->profile))
        return error_set(err, -EINVAL, "name of the profile is too long");
    if (access(path, R_OK) < 0)
        command_error(NAME, "%s: %s; going on without it", path, strerror(errno));
    strcpy(config->profile, path);
    return 0;
}

static int apply_dump_option(struct capture_request *req, int opt, const char *arg,
                             struct error *err)
{
    struct policy *policy = &req->config.policy;

    if (opt == OPT_DUMP_LEVEL)
        return config_parse_level(arg, &policy->level, sizeof(policy->level), err);
    if (opt == OPT_DUMP_COMPRESSION)
        return config_parse_compression(arg, &policy->compression, sizeof(policy->compression),
                                        err);
    if (opt == OPT_DUMP_TARGET)
        req->dump_target = arg;
    req->policy |= opt == OPT_POLICY;
    return 0;
}

static int apply_option(struct capture_request *req, int opt, const char *arg, struct error *err)
{
    struct config *config = &req->config;

    switch (opt) {
    case OPT_VMCORE:
        req->vmcore = arg;
        return 0;
    case OPT_LIVE:
        req->vmcore = PROC_KCORE;
        return 0;
    case OPT_OUTPUT:
        req->output = arg;
        return 0;
    case OPT_NO_TARGET:
        req->output = "";
        req->no_target = arg[0] ? arg : NULL;
        return 0;
    case OPT_DEADLINE:
        return config_parse_duration(arg, &config->deadline_ms, sizeof(uint64_t), err);
    case OPT_PROFILE:
        return set_profile(config, arg, err);
    case OPT_CONSOLE:
        return set_console(config, arg ? arg : "yes", err);
    case OPT_NO_CONSOLE:
        return set_console(config, "no", err);
    case OPT_STRICT:
        config->strict = true;
        return 0;
    case OPT_VERBOSE:
        req->verbose = true;
        return 0;
    case OPT_QUIET:
        req->quiet = true;
        return 0;
    default: /* OPT_CONFIG was read before */
        return apply_dump_option(req, opt, arg, err);
    }
}

int capture_options_parse(int argc, char **argv, struct capture_request *ret, bool *ret_done)
{
    struct error err = {0};
    bool any_section = false;
    int opt, r = 0;

    load_config(&ret->config, find_config_option(argc, argv));
    while (!r && (opt = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (opt == '?')
            return command_usage_error(NAME);
        if (opt == 'h') {
            print_help();
            *ret_done = true;
            return EXIT_SUCCESS;
        }
        if (opt == OPT_SECTION)
            r = add_section(&ret->config, !any_section, optarg, &err);
        else
            r = apply_option(ret, opt, optarg, &err);
        any_section |= opt == OPT_SECTION;
    }
    if (!r && optind < argc)
        r = error_set(&err, -EINVAL, "unexpected argument '%s'", argv[optind]);
    if (!r)
        return EXIT_SUCCESS;
    command_error(NAME, "%s", err.text);
    return command_usage_error(NAME);
}

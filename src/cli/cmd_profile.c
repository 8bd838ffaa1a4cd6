/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/profile_sources.h"
#include "extract/extract.h"
#include "kernel/kernel.h"
#include "kernel/profile.h"
#include "util/cleanup.h"

#define NAME            "profile"
#define DEFAULT_OUTPUT  "/etc/vmcore-summary.profile"
#define RUNNING_BTF     "/sys/kernel/btf/vmlinux"
#define RUNNING_SYMBOLS "/proc/kallsyms"

struct request {
    const char *output, *btf, *symbols, *functions, *vmlinux, *build_id, *banner, *kernel;
};

static void print_help(void)
{
    puts("Usage: vmcore-summary profile [OPTION]...\n"
         "Writes what a capture must know of a kernel that carries no symbols or types in\n"
         "its memory. Without options: of the running kernel.\n\n"
         "      --output FILE   write there; '-' for standard output\n"
         "                      (default: " DEFAULT_OUTPUT ")\n"
         "      --btf FILE      types (default: " RUNNING_BTF ")\n"
         "      --symbols FILE  symbols, also a System.map (default: " RUNNING_SYMBOLS ")\n"
         "      --functions FILE  the kernel's functions, as it lists them: symbols of\n"
         "                      another build are refused\n"
         "      --vmlinux FILE  a kernel's ELF file: its types, by pahole(1) if it has\n"
         "                      DWARF only; its symbols, if it has them; its build id\n"
         "                      and release\n"
         "      --build-id HEX  whose files these are\n"
         "      --banner TEXT   the same, as /proc/version says it\n"
         "      --kernel RELEASE  of an installed kernel, by its debuginfo if it does not\n"
         "                      run\n"
         "  -h, --help          show this help\n");
}

enum {
    OPT_OUTPUT = 256,
    OPT_BTF,
    OPT_SYMBOLS,
    OPT_FUNCTIONS,
    OPT_VMLINUX,
    OPT_BUILD_ID,
    OPT_BANNER,
    OPT_KERNEL
};

static const struct option long_options[] = {
    {"output", required_argument, NULL, OPT_OUTPUT},
    {"btf", required_argument, NULL, OPT_BTF},
    {"symbols", required_argument, NULL, OPT_SYMBOLS},
    {"functions", required_argument, NULL, OPT_FUNCTIONS},
    {"vmlinux", required_argument, NULL, OPT_VMLINUX},
    {"build-id", required_argument, NULL, OPT_BUILD_ID},
    {"banner", required_argument, NULL, OPT_BANNER},
    {"kernel", required_argument, NULL, OPT_KERNEL},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* EXIT_SUCCESS to go on; *ret_done after --help. */
static int parse_options(int argc, char **argv, struct request *ret, bool *ret_done)
{
    const char **texts[] = {&ret->output,  &ret->btf,      &ret->symbols, &ret->functions,
                            &ret->vmlinux, &ret->build_id, &ret->banner,  &ret->kernel};
    int opt;

    optind = 0;
    while ((opt = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (opt == '?')
            return command_usage_error(NAME);
        if (opt == 'h') {
            print_help();
            *ret_done = true;
            return EXIT_SUCCESS;
        }
        *texts[opt - OPT_OUTPUT] = optarg;
    }
    if (optind == argc)
        return EXIT_SUCCESS;
    command_error(NAME, "unexpected argument '%s'", argv[optind]);
    return command_usage_error(NAME);
}

/* Where distributions put a kernel's ELF file with debuginfo, and its symbols. Debian's
 * /boot/System.map is a line that names the package of the real one. */
static const char *const vmlinux_places[] = {
    "/usr/lib/debug/boot/vmlinux-%s", "/usr/lib/debug/lib/modules/%s/vmlinux",
    "/usr/lib/debug/usr/lib/modules/%s/vmlinux", "/lib/modules/%s/build/vmlinux", NULL};
static const char *const symbols_places[] = {"/usr/lib/debug/boot/System.map-%s",
                                             "/boot/System.map-%s", "/lib/modules/%s/System.map",
                                             "/lib/modules/%s/build/System.map", NULL};

/* The first of the places that a kernel's release fills, from *io_next on; NULL if none is there.
 */
static const char *find_file(const char *const places[], size_t *io_next, const char *release,
                             char ret[static PATH_MAX])
{
    const char *place;

    while ((place = places[*io_next])) {
        const char *gap = strstr(place, "%s");

        ++*io_next;
        snprintf(ret, PATH_MAX, "%.*s%s%s", (int)(gap - place), place, release, gap + 2);
        if (access(ret, R_OK) == 0)
            return ret;
    }
    return NULL;
}

static const char *find_vmlinux(const char *release, char ret[static PATH_MAX])
{
    size_t first = 0;

    return find_file(vmlinux_places, &first, release, ret);
}

/* One set of all needs: the extractors' and the kernel room's. */
static size_t collect_needs(struct needs_set *ret)
{
    size_t n = 0;

    ret[n].count = kernel_own_needs(&ret[n].needs);
    n++;
    for (size_t i = 0; i < n_extractors; i++, n++)
        ret[n] = (struct needs_set){extractors[i]->needs, NULL, extractors[i]->n_needs};
    for (size_t i = 0; i < n; i++) {
        ret[i].found = calloc(ret[i].count + 1, sizeof(*ret[i].found));
        if (!ret[i].found)
            abort();
    }
    return n;
}

static int identify(const struct request *req, bool running, struct error *err,
                    struct profile_identity *io_id)
{
    int r = 0;

    if (running)
        source_running(io_id);
    if (req->build_id)
        r = source_build_id(req->build_id, err, io_id);
    if (!r && req->banner)
        r = source_banner(req->banner, err, io_id);
    if (!r && !io_id->build_id[0] && !io_id->version[0])
        r = error_set(err, -EINVAL, "whose files are these? say --build-id or --banner");
    return r;
}

/* A table that is called like one of the kernel's, if it is. */
static int symbols_by_name(const char *path, const struct needs_set *sets, size_t n,
                           struct error *err, uint64_t *ret_stext)
{
    int r = source_same_build(RUNNING_SYMBOLS, path, err);

    return r < 0 ? r : source_symbols(path, sets, n, err, ret_stext);
}

/* All symbols of the running kernel; -ENODATA if it lists functions alone and no System.map is
 * there; one of another build is told of. */
static int running_symbols(const char *release, const struct needs_set *sets, size_t n,
                           struct error *err, uint64_t *ret_stext)
{
    int r = source_symbols(RUNNING_SYMBOLS, sets, n, err, ret_stext);
    char path[PATH_MAX];
    size_t next = 0;

    if (r != -ENODATA)
        return r;
    while (find_file(symbols_places, &next, release, path)) {
        struct error refused = {0};
        int status = symbols_by_name(path, sets, n, &refused, ret_stext);

        if (status == 0)
            return 0;
        if (status == -ESTALE)
            command_error(NAME, "%s", refused.text);
    }
    return r;
}

/* Builds of one release share the vmlinux's name. */
static int check_build_id(const char *path, const char *build_id, struct error *err)
{
    struct profile_identity running;

    source_running(&running);
    if (!build_id[0] || !running.build_id[0] || !strcmp(build_id, running.build_id))
        return 0;
    return error_set(err, -ESTALE, "%s refused: of build %.12s, while %.12s runs", path, build_id,
                     running.build_id);
}

/* Fills the sets from what the machine has of the running kernel. */
static int resolve_running(const char *release, const struct needs_set *sets, size_t n,
                           struct error *err, uint64_t *ret_stext, struct profile_identity *ret_id)
{
    bool btf = access(RUNNING_BTF, R_OK) == 0;
    char path[PATH_MAX];
    const char *vmlinux = find_vmlinux(release, path);
    int r = running_symbols(release, sets, n, err, ret_stext);

    if (!vmlinux && !btf)
        command_error(NAME, "no types: the kernel has no BTF; with debuginfo, say --vmlinux");
    if (r == -ENODATA && vmlinux)
        r = 0; /* it has them all */
    if (!r && btf)
        r = source_btf(RUNNING_BTF, sets, n, err);
    if (!r && vmlinux && (!btf || !*ret_stext))
        r = source_vmlinux(vmlinux, sets, n, !btf, err, ret_stext, ret_id);
    return r < 0 || !vmlinux ? r : check_build_id(vmlinux, ret_id->build_id, err);
}

/* Fills the sets from the files of the request. */
static int resolve_files(const struct request *req, const struct needs_set *sets, size_t n,
                         struct error *err, uint64_t *ret_stext, struct profile_identity *ret_id)
{
    int r = 0;

    if (!req->vmlinux && !req->btf)
        command_error(NAME, "no types: the kernel has no BTF; with debuginfo, say --vmlinux");
    if (!req->vmlinux && !req->symbols)
        command_error(NAME, "no symbols: name a table with --symbols");
    if (req->symbols && req->functions)
        r = source_same_build(req->functions, req->symbols, err);
    if (!r && req->symbols)
        r = source_symbols(req->symbols, sets, n, err, ret_stext);
    if (!r && req->btf)
        r = source_btf(req->btf, sets, n, err);
    if (!r && req->vmlinux)
        r = source_vmlinux(req->vmlinux, sets, n, !req->btf, err, ret_stext, ret_id);
    return r;
}

/* Fills the sets from the files of the request, of the kernel that it names, or of the running one.
 */
static int resolve(const struct request *req, const struct needs_set *sets, size_t n,
                   struct error *err, uint64_t *ret_stext, struct profile_identity *ret_id)
{
    struct request files = *req;
    bool running = !req->btf && !req->symbols && !req->vmlinux;
    char path[PATH_MAX];
    struct utsname u;
    int r;

    if (running && uname(&u) < 0)
        return error_set(err, -errno, "uname: %s", strerror(errno));
    if (running && req->kernel && strcmp(req->kernel, u.release) != 0) {
        running = false;
        files.vmlinux = find_vmlinux(req->kernel, path);
        if (!files.vmlinux)
            return error_set(err, -ENOENT, "no vmlinux of %s: is its debuginfo installed?",
                             req->kernel);
    }
    r = running ? resolve_running(u.release, sets, n, err, ret_stext, ret_id)
                : resolve_files(&files, sets, n, err, ret_stext, ret_id);
    if (!r)
        r = identify(req, running, err, ret_id);
    if (!r && req->kernel && ret_id->release[0] && strcmp(req->kernel, ret_id->release) != 0)
        r = error_set(err, -EINVAL, "the files are of %s, not of %s", ret_id->release, req->kernel);
    return r;
}

static int write_all(FILE *f, const struct buf *text)
{
    return fwrite(text->data, 1, text->len, f) == text->len && fflush(f) == 0 ? 0 : -errno;
}

/* Under another name first: a capture image must not get half of one. */
static int write_file(const char *path, const struct buf *text, struct error *err)
{
    char temporary[PATH_MAX];
    FILE *f;
    int r;

    if (!strcmp(path, "-"))
        return write_all(stdout, text);
    snprintf(temporary, sizeof(temporary), "%.*s.new", PATH_MAX - 8, path);
    f = fopen(temporary, "we");
    r = f ? write_all(f, text) : -errno;
    if (f && fclose(f) && !r)
        r = -errno;
    if (!r && rename(temporary, path) < 0)
        r = -errno;
    if (r < 0 && f)
        unlink(temporary);
    return r < 0 ? error_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

static int make_profile(const struct request *req, struct error *err)
{
    struct needs_set *sets = calloc(n_extractors + 1, sizeof(*sets));
    struct buf text = BUF_INIT(PROFILE_MAX_BYTES);
    struct profile_identity id = {0};
    uint64_t stext = 0;
    size_t n;
    int r;

    if (!sets)
        return error_set(err, -ENOMEM, "out of memory");
    n = collect_needs(sets);
    r = resolve(req, sets, n, err, &stext, &id);
    if (!r) {
        profile_write(&text, &id, stext, sets, n);
        r = text.full ? error_set(err, -ENOMEM, "out of memory")
                      : write_file(req->output ? req->output : DEFAULT_OUTPUT, &text, err);
    }
    buf_done(&text);
    for (size_t i = 0; i < n; i++)
        free(sets[i].found);
    free(sets);
    return r;
}

static int run(int argc, char **argv)
{
    struct request req = {0};
    struct error err = {0};
    bool done = false;
    int r = parse_options(argc, argv, &req, &done);

    if (done || r)
        return r;
    r = make_profile(&req, &err);
    if (r < 0)
        command_error(NAME, "%s", error_text(&err, r));
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command cmd_profile = {
    .name = NAME,
    .summary = "write what a capture must know of a kernel without symbols or types",
    .run = run,
};

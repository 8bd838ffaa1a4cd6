/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "core/complete.h"
#include "report/human.h"
#include "report/text.h"
#include "util/buf.h"
#include "util/cleanup.h"

#define NAME "verify"

/* Neither a failure nor what a program that died returns: the hooks act on it. */
#define EXIT_INCOMPLETE 10

static void print_help(void)
{
    puts("Usage: vmcore-summary verify FILE\n"
         "Says whether a vmcore is whole: an ELF core, a compressed dump by makedumpfile\n"
         "or QEMU, or the flattened form of either. Reads a few pages of it.\n\n"
         "  -h, --help          show this help\n\n"
         "Exit status: 0 whole, 10 incomplete, 1 unknown. See vmcore-summary-verify(1).");
}

static int verify(const char *path)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    _cleanup_(buf_done) struct buf line = BUF_INIT(8192);
    struct complete c;

    if (fd < 0) {
        command_error(NAME, "%s: %s", path, strerror(errno));
        return EXIT_FAILURE;
    }
    c = complete_check(fd);
    text_append(&line, path);
    buf_str(&line, ": ");
    human_complete(&line, &c);
    puts(line.data);
    return c.state == COMPLETE_YES  ? EXIT_SUCCESS
           : c.state == COMPLETE_NO ? EXIT_INCOMPLETE
                                    : EXIT_FAILURE;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        if (c != 'h')
            return command_usage_error(NAME);
        print_help();
        return EXIT_SUCCESS;
    }
    if (optind == argc - 1)
        return verify(argv[optind]);
    command_error(NAME, "one file is to be named");
    return command_usage_error(NAME);
}

const struct command cmd_verify = {NAME, "say whether a vmcore is whole", run};

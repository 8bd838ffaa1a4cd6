/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_HOOK_SETUP_H
#define CLI_HOOK_SETUP_H

#include <stdbool.h>

#include "cli/kdump_setup.h"
#include "cli/machine.h"

/*
 * Puts our hook into the kdump of a machine, or takes it out. No other package's file is changed:
 * of /etc/kdump.conf the time alone, for that has the image built anew. What only an edit can do is
 * said, with the lines to write. Done twice, the second time changes nothing.
 */
struct hook_setup {
    const struct machine *m;
    const char *name; /* of the command, for errors */
    bool enable;
    bool dry_run;     /* say what would be done */
    unsigned changed; /* what was, or would be */
    unsigned failed;
    unsigned left; /* to be done by hand; said on stdout */
};

void hook_setup_run(struct hook_setup *s, enum kdump_kind kind);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EXTRACT_OOMLOG_LOGPREFIX_H
#define EXTRACT_OOMLOG_LOGPREFIX_H

#include "extract/oomlog/oomlog.h"

/*
 * What stands before the kernel's own words in a line of a log file: dmesg in all of its time
 * formats and languages, journalctl in its short formats, syslog daemons, /dev/kmsg, consoles.
 */
struct logprefix {
    int facility, level; /* -1 unknown */
    int64_t ts_ns, caller, wall_s;
    struct span time; /* as written, for people */
    bool found;       /* the line has a prefix of some kind */
    bool stamped;     /* one with the kernel's own [seconds] or a dmesg clock time in brackets */
    bool kmsg;        /* a /dev/kmsg record: \xNN are escapes */
    bool foreign;     /* a line of another program */
};

/* Takes the prefix off *line and tells what it said. */
void logprefix_take(struct span *line, struct logprefix *ret);

/*
 * Takes off whatever a console printed before a "[   12.345678]" in the middle of the line. false
 * and nothing taken if there is no such stamp.
 */
bool logprefix_take_glued(struct span *line, struct logprefix *ret);

#endif

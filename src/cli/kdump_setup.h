/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_KDUMP_SETUP_H
#define CLI_KDUMP_SETUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "capture/config.h"
#include "cli/machine.h"

/* What makes and loads the capture image of a machine. */
enum kdump_kind {
    KDUMP_UTILS,  /* kdump-utils: Fedora, RHEL */
    KDUMP_SUSE,   /* SUSE's kdump */
    KDUMP_DEBIAN, /* kdump-tools: Debian, Ubuntu */
    KDUMP_OWN,    /* none of them: an image by our mkimage */
    N_KDUMP_KINDS
};

/* What people do with each. */
struct kdump_words {
    const char *name;
    const char *load, *reload, *rebuild; /* commands; reload: the image as it is now */
    const char *unit;                    /* that loads it; NULL: none, or it does not matter */
    const char *crashkernel; /* at least that, as the kernel's option has it; NULL: not known */
};
extern const struct kdump_words kdump_words[N_KDUMP_KINDS];

enum kdump_kind kdump_find(const struct machine *m);

/* Where the dump of a crash goes. */
struct kdump_target {
    bool remote;      /* over a network, or no file system: `directory` says what */
    bool mounted;     /* where kdump expects it */
    char device[512]; /* that a setting or fstab names; "" for the root file system's tree */
    char directory[PATH_MAX]; /* on this machine; the directory in the device if not mounted */
};

void kdump_find_target(const struct machine *m, enum kdump_kind kind, struct kdump_target *ret);

/* Where summaries are written before the dump: below its target, or where our configuration says.
 */
void kdump_find_summaries(const struct machine *m, enum kdump_kind kind, struct kdump_target *ret);

/* Our own configuration of that machine; mistakes in it are passed over. */
void kdump_load_config(const struct machine *m, struct config *ret);

/*
 * The image that is loaded, as the kind names it. false if none is there: ret says then where it
 * was looked for, or is "" for a kind whose capture kernel boots the root file system.
 */
bool kdump_find_image(const struct machine *m, enum kdump_kind kind, char *ret, size_t size);

/*
 * The first file of ours or of kdump's settings, of those that are in an image, that was changed
 * after the image was built, by its time of modification; NULL if none was.
 */
const char *kdump_newer_file(const struct machine *m, enum kdump_kind kind,
                             const struct stat *image);

/* The name of our files in kdump-utils' directories. */
#define KDUMP_HOOK_NAME "50-vmcore-summary"
#define KDUMP_LIBDIR    "/usr/lib/vmcore-summary"

/* Our unit in Debian's capture boot. */
#define KDUMP_DEBIAN_UNIT "vmcore-summary-kdump-tools.service"

/* The directory that holds our unit file; NULL if none does. */
const char *kdump_unit_directory(const struct machine *m);

/* Units of kdump-tools that pull ours in; NULL at the end. */
extern const char *const kdump_debian_pullers[];

enum kdump_unit_state {
    KDUMP_UNIT_MISSING,
    KDUMP_UNIT_OFF, /* masked, or nothing pulls it in */
    KDUMP_UNIT_ON,
};
enum kdump_unit_state kdump_unit_state(const struct machine *m);

/* A mask of systemctl(1): the unit's name in /etc is a link to /dev/null. */
bool kdump_unit_masked(const struct machine *m);
/* Whether a drop-in that the package brings pulls the unit in. */
bool kdump_unit_static(const struct machine *m);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUMMARY_GUNZIP_H
#define SUMMARY_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/*
 * Inflates a file of gzip members that may be damaged anywhere, in constant memory. After damage it
 * goes back to the byte after the damaged member's first and looks for the next member from there,
 * for a flipped bit can make a member swallow the ones that follow it.
 */
struct gunzip;

enum gunzip_event {
    GUNZIP_EOF,
    GUNZIP_DATA,       /* bytes of the current member */
    GUNZIP_MEMBER_END, /* whole, its checksum right */
    GUNZIP_MEMBER_BAD, /* what came of it so far is all that comes */
};

struct gunzip_damage {
    uint64_t bad_members;
    bool truncated; /* the file ends inside its last member */
    bool gave_up;   /* bounds on work were hit; the rest of the file is unread */
};

/* fd is borrowed and read by pread(2) from offset 0. NULL if memory is out. */
struct gunzip *gunzip_new(int fd);
void gunzip_free(struct gunzip *g);

/* An event, or a negative errno on an I/O error. *ret_data is borrowed until the next call. */
int gunzip_next(struct gunzip *g, struct error *err, const char **ret_data, size_t *ret_len);

/* Says that the current member held something of sense, so that its failure counts as damage even
 * where the reader was only looking for a member. */
void gunzip_member_is_real(struct gunzip *g);

struct gunzip_damage gunzip_damage(const struct gunzip *g);

/* Back to offset 0, damage forgotten. */
void gunzip_rewind(struct gunzip *g);

#endif

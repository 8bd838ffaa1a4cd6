/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_CONFIG_H
#define CAPTURE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/policy.h"
#include "capture/retention.h"
#include "util/error.h"

/* Read, with FILE.d/ *.conf after it, as coredump.conf(5) is: see vmcore-summary.conf(5). */
#define CONFIG_PATH "/etc/vmcore-summary.conf"

/* What the administrator decides. */
struct config {
    char directory[1024];
    uint64_t deadline_ms;
    uint64_t section_deadline_ms; /* 0: each section's own */
    char sections[512];           /* names, by spaces or commas; "" for all */
    char console[256];            /* "auto", "yes", "no" or a device; likewise: */
    char kmsg[256], pmsg[256];
    bool strict;
    char profile[1024];
    struct retention retention;
    struct policy policy;
};

/* One assignment that the file may hold. The table drives the parser, the defaults and the tests.
 */
struct config_item {
    const char *section, *key;
    const char *value; /* the default, as it would be written */
    const char *help;  /* one line for people */
    /* Sets the size bytes at ret; -EINVAL with text says what it wanted. */
    int (*parse)(const char *value, void *ret, size_t size, struct error *err);
    size_t offset, size; /* in struct config */
};

extern const struct config_item config_items[];
extern const size_t n_config_items;

/* Told of each line that was passed over: "FILE:LINE: why". */
typedef void (*config_warn_fn)(void *arg, const char *text);

/* The defaults. */
void config_init(struct config *ret);

/*
 * Reads path, then path.d/ *.conf in the order of their names, over what *io_config holds. Lines
 * that are wrong are told to warn and change nothing. -ENOENT and other errno if path cannot be
 * read; its drop-ins are read even then.
 */
int config_load(const char *path, struct config *io_config, config_warn_fn warn, void *arg,
                struct error *err);

/*
 * The defaults and what path and its drop-ins say. Silent about what cannot be read or is wrong:
 * for those whose business it is not to complain of it, as it is capture's.
 */
void config_read(const char *path, struct config *ret);

/* The parsers, for the command line has the same values. */
int config_parse_duration(const char *value, void *ret_ms, size_t size, struct error *err);
int config_parse_bool(const char *value, void *ret, size_t size, struct error *err);
/* Bytes: a number, with K, M, G or T for powers of 1024. */
int config_parse_size(const char *value, void *ret_bytes, size_t size, struct error *err);
int config_parse_level(const char *value, void *ret_level, size_t size, struct error *err);
int config_parse_compression(const char *value, void *ret, size_t size, struct error *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_READINESS_H
#define CLI_READINESS_H

#include <stddef.h>
#include <stdint.h>

#include "cli/kdump_setup.h"
#include "cli/machine.h"

/* Whether a machine is ready to leave a summary: what `check` finds out, item by item. */
enum readiness { READY_OK, READY_WARN, READY_FAIL, READY_UNKNOWN, N_READINESS };

/* "ok", "warn", "fail", "unknown". */
extern const char *const readiness_names[N_READINESS];

struct ready_item {
    const char *name;
    enum readiness state;
    char found[1024]; /* not safe for a terminal */
    char todo[1024];  /* "" where nothing is to be done; not safe either */
};

/* Told of while an item is looked at. */
__attribute__((format(printf, 3, 4))) void ready_found(struct ready_item *item,
                                                       enum readiness state, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void ready_todo(struct ready_item *item, const char *fmt,
                                                      ...);

/* "12 MiB", in a buffer of the caller's; READY_SIZE() has one of its own. */
#define READY_SIZE_LEN 64
const char *ready_size(uint64_t bytes, char *ret, size_t size);
#define READY_SIZE(bytes) ready_size(bytes, (char[READY_SIZE_LEN]){0}, READY_SIZE_LEN)

/* What all items are about. */
struct ready_machine {
    struct machine machine;
    enum kdump_kind kind;
    struct kdump_target target;    /* of the full dump */
    struct kdump_target summaries; /* often below it */
};

/* One thing that is looked at; run() calls ready_found() once and ready_todo() at most once. */
struct ready_check {
    const char *name;
    void (*run)(const struct ready_machine *m, struct ready_item *item);
};
extern const struct ready_check ready_checks[];
extern const size_t n_ready_checks;

/* In files of their own. */
void ready_check_hook(const struct ready_machine *m, struct ready_item *item);
void ready_check_image(const struct ready_machine *m, struct ready_item *item);
void ready_check_target(const struct ready_machine *m, struct ready_item *item);
void ready_check_room(const struct ready_machine *m, struct ready_item *item);
void ready_check_loaded_image(const struct ready_machine *m, struct ready_item *item);

/*
 * The worst of them: fail, then warn, then unknown, then ok, for an alarm must not hide behind what
 * could not be looked at.
 */
enum readiness ready_worst(const struct ready_item *items, size_t n);

/*
 * What crashkernel=SPEC reserves with so much memory: "256M", "256M,high", "2G-64G:256M,64G-:512M".
 * 0 if that is nothing, or SPEC is not understood.
 */
uint64_t crashkernel_bytes(const char *spec, uint64_t memory_bytes);

#endif

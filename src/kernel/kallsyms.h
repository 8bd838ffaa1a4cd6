/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_KALLSYMS_H
#define KERNEL_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"
#include "kernel/needs.h"
#include "util/error.h"

/*
 * The symbol table that a kernel carries in its own read-only data (scripts/kallsyms.c,
 * kernel/kallsyms.c): names compressed by a table of 256 tokens, sorted by address.
 */
struct kallsyms {
    uint64_t names; /* virtual addresses of the tables */
    uint64_t token_table;
    uint64_t token_index;
    uint64_t offsets;   /* s32 each, or 0 */
    uint64_t addresses; /* u64 each, or 0: kernels built without KALLSYMS_BASE_RELATIVE */
    uint64_t relative_base;
    bool has_relative_base;
    uint32_t count;
};

/* More symbols than any kernel has (7.3 allmodconfig-like: 0.5 M). */
#define KALLSYMS_MAX_SYMBOLS (4u << 20)

/*
 * Answers the symbol needs of the sets. The tables come from VMCOREINFO ("kallsyms: export
 * kallsyms symbols to vmcoreinfo", v6.0) or, where it names none, from a scan of the image
 * (kallsyms_scan). How names and addresses are encoded is not assumed but tried, and believed only
 * if it gives the addresses that VMCOREINFO tells for symbols of its own. -ENOENT if there are no
 * tables, -EBADMSG if they contradict VMCOREINFO.
 */
int kallsyms_resolve(struct kernel *k, const struct needs_set *sets, size_t n_sets,
                     struct error *err);

/*
 * Calls fn for every symbol in the table's order, which is that of addresses, until fn returns
 * non-zero; that is returned. `type` is nm's letter. Errors as kallsyms_resolve(); -EBADMSG where
 * the table breaks off.
 */
int kallsyms_foreach(struct kernel *k,
                     int (*fn)(const char *name, char type, uint64_t addr, void *arg), void *arg,
                     struct error *err);

/* The tables as VMCOREINFO names them. -ENOENT. */
int kallsyms_from_vmcoreinfo(struct kernel *k, struct kallsyms *ret, struct error *err);

/* Places where offsets or addresses may lie, relative to the other tables. */
#define KALLSYMS_LAYOUTS 4

/*
 * Finds the tables in the image by what they look like: the tokens '0' to '9' in a row, a token
 * index that fits the token table, a symbol count whose names end where a fitting marker table
 * begins. Offsets stand before the names until 6.3 and behind them since ("kallsyms: Change the
 * layout of kallsyms data", v6.4), so ret gets one candidate a layout; the caller tries them.
 * -ENOENT if the image holds no such tables.
 */
int kallsyms_scan(struct kernel *k, struct error *err, struct kallsyms ret[KALLSYMS_LAYOUTS]);

#endif

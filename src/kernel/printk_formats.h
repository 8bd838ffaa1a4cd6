/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_PRINTK_FORMATS_H
#define KERNEL_PRINTK_FORMATS_H

#include "kernel/printk.h"

/* What the two log formats share; inside printk*.c only. */

/* Record texts are counted by a u16 in both. */
#define LOG_TEXT_MAX_BYTES 65535

/* Where records go. A reader stops when log_sink_put() returns non-zero, and returns that. */
struct log_sink {
    int (*fn)(const struct log_record *rec, void *arg);
    void *arg;
    struct log_stats stats;
};

static inline int log_sink_put(struct log_sink *s, const struct log_record *rec)
{
    s->stats.records++;
    return s->fn(rec, s->arg);
}

/* The bitfields `flags:5, level:3` of both record headers, little-endian. */
static inline uint8_t log_level(uint8_t flags_and_level)
{
    return flags_and_level >> 5;
}

/* As printk_foreach(), each for its format, whose symbols VMCOREINFO has. */
int printk_ringbuffer_foreach(struct kernel *k, struct log_sink *sink, struct error *err);
int printk_records_foreach(struct kernel *k, struct log_sink *sink, struct error *err);

/* One "OFFSET(key)" or, where is_size, "SIZE(key)" of VMCOREINFO and where its value goes. */
struct log_layout_key {
    const char *key;
    bool is_size;
    uint32_t *ret;
};

/* Reads them all, each at most 4096. -ENOENT, -EBADMSG with the key's name. */
int log_layout_read(const struct vmcoreinfo *vi, const struct log_layout_key *keys, size_t n,
                    struct error *err);

#endif

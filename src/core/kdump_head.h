/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CORE_KDUMP_HEAD_H
#define CORE_KDUMP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The headers of a compressed dump: struct disk_dump_header and, in the block after it, struct
 * kdump_sub_header (diskdump_mod.h of makedumpfile 1.7), of a 64-bit little-endian machine.
 */
#define KDUMP_HEAD_BYTES     464
#define KDUMP_SUB_HEAD_BYTES 104

/* From these versions on the sub-header has such a field. */
#define KDUMP_INFO_VERSION      3
#define KDUMP_NOTES_VERSION     4
#define KDUMP_MAX_PAGES_VERSION 6

struct kdump_head {
    uint32_t version, status, block_bytes, sub_blocks;
    uint32_t bitmap_blocks; /* of two bitmaps: which pages were memory, which are in the dump */
    uint64_t max_pages;     /* max_mapnr, cut off at 32 bits */
};

struct kdump_sub_head {
    bool is_split;
    uint64_t first_pfn, end_pfn;              /* of a part of a split dump */
    uint64_t vmcoreinfo_at, vmcoreinfo_bytes; /* in the file, as the note is that holds it, too */
    uint64_t note_at, note_bytes;
    uint64_t max_pages;
};

/* false if a size is none that a writer gives: damage, or a dump of a 32-bit or big-endian machine,
 * whose fields lie elsewhere. */
bool kdump_head_parse(const uint8_t bytes[static KDUMP_HEAD_BYTES], struct kdump_head *ret);
void kdump_sub_head_parse(const uint8_t bytes[static KDUMP_SUB_HEAD_BYTES],
                          struct kdump_sub_head *ret);

/* Offsets of the first bitmap, and of the descriptors behind both; no overflow of parsed ones. */
uint64_t kdump_bitmap_at(const struct kdump_head *h);
uint64_t kdump_table_at(const struct kdump_head *h);
/* Of one bitmap. */
uint64_t kdump_bitmap_bytes(const struct kdump_head *h);

#endif

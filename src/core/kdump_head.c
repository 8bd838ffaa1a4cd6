/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/kdump_head.h"

#include "util/cursor.h"

#define VERSION_AT   8
#define STATUS_AT    424
#define SPLIT_AT     12
#define INFO_AT      32
#define START_PFN_AT 80

#define MAX_SUB_BLOCKS   (1U << 24)
#define MAX_BITMAP_BYTES (1ULL << 30) /* 32 TiB of memory */

bool kdump_head_parse(const uint8_t bytes[static KDUMP_HEAD_BYTES], struct kdump_head *ret)
{
    struct cursor c = cursor_init(bytes, KDUMP_HEAD_BYTES);
    struct kdump_head h;

    cursor_seek(&c, VERSION_AT);
    h.version = cursor_u32(&c);
    cursor_seek(&c, STATUS_AT);
    h.status = cursor_u32(&c);
    h.block_bytes = cursor_u32(&c);
    h.sub_blocks = cursor_u32(&c);
    h.bitmap_blocks = cursor_u32(&c);
    h.max_pages = cursor_u32(&c);
    *ret = h;
    return h.block_bytes >= 4096 && h.block_bytes <= 65536 &&
           !(h.block_bytes & (h.block_bytes - 1)) && h.sub_blocks &&
           h.sub_blocks < MAX_SUB_BLOCKS && kdump_bitmap_bytes(&h) <= MAX_BITMAP_BYTES;
}

void kdump_sub_head_parse(const uint8_t bytes[static KDUMP_SUB_HEAD_BYTES],
                          struct kdump_sub_head *ret)
{
    struct cursor c = cursor_init(bytes, KDUMP_SUB_HEAD_BYTES);

    cursor_seek(&c, SPLIT_AT);
    ret->is_split = cursor_u32(&c) == 1;
    cursor_seek(&c, INFO_AT);
    ret->vmcoreinfo_at = cursor_u64(&c);
    ret->vmcoreinfo_bytes = cursor_u64(&c);
    ret->note_at = cursor_u64(&c);
    ret->note_bytes = cursor_u64(&c);
    cursor_seek(&c, START_PFN_AT);
    ret->first_pfn = cursor_u64(&c);
    ret->end_pfn = cursor_u64(&c);
    ret->max_pages = cursor_u64(&c);
}

uint64_t kdump_bitmap_at(const struct kdump_head *h)
{
    return (1 + (uint64_t)h->sub_blocks) * h->block_bytes;
}

uint64_t kdump_table_at(const struct kdump_head *h)
{
    return kdump_bitmap_at(h) + (uint64_t)h->bitmap_blocks * h->block_bytes;
}

uint64_t kdump_bitmap_bytes(const struct kdump_head *h)
{
    return (uint64_t)h->bitmap_blocks / 2 * h->block_bytes;
}

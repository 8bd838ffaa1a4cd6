/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lockless log (Linux commit 896fbe20b4e2 "printk: use the lockless ringbuffer", v5.10):
 * a ring of descriptors with ids and states, a ring of infos of the same size, and a ring of text
 * blocks {unsigned long id; char text[]} that descriptors point into by logical positions. See
 * kernel/printk/printk_ringbuffer.c. Read piece by piece, for the buffer may have 16 MiB.
 */
#include <errno.h>
#include <stdlib.h>

#include "kernel/printk_formats.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/math.h"

/* log_buf_len is at most 2 GiB, with a descriptor for each 32 bytes. */
#define MAX_SIZE_BITS  31
#define MAX_COUNT_BITS 26
#define CHUNK_SLOTS    64
/* Where so many records in a row are damaged, the ring's addresses are. */
#define MAX_DAMAGED_RUN 65536
#define ID_BYTES        sizeof(uint64_t)

#define ID_MASK (~(3ULL << 62))

enum desc_state { DESC_RESERVED, DESC_COMMITTED, DESC_FINALIZED, DESC_REUSABLE };

struct layout {
    uint32_t desc_ring, text_data_ring;
    uint32_t count_bits, descs, infos, head_id, tail_id;
    uint32_t desc_size, state_var, text_blk_lpos, counter, begin, next;
    uint32_t info_size, seq, ts_nsec, text_len, caller_id;
    uint32_t size_bits, data;
};

/* Elements of an array in the dump, some of them read ahead. */
struct slots {
    uint64_t addr;
    uint32_t size;         /* of one */
    uint64_t count;        /* all of them */
    uint64_t first, valid; /* those in buf */
    uint8_t *buf;          /* CHUNK_SLOTS of them */
};

struct ring {
    struct kernel *k;
    struct layout at;
    struct slots descs, infos;
    uint64_t data, data_bytes;
    uint64_t tail_id, head_id;
    char *text; /* a block: its id, then the text */
};

static int read_layout(const struct vmcoreinfo *vi, struct layout *l, struct error *err)
{
    const struct log_layout_key keys[] = {
        {"printk_ringbuffer.desc_ring", false, &l->desc_ring},
        {"printk_ringbuffer.text_data_ring", false, &l->text_data_ring},
        {"prb_desc_ring.count_bits", false, &l->count_bits},
        {"prb_desc_ring.descs", false, &l->descs},
        {"prb_desc_ring.infos", false, &l->infos},
        {"prb_desc_ring.head_id", false, &l->head_id},
        {"prb_desc_ring.tail_id", false, &l->tail_id},
        {"prb_desc", true, &l->desc_size},
        {"prb_desc.state_var", false, &l->state_var},
        {"prb_desc.text_blk_lpos", false, &l->text_blk_lpos},
        {"atomic_long_t.counter", false, &l->counter},
        {"prb_data_blk_lpos.begin", false, &l->begin},
        {"prb_data_blk_lpos.next", false, &l->next},
        {"printk_info", true, &l->info_size},
        {"printk_info.seq", false, &l->seq},
        {"printk_info.ts_nsec", false, &l->ts_nsec},
        {"printk_info.text_len", false, &l->text_len},
        {"printk_info.caller_id", false, &l->caller_id},
        {"prb_data_ring.size_bits", false, &l->size_bits},
        {"prb_data_ring.data", false, &l->data},
    };

    return log_layout_read(vi, keys, ARRAY_SIZE(keys), err);
}

static int slots_init(struct slots *s, uint64_t addr, uint32_t size, uint64_t count)
{
    *s = (struct slots){.addr = addr, .size = size, .count = count};
    s->buf = calloc(CHUNK_SLOTS, size ? size : 1);
    return s->buf ? 0 : -ENOMEM;
}

/* Element i as a cursor over its bytes. Where the chunk is not readable as a whole, it alone. */
static int slots_get(struct slots *s, struct kernel *k, uint64_t i, struct cursor *ret)
{
    uint64_t first = i - i % CHUNK_SLOTS, n = min_u64(CHUNK_SLOTS, s->count - first);
    int r;

    if (i < s->first || i - s->first >= s->valid) {
        r = kernel_read(k, s->addr + first * s->size, s->buf, n * s->size);
        if (r < 0) {
            first = i;
            n = 1;
            r = kernel_read(k, s->addr + first * s->size, s->buf, s->size);
        }
        s->valid = r < 0 ? 0 : n;
        if (r < 0)
            return r;
        s->first = first;
    }
    *ret = cursor_init(s->buf + (i - s->first) * s->size, s->size);
    return 0;
}

/* Addresses and sizes of the rings, before they are checked. */
struct ring_head {
    uint32_t count_bits, size_bits;
    uint64_t descs, infos, data, head_id, tail_id;
};

static int read_head(struct kernel *k, const struct layout *l, struct ring_head *ret)
{
    uint64_t symbol, prb, desc_ring, data_ring;
    int r = vmcoreinfo_symbol(kernel_vmcoreinfo(k), "prb", &symbol);

    r = r < 0 ? r : kernel_read_u64(k, symbol, &prb); /* a pointer variable */
    if (r < 0)
        return r;
    desc_ring = prb + l->desc_ring;
    data_ring = prb + l->text_data_ring;
    r = kernel_read_u32(k, desc_ring + l->count_bits, &ret->count_bits);
    r = r < 0 ? r : kernel_read_u64(k, desc_ring + l->descs, &ret->descs);
    r = r < 0 ? r : kernel_read_u64(k, desc_ring + l->infos, &ret->infos);
    r = r < 0 ? r : kernel_read_u64(k, desc_ring + l->head_id + l->counter, &ret->head_id);
    r = r < 0 ? r : kernel_read_u64(k, desc_ring + l->tail_id + l->counter, &ret->tail_id);
    r = r < 0 ? r : kernel_read_u32(k, data_ring + l->size_bits, &ret->size_bits);
    return r < 0 ? r : kernel_read_u64(k, data_ring + l->data, &ret->data);
}

/*
 * The ids to walk: tail to head. A damaged tail is taken to be as far from the head as the ring
 * allows; what is stale there fails its id check.
 */
static void set_ids(struct ring *ring, const struct ring_head *head)
{
    uint64_t count = ring->descs.count;

    ring->head_id = head->head_id & ID_MASK;
    ring->tail_id = head->tail_id & ID_MASK;
    if (((ring->head_id - ring->tail_id) & ID_MASK) >= count)
        ring->tail_id = (ring->head_id - count + 1) & ID_MASK;
}

static int ring_init(struct ring *ring, struct kernel *k, struct error *err)
{
    struct ring_head head = {0};
    int r = read_layout(kernel_vmcoreinfo(k), &ring->at, err);

    ring->k = k;
    if (r < 0)
        return r;
    r = read_head(k, &ring->at, &head);
    if (r < 0)
        return error_set(err, r, "the log's printk_ringbuffer cannot be read");
    if (head.count_bits < 1 || head.count_bits > MAX_COUNT_BITS || head.size_bits < 4 ||
        head.size_bits > MAX_SIZE_BITS)
        return error_set(err, -EBADMSG, "the log's printk_ringbuffer is damaged: 2^%u records",
                         head.count_bits);
    ring->data = head.data;
    ring->data_bytes = 1ULL << head.size_bits;
    ring->text = malloc(ID_BYTES + LOG_TEXT_MAX_BYTES);
    r = slots_init(&ring->descs, head.descs, ring->at.desc_size, 1ULL << head.count_bits);
    if (r < 0 || !ring->text ||
        slots_init(&ring->infos, head.infos, ring->at.info_size, ring->descs.count) < 0)
        return error_set(err, -ENOMEM, "out of memory");
    set_ids(ring, &head);
    return 0;
}

static void ring_done(struct ring *ring)
{
    free(ring->descs.buf);
    free(ring->infos.buf);
    free(ring->text);
}

static uint64_t u64_at(struct cursor *c, uint32_t offset)
{
    cursor_seek(c, offset);
    return cursor_u64(c);
}

/* A descriptor's state and where its text block lies. -EBADMSG if it is not of this id. */
static int get_desc(struct ring *ring, uint64_t id, enum desc_state *ret_state, uint64_t *ret_begin,
                    uint64_t *ret_next)
{
    const struct layout *at = &ring->at;
    struct cursor c;
    uint64_t state_var;
    int r = slots_get(&ring->descs, ring->k, id % ring->descs.count, &c);

    if (r < 0)
        return r;
    state_var = u64_at(&c, at->state_var + at->counter);
    *ret_begin = u64_at(&c, at->text_blk_lpos + at->begin);
    *ret_next = u64_at(&c, at->text_blk_lpos + at->next);
    if (c.bad || (state_var & ID_MASK) != id)
        return -EBADMSG;
    *ret_state = (enum desc_state)(state_var >> 62);
    return 0;
}

static int get_info(struct ring *ring, uint64_t id, struct log_record *ret)
{
    const struct layout *at = &ring->at;
    struct cursor c;
    int r = slots_get(&ring->infos, ring->k, id % ring->infos.count, &c);

    if (r < 0)
        return r;
    ret->seq = u64_at(&c, at->seq);
    ret->ts_ns = u64_at(&c, at->ts_nsec);
    cursor_seek(&c, at->text_len);
    ret->text_len = cursor_u16(&c);
    ret->facility = cursor_u8(&c);
    ret->level = log_level(cursor_u8(&c));
    cursor_seek(&c, at->caller_id);
    ret->caller = cursor_u32(&c);
    ret->has_caller = true;
    return c.bad ? -EBADMSG : 0;
}

/*
 * A block's place in the ring, as get_data() of the kernel finds it: a block that does not fit
 * before the ring's end lies wholly at its start. The positions are logical: they count on through
 * every wrap. One with bit 0 set in both (0x1, 0x3) has no data: an empty line, or a failed
 * allocation.
 */
static int block_place(const struct ring *ring, uint64_t begin, uint64_t next, uint64_t *ret_index,
                       uint64_t *ret_bytes)
{
    uint64_t size = ring->data_bytes, index = begin % size, bytes = next - begin;
    /* the positions of a new ring begin below zero: the count of wraps wraps too */
    uint64_t wraps = ((next - 1) / size - begin / size) % (UINT64_MAX / size + 1);

    if (begin % ID_BYTES || next % ID_BYTES || wraps > 1)
        return -EBADMSG;
    if (wraps == 1) {
        index = 0;
        bytes = next % size;
    }
    if (bytes <= ID_BYTES || !range_within(index, bytes, size))
        return -EBADMSG;
    *ret_index = index;
    *ret_bytes = bytes;
    return 0;
}

/* Sets rec->text, and cuts rec->text_len to what the block holds. */
static int get_text(struct ring *ring, uint64_t id, uint64_t begin, uint64_t next,
                    struct log_record *rec)
{
    uint64_t index = 0, bytes = ID_BYTES, want = rec->text_len;
    bool dataless = begin & 1 && next & 1;
    struct cursor c;
    int r = dataless ? 0 : block_place(ring, begin, next, &index, &bytes);

    if (r < 0)
        return r;
    rec->text = ring->text + ID_BYTES;
    rec->text_len = (size_t)min_u64(want, bytes - ID_BYTES);
    rec->truncated = rec->text_len < want;
    if (dataless)
        return 0;
    r = kernel_read(ring->k, ring->data + index, ring->text, ID_BYTES + rec->text_len);
    if (r < 0)
        return r;
    c = cursor_init(ring->text, ID_BYTES);
    return cursor_u64(&c) == id ? 0 : -EBADMSG;
}

/*
 * The record of an id: 1, 0 if there is none, negative if it is damaged. A record that is committed
 * but not finalized is whole, though its writer might have appended to it.
 */
static int get_record(struct ring *ring, uint64_t id, struct log_record *ret)
{
    struct log_record rec = {0};
    uint64_t begin, next;
    enum desc_state state;
    int r = get_desc(ring, id, &state, &begin, &next);

    if (r < 0)
        return r;
    if (state == DESC_REUSABLE)
        return 0;
    if (state == DESC_RESERVED)
        return -EBADMSG;
    r = get_info(ring, id, &rec);
    r = r < 0 ? r : get_text(ring, id, begin, next, &rec);
    if (r < 0)
        return r;
    *ret = rec;
    return 1;
}

int printk_ringbuffer_foreach(struct kernel *k, struct log_sink *sink, struct error *err)
{
    _cleanup_(ring_done) struct ring ring = {0};
    int r = ring_init(&ring, k, err);
    uint64_t n, damaged_run = 0;

    if (r < 0)
        return r;
    n = ((ring.head_id - ring.tail_id) & ID_MASK) + 1;
    for (uint64_t i = 0; i < n && damaged_run < MAX_DAMAGED_RUN; i++) {
        struct log_record rec;

        r = get_record(&ring, (ring.tail_id + i) & ID_MASK, &rec);
        damaged_run = r < 0 ? damaged_run + 1 : 0;
        if (r < 0)
            sink->stats.damaged++;
        else if (r > 0 && (r = log_sink_put(sink, &rec)))
            return r;
    }
    return 0;
}

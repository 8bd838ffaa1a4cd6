/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel log in hostile memory: the first byte chooses the format ('P' the ring buffer, else
 * the record buffer), the rest is laid where VMCOREINFO says the log's variables are, which is
 * 0xffffffff81000000, as in tests/data/vmcore/prb.txt and records.txt.
 */
#include <stdint.h>
#include <stdlib.h>

#include "kernel/printk.h"
#include "unit/tiny_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char prb[] = "NUMBER(phys_base)=-16777216\n"
                          "SYMBOL(prb)=ffffffff81000000\n"
                          "OFFSET(printk_ringbuffer.desc_ring)=0\n"
                          "OFFSET(printk_ringbuffer.text_data_ring)=48\n"
                          "OFFSET(prb_desc_ring.count_bits)=0\n"
                          "OFFSET(prb_desc_ring.descs)=8\n"
                          "OFFSET(prb_desc_ring.infos)=16\n"
                          "OFFSET(prb_desc_ring.head_id)=24\n"
                          "OFFSET(prb_desc_ring.tail_id)=32\n"
                          "SIZE(prb_desc)=24\n"
                          "OFFSET(prb_desc.state_var)=0\n"
                          "OFFSET(prb_desc.text_blk_lpos)=8\n"
                          "OFFSET(prb_data_blk_lpos.begin)=0\n"
                          "OFFSET(prb_data_blk_lpos.next)=8\n"
                          "SIZE(printk_info)=88\n"
                          "OFFSET(printk_info.seq)=0\n"
                          "OFFSET(printk_info.ts_nsec)=8\n"
                          "OFFSET(printk_info.text_len)=16\n"
                          "OFFSET(printk_info.caller_id)=20\n"
                          "OFFSET(prb_data_ring.size_bits)=0\n"
                          "OFFSET(prb_data_ring.data)=8\n"
                          "OFFSET(atomic_long_t.counter)=0\n";

static const char records[] = "NUMBER(phys_base)=-16777216\n"
                              "SYMBOL(log_buf)=ffffffff81000000\n"
                              "SYMBOL(log_buf_len)=ffffffff81000008\n"
                              "SYMBOL(log_first_idx)=ffffffff8100000c\n"
                              "SYMBOL(log_next_idx)=ffffffff81000014\n"
                              "SIZE(printk_log)=20\n"
                              "OFFSET(printk_log.ts_nsec)=0\n"
                              "OFFSET(printk_log.len)=8\n"
                              "OFFSET(printk_log.text_len)=10\n"
                              "OFFSET(printk_log.dict_len)=12\n";

/* Touches every byte, so that ASan sees a text that is not there. */
static int take(const struct log_record *rec, void *arg)
{
    unsigned *sum = arg;

    for (size_t i = 0; i < rec->text_len; i++)
        *sum += (unsigned char)rec->text[i];
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tiny_core core;
    struct kernel *k = NULL;
    struct image *im;
    struct log_stats stats;
    unsigned sum = 0;

    if (!size)
        return 0;
    memset(core.ram, 0, 0x10000);
    memcpy(core.ram, data + 1, size - 1 < sizeof(core.ram) ? size - 1 : sizeof(core.ram));
    snprintf(core.vmcoreinfo, sizeof(core.vmcoreinfo), "%s", data[0] == 'P' ? prb : records);
    im = tiny_open(&core);
    if (kernel_open(im, NULL, 0, NULL, &k) < 0)
        abort();
    (void)printk_foreach(k, take, &sum, NULL, &stats);
    kernel_close(k);
    image_close(im);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CORE_VMCOREINFO_SCAN_H
#define CORE_VMCOREINFO_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/image.h"

/* Host build only. */

/* How a search of the memory goes on. */
struct vmcoreinfo_search {
    uint64_t deadline_ns; /* now_ns() clock */
    /* Called every few MiB, or NULL. */
    void (*progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes);
    void *arg;
};

/*
 * For a dump without the note (QEMU writes none unless the machine has -device vmcoreinfo): looks
 * through all memory for the note's text. The kernel has it in a page of its own (vmcoreinfo_data)
 * and, once it has crashed, with CRASHTIME behind it in the note (vmcoreinfo_note); older boots and
 * files may have left more. Each text that looks whole becomes image_vmcoreinfo(), which accept()
 * then tries; the longest that it takes stays. Ends early with one that has CRASHTIME, the last
 * line: nothing longer follows.
 * -ENOENT if there is none, -ETIME if the deadline passed before one was found, -ENOMEM;
 * image_vmcoreinfo() is then empty.
 */
int vmcoreinfo_scan(struct image *im, const struct vmcoreinfo_search *search,
                    bool (*accept)(struct image *im));

#endif

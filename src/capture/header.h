/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_HEADER_H
#define CAPTURE_HEADER_H

#include "core/image.h"
#include "extract/emit.h"
#include "kernel/kernel.h"
#include "util/error.h"

/* What the header section reads; k is NULL for a machine that this build does not know. */
struct header_source {
    struct image *im;
    struct kernel *k;
};

/*
 * The first section: which kernel this was, and which dump. As a section_job's run(), with a struct
 * header_source. Fields that nothing tells are left out.
 */
int header_run(void *arg, struct emit *e, struct error *err);

#endif

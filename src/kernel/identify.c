/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/identify.h"

#include <errno.h>
#include <string.h>

#include "kernel/private.h"
#include "kernel/uts.h"
#include "util/cleanup.h"

/* The page tables map init_uts_ns to where its names were read. True where the root is not known.
 */
static bool tables_agree(struct kernel *k)
{
    uint64_t va;

    return !k->mm.levels || (!vmcoreinfo_symbol(kernel_vmcoreinfo(k), "init_uts_ns", &va) &&
                             arch_tables_agree(&k->mm, k->im, va));
}

static bool describes_kernel(struct image *im)
{
    _cleanup_(kernel_closep) struct kernel *k = NULL;
    char release[UTS_FIELD_BYTES];
    struct uts uts;

    return kernel_open(im, NULL, 0, NULL, &k) == 0 && kernel_read_uts(k, &uts) &&
           !vmcoreinfo_string(image_vmcoreinfo(im), "OSRELEASE", release, sizeof(release)) &&
           !strncmp(release, uts.fields[UTS_RELEASE], sizeof(release)) && tables_agree(k);
}

static void identify_machine(struct image *im)
{
    const struct arch_ops *ops = arch_of_vmcoreinfo(image_vmcoreinfo(im));

    if (ops)
        image_set_machine(im, ops->machine);
}

/* With a machine that is not known, each text says its own. */
static bool accept(struct image *im)
{
    bool unknown = !image_machine(im), ok;

    if (unknown)
        identify_machine(im);
    ok = describes_kernel(im);
    if (unknown)
        image_set_machine(im, 0);
    return ok;
}

int kernel_identify(struct image *im, const struct vmcoreinfo_search *search, struct error *err)
{
    int r = image_vmcoreinfo(im)->len ? 0 : vmcoreinfo_scan(im, search, accept);

    if (r == -ENOENT)
        return error_set(err, r, "a dump without VMCOREINFO, and its memory has none either");
    if (r == -ETIME)
        return error_set(err, r, "a dump without VMCOREINFO, and no time was left to find it");
    if (r < 0)
        return error_set(err, r, "a dump without VMCOREINFO: %s", strerror(-r));
    if (!image_machine(im))
        identify_machine(im);
    return 0;
}

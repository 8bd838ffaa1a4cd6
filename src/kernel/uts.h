/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_UTS_H
#define KERNEL_UTS_H

#include <stdbool.h>

#include "kernel/kernel.h"

/* struct new_utsname: six strings, as include/uapi/linux/utsname.h has them. */
#define UTS_FIELD_BYTES 65
enum uts_field {
    UTS_SYSNAME,
    UTS_NODENAME,
    UTS_RELEASE,
    UTS_VERSION,
    UTS_MACHINE,
    UTS_DOMAINNAME,
    N_UTS_FIELDS
};

struct uts {
    char fields[N_UTS_FIELDS][UTS_FIELD_BYTES]; /* may lack their NUL in a damaged dump */
};

/* The names that the crashed kernel has for itself; needs VMCOREINFO alone. False if unreadable. */
bool kernel_read_uts(struct kernel *k, struct uts *ret);

#endif

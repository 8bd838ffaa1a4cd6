/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/kcore.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

#define LOCKDOWN_PATH "/sys/kernel/security/lockdown"

/* open_kcore() (fs/proc/kcore.c) asks for CAP_SYS_RAWIO first, then security_locked_down(). */
int kcore_refused(int r, bool root, const char *lockdown, struct error *err)
{
    bool denied = r == -EPERM || r == -EACCES;

    if (r == -ENOENT)
        return error_set(err, r,
                         PROC_KCORE
                         " is not there: this kernel is built without CONFIG_PROC_KCORE, "
                         "or a container hides it; run on the host");
    if (r == -ENOTSUP)
        return error_set(err, r, PROC_KCORE " is masked, as containers do it; run on the host");
    if (denied && !root)
        return error_set(err, r, PROC_KCORE ": only root may read it; run as root");
    if (denied && strstr(lockdown, "[confidentiality]"))
        return error_set(err, r,
                         PROC_KCORE ": kernel lockdown (confidentiality) forbids reading it; boot "
                                    "with lockdown=integrity or none for a live summary (those of "
                                    "crashes need no change)");
    if (denied)
        return error_set(err, r,
                         PROC_KCORE ": not permitted, even as root: run outside of containers and "
                                    "with CAP_SYS_RAWIO; kernel lockdown (" LOCKDOWN_PATH
                                    ") must not be \"confidentiality\"");
    return error_set(err, r, PROC_KCORE ": %s", strerror(-r));
}

int kcore_refused_here(int r, struct error *err)
{
    _cleanup_fclose_ FILE *f = fopen(LOCKDOWN_PATH, "re");
    char text[64] = "";

    if (f && !fgets(text, sizeof(text), f))
        text[0] = '\0';
    return kcore_refused(r, geteuid() == 0, text, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a configuration: what they say is within bounds, or changes nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void warn(void *arg, const char *text)
{
    (*(unsigned *)arg)++;
    if (!strstr(text, ": "))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("config", MFD_CLOEXEC);
    struct config c;
    unsigned warnings = 0;
    char path[64];

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    config_init(&c);
    if (config_load(path, &c, warn, &warnings, NULL))
        abort();
    if (c.directory[0] != '/' || !c.deadline_ms || !memchr(c.sections, 0, sizeof(c.sections)) ||
        !memchr(c.console, 0, sizeof(c.console)) || warnings > 20)
        abort();
    close(fd);
    return 0;
}

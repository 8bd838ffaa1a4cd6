/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/summaries.h"

#include <stddef.h>

#include "capture/config.h"
#include "cli/command.h"

int summaries_find(const char *directory, struct error *err, struct summary_list *list)
{
    struct config config;
    int r;

    if (directory) {
        r = summary_find(directory, err, list);
    } else {
        config_read(CONFIG_PATH, &config);
        r = summary_find(SUMMARY_DEFAULT_ROOT, err, list);
        if (!r)
            r = summary_find(config.directory, err, list);
    }
    if (!r)
        summary_list_sort(list);
    return r;
}

void summaries_complain(const char *command, const char *directory, const struct summary_list *list)
{
    command_error(command, "no summary found in %s%s", directory ? directory : SUMMARY_DEFAULT_ROOT,
                  list->incomplete ? "; parts of it cannot be read: are you root?" : "");
}

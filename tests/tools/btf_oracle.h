/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TOOLS_BTF_ORACLE_H
#define TOOLS_BTF_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/needs.h"

/* Our reader, behind names that do not clash with libbpf's. */
bool oracle_open(const char *path, uint32_t *ret_count);
bool oracle_member(uint32_t struct_id, const char *name, struct resolved *ret);
void oracle_close(void);

#endif

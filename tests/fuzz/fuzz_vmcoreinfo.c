/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VMCOREINFO note of any bytes, asked for the keys that its own lines begin with and for others.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/vmcoreinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct vmcoreinfo *vi, const char *name)
{
    const char *value;
    char text[16];
    uint64_t u;
    int64_t n;
    size_t len;

    (void)vmcoreinfo_symbol(vi, name, &u);
    (void)vmcoreinfo_offset(vi, name, &u);
    (void)vmcoreinfo_size(vi, name, &u);
    (void)vmcoreinfo_length(vi, name, &u);
    (void)vmcoreinfo_number(vi, name, &n);
    (void)vmcoreinfo_decimal(vi, name, &u);
    (void)vmcoreinfo_string(vi, name, text, sizeof(text));
    if (vmcoreinfo_value(vi, name, &value, &len) == 0 &&
        (value < vi->text || value + len > vi->text + vi->len))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vmcoreinfo vi;

    if (vmcoreinfo_init(&vi, data, size, NULL) < 0)
        return 0;
    ask(&vi, "_stext");
    ask(&vi, "OSRELEASE");
    ask(&vi, "");
    for (int i = 0; i < 4; i++) {
        char name[8] = {0};

        memcpy(name, vi.text, vi.len < 7 ? vi.len : 7);
        name[i] = '\0';
        ask(&vi, name);
    }
    vmcoreinfo_done(&vi);
    return 0;
}

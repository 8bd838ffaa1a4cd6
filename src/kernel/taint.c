/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/taint.h"

#include <stddef.h>

/* Bit n's letter at index n. The kernel has only ever added letters at the end. */
static const char letters[] = "PFSRMBUDAWCIOELKXTNJ";

void taint_letters(uint64_t mask, char ret[static TAINT_LETTERS_CAP])
{
    size_t n = 0;

    for (unsigned bit = 0; bit < 64; bit++)
        if (mask >> bit & 1)
            ret[n++] = bit < sizeof(letters) - 1 ? letters[bit] : '?';
    ret[n] = '\0';
}

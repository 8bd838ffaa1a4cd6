/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int names_init(struct names *n, size_t capacity, struct error *err)
{
    size_t slots = 64;

    while (slots < capacity * 4) /* sparse: nearly every look-up is for a name that is not there */
        slots *= 2;
    *n = (struct names){.mask = slots - 1};
    n->names = calloc(capacity ? capacity : 1, sizeof(*n->names));
    n->slots = calloc(slots, sizeof(*n->slots));
    if (n->names && n->slots)
        return 0;
    names_done(n);
    return error_set(err, -ENOMEM, "out of memory");
}

void names_done(struct names *n)
{
    free(n->names);
    free(n->slots);
    *n = (struct names){0};
}

uint32_t names_hash(const char *s, size_t len)
{
    uint32_t h = 0;

    for (size_t i = 0; i < len; i++)
        h = h * NAMES_BASE + (uint8_t)s[i];
    return h;
}

/* Where the search for a hash starts: the high bits, which all characters have moved. */
static size_t first_slot(const struct names *n, uint32_t hash)
{
    return (hash ^ hash >> 15) & n->mask;
}

/* The slot that holds the name, or the free one where it belongs. */
static size_t find_slot(const struct names *n, const char *name, size_t len)
{
    size_t i = first_slot(n, names_hash(name, len));

    while (n->slots[i]) {
        const char *s = n->names[n->slots[i] - 1];

        if (!strncmp(s, name, len) && s[len] == '\0')
            break;
        i = (i + 1) & n->mask;
    }
    return i;
}

bool names_may_have(const struct names *n, uint32_t hash)
{
    return n->slots[first_slot(n, hash)];
}

size_t names_add(struct names *n, const char *name)
{
    size_t i = find_slot(n, name, strlen(name));

    if (!n->slots[i]) {
        n->names[n->count++] = name;
        n->slots[i] = (uint32_t)n->count;
    }
    return n->slots[i] - 1;
}

size_t names_find(const struct names *n, const char *name, size_t len)
{
    size_t i = find_slot(n, name, len);

    return n->slots[i] ? n->slots[i] - 1 : NAMES_NONE;
}

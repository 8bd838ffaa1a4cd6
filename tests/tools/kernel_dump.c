/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_dump VMCORE SYMBOLS BTF: writes every symbol of the dump's kallsyms as System.map has them
 * ("ADDRESS TYPE NAME"), and its BTF as it lies in memory; prints how many symbols and types there
 * are, and whether the walk over the types ended early. For comparison with the files that
 * kernel packages have.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/image.h"
#include "kernel/btf.h"
#include "kernel/kallsyms.h"
#include "util/cleanup.h"

struct dump {
    FILE *symbols;
    size_t count;
    struct resolved start, stop; /* of the BTF */
};

static int take_symbol(const char *name, char type, uint64_t addr, void *arg)
{
    struct dump *d = arg;
    const struct resolved at = {.present = true, .addr = addr};

    fprintf(d->symbols, "%016llx %c %s\n", (unsigned long long)addr, type, name);
    d->count++;
    if (!strcmp(name, "__start_BTF"))
        d->start = at;
    if (!strcmp(name, "__stop_BTF"))
        d->stop = at;
    return 0;
}

static int dump_btf(struct kernel *k, const struct dump *d, const char *path, struct error *err)
{
    _cleanup_fclose_ FILE *f = fopen(path, "w");
    _cleanup_free_ uint8_t *data = NULL;
    struct btf b;
    size_t len;
    int r = btf_read_kernel(k, &d->start, &d->stop, err, &data, &len);

    if (!r)
        r = btf_init(&b, data, len, err);
    if (r < 0)
        return r;
    printf("types %u\ncut %d\n", b.count, b.cut);
    btf_done(&b);
    return f && fwrite(data, 1, len, f) == len && fflush(f) == 0 ? 0 : -1;
}

static int dump(struct kernel *k, char *argv[], struct error *err)
{
    _cleanup_fclose_ FILE *symbols = fopen(argv[2], "w");
    struct dump d = {.symbols = symbols};
    int r;

    if (!symbols)
        return error_set(err, -1, "cannot write %s", argv[2]);
    r = kallsyms_foreach(k, take_symbol, &d, err);
    printf("symbols %zu\n", d.count);
    return r < 0 ? r : dump_btf(k, &d, argv[3], err);
}

int main(int argc, char *argv[])
{
    _cleanup_(image_closep) struct image *im = NULL;
    _cleanup_(kernel_closep) struct kernel *k = NULL;
    struct error err = {0};
    int r;

    if (argc != 4) {
        fprintf(stderr, "usage: kernel_dump VMCORE SYMBOLS BTF\n");
        return 2;
    }
    r = image_open(argv[1], &err, &im);
    if (!r)
        r = kernel_open(im, NULL, 0, &err, &k);
    if (!r)
        r = dump(k, argv, &err);
    if (r < 0)
        fprintf(stderr, "kernel_dump: %s\n", error_text(&err, r));
    return r < 0;
}

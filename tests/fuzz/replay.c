/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main() of a fuzz target without libFuzzer: runs it over every file of the corpus directory
 * given, one TAP line a file. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    _cleanup_fclose_ FILE *f = fopen(path, "rb");
    _cleanup_free_ uint8_t *data = NULL;
    long size;

    if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
        return -1;
    data = malloc((size_t)size + 1);
    if (!data || fread(data, 1, (size_t)size, f) != (size_t)size)
        return -1;
    /* an exact allocation lets ASan see a read past the end */
    {
        _cleanup_free_ uint8_t *exact = malloc(size ? (size_t)size : 1);

        if (!exact)
            return -1;
        memcpy(exact, data, (size_t)size);
        LLVMFuzzerTestOneInput(exact, (size_t)size);
    }
    return 0;
}

int main(int argc, char **argv)
{
    int n, count = 0, failed = 0;
    struct dirent **entries;

    if (argc != 2 || (n = scandir(argv[1], &entries, NULL, alphasort)) < 0) {
        fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
        return 2;
    }
    for (int i = 0; i < n; i++) {
        char path[4096];

        snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            int r = replay_file(path);

            failed += r != 0;
            printf("%s %d - %s\n", r ? "not ok" : "ok", ++count, entries[i]->d_name);
            fflush(stdout);
        }
        free(entries[i]);
    }
    free(entries);
    printf("1..%d\n", count);
    return failed || !count;
}

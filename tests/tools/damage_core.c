/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs every section on a real vmcore whose memory lies: `damage_core VMCORE ROUNDS SEED`.
 *
 * Nothing is written: the words that image_read() returns are changed on their way (the program is
 * linked with --wrap=image_read), the same way for the same address all through a round. A round is
 * a forked child; one that dies or does not come back is a failure, printed as TAP with the seed
 * that repeats it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "extract/extract.h"
#include "util/cleanup.h"

#define ROUND_SECONDS 60 /* with ASan, on a busy machine; a round takes less than one */

int __real_image_read(struct image *im, uint64_t phys, void *ret, size_t len);
int __wrap_image_read(struct image *im, uint64_t phys, void *ret, size_t len);

static struct {
    uint64_t seed;
    uint32_t one_in;  /* words; 0 for an honest dump */
    uint64_t pointer; /* a kernel pointer seen before: the stuff of cycles */
} damage;

/* splitmix64 */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static uint64_t damaged_word(uint64_t word, uint64_t chance)
{
    switch (chance >> 32 & 7) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return mix(chance);
    case 3:
        return word ^ 1ULL << (chance >> 40 & 63);
    case 4:
        return word + 8;
    case 5:
        return word & UINT32_MAX;
    default:
        return damage.pointer ? damage.pointer : word - 64;
    }
}

static void damage_words(uint64_t phys, uint64_t *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t chance = mix(mix(phys / 8 + i) ^ damage.seed);

        if (chance % damage.one_in == 0)
            words[i] = damaged_word(words[i], chance);
        else if (words[i] >> 47 == 0x1ffff && chance % 16 == 1)
            damage.pointer = words[i];
    }
}

int __wrap_image_read(struct image *im, uint64_t phys, void *ret, size_t len)
{
    uint64_t first = phys & ~7ULL, words[512];
    int r;

    if (!damage.one_in || !len)
        return __real_image_read(im, phys, ret, len);
    for (size_t done = 0; done < len;) {
        size_t skip = (size_t)(phys + done - first), n = len - done;
        size_t bytes;

        n = n > sizeof(words) - skip ? sizeof(words) - skip : n;
        bytes = (skip + n + 7) & ~(size_t)7;
        r = __real_image_read(im, first, words, bytes);
        if (r < 0)
            return r;
        damage_words(first, words, bytes / 8);
        memcpy((char *)ret + done, (char *)words + skip, n);
        done += n;
        first += skip + n;
    }
    return 0;
}

struct tally {
    uint64_t lines, bytes;
};

static int count_line(void *arg, const char *line, size_t len)
{
    struct tally *t = arg;

    t->lines++;
    t->bytes += len;
    /* what the runner would say at a section's output budget */
    return len && line[len - 1] == '\n' && t->bytes < 64u << 20 ? 0 : -EPIPE;
}

static void run_sections(struct kernel *k, const struct needs_set *sets)
{
    for (size_t i = 0; i < n_extractors; i++) {
        struct error err = {0};
        struct tally tally = {0};
        _cleanup_(emit_freep) struct emit *e = emit_new(extractors[i]->name, count_line, &tally);
        struct extract x = {k, sets[i].found, e, &err};

        if (!needs_first_missing(sets[i].needs, sets[i].found, sets[i].count))
            extractors[i]->run(&x);
    }
}

/* In a child: one round. Every fourth damages symbols and types as well. */
static void play_round(struct image *im, struct kernel *honest, const struct needs_set *sets,
                       unsigned round)
{
    static const uint32_t rates[] = {16, 64, 256, 1024, 4096, 16384};
    struct kernel *k = NULL;

    alarm(ROUND_SECONDS);
    if (image_after_fork(im) < 0)
        _exit(1);
    if (round % 4 == 0) {
        if (kernel_open(im, sets, n_extractors, NULL, &k) < 0)
            _exit(1);
        for (size_t i = 0; i < n_extractors; i++)
            memset(sets[i].found, 0, sets[i].count * sizeof(*sets[i].found));
        damage.one_in = rates[round / 4 % ARRAY_SIZE(rates)] * 16;
        (void)kernel_bootstrap(k, NULL);
    }
    damage.one_in = rates[round % ARRAY_SIZE(rates)];
    run_sections(k ? k : honest, sets);
    kernel_close(k);
    exit(0); /* not _exit: the leak checker looks now */
}

int main(int argc, char **argv)
{
    _cleanup_(image_closep) struct image *im = NULL;
    _cleanup_(kernel_closep) struct kernel *k = NULL;
    struct needs_set *sets = calloc(n_extractors, sizeof(*sets));
    struct error err = {0};
    unsigned rounds = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 0) : 0;
    uint64_t seed = argc == 4 ? strtoull(argv[3], NULL, 0) : 0;
    int failed = 0;

    if (!rounds || !sets || image_open(argv[1], &err, &im) < 0) {
        fprintf(stderr, "usage: damage_core VMCORE ROUNDS SEED\n%s\n", err.text);
        return 2;
    }
    for (size_t i = 0; i < n_extractors; i++)
        sets[i] = (struct needs_set){extractors[i]->needs,
                                     calloc(extractors[i]->n_needs + 1, sizeof(struct resolved)),
                                     extractors[i]->n_needs};
    if (kernel_open(im, sets, n_extractors, &err, &k) < 0 || kernel_bootstrap(k, &err) < 0) {
        fprintf(stderr, "damage_core: %s\n", err.text);
        return 2;
    }
    for (unsigned round = 0; round < rounds; round++) {
        int status;
        pid_t pid;

        damage.seed = mix(seed + round);
        fflush(stdout);
        pid = fork();
        if (pid == 0)
            play_round(im, k, sets, round);
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
            failed++;
            printf("not ok %u - round %u of seed %llu: wait status 0x%x\n", round + 1, round,
                   (unsigned long long)seed, (unsigned)status);
        } else {
            printf("ok %u - round %u\n", round + 1, round);
        }
    }
    printf("1..%u\n", rounds);
    for (size_t i = 0; i < n_extractors; i++)
        free(sets[i].found);
    free(sets);
    return failed != 0;
}

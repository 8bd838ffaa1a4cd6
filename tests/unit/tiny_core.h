/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_TINY_CORE_H
#define UNIT_TINY_CORE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/image.h"

/*
 * A vmcore for a unit test, built in memory: one RAM segment at physical 0, or ram_phys, and a
 * VMCOREINFO note. Tests write structures into `ram`, then open it.
 */
#define TINY_RAM_BYTES (1u << 20)
/* Where the tests put the page-table root; kernel text is mapped phys = va - START + 0. */
#define TINY_ROOT_PHYS 0x1000u
#define TINY_TEXT      0xffffffff80000000ULL

/* Fuzz targets use this too, without libcheck. */
#define TINY_REQUIRE(condition)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

struct tiny_core {
    uint8_t ram[TINY_RAM_BYTES];
    char vmcoreinfo[4096];
    uint64_t mem_bytes; /* what the machine had, if more than the dump holds */
    uint64_t ram_phys;
    uint16_t machine; /* 0: x86_64 */
    bool live;        /* a running kernel's */
    bool absurd;      /* a segment of nearly 2^64 bytes comes first, and misplaces the others */
};

static inline void tiny_put(struct tiny_core *c, uint64_t phys, uint64_t value)
{
    TINY_REQUIRE(phys + sizeof(value) <= sizeof(c->ram));
    memcpy(c->ram + phys, &value, sizeof(value));
}

static inline struct image *tiny_open(const struct tiny_core *c)
{
    size_t info = strlen(c->vmcoreinfo);
    struct {
        Elf64_Ehdr ehdr;
        Elf64_Phdr phdr[3];
        Elf64_Nhdr nhdr;
        char name[12];
        char desc[4096];
    } head = {
        .ehdr = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                 .e_type = ET_CORE,
                 .e_machine = c->machine ? c->machine : EM_X86_64,
                 .e_version = EV_CURRENT,
                 .e_phoff = sizeof(Elf64_Ehdr),
                 .e_ehsize = sizeof(Elf64_Ehdr),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = c->live || c->absurd ? 3 : 2},
        .nhdr = {.n_namesz = 11, .n_descsz = (Elf64_Word)info},
        .name = "VMCOREINFO",
    };
    size_t note = sizeof(head.nhdr) + sizeof(head.name) + ((info + 3) & ~(size_t)3);
    char path[64];
    struct image *im = NULL;
    int fd = memfd_create("tiny-core", 0);

    head.phdr[0] = (Elf64_Phdr){.p_type = PT_NOTE,
                                .p_offset = offsetof(__typeof__(head), nhdr),
                                .p_filesz = note,
                                .p_memsz = note};
    head.phdr[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                                .p_offset = 8192,
                                .p_paddr = c->ram_phys,
                                .p_filesz = sizeof(c->ram),
                                .p_memsz = c->mem_bytes ? c->mem_bytes : sizeof(c->ram)};
    head.phdr[2] = (Elf64_Phdr){.p_type = PT_LOAD, .p_paddr = UINT64_MAX, .p_memsz = 1};
    if (c->absurd) {
        /* as kexec-tools 2.0.25 made it on arm64 */
        uint64_t bytes = 0xffff80000a000001;

        head.phdr[1].p_offset += bytes;
        head.phdr[2] = (Elf64_Phdr){.p_type = PT_LOAD,
                                    .p_offset = 8192,
                                    .p_paddr = 0x40210000,
                                    .p_filesz = bytes,
                                    .p_memsz = bytes};
    }
    memcpy(head.desc, c->vmcoreinfo, info);
    TINY_REQUIRE(fd >= 0);
    TINY_REQUIRE(pwrite(fd, &head, sizeof(head), 0) == sizeof(head));
    TINY_REQUIRE(pwrite(fd, c->ram, sizeof(c->ram), 8192) == sizeof(c->ram));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    TINY_REQUIRE(image_open(path, NULL, &im) == 0);
    close(fd);
    return im;
}

#endif

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kdump_seeds.py [--unfinished | --damaged COUNT SEED] DIRECTORY: writes the compressed and flattened dumps of the
corpus of fuzz_elf; or that of fuzz_complete: dumps that their writers did not finish, and ones that lie about it; or
COUNT dumps with some damage in their headers, another set for each SEED.

Each is a tiny dump of four pages as makedumpfile lays it out (include/diskdump_mod.h and
makedumpfile.h of makedumpfile 1.7): whole ones, and ones whose headers lie."""
import os, random, struct, sys, zlib

BLOCK = 4096
ZLIB, LZO, SNAPPY, ZSTD = 1, 2, 4, 0x20
INFO = (b"OSRELEASE=6.1.0-seed\nPAGESIZE=4096\nSYMBOL(_stext)=ffffffff81000000\n"
        b"SYMBOL(init_uts_ns)=ffffffff81000100\nNUMBER(phys_base)=-16777216\n")
NOTE = struct.pack("<III12s", 11, len(INFO), 0, b"VMCOREINFO") + INFO + bytes(-len(INFO) % 4)


def padded(data):
    return data + bytes(-len(data) % BLOCK)


def header(version=6, block_size=BLOCK, sub_blocks=1, bitmap_blocks=2, max_mapnr=8, status=0):
    uts = b"".join(s.ljust(65, b"\0") for s in (b"Linux", b"seed", b"6.1.0-seed", b"#1 SMP", b"x86_64", b"(none)"))
    return padded(struct.pack("<8si390s6xqqIiiIIIIIii", b"KDUMP   ", version, uts, 1700000000, 0, status, block_size,
                              sub_blocks, bitmap_blocks, max_mapnr, 0, 0, 4, 0, 1))


def sub_header(split=0, info_at=BLOCK + 256 + 24, info_bytes=len(INFO), note_at=BLOCK + 256, note_bytes=len(NOTE),
               max_mapnr=8):
    fixed = struct.pack("<QiiQQqQqQqQQQQ", (1 << 64) - 0x1000000, 31, split, 0, 8, info_at, info_bytes, note_at,
                        note_bytes, 0, 0, 0, 8, max_mapnr)
    return padded(fixed.ljust(256, b"\0") + NOTE)


def pages(flags, mangle=lambda data: data):
    """Descriptors of pages 0, 1, 3 and 7, then their data."""
    contents = [bytes([n]) * BLOCK for n in (0, 1, 3, 7)]
    data = [mangle(zlib.compress(c) if flags == ZLIB else c) for c in contents]
    at, descriptors = 4 * BLOCK + 24 * len(data), b""
    for d in data:
        descriptors += struct.pack("<qIIQ", at, len(d), flags, 0)
        at += len(d)
    return descriptors + b"".join(data)


def kdump(head=None, sub=None, body=None):
    memory, dumped = padded(b"\xff"), padded(b"\x8b")
    return (head or header()) + (sub or sub_header()) + memory + dumped + (body or pages(ZLIB))


def flattened(data, piece=5000, order=1):
    """In records of `piece` bytes, in file order or against it."""
    out = padded(struct.pack(">16sqq", b"makedumpfile", 1, 1))
    for at in list(range(0, len(data), piece))[::order]:
        out += struct.pack(">qq", at, len(data[at:at + piece])) + data[at:at + piece]
    return out + struct.pack(">qq", -1, -1)


whole = kdump()
tiny_elf = open(os.path.join(os.path.dirname(__file__), "corpus/elf/plain"), "rb").read()
seeds = {
    "kdump-zlib": whole,
    "kdump-raw": kdump(body=pages(0)),
    "kdump-bad-zlib": kdump(body=pages(ZLIB, lambda d: d[:2] + b"\xff" * (len(d) - 2))),
    "kdump-bad-lzo": kdump(body=pages(LZO, lambda d: d[:64])),
    "kdump-bad-snappy": kdump(body=pages(SNAPPY, lambda d: b"\xff\xff\xff\xff\x0f" + d[:64])),
    "kdump-bad-zstd": kdump(body=pages(ZSTD, lambda d: b"\x28\xb5\x2f\xfd" + d[:64])),
    "kdump-cut": whole[:4 * BLOCK + 40],
    "kdump-cut-bitmap": whole[:2 * BLOCK + 1],
    "kdump-split": kdump(sub=sub_header(split=1)),
    "kdump-version-1": kdump(head=header(version=1)),
    "kdump-version-99": kdump(head=header(version=99)),
    "kdump-block-0": kdump(head=header(block_size=0)),
    "kdump-block-3": kdump(head=header(block_size=4095)),
    "kdump-no-sub-header": kdump(head=header(sub_blocks=0)),
    "kdump-negative-sub-header": kdump(head=header(sub_blocks=-1)),
    "kdump-no-bitmap": kdump(head=header(bitmap_blocks=0)),
    "kdump-version-3": kdump(head=header(version=3)),  # the last without notes, the first with VMCOREINFO
    "kdump-info-outside": kdump(head=header(version=3), sub=sub_header(info_at=1 << 40)),
    "kdump-info-huge": kdump(head=header(version=3), sub=sub_header(info_bytes=1 << 62)),
    "kdump-note-outside": kdump(sub=sub_header(note_at=1 << 40)),
    "kdump-note-huge": kdump(sub=sub_header(note_bytes=1 << 62)),
    "kdump-many-pages": kdump(head=header(max_mapnr=0xffffffff), sub=sub_header(max_mapnr=1 << 62)),
    "flattened-kdump": flattened(whole),
    "flattened-backwards": flattened(whole, order=-1),
    "flattened-elf": flattened(tiny_elf, 100),
    "flattened-cut": flattened(whole)[:3 * BLOCK],
    "flattened-no-end": flattened(whole)[:-16],
    "flattened-overlap": flattened(whole)[:-16] + struct.pack(">qq", 8, 64) + bytes(64) + struct.pack(">qq", -1, -1),
    "flattened-far": padded(struct.pack(">16sqq", b"makedumpfile", 1, 1)) + struct.pack(">qq", 1 << 62, 4) + b"KDUM",
    "flattened-negative": padded(struct.pack(">16sqq", b"makedumpfile", 1, 1)) + struct.pack(">qq", 0, -5),
}
table, data_at = 4 * BLOCK, 4 * BLOCK + 24 * 4
phdr_at = struct.unpack_from("<Q", tiny_elf, 32)[0]


def patched(data, *patches):
    data = bytearray(data)
    for at, what in patches:
        data[at:at + len(what)] = what
    return bytes(data)


def stream(*pieces):
    return padded(struct.pack(">16sqq", b"makedumpfile", 1, 1)) + b"".join(
        struct.pack(">qq", at, len(d)) + d for at, d in pieces)


raw = kdump(body=pages(0))
unfinished = {
    "kdump-marked": kdump(head=header(status=8)),
    "kdump-last-desc-empty": patched(whole, (table + 3 * 24, bytes(24))),
    "kdump-no-descs": patched(whole, (table, bytes(24 * 4))),
    "kdump-short-bitmap": patched(raw, (3 * BLOCK, b"\x01"), (table, struct.pack("<q", data_at + 3 * BLOCK))),
    "kdump-zero-pages": patched(raw, *[(table + i * 24, struct.pack("<q", data_at)) for i in range(4)]),
    "kdump-size-lies": patched(whole, (table + 3 * 24, struct.pack("<qI", data_at, 0xffffffff))),
    "kdump-offset-lies": patched(whole, (table + 3 * 24, struct.pack("<qI", -1, 64))),
    "kdump-bitmap-lies": kdump(head=header(bitmap_blocks=0xffffffff)),
    "kdump-sub-blocks-lie": kdump(head=header(sub_blocks=0x7fffffff)),
    "kdump-part": kdump(sub=patched(sub_header(split=1), (80, struct.pack("<QQ", 1, 4)))),
    "kdump-part-backwards": kdump(sub=patched(sub_header(split=1), (80, struct.pack("<QQ", 9, 4)))),
    "kdump-headers-only": whole[:table],
    "elf-marked": patched(tiny_elf, (48, b"\x01")),
    "elf-null-headers": patched(tiny_elf, (phdr_at, bytes(56))),
    "elf-xnum": patched(tiny_elf, (56, b"\xff\xff")),
    "elf-absurd": patched(tiny_elf, (phdr_at, struct.pack("<I", 1)), (phdr_at + 32, b"\xff" * 8)),
    "flattened-half-table": stream((0, whole[:table]), (table, whole[table:table + 48]), (data_at, whole[data_at:])),
    "flattened-data-first": stream((0, whole[:table]), (data_at, whole[data_at:]), (table, whole[table:table + 48])),
    "flattened-headers": stream((0, whole[:table])),
    "flattened-ends-like-the-mark": stream((0, whole[:table] + b"\xff" * 16)),
    "flattened-beyond": stream((0, whole[:table]), (1 << 62, b"x"), ((1 << 63) - 1, b"x")),
    "flattened-damaged": stream((0, whole[:table])) + bytes(16) + struct.pack(">qq", -1, -1),
}


def damaged(count, seed):
    """Fields are changed where the headers are dense: geometry at 420, notes in the sub-header."""
    chance = random.Random(seed)
    for n in range(count):
        data = bytearray(chance.choice((whole, raw)))
        for _ in range(chance.randint(1, 4)):
            width = chance.choice((1, 2, 4, 8))
            at = chance.choice((chance.randrange(420, 484), chance.randrange(BLOCK, BLOCK + 128),
                                chance.randrange(len(data) - 8))) // width * width
            value = chance.choice((0, (1 << 64) - 1, 0x7fffffff, 0x80000000, 1, 0x1000, 1 << 32, chance.getrandbits(64)))
            data[at:at + width] = struct.pack("<Q", value)[:width]
        yield f"damaged-{n}", bytes(data[:chance.randrange(len(data))] if chance.randrange(8) == 0 else data)


if "--damaged" in sys.argv:
    chosen = dict(damaged(int(sys.argv[2]), sys.argv[3]))
else:
    chosen = unfinished if "--unfinished" in sys.argv else seeds
for name, data in chosen.items():
    with open(os.path.join(sys.argv[-1], name), "wb") as f:
        f.write(data)

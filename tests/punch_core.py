#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes single pages out of an ELF vmcore, in place: punch_core.py CORE HEX filter|cut

The pages are those that hold the bytes HEX, on an 8-byte boundary. `filter` makes each a segment
that has memory but no bytes in the file, as makedumpfile -E leaves an excluded page; `cut` moves
its bytes behind everything else and then off the end, as a dump is that was not written to its end.
Prints how many pages there were. The new program headers go to the end of the file.
"""
import mmap
import struct
import sys

PAGE = 4096
HEADER = struct.Struct("<IIQQQQQQ")  # Elf64_Phdr


def headers(core):
    phoff = struct.unpack_from("<Q", core, 32)[0]
    size, count = struct.unpack_from("<HH", core, 54)
    return [list(HEADER.unpack_from(core, phoff + i * size)) for i in range(count)]


def find_pages(core, loads, pattern):
    """The physical page of each hit, and of none twice."""
    for _, _, offset, _, paddr, filesz, _, _ in loads:
        end, hits = offset + filesz, set()
        at = core.find(pattern, offset, end)
        while at >= 0:
            if (at - offset) % 8 == 0:
                hits.add((paddr + at - offset) & -PAGE)
            at = core.find(pattern, at + 1, end)
        yield from sorted(hits)


def part(load, start, end):
    """The load's header for the physical memory from start to end; the load has all its bytes."""
    kind, flags, offset, vaddr, paddr, _, _, align = load
    skip = start - paddr
    vaddr = vaddr + skip if vaddr not in (0, 2**64 - 1) else vaddr
    return [kind, flags, offset + skip, vaddr, start, end - start, end - start, align]


def split(load, pages, hole):
    at, last = load[4], load[4] + load[5]
    for page in pages:
        if not at <= page < last:
            continue
        if page > at:
            yield part(load, at, page)
        gone = part(load, page, page + PAGE)
        hole(gone)
        yield gone
        at = page + PAGE
    if at < last:
        yield part(load, at, last)
    if load[6] > load[5]:  # what the filter had left out already
        rest = part(load, last, load[4] + load[6])
        rest[5] = 0
        yield rest


def main():
    name, pattern, how = sys.argv[1], bytes.fromhex(sys.argv[2]), sys.argv[3]
    with open(name, "r+b") as f:
        core = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        rows = headers(core)
        loads = [row for row in rows if row[0] == 1]
        pages = list(find_pages(core, loads, pattern))
        end = -(-len(core) // PAGE) * PAGE
        n_rows = len(rows) + 2 * len(pages) + len(loads)
        beyond = end + n_rows * HEADER.size

        def hole(gone):
            if how == "filter":
                gone[5] = 0
            else:
                gone[2] = beyond

        new = [row for row in rows if row[0] != 1]
        for load in loads:
            new += split(load, pages, hole)
        f.seek(end)
        f.write(b"".join(HEADER.pack(*row) for row in new))
        f.truncate(end + len(new) * HEADER.size)
        f.seek(32)
        f.write(struct.pack("<Q", end))
        f.seek(56)
        f.write(struct.pack("<H", len(new)))
    print(len(pages))


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""hide_vmcoreinfo.py DUMP: takes the VMCOREINFO note of a dump by QEMU away, in place: an ELF core or
a flattened kdump is then as QEMU writes it of a machine without -device vmcoreinfo. Fails where
there is none."""
import struct, sys

NAME = b"VMCOREINFO\0"
SUB_HEADER_AT = 4096  # of the kdump: the block behind the first
SIZE_AT = 40  # size_vmcoreinfo in struct kdump_sub_header


def hide_in(f, offset, size):
    f.seek(offset)
    data = f.read(size)
    found = data.count(NAME)
    f.seek(offset)
    f.write(data.replace(NAME, b"X" + NAME[1:]))
    return found


def hide_in_elf(f):
    phoff, = struct.unpack("<Q", (f.seek(32), f.read(8))[1])
    phnum, = struct.unpack("<H", (f.seek(56), f.read(2))[1])
    f.seek(phoff)
    headers = [struct.unpack("<IIQQQQQQ", f.read(56)) for _ in range(1 if phnum == 0xFFFF else phnum)]
    return sum(hide_in(f, h[2], h[5]) for h in headers if h[0] == 4)


def hide_in_flattened(f):
    """The header's pieces come first and uncompressed."""
    found, at = 0, 4096
    while True:
        f.seek(at)
        offset, size = struct.unpack(">qq", f.read(16))
        if offset < 0 or offset > 16 * SUB_HEADER_AT:
            return found
        if offset <= SUB_HEADER_AT < offset + size:
            f.seek(at + 16 + SUB_HEADER_AT - offset + SIZE_AT)
            f.write(bytes(8))
        found += hide_in(f, at + 16, size)
        at += 16 + size


with open(sys.argv[1], "r+b") as dump:
    hidden = hide_in_elf(dump) if dump.read(4) == b"\x7fELF" else hide_in_flattened(dump)
    sys.exit(0 if hidden else "no VMCOREINFO note")

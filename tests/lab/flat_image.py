#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A vmcore of a kernel that never ran: flat_image.py VMLINUZ OUT EXPORTS BTF

The image that a bzImage carries is unpacked, its segments are laid out where the kernel would have
them, and a VMCOREINFO note is made as an old kernel would write it: it names no kallsyms tables, a
reader has to find them. Nothing is relocated: addresses are those of the link.

EXPORTS gets what the image's own __ksymtab sections say, "ADDRESS NAME" a line, and BTF its .BTF
section: witnesses that have nothing to do with kallsyms.
"""
import argparse
import struct
import subprocess
import sys

# SYMBOL() lines of VMCOREINFO that modules may know as well.
SYMBOLS = ("init_uts_ns", "node_data", "contig_page_data")
UNPACKERS = (
    (b"\x1f\x8b", ["gzip", "-dc"]),
    (b"\xfd7zXZ\0", ["xz", "-dc", "--single-stream"]),
    (b"\x28\xb5\x2f\xfd", ["zstd", "-dcq"]),
    (b"\x02\x21\x4c\x18", ["lz4", "-dc"]),
)


def unpack(bzimage):
    """The payload, by Documentation/arch/x86/boot.rst: 4 bytes of length follow the packed data."""
    if bzimage[0x202:0x206] != b"HdrS":
        raise SystemExit("flat_image: no bzImage")
    setup_sectors = bzimage[0x1f1] or 4
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    payload = bzimage[start:start + length]
    for magic, command in UNPACKERS:
        if payload.startswith(magic):
            # the packers' own word on trailing bytes is a warning, not an end
            done = subprocess.run(command, input=payload[:-4], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, check=False)
            if not done.stdout.startswith(b"\x7fELF"):
                raise SystemExit(f"flat_image: {command[0]} did not unpack an ELF file")
            return done.stdout
    raise SystemExit(f"flat_image: unknown packing {payload[:6]!r}")


def loads(vmlinux):
    """(physical address, bytes, size in memory) of each PT_LOAD."""
    phoff = struct.unpack_from("<Q", vmlinux, 32)[0]
    size, count = struct.unpack_from("<HH", vmlinux, 54)
    for i in range(count):
        kind, _, offset, _, paddr, filesz, memsz = struct.unpack_from("<IIQQQQQ", vmlinux, phoff + i * size)
        if kind == 1 and memsz:
            yield paddr, vmlinux[offset:offset + filesz], memsz


def sections(vmlinux):
    """name: (address, bytes) of each section that lies in the file."""
    shoff = struct.unpack_from("<Q", vmlinux, 40)[0]
    size, count, names = struct.unpack_from("<HHH", vmlinux, 58)
    rows = [struct.unpack_from("<IIQQQQ", vmlinux, shoff + i * size) for i in range(count)]
    strings = rows[names][4]
    found = {}
    for name, kind, _, addr, offset, length in rows:
        start = strings + name
        text = vmlinux[start:vmlinux.index(b"\0", start)].decode()
        if kind != 8:  # SHT_NOBITS
            found[text] = (addr, vmlinux[offset:offset + length])
    return found


def exports(found):
    """struct kernel_symbol with CONFIG_HAVE_ARCH_PREL32_RELOCATIONS: value, name, namespace, each
    relative to its own place; the namespace is there since 5.4."""
    strings_at, strings = found["__ksymtab_strings"]
    for section in ("__ksymtab", "__ksymtab_gpl"):
        base, data = found.get(section, (0, b""))
        for at in range(0, len(data) - 11, 12):
            value, name = struct.unpack_from("<ii", data, at)
            start = base + at + 4 + name - strings_at
            if 0 <= start < len(strings):
                yield strings[start:strings.index(b"\0", start)].decode(), (base + at + value) % (1 << 64)


def vmcoreinfo(stext, symbols):
    lines = ["PAGESIZE=4096", "NUMBER(phys_base)=0", f"SYMBOL(_stext)={stext:x}"]
    lines += [f"SYMBOL({name})={symbols[name]:x}" for name in SYMBOLS if name in symbols]
    return ("\n".join(lines) + "\n").encode()


def memory(segments):
    """One run of memory: segments may share pages or lie apart by less than one."""
    start = min(s[0] for s in segments) & ~4095
    end = (max(s[0] + s[2] for s in segments) + 4095) & ~4095
    if end - start > 1 << 30:
        raise SystemExit("flat_image: segments lie too far apart")
    ram = bytearray(end - start)
    for paddr, data, _ in segments:
        ram[paddr - start:paddr - start + len(data)] = data
    return start, ram


def core(info, start, ram):
    name = b"VMCOREINFO\0\0"
    note = struct.pack("<III", 11, len(info), 0) + name + info + bytes(-len(info) % 4)
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    notes_at = 64 + 2 * 56
    ram_at = (notes_at + len(note) + 4095) & ~4095
    head += struct.pack("<IIQQQQQQ", 4, 0, notes_at, 0, 0, len(note), len(note), 0)
    head += struct.pack("<IIQQQQQQ", 1, 7, ram_at, 0, start, len(ram), len(ram), 0)
    head += note
    return head + bytes(ram_at - len(head)) + ram


def main():
    parser = argparse.ArgumentParser()
    for name in ("vmlinuz", "out", "exports", "btf"):
        parser.add_argument(name)
    args = parser.parse_args()
    with open(args.vmlinuz, "rb") as f:
        vmlinux = unpack(f.read())
    found = sections(vmlinux)
    symbols = dict(exports(found))
    with open(args.exports, "w", encoding="ascii") as f:
        f.writelines(f"{addr:016x} {name}\n" for name, addr in sorted(symbols.items()))
    with open(args.btf, "wb") as f:
        f.write(found.get(".BTF", (0, b""))[1])
    start, ram = memory(list(loads(vmlinux)))
    with open(args.out, "wb") as f:
        f.write(core(vmcoreinfo(found[".text"][0], symbols), start, ram))


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-2.0-or-later
"""A makedumpfile dump with zlib pages (-c) as makedumpfile -p or -z would write it, for distributions whose
makedumpfile is built without snappy and zstd: `recompress_kdump.py snappy|zstd FROM TO`. Only the pages,
their descriptors and the header's status change (diskdump_mod.h of makedumpfile)."""
import struct
import sys
import zlib

ZLIB, SNAPPY, ZSTD = 1, 4, 32  # DUMP_DH_COMPRESSED_*
STATUS, GEOMETRY = 424, "<iiI"  # offset of status; block_size, sub_hdr_size, bitmap_blocks follow
DESC = struct.Struct("<qIIQ")  # offset, size, flags, page_flags


def compressor(kind):
    if kind == "snappy":
        import snappy

        return SNAPPY, snappy.compress
    import zstandard

    return ZSTD, zstandard.ZstdCompressor().compress


def main():
    flag, compress = compressor(sys.argv[1])
    old = open(sys.argv[2], "rb").read()
    if old[:8] != b"KDUMP   ":
        sys.exit("not a kdump file")
    block, sub, bitmap = struct.unpack_from(GEOMETRY, old, STATUS + 4)
    table = block * (1 + sub + bitmap)
    second = old[table - block * bitmap // 2 : table]
    count = sum(byte.bit_count() for byte in second)
    data_start = table + count * DESC.size
    descs, data, moved = bytearray(), bytearray(), {}
    for i in range(count):
        offset, size, flags, page_flags = DESC.unpack_from(old, table + i * DESC.size)
        if offset not in moved:
            page = old[offset : offset + size]
            new = compress(zlib.decompress(page)) if flags & ZLIB else page
            moved[offset] = (data_start + len(data), len(new), flag if flags & ZLIB else 0)
            data += new
        descs += DESC.pack(*moved[offset], page_flags)
    head = bytearray(old[:table])
    struct.pack_into("<I", head, STATUS, flag)
    with open(sys.argv[3], "wb") as out:
        out.write(head + descs + data)


main()

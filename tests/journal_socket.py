# SPDX-License-Identifier: GPL-2.0-or-later
"""Listens as the journal does: `journal_socket.py SOCKET COUNT` prints COUNT entries as JSON Lines.
Written from systemd.io/JOURNAL_NATIVE_PROTOCOL; refuses what journald would drop."""
import json
import re
import socket
import struct
import sys


def parse(data):
    fields = {}
    while data:
        eq, nl = data.find(b"="), data.find(b"\n")
        if nl < 0:
            raise ValueError("no newline")
        if 0 <= eq < nl:
            name, value, data = data[:eq], data[eq + 1:nl], data[nl + 1:]
        else:
            name = data[:nl]
            (size,) = struct.unpack("<Q", data[nl + 1:nl + 9])
            value = data[nl + 9:nl + 9 + size]
            if len(value) != size or data[nl + 9 + size:nl + 10 + size] != b"\n":
                raise ValueError("a length that lies")
            data = data[nl + 10 + size:]
        if not re.fullmatch(rb"[A-Z][A-Z0-9_]{0,63}", name):
            raise ValueError(f"field name {name!r}")
        fields[name.decode()] = value.decode("utf-8", "backslashreplace")
    return fields


listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
listener.settimeout(300)
print("ready", file=sys.stderr, flush=True)
for _ in range(int(sys.argv[2])):
    print(json.dumps(parse(listener.recv(1 << 20))), flush=True)

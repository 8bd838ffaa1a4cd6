#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""qemu_dump.py DUMP CONSOLE SECONDS QEMU ARGUMENT...

Runs a machine until its console says that the kernel has panicked, then lets QEMU dump its memory
(dump-guest-memory, ELF, physical) and ends it. Exit 1 if it did not panic within SECONDS."""
import json, os, socket, subprocess, sys, tempfile, time

dump, console, seconds, *qemu = sys.argv[1:]
directory = tempfile.mkdtemp()
path = os.path.join(directory, "qmp")
machine = subprocess.Popen(qemu + ["-serial", "file:" + console, "-qmp", f"unix:{path},server=on,wait=off"],
                           stdin=subprocess.DEVNULL)


def panicked():
    try:
        with open(console, "rb") as f:
            return b"end Kernel panic" in f.read()
    except FileNotFoundError:
        return False


def execute(stream, command, **arguments):
    stream.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
    stream.flush()
    while True:
        answer = json.loads(stream.readline())
        if "error" in answer:
            sys.exit(f"{command}: {answer['error']['desc']}")
        if "return" in answer:
            return


try:
    deadline = time.monotonic() + int(seconds)
    while not panicked():
        if machine.poll() is not None or time.monotonic() > deadline:
            sys.exit("the machine did not panic")
        time.sleep(0.5)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        stream = s.makefile("rwb")
        stream.readline()  # the greeting
        execute(stream, "qmp_capabilities")
        execute(stream, "dump-guest-memory", paging=False, protocol="file:" + os.path.abspath(dump))
finally:
    machine.kill()
    machine.wait()
    if os.path.exists(path):
        os.unlink(path)
    os.rmdir(directory)

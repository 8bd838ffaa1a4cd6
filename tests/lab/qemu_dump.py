#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""qemu_dump.py DUMP CONSOLE SECONDS QEMU ARGUMENT...

Runs a machine until its console says that the kernel has panicked, then lets QEMU dump its memory
(dump-guest-memory) and ends it. Exit 1 if it did not panic within SECONDS. DUMP is a path, or several
FORM=PATH with commas between, all of the same stopped machine: elf, paging (ELF by virtual addresses,
as the first processor maps them), kdump-zlib, kdump-lzo or kdump-snappy. A format that QEMU was built
without is passed over."""
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
            raise RuntimeError(f"{command}: {answer['error']['desc']}")
        if "return" in answer:
            return answer["return"]


def dump_memory(stream, form, file):
    arguments = {"format": form} if form.startswith("kdump") else {}
    execute(stream, "dump-guest-memory", paging=form == "paging", protocol="file:" + os.path.abspath(file), **arguments)


def dump_all(stream):
    if "=" not in dump:
        return dump_memory(stream, "elf", dump)
    execute(stream, "stop")
    formats = execute(stream, "query-dump-guest-memory-capability")["formats"]
    for form, file in (one.split("=", 1) for one in dump.split(",")):
        if form in formats + ["paging"]:
            dump_memory(stream, form, file)


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
        dump_all(stream)
except RuntimeError as e:
    sys.exit(str(e))
finally:
    machine.kill()
    machine.wait()
    if os.path.exists(path):
        os.unlink(path)
    os.rmdir(directory)

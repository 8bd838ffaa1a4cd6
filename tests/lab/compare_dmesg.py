#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The log of a crash against what the machine said itself: compare_dmesg.py SHOWN SYSLOG CONSOLE

SHOWN is `show --section dmesg`. SYSLOG is what syslog(2) gave just before the crash (dmesg -r): the log
begins with the same lines, less those that were overwritten since. The rest must stand on the serial
CONSOLE, line by line, up to the crash. Both stamp every line of a message that has several, SHOWN its first
(as vmcore-dmesg does); and both leave out the last lines of one that with its stamps is longer than the
kernel's buffer, 1024 bytes at least (record_print_text(), kernel/printk/printk.c).

Prints the first difference, or one line; exit 1 if different.
"""
import re
import sys

STAMP = re.compile(r"\[ *(\d+\.\d+)\] ")
BUFFER_MIN = 1024
LEVEL_MAX = len("<191>")


def lines_of(path, strip=""):
    with open(path, encoding="utf-8", errors="backslashreplace", newline="\n") as f:
        return [re.sub(strip, "", line.rstrip("\r\n")) for line in f]


def without_replays(lines):
    """A console that the panic takes from its thread says a line again that it had not ended
    (kernel/printk/nbcon.c)."""
    kept = []
    for line in lines:
        if line == "** replaying previous printk message **":
            kept = kept[:-1]
        else:
            kept.append(line)
    return kept


def stamped(lines):
    """(line with the stamp of its message, whether a reader of the kernel's may lack it)"""
    stamp, used = "", 0
    for line in lines:
        first = STAMP.match(line)
        if first:
            stamp, used = first[0], 0
        else:
            line = stamp + line
        used += LEVEL_MAX + len(line.encode()) + 1
        yield line, not first and used + 1 > BUFFER_MIN


def follow(what, shown, there):
    """How many of shown are the lines that are there; ends with either."""
    at = 0
    for n, line in enumerate(there):
        while at < len(shown) and shown[at][0] != line and shown[at][1]:
            at += 1
        if at == len(shown):
            break
        if shown[at][0] != line:
            sys.exit(f"{what}, line {n + 1}: shown {shown[at][0]!r}, there {line!r}")
        at += 1
    while at < len(shown) and shown[at][1]:
        at += 1
    return at


def printed_by_crashed(lines, first, panic):
    """The console's lines from the one named first to the crash. What the capture kernel says counts from
    zero again, and is quiet but for our own words."""
    crashed = None
    for line in lines[lines.index(first):]:
        stamp = STAMP.match(line)
        if crashed and (stamp and float(stamp[1]) < crashed or "vmcore-summary:" in line):
            return
        if line == panic:
            crashed = float(stamp[1])
        if stamp:
            yield line


def main():
    shown, syslog = list(stamped(lines_of(sys.argv[1]))), lines_of(sys.argv[2], r"^<\d+>")
    console = without_replays(lines_of(sys.argv[3]))
    if not shown or shown[0][0] not in syslog:
        sys.exit(f"syslog: the first line shown, {shown[:1]}, is not there")
    old = follow("syslog", shown, syslog[syslog.index(shown[0][0]):])
    tail = shown[old:]
    if not tail or tail[0][0] not in console:
        sys.exit(f"console: {tail[:1]}, which follows what syslog had, is not there")
    panic = next((line for line, _ in tail if "Kernel panic - not syncing" in line), None)
    if panic is None:
        sys.exit("no panic behind what syslog had")
    printed = list(printed_by_crashed(console, tail[0][0], panic))
    reached = follow("console", tail, printed)
    if reached < len(tail) or printed[-1] != tail[-1][0] and not tail[-1][1]:
        sys.exit(f"console: ends with {printed[-1]!r}, shown {tail[reached - 1:][:2]}")
    print(f"{old} lines as syslog had them, {len(tail)} as the console")


if __name__ == "__main__":
    main()

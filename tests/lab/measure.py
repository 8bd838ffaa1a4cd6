#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""measure.py RUNS COMMAND...: prints "SECONDS PEAK_KIB" of a command.

SECONDS is the best wall time of RUNS runs. PEAK_KIB is the most that the command and its descendants held
resident at one moment, shared pages counted once (the sum of their Pss), as seen by looking every
millisecond during up to three further runs. Output goes to /dev/null, errors through.
"""
import os
import subprocess
import sys
import time


def start(command):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def must_succeed(command, status):
    if status != 0:
        sys.exit(f"measure: {command[0]} ended with {status}")


def descendants(pid):
    found = [pid]
    for parent in found:
        try:
            with open(f"/proc/{parent}/task/{parent}/children") as f:
                found += [int(child) for child in f.read().split()]
        except OSError:
            pass
    return found


def pss_kib(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            for line in f:
                if line.startswith("Pss:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def timed(command):
    began = time.monotonic()
    must_succeed(command, start(command).wait())
    return time.monotonic() - began


def peak(command):
    process, most = start(command), 0
    while process.poll() is None:
        most = max(most, sum(pss_kib(pid) for pid in descendants(process.pid)))
        time.sleep(0.001)
    must_succeed(command, process.returncode)
    return most


def main():
    runs, command = int(sys.argv[1]), sys.argv[2:]
    os.environ["LC_ALL"] = "C"
    seconds = min(timed(command) for _ in range(runs))
    print(f"{seconds:.3f} {max(peak(command) for _ in range(min(runs, 3)))}")


main()

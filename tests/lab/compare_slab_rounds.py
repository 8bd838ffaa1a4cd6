#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The slab section of a crash against the machine's /proc/slabinfo just before:
compare_slab_rounds.py SUMMARY_JSONL CPUS SLABINFO…

The last SLABINFO is the truth; those before were taken in rounds of the same work that the machine did
between the truth and its crash (guest/truth.sh), so what they differ by is what that work moves. Prints
every cache that is wrong, then one line of totals; exit 1 if one is.

Sizes (stride, objects and pages a slab) and the caches themselves are compared exactly. Counts:

still    a cache that no round moved has the truth's active and total objects and slabs. Work that a
         round happens to contain rarely can move one after all: as many caches as were moved by
         exactly one of N steps are N times what to expect of the step behind the last (Good and
         Turing's estimate of the unseen), and are allowed for.
moving   a cache is as far from the truth at most as the rounds lie apart, and what one CPU's step
         to another slab is on top: /proc/slabinfo counts an object as active from the moment a CPU
         takes its whole slab from the node's list, so active objects move by slabs: the one that a CPU
         allocates from, and its list of partial slabs, up to twice s->cpu_partial objects
         (set_cpu_partial(), mm/slub.c, counts slabs that are half full).
"""
import json
import sys

# set_cpu_partial(): (stride from, objects); 6 from a page on
CPU_PARTIAL = ((1024, 24), (256, 52), (0, 120))


def read_slabinfo(path):
    """name: ((stride, objects and pages a slab), (active, total, slabs))"""
    caches = {}
    with open(path, encoding="ascii") as f:
        for line in f:
            words = line.split()
            if line.startswith(("#", "slabinfo")) or len(words) < 15:
                continue
            active, total, *sizes = map(int, words[1:6])
            caches[words[0]] = (tuple(sizes), (active, total, int(words[14])))
    return caches


def read_summary(path):
    """the caches as read_slabinfo() has them, and the bytes of a page"""
    caches, page = {}, 0
    with open(path, encoding="utf-8") as f:
        for line in f:
            r = json.loads(line)
            page = r.get("page_size_bytes", page)
            if r.get("section") == "slab" and r.get("record") == "cache":
                caches[r["name"]] = ((r["stride_bytes"], r["objects_per_slab"], 1 << r["order"]),
                                     (r["objects_active"], r["objects_total"], r["slabs"]))
    return caches, page


def bounds(sizes, steps, cpus, page):
    """How far active, total and slabs of a cache that moves may be from the truth."""
    stride, per_slab, _ = sizes
    kept = next(objects for at_least, objects in ((page, 6), *CPU_PARTIAL) if stride >= at_least)
    jump = cpus * (per_slab + 2 * kept)
    apart = [max(v) - min(v) for v in zip(*steps)]
    return (apart[0] + jump, apart[1] + jump, apart[2] + -(-jump // per_slab))


def main():
    (summary, page), cpus = read_summary(sys.argv[1]), int(sys.argv[2])
    if not page:
        sys.exit("the summary has no header")
    rounds = [read_slabinfo(path) for path in sys.argv[3:]]
    truth = rounds[-1]
    wrong, surprised, moving, rare = [], [], 0, 0
    for name in sorted(truth.keys() | summary.keys()):
        want, got = truth.get(name), summary.get(name)
        if not want or not got or want[0] != got[0]:
            wrong.append(f"{name}: sizes: slabinfo {want and want[0]}, summary {got and got[0]}")
            continue
        steps = [r[name][1] for r in rounds if name in r]
        moves = sum(a != b for a, b in zip(steps, steps[1:]))
        moving += moves > 0
        rare += moves == 1
        limit = bounds(want[0], steps, cpus, page)
        line = f"{name}: slabinfo {want[1]}, summary {got[1]}, moved {moves} times, allowed {limit}"
        if any(abs(a - b) > most for a, b, most in zip(want[1], got[1], limit)):
            wrong.append(line)
        elif want[1] != got[1] and not moves:
            surprised.append(line)
    equal = sum(truth[name] == summary.get(name) for name in truth)
    if len(surprised) > rare:
        wrong += surprised
    print("\n".join(wrong + [f"{len(truth)} caches, {equal} equal, {moving} move in {len(rounds) - 1} rounds, "
                             f"{len(surprised)} still ones moved of {rare} allowed, {len(wrong)} wrong"]))
    return 1 if wrong or not truth else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""witness_table.py DIR: compares DIR/summary.jsonl with what crash (kmem_s, kmem_i, kmem_z, mod, sys, log,
ps: a file each) and drgn (drgn.json) said of the same dump, row by row.

A difference counts as explained only if the figure that the cause predicts, made from the dump by drgn, is the
one that crash printed. tests/WITNESSES.md lists the causes. Exit 1 if anything differs for no known cause."""
import datetime
import json
import re
import sys
from pathlib import Path

PAGE = 4096


class Table:
    def __init__(self):
        self.counts = {"equal": 0, "explained": 0, "WRONG": 0}

    def row(self, witness, field, ours, theirs, causes=()):
        """causes: (name, what the witness must then have said)"""
        verdict, key = "WRONG", "WRONG"
        if ours == theirs:
            verdict = key = "equal"
        for cause, predicted in causes:
            if key == "WRONG" and predicted == theirs:
                verdict, key = f"explained ({cause})", "explained"
        self.counts[key] += 1
        print(f"{witness:<14} {field:<34} {str(ours):<44} {str(theirs):<44} {verdict}")


def kmem_s(t, where, records, drgn):
    theirs = {}
    for line in where.read_text().splitlines():
        w = line.split()
        if len(w) == 7 and re.fullmatch(r"\d+k", w[5]):
            theirs[w[6]] = " ".join(w[1:6])
    ours = {
        r["name"]: f"{r['object_size_bytes']} {r['objects_allocated']} {r['objects_total']} {r['slabs']} {4 << r['order']}k"
        for r in records("slab", "cache")
    }
    for name in sorted(ours.keys() | theirs.keys()):
        t.row("kmem -s", name, ours.get(name, "none"), theirs.get(name, "none"))


def kmem_i(t, where, records, drgn):
    ours = {r["name"]: r["bytes"] // PAGE for r in records("memory", "kmem")}
    theirs = {m[1].strip(): int(m[2]) for m in re.finditer(r"^ *([A-Z][A-Z ]*?)  +(\d+)  ", where.read_text(), re.M)}
    nodes = drgn["nodes"]
    reclaimable, unreclaimable = (nodes[f"NR_SLAB_{k}_B"] for k in ("RECLAIMABLE", "UNRECLAIMABLE"))
    file_pages = nodes["NR_FILE_PAGES"][0] - nodes["NR_SWAPCACHE"][0] - ours["BUFFERS"]
    in_blocks = sum(z["in_blocks"] for z in drgn["zones"])
    causes = {
        "SLAB": [("first pages alone", drgn["slab_heads"]), ("no per-CPU part", reclaimable[0] + unreclaimable[0])],
        "SHARED": [("counts references", drgn["shared_pages"])],
        "CACHED": [("no per-CPU part", file_pages)],
        "COMMITTED": [("no per-CPU part", max(0, drgn["committed"][0]))],
        "FREE": [("free lists", in_blocks)],
        "USED": [("free lists", ours["TOTAL MEM"] - in_blocks)],
    }
    for name in sorted(ours.keys() | theirs.keys()):
        t.row("kmem -i", name, ours.get(name, "none"), theirs.get(name, "none"), causes.get(name, ()))
    # and what drgn makes by our own rule is ours
    exact = {
        "SLAB": reclaimable[1] + unreclaimable[1],
        "CACHED": nodes["NR_FILE_PAGES"][1] - nodes["NR_SWAPCACHE"][1] - ours["BUFFERS"],
        "COMMITTED": drgn["committed"][1],
        "SHARED": nodes["NR_FILE_MAPPED"][1],
    }
    for name, value in exact.items():
        t.row("drgn", name, ours.get(name), value)


def kmem_z(t, where, records, drgn):
    ours = {r["name"]: r for r in records("zone", "zone")}
    blocks = re.split(r"^NODE:", where.read_text(), flags=re.M)[1:]
    theirs = {}
    for block in blocks:
        if "[unpopulated]" not in block:
            theirs[re.search(r'NAME: "(.*?)"', block)[1]] = block
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs:
            t.row("kmem -z", name, name in ours, name in theirs)
            continue
        z, block = ours[name], theirs[name]
        size = int(re.search(r"SIZE: (\d+)", block)[1])
        present = re.search(r"PRESENT: (\d+)", block)
        marks = re.search(r"MIN/LOW/HIGH: (\S+)", block)[1]
        free = int(re.search(r"NR_FREE_PAGES: (-?\d+)", block)[1])
        stored = next(d for d in drgn["zones"] if d["name"] == name)
        t.row("kmem -z", f"{name} SIZE", z["spanned_bytes"] // PAGE, size)
        t.row("kmem -z", f"{name} PRESENT", z["present_bytes"] // PAGE, int(present[1]) if present else size)
        t.row(
            "kmem -z",
            f"{name} MIN/LOW/HIGH",
            "/".join(str(z[f"{m}_bytes"] // PAGE) for m in ("min", "low", "high")),
            marks,
            [("without the boost", "/".join(str(m - z["boost_bytes"] // PAGE) for m in stored["marks"]))],
        )
        t.row("kmem -z", f"{name} NR_FREE_PAGES", z["free_bytes"] // PAGE, free, [("no per-CPU part", stored["free"])])
        t.row("drgn", f"{name} free", z["free_bytes"] // PAGE, stored["free_exact"])
        t.row("drgn", f"{name} managed", z["managed_bytes"] // PAGE, stored["managed"])


def mod(t, where, records, drgn):
    theirs = {}
    for line in where.read_text().splitlines()[1:]:
        w = line.split()
        theirs[w[1]] = f"{int(w[2], 16):#x} {w[3]}"
    ours = {r["name"]: f"{r['base']} {r['bytes']}" for r in records("module", "module")}
    for name in sorted(ours.keys() | theirs.keys()):
        t.row("mod", name, ours.get(name, "none"), theirs.get(name, "none"))
    t.row("drgn", "modules in order", " ".join(r["name"] for r in records("module", "module")), " ".join(drgn["modules"]))


def sys_(t, where, records, drgn):
    theirs = dict(re.findall(r"^ *([A-Z ]+?): (.*)$", where.read_text(), re.M))
    header, crash = records("header", "header")[0], records("crash", "crash")[0]
    hours, minutes, seconds = (int(x) for x in theirs["UPTIME"].split(",")[-1].split(" ")[-1].split(":"))
    days = int(m[1]) if (m := re.match(r"(\d+) days?", theirs["UPTIME"])) else 0
    when = datetime.datetime.fromtimestamp(header["crash_time"], datetime.timezone.utc)
    t.row("sys", "CPUS", crash["cpus"], int(theirs["CPUS"].split()[0]))
    t.row("sys", "DATE", when.strftime("%a %b %e %H:%M:%S UTC %Y"), theirs["DATE"])
    t.row("sys", "UPTIME", crash["uptime_s"], ((days * 24 + hours) * 60 + minutes) * 60 + seconds, [("counts ticks", drgn["uptimes"][0])])
    t.row("drgn", "uptime", crash["uptime_s"], drgn["uptimes"][1])
    t.row("sys", "LOAD AVERAGE", ", ".join(crash[f"load{n}"] for n in (1, 5, 15)), theirs["LOAD AVERAGE"])
    known = [("ps loses tasks", drgn["crash_tasks"])] if drgn["pid_is_flexible"] else []
    t.row("sys", "TASKS", crash["tasks"], int(theirs["TASKS"]), known)
    t.row("drgn", "threads", crash["tasks"], len(drgn["tasks"]))
    for field, name in (("nodename", "NODENAME"), ("release", "RELEASE"), ("version", "VERSION")):
        t.row("sys", name, header[field], theirs[name])
    t.row("sys", "MACHINE", header["arch"], theirs["MACHINE"].split()[0])
    panic = theirs["PANIC"].strip('"')
    prefix = "Kernel panic - not syncing: "
    shown = panic if panic.startswith(prefix) else prefix + panic
    t.row("sys", "PANIC", prefix + crash["panic"], shown)


def log(t, where, records, drgn):
    """crash indents the further lines of a record by the width of its stamp"""
    ours = []
    for r in records("dmesg", "line"):
        stamp = f"[{r['ts_ns'] // 10**9:5d}.{r['ts_ns'] // 1000 % 10**6:06d}] "
        ours.append(stamp + r["text"].replace("\n", "\n" + " " * len(stamp)))
    ours = "\n".join(ours).splitlines()
    theirs = where.read_text(errors="backslashreplace").splitlines()
    t.row("log", "lines", len(ours), len(theirs))
    t.row("log", "lines that differ", 0, sum(a != b for a, b in zip(ours, theirs)))
    for a, b in zip(ours, theirs):
        if a != b:
            print(f"    ours:   {a}\n    theirs: {b}")


def tasks(t, where, records, drgn):
    """drgn for which tasks there are, crash's ps for what it has of them"""
    ours = {r["pid"]: r for r in records("task", "task")}
    leaders = {d["pid"]: d for d in drgn["tasks"] if d["leader"]}
    for pid in sorted(ours.keys() | leaders.keys()):
        r, d = ours.get(pid), leaders.get(pid)
        t.row(
            "drgn",
            f"task {pid} ppid vsz rss comm",
            r and f"{r['ppid']} {r['vsz_bytes'] // PAGE} {r['rss_bytes'] // PAGE} {r['comm']}",
            d and f"{d['ppid']} {d['vsz_pages']} {d['rss_pages']} {d['comm']}",
        )
    for line in where.read_text().splitlines()[1:]:
        w = line.replace(">", " ").split(maxsplit=8)
        pid = int(w[0])
        if pid not in ours:
            continue
        r, d = ours[pid], leaders[pid]
        t.row("ps", f"{pid} VSZ", r["vsz_bytes"] // 1024, int(w[6]))
        rss = d["rss_without_shmem_pages"] * PAGE // 1024
        t.row("ps", f"{pid} RSS", r["rss_bytes"] // 1024, int(w[7]), [("no shared memory", rss)])


def main():
    where = Path(sys.argv[1])
    summary = [json.loads(line) for line in (where / "summary.jsonl").read_text().splitlines()]
    drgn = json.loads((where / "drgn.json").read_text())

    def records(section, record):
        return [r for r in summary if r["section"] == section and r["record"] == record]

    t = Table()
    print(f"{'witness':<14} {'field':<34} {'ours':<44} {'theirs':<44} verdict")
    for compare, source in ((kmem_s, "kmem_s"), (kmem_i, "kmem_i"), (kmem_z, "kmem_z"), (mod, "mod"), (sys_, "sys"), (log, "log"), (tasks, "ps")):
        compare(t, where / source, records, drgn)
    print(", ".join(f"{n} {k}" for k, n in t.counts.items()))
    sys.exit(t.counts["WRONG"] > 0 or t.counts["equal"] < 100)


main()

# SPDX-License-Identifier: GPL-2.0-or-later
# Run by drgn on a dump: what witness_table.py compares with, as one JSON object. Besides tasks, which
# crash loses, these are the figures that crash's own rules give, so that a difference between it and a
# summary is explained by a number and not by a guess.
import json

from drgn.helpers.linux.cpumask import for_each_possible_cpu
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.percpu import per_cpu, per_cpu_ptr
from drgn.helpers.linux.pid import for_each_task

PAGE_FLAG_SLAB = 1 << prog.constant("PG_slab").value_()
PAGE_FLAG_RESERVED = 1 << prog.constant("PG_reserved").value_()
SECTION_SIZE_PAGES = (1 << 27) // 4096  # SECTION_SIZE_BITS of x86_64
SECTION_HAS_MEM_MAP = 2
SECTION_FLAGS = 0x3F


def sections():
    """(number of pages, address of the first struct page) of each present memory section"""
    roots = prog["mem_section"]
    per_root = 4096 // prog.type("struct mem_section").size
    nr_roots = (1 << (46 - 27)) // per_root  # the first 64 TiB; with 5-level paging there are more
    for root in range(nr_roots):
        if not roots[root]:
            continue
        for i in range(per_root):
            section = roots[root][i]
            coded = section.section_mem_map.value_()
            if coded & SECTION_HAS_MEM_MAP:
                number = root * per_root + i
                base = coded & ~SECTION_FLAGS
                size = prog.type("struct page").size
                yield SECTION_SIZE_PAGES, base + number * SECTION_SIZE_PAGES * size


def page_census():
    """What crash 8.0.2 counts in mem_map for kmem -i: pages that carry PG_slab, which of a slab is its
    first alone, and pages that are not reserved and have more than one reference."""
    size = prog.type("struct page").size
    at_flags = 0
    at_count = prog.type("struct page").member("_refcount").offset
    heads = shared = 0
    for pages, start in sections():
        raw = prog.read(start, pages * size)
        for at in range(0, len(raw), size):
            flags = int.from_bytes(raw[at + at_flags : at + at_flags + 8], "little")
            count = int.from_bytes(raw[at + at_count : at + at_count + 4], "little", signed=True)
            heads += bool(flags & PAGE_FLAG_SLAB)
            shared += count > 1 and not flags & PAGE_FLAG_RESERVED
    return heads, shared


def node_item(name):
    """(the global counter, the same with what the CPUs have not yet added)"""
    item = prog.constant(name).value_()
    stored = prog["vm_node_stat"][item].counter.value_()
    pending = 0
    for pgdat in (prog["node_data"][0],):
        for cpu in for_each_possible_cpu(prog):
            pending += per_cpu_ptr(pgdat.per_cpu_nodestats, cpu).vm_node_stat_diff[item].value_()
    return stored, stored + pending


def zones():
    pgdat = prog["node_data"][0]
    for zone in pgdat.node_zones:
        if not zone.present_pages:
            continue
        boost = zone.watermark_boost.value_()
        free = zone.vm_stat[prog.constant("NR_FREE_PAGES").value_()].counter.value_()
        pending = sum(
            per_cpu_ptr(zone.per_cpu_zonestats, cpu).vm_stat_diff[prog.constant("NR_FREE_PAGES").value_()].value_()
            for cpu in for_each_possible_cpu(prog)
        )
        yield {
            "name": zone.name.string_().decode(),
            "spanned": zone.spanned_pages.value_(),
            "present": zone.present_pages.value_(),
            "managed": zone.managed_pages.counter.value_(),
            "marks": [zone._watermark[i].value_() + boost for i in range(3)],
            "free": free,
            "free_exact": free + pending,
            "in_blocks": sum(zone.free_area[i].nr_free.value_() << i for i in range(len(zone.free_area))),
        }


def rss_of(task):
    """(file and anonymous pages: crash's rule; with shared memory too), as the mm has them and with
    what the threads have not yet given it (SPLIT_RSS_COUNTING, until 6.2)"""
    mm = task.mm
    if not mm:
        return 0, 0
    # split by thread until mm_rss_stat became percpu counters (f1a7941243c1, 6.2)
    counts = [mm.rss_stat.count[i].counter.value_() for i in range(4)]
    for thread in list_for_each_entry("struct task_struct", task.signal.thread_head.address_of_(), "thread_node"):
        counts = [c + thread.rss_stat.count[i].value_() for i, c in enumerate(counts)]
    return counts[0] + counts[1], counts[0] + counts[1] + counts[3]


def tasks():
    for task in for_each_task(prog):
        mm = task.mm
        two, three = rss_of(task)
        yield {
            "pid": task.pid.value_(),
            "ppid": task.real_parent.tgid.value_(),
            "comm": task.comm.string_().decode(errors="replace"),
            "leader": task.pid.value_() == task.tgid.value_(),
            "vsz_pages": mm.total_vm.value_() if mm else 0,
            "rss_pages": three,
            "rss_without_shmem_pages": two,
        }


def committed():
    counter = prog["vm_committed_as"]
    pending = sum(per_cpu_ptr(counter.counters, cpu)[0].value_() for cpu in for_each_possible_cpu(prog))
    return counter.count.value_(), counter.count.value_() + pending


def uptimes():
    """(seconds by crash's rule: ticks since boot; by the monotonic clock and the time in suspend, as
    /proc/uptime has it). Ticks that came late or not at all make the first the smaller."""
    hz = round(10**9 / prog["tick_nsec"].value_())
    ticks = (prog["jiffies_64"].value_() - (-300 * hz)) & 0xFFFFFFFF  # INITIAL_JIFFIES
    keeper = prog["tk_core"].timekeeper
    offset = keeper.wall_to_monotonic
    mono = (keeper.xtime_sec.value_() + offset.tv_sec.value_()) * 10**9 + offset.tv_nsec.value_()
    mono += keeper.tkr_mono.xtime_nsec.value_() >> keeper.tkr_mono.shift.value_()
    return ticks // hz, (mono + keeper.offs_boot.value_()) // 10**9


def pid_is_flexible():
    """Does struct pid end where its numbers begin? crash before 8.0.4 reads sizeof(struct pid) bytes
    and looks for numbers[0].ns in them (kernel b69f0aeb0689, 6.5 and stable kernels)."""
    pid = prog.type("struct pid")
    return pid.size == pid.member("numbers").offset


def crash_tasks():
    """The tasks that crash has without a PID table: each CPU's idle task, and those that run"""
    queues = [per_cpu(prog["runqueues"], cpu) for cpu in for_each_possible_cpu(prog)]
    return len({t.value_() for q in queues if q.online for t in (q.idle, q.curr)})


heads, shared = page_census()
print(
    json.dumps(
        {
            "slab_heads": heads,
            "shared_pages": shared,
            "committed": committed(),
            "nodes": {
                n: node_item(n)
                for n in ("NR_SLAB_RECLAIMABLE_B", "NR_SLAB_UNRECLAIMABLE_B", "NR_FILE_PAGES", "NR_SWAPCACHE", "NR_FILE_MAPPED")
            },
            "zones": list(zones()),
            "tasks": list(tasks()),
            "uptimes": uptimes(),
            "crash_tasks": crash_tasks(),
            "pid_is_flexible": pid_is_flexible(),
            "modules": [
                m.name.string_().decode()
                for m in list_for_each_entry("struct module", prog["modules"].address_of_(), "list")
            ],
            "cpus_possible": len(list(for_each_possible_cpu(prog))),
        }
    )
)

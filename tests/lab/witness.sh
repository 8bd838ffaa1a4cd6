#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make check-witness`: a summary against crash and drgn on the same dump, row by row:
#
#   witness.sh [VMCORE VMLINUX]     the whole dumps of Debian 12's kernel (an OOM panic, slab load),
#                                   made in QEMU where the cache has none, with its debuginfo, fetched
#                                   into the cache (100 MB to load, 600 MB on disk)
#
# crash: kmem -s, kmem -i, kmem -z, mod, sys, log, ps. drgn: tasks, which crash loses, and the figures
# that crash's own rules give, as proof of why it differs. tests/WITNESSES.md lists the causes. Exit 1
# for a difference without one. Not in `make check`, for what it fetches.
set -eu -o pipefail
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/lab.sh"
BUILD=${BUILD:-build}
program=$lab_top/$BUILD/vmcore-summary
for tool in crash drgn; do
    command -v $tool > /dev/null || { lab_say "no $tool: apt-get install crash python3-drgn"; exit 2; }
done

crash_says() { # DIR VMCORE VMLINUX: each command's output in a file of its own
    local command file
    for command in 'kmem -s' 'kmem -i' 'kmem -z' mod sys log ps; do
        file=${command// -/_}
        echo "$command > $1/$file"
    done > "$1/commands"
    echo exit >> "$1/commands"
    crash -s -i "$1/commands" "$3" "$2" > "$1/crash.log" 2>&1 < /dev/null || true
    [ -s "$1/ps" ] || { cat "$1/crash.log" >&2; lab_say "crash does not open $2"; return 1; }
}

compare() { # VMCORE VMLINUX
    local dir status=0
    dir=$BUILD/witness/$(echo "$1" | tr -c '[:alnum:]\n' _)
    mkdir -p "$dir" && rm -rf "${dir:?}"/*
    echo "== $1"
    TZ=UTC crash_says "$dir" "$1" "$2"
    "$program" capture --vmcore "$1" --output "$dir/summary" --no-console --quiet
    zcat "$dir"/summary/*.gz > "$dir/summary.jsonl"
    drgn -q -c "$1" -s "$2" "$lab_here/witness_drgn.py" > "$dir/drgn.json"
    "$lab_here/witness_table.py" "$dir" || status=1
    "$lab_here/compare_kmem_s.sh" "$dir/kmem_s" "$dir/summary.jsonl" || status=1
    return $status
}

[ $# = 2 ] && { compare "$1" "$2"; exit; }
[ $# = 0 ] || { echo "usage: witness.sh [VMCORE VMLINUX]" >&2; exit 2; }
kernel=$(lab_kernel bookworm)
vmlinux=$(BENCH_DEBUGINFO=fetch lab_debuginfo "$kernel")
status=0
for scenario in oom slab; do
    vmcore=$("$lab_here/vmcore.sh" "$scenario" 1024 bookworm)
    compare "$vmcore" "$vmlinux" || status=1
done
exit $status

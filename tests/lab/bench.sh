#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make bench`: what a capture costs, against makedumpfile, vmcore-dmesg and crash on the same vmcore.
#
#   bench.sh [MEM_MB…]      machines to crash, 1024 by default; figures in README.md: 1024 4096 8192
#
# BENCH_RUNS (5)           the best of so many runs counts; all read from the page cache
# BENCH_DEBUGINFO=fetch    fetches the kernel's debug package for crash (several hundred MB); without,
#                          crash is compared only if a vmlinux is there already, or named by VMLINUX
# shellcheck disable=SC2016  # inner shells and awk expand
set -eu -o pipefail
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/lab.sh"
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$lab_top/$BUILD ;; esac
static=$BUILD/static/vmcore-summary
runs=${BENCH_RUNS:-5}
work=$(mktemp -d -p "$(mkdir -p "$lab_cache" && echo "$lab_cache")")
trap 'rm -rf "$work"' EXIT

size() { find "$@" -type f -printf "%s\n" | awk "{ sum += \$1 } END { print sum }"; }

# run NAME OUTPUT COMMAND…: measures, and appends "NAME SECONDS PEAK_KIB OUTPUT_BYTES" to the results
run() {
    local name=$1 output=$2 figures
    shift 2
    figures=$(BENCH_OUTPUT=$output "$lab_here/measure.py" "$runs" "$@" 2> "$work/errors") ||
        { tail -n 5 "$work/errors" >&2; lab_say "$name failed"; return; }
    echo "$name $figures $(size "$output")" >> "$work/results"
}

# The shell around a program whose output must be a file, or whose output may not exist beforehand.
wrap='rm -rf "$BENCH_OUTPUT"; exec "$@" > "$BENCH_OUTPUT"'

table() { # the results, each as a ratio to the first line
    awk '
    NR == 1 { time = $2; peak = $3; bytes = $4 }
    NR == 1 { printf "  %-24s %9s %7s %12s %7s %14s %7s\n", "", "seconds", "ratio", "peak KiB", "ratio", "output bytes", "ratio" }
    { printf "  %-24s %9.3f %7.1f %12d %7.1f %14d %7.1f\n", $1, $2, $2 / time, $3, $3 / peak, $4, $4 / bytes }
    ' "$work/results"
}

crash_commands() { printf '%s\n' sys "log" "kmem -i" "kmem -s" "kmem -z" ps mod "bt -a" quit; }

bench_crash() { # VMCORE KERNEL
    local vmlinux
    command -v crash > /dev/null || { lab_say "crash is not installed: left out"; return 0; }
    vmlinux=$(lab_debuginfo "$2") || { lab_say "no debuginfo for crash: left out (BENCH_DEBUGINFO=fetch)"; return 0; }
    crash_commands > "$work/commands"
    runs=1 run "crash" "$work/crash.txt" sh -c "$wrap" sh \
        crash -s -i "$work/commands" "$vmlinux" "$1"
}

bench() { # MEM_MB
    local vmcore kernel scenario=oom
    # filling a large machine thrice takes long, once is enough
    [ "$1" -le 1024 ] || scenario=oom-once
    vmcore=$("$lab_here/vmcore.sh" "$scenario" "$1")
    kernel=$(cat "$(dirname "$vmcore")/kernel")
    cat "$vmcore" > /dev/null
    rm -f "$work/results"
    run "vmcore-summary" "$work/summary" sh -c 'rm -rf "$BENCH_OUTPUT"; exec "$@" --output "$BENCH_OUTPUT"' sh \
        "$static" capture --no-console --quiet --vmcore "$vmcore"
    [ -s "$work/results" ] # what all is measured against
    run "makedumpfile-d31-l" "$work/dump" sh -c 'rm -f "$BENCH_OUTPUT"; exec "$@" "$BENCH_OUTPUT"' sh \
        makedumpfile -d 31 -l "$vmcore"
    run "vmcore-dmesg" "$work/dmesg" sh -c "$wrap" sh vmcore-dmesg "$vmcore"
    bench_crash "$vmcore" "$kernel"
    echo
    echo "A machine of $1 MB, $(stat -c %s "$vmcore") bytes of vmcore, best of $runs:"
    table
}

[ $# -gt 0 ] || set -- 1024
for mem; do bench "$mem"; done
echo
echo "The program of the capture image, stripped: $(stat -c %s "$static") bytes," \
    "$(gzip -9c "$static" | wc -c) in a compressed image"

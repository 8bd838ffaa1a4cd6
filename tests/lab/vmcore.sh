#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints the path of a real vmcore, made in QEMU when the cache has none:
#
#   vmcore.sh [SCENARIO [MEM_MB [SUITE]]]     oom 1024 bookworm
#
# Beside it lie vmcore-dmesg.txt (by vmcore-dmesg), lab/truth/* (the machine's own counters, taken
# before the crash), console.log, and kernel (the path of the kernel's files).
set -eu -o pipefail
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/lab.sh"
scenario=${1:-oom} mem=${2:-1024} suite=${3:-bookworm}
dir=$lab_cache/vmcores/$suite-$scenario-$mem

make_vmcore() {
    local kernel work
    kernel=$(lab_kernel "$suite")
    work=$(mktemp -d -p "$lab_cache")
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    lab_say "crashing a machine of $mem MB ($scenario) for its vmcore"
    lab_vmcore_image "$kernel" "$work/capture.img"
    lab_first_image "$kernel" "$scenario" "$work/capture.img" "$work/first.img"
    lab_disk "$work/disk" $((mem + 512))
    lab_boot "$kernel" "$work/first.img" "$work/disk" "$work/console.log" "$mem"
    lab_from_disk "$work/disk" "$work/out"
    [ -s "$work/out/vmcore" ] || { tail -20 "$work/console.log" >&2; lab_say "no vmcore"; return 1; }
    mv "$work/console.log" "$work/out/"
    echo "$kernel" > "$work/out/kernel"
    cp --sparse=always "$work/out/vmcore" "$work/sparse" && mv "$work/sparse" "$work/out/vmcore"
    rm -rf "$dir"
    mv "$work/out" "$dir"
}

mkdir -p "$lab_cache/vmcores"
if [ ! -s "$dir/vmcore" ]; then
    exec 9> "$dir.lock"
    flock 9
    # another may have made it while we waited
    [ -s "$dir/vmcore" ] || make_vmcore >&2
fi
echo "$dir/vmcore"

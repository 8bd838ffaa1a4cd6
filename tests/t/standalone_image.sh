#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The capture image of our own in a real crash, in the shapes that crash.sh does not boot: with systemd in
# it; and, with systemd and without, one whose device never appears. Then the digest is on the console, and
# the machine must come back all the same (dracut 059 with systemd loops for ever in its emergency target
# unless it is kept from it).
. "$(dirname "$0")/../lib.sh"
. tests/lab/lab.sh
export BUILD=$top/$BUILD LAB_TIMEOUT=400 LAB_CRASHKERNEL=320M

crash_with() { # NAME MKIMAGE_OPTION…: leaves console.log and out/ in $scratch/NAME
    local dir=$scratch/$1 kernel
    shift
    mkdir "$dir" && kernel=$(lab_kernel bookworm) &&
        lab_dracut_image "$kernel" "$dir/capture.img" "$@" && lsinitrd "$dir/capture.img" > "$dir/list" &&
        lab_first_image "$kernel" oom-once "$dir/capture.img" "$dir/first.img" "$host" &&
        lab_disk "$dir/disk" 64 &&
        lab_boot "$kernel" "$dir/first.img" "$dir/disk" "$dir/console.log" 768 &&
        lab_from_disk "$dir/disk" "$dir/out" && rm -f "$dir"/*.img "$dir/disk"
}
said() { tr -d '\r' < "$scratch/$1/console.log" | grep -q -- "$2"; } # NAME TEXT
came_back() { said "$1" '^lab: the machine is back'; }

check "with systemd: crash, capture, reboot" crash_with systemd --systemd
check "with systemd: it was in the image" grep -q ' init -> .*systemd$' "$scratch/systemd/list"
check "with systemd: the machine came back" came_back systemd
summary=$(find "$scratch/systemd/out" -name vmcore-summary.jsonl.gz)
is "with systemd: one summary" "$(wc -w <<< "$summary")" 1
is "with systemd: every section is whole" \
    "$(zcat "$summary" | jq -r 'select(.record == "end" and .status != "ok") | "\(.section) \(.reason)"')" ""
is "with systemd: the reason" "$(zcat "$summary" | jq -r 'select(.record == "crash").reason')" oom

for kind in plain systemd; do
    options=(--mount "/dev/vdz ext4 rw" --device-wait 5 --limit 30)
    [ $kind = plain ] || options+=(--systemd)
    check "$kind, no device: crash, reboot" crash_with "absent-$kind" "${options[@]}"
    check "$kind, no device: it says so" said "absent-$kind" '/dev/vdz has not appeared in 5 s'
    check "$kind, no device: the digest is on the console" said "absent-$kind" 'ran out of memory and panicked'
    check "$kind, no device: the machine came back" came_back "absent-$kind"
done
[ "$tap_failed" = 0 ] || tail -n 30 "$scratch"/*/console.log >&2
done_testing

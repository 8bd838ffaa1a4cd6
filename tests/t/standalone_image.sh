#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The capture image of our own in a real crash, in the shapes that crash.sh does not boot: with systemd in
# it, and when it captures 32 MiB of memory available; and, with systemd and without, one whose device never
# appears. Then the digest is on every console and in the kernel's log, and the machine must come back all
# the same (dracut 059 with systemd loops for ever in its emergency target unless it is kept from it).
. "$(dirname "$0")/../lib.sh"
. tests/lab/lab.sh
export BUILD=$top/$BUILD LAB_TIMEOUT=400 LAB_CRASHKERNEL=320M

# crash_with NAME CMDLINE MKIMAGE_OPTION…: leaves console.log and out/ in $scratch/NAME. CMDLINE: what the
# capture kernel gets besides; $small: little memory
crash_with() {
    local dir=$scratch/$1 cmdline=$2 kernel
    shift 2
    mkdir -p "$dir/files/lab" && echo "$cmdline" > "$dir/files/lab/capture-cmdline" && kernel=$(lab_kernel bookworm) &&
        lab_dracut_image "$kernel" "$dir/capture.img" "$@" && lsinitrd "$dir/capture.img" > "$dir/list" &&
        { [ -z "${small:-}" ] || small_image "$dir/capture.img"; } &&
        lab_first_image "$kernel" oom-once "$dir/capture.img" "$dir/first.img" "$host" &&
        lab_disk "$dir/disk" 64 "$dir/files" &&
        lab_boot "$kernel" "$dir/first.img" "$dir/disk" "$dir/console.log" 768 &&
        lab_from_disk "$dir/disk" "$dir/out" && rm -f "$dir"/*.img "$dir/disk"
}
small_image() { # IMAGE: what eats memory stands in it before the program; a later archive wins
    local root=$scratch/small own=usr/lib/vmcore-summary
    mkdir -p "$root/lab" "$root/$own" && cp "$static" "$(command -v busybox)" "$root/lab/" &&
        install -m 755 tests/lab/guest/eat-memory.sh "$root/$own/vmcore-summary" &&
        lab_pack "$root" "$root.img" && cat "$root.img" >> "$1"
}
console() { tr -d '\r' < "$scratch/$1/console.log"; } # NAME
said() { console "$1" | grep -q -- "$2"; }             # NAME TEXT
# The digest of NAME's serial line as the console sink has it, and as the kernel's log does. Both without
# the empty lines, which make no record.
digest() { console "$1" | grep -v '^\[' | sed -n '/^The machine (kernel .*panicked/,/; --json for programs\.$/p' | grep .; }
logged() { console "$1" | sed -n 's/^\[ *[0-9.]*\] vmcore-summary: //p'; }
came_back() { said "$1" '^lab: the machine is back'; }

small=1
check "with systemd and 32 MiB: crash, capture, reboot" crash_with systemd "" --systemd
small=
available=$(console systemd | sed -n 's/^lab: \([0-9]*\) KiB available$/\1/p')
check "with systemd and 32 MiB: no more was left to it ($available KiB)" [ "${available:-99999}" -le $((33 * 1024)) ]
is "with systemd and 32 MiB: its status" "$(console systemd | sed -n 's/^lab: .* KiB used, status //p')" 0
console systemd | grep '^lab: .* KiB' >&2
check "with systemd: it was in the image" grep -q ' init -> .*systemd$' "$scratch/systemd/list"
check "with systemd: the machine came back" came_back systemd
summary=$(find "$scratch/systemd/out" -name vmcore-summary.jsonl.gz)
is "with systemd: one summary" "$(wc -w <<< "$summary")" 1
is "with systemd: every section is whole" \
    "$(zcat "$summary" | jq -r 'select(.record == "end" and .status != "ok") | "\(.section) \(.reason)"')" ""
is "with systemd: the reason" "$(zcat "$summary" | jq -r 'select(.record == "crash").reason')" oom

# The last console= is /dev/console: here a screen that nobody keeps, and the serial line is another. With
# the log's default level nothing is on it twice; with all levels the kernel's log is seen there, too.
for kind in plain:8 systemd:7; do
    level=${kind#*:} kind=${kind%:*}
    options=(--mount "/dev/vdz ext4 rw" --device-wait 5 --limit 30)
    [ "$kind" = plain ] || options+=(--systemd)
    check "$kind, no device: crash, reboot" crash_with "absent-$kind" "console=tty0 loglevel=$level" "${options[@]}"
    check "$kind, no device: the digest is on the serial line" said "absent-$kind" 'ran out of memory and panicked'
    check "$kind, no device: and says why there is no more" \
        said "absent-$kind" '^  Summary   not saved: /dev/vdz has not appeared in 5 s$'
    is "$kind, no device: it is whole, and there once" "$(digest "absent-$kind" | grep -c '^The machine\|^MODULES\|programs\.$')" 3
    check "$kind, no device: the machine came back" came_back "absent-$kind"
    check "$kind, no device: by itself" eval ! said "absent-$kind" "'not done after'"
done
is "the kernel's log has each line of it" "$(logged absent-plain)" "$(digest absent-plain)"
is "which the log's default level keeps from the serial line" "$(logged absent-systemd)" ""
[ "$tap_failed" = 0 ] || tail -n 30 "$scratch"/*/console.log >&2
done_testing

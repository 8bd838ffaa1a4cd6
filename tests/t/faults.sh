#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Everything that may be broken around a crash, one at a time, with the program as it is shipped inside
# the hooks as kdump-utils calls them (kdump-pre or pre.d, core_collector with our wrapper, post.d). In
# each case: every hook returns in its time with its status, the full dump has the bytes and the status
# that it has without us, and what was finished is readable.
#
#   fault                                   the check besides those three
#   --------------------------------------  ----------------------------------------------------------
#   none                                    the summary is whole and beside the dump
#   target read-only                        said; the digest is on the console
#   target full                             likewise
#   target full half-way                    the summary is whole, the half of a dump recorded
#   target missing                          said; the digest is on the console
#   target gone while we write              said or finished
#   target unmounted lazily while we write  likewise
#   console and log that block              the summary is whole
#   makedumpfile absent, failing, hanging   the summary is whole, what became of the dump recorded
#   our binary killed at each tenth         each section told as finished is there
#   32 MiB of memory                        sections end as they do without a limit
#   clock at 1970, older dumps of 2026      the summary goes to this crash's dump
#   two crashes within one second           two summaries, -1
#   summary directory a link, a stranger's  nothing is written there; the digest is on the console
#   configuration with errors               the line is named, the defaults hold
#   image of our own: its device absent,    what can be written is (to the console, if nothing else), and
#     its mount or program failing or       the reboot follows in time, or is done by the dead man's switch
#     hanging
#
# capture_faults.sh has the program's own faults, kdump_hooks.sh the hooks' with programs of any badness.
. "$(dirname "$0")/../lib.sh"
export VMCORE_SUMMARY_LIB=$top/dracut-module/capture-lib.sh
export VMCORE_SUMMARY_KDUMP=$top/conf/kdump/kdump-utils.sh
core=$scratch/core
sed '/^OSRELEASE=/a CRASHTIME=1700000000' tests/data/vmcore/records.txt > "$scratch/core.txt"
"$BUILD/tools/mkvmcore" "$scratch/core.txt" "$core" || exit 1
echo > "$scratch/conf"
digest_first=$("$static" capture --vmcore "$core" --config "$scratch/conf" --output '' 2>&1 | sed -n 2p)
# what a hook and its program may take in all: their own limits, not the test's
hook_seconds=100
collector="dash $top/conf/kdump/kdump-collector"

# new_machine: an image after a crash, with its target; mount never runs for real
new_machine() {
    umount -l "$scratch/image/target" 2> /dev/null
    rm -rf "$scratch/image"
    image=$scratch/image target=$scratch/image/target base=$scratch/image/target/dumps/vmcore-summary
    mkdir -p "$image"/bin "$target/dumps"
    export VMCORE_SUMMARY=$image/bin/vmcore-summary VMCORE_SUMMARY_STATE=$image/run
    export VMCORE_SUMMARY_KDUMP_CONF=$image/kdump.conf VMCORE_SUMMARY_FSTAB=/dev/null
    export VMCORE_SUMMARY_MOUNTINFO=$image/mountinfo VMCORE_SUMMARY_CMDLINE=/dev/null
    export VMCORE_SUMMARY_CONF=$image/conf
    printf 'ext4 /dev/target\npath /dumps\ncore_collector makedumpfile -l -d 31\n' > "$image/kdump.conf"
    echo "36 22 254:16 / $target rw - ext4 /dev/target rw" > "$image/mountinfo"
    echo > "$image/conf"
    printf '#!/bin/sh\nexit 0\n' > "$image/bin/mount"
    # a dump that is larger than one write; dumps end as makedumpfile has them end
    printf '#!/bin/sh\nfor last; do :; done\n%s\n' \
        "dd if=/dev/zero bs=64k count=8 2> /dev/null | tr '\\\\0' D > \"\$last\" || exit 1" > "$image/bin/makedumpfile"
    program ""
    chmod +x "$image/bin"/*
}

# program BEFORE: shell text in place of "exec" to run the real one with its arguments
# shellcheck disable=SC2016  # the stand-in expands them
program() {
    printf '#!/bin/sh\n[ "$1" != verify ] || exec "$static" "$@"\nshift\n%s "%s" capture --vmcore "%s" --config "%s" --verbose "$@"%s\n' \
        "${1:-exec}" "$static" "$core" "$image/conf" "${2:-}" > "$VMCORE_SUMMARY"
    chmod +x "$VMCORE_SUMMARY"
}

hook() { # SCRIPT ARGUMENT…: its status; 124 if it is not back in time
    (cd / && PATH=$image/bin:$PATH timeout $hook_seconds "${shell:-dash}" "$top/conf/kdump/$1" "${@:2}") \
        >> "$image/output" 2>&1 < /dev/null
    echo $?
}

# kdump's own part, with our collector before it or, for comparison, alone
dump() { # [COLLECTOR]: its status; the file in $new_dump
    local status
    new_dump=$target/dumps/127.0.0.1-$(date +%Y-%m-%d-%H:%M:%S)
    mkdir -p "$new_dump" 2>> "$image/output" || { echo 1 > "$image/dump_status"; return; }
    # shellcheck disable=SC2086
    (cd / && PATH=$image/bin:$PATH timeout ${dump_seconds:-$hook_seconds} ${1-$collector} \
        makedumpfile -l -d 31 /proc/vmcore "$new_dump/vmcore-incomplete") >> "$image/output" 2>&1 < /dev/null
    status=$?
    [ $status != 0 ] || mv "$new_dump/vmcore-incomplete" "$new_dump/vmcore"
    echo $status > "$image/dump_status"
}
dump_sum() { cat "$target"/dumps/127*/vmcore "$target"/dumps/127*/vmcore-incomplete 2> /dev/null | sha256sum | cut -c 1-16; }

# crash WHAT [SETUP]: what happens, without us and with us
crash() {
    local without status
    new_machine
    ${2:-true}
    dump ""
    without="$(cat "$image/dump_status") $(dump_sum)"
    new_machine
    ${2:-true}
    is "$1: the hook before the dump returns" "$(hook vmcore-summary-kdump)" 0
    ${3:-true}
    dump
    status=$(cat "$image/dump_status")
    [ "${4:-}" = partial ] || is "$1: the dump is what it is without us" "$status $(dump_sum)" "$without"
    [ "${4:-}" != partial ] || is "$1: the dump's status is what it is without us" "$status" "${without% *}"
    is "$1: the hook after the dump returns" "$(hook vmcore-summary-kdump "$status")" 0
}
summary() { find "$target" -name vmcore-summary.jsonl.gz | sort | tail -1; }
trailer() { zcat "$1" 2> /dev/null | tail -1 | jq -c '[.section, .record]'; }
whole() { # WHAT: the summary is whole, with the dump if there is one
    is "$1: the summary is whole" "$(trailer "$(summary)")" '["trailer","end"]'
    check "$1: and beside what there is of the dump" [ "$(dirname "$(summary)")" = "$new_dump" ]
    check "$1: and can be shown" grep -q 'kernel ' <("$host" show --no-pager "$(summary)" 2>&1)
}
state() { sed -n 's/^vmcore: //p' "$(dirname "$(summary)")/vmcore-summary.dump"; }
on_console() { check "$1: the digest is on the console" grep -qF "$digest_first" "$image/output"; }

# --- none
crash "no fault"
whole "no fault"
is "no fault: recorded" "$(state)" saved

# --- targets
# shellcheck disable=SC2329  # called by crash()
{
    read_only() { mount -t tmpfs -o ro none "$target"; }
    full() {
        mount -t tmpfs -o size=64k none "$target"
        mkdir "$target/dumps"
        head -c 1M /dev/zero > "$target/filler" 2> /dev/null
    }
    half() { mount -t tmpfs -o size=256k none "$target" && mkdir "$target/dumps"; }
    missing() { : > "$image/mountinfo"; }
    removed() { program "" " 2>&1 | { read -r line; echo \"\$line\"; rm -rf \"$base\"; cat; }"; sed -i 's/^exec//' "$VMCORE_SUMMARY"; }
    unmounted() {
        mount -t tmpfs none "$target" && mkdir "$target/dumps"
        program "" " 2>&1 | { read -r line; echo \"\$line\"; umount -l \"$target\"; cat; }"
        sed -i 's/^exec//' "$VMCORE_SUMMARY"
    }
    blocking() {
        mkfifo "$image/fifo"
        printf '[Capture]\nConsole=%s\nKmsg=%s\nPmsg=%s\n' "$image/fifo" "$image/fifo" "$image/fifo" > "$image/conf"
    }
}
if (new_machine && read_only && umount "$target") 2> "$scratch/mount"; then
    crash "read-only target" read_only
    check "read-only target: said" grep -q "cannot write below" "$image/output"
    on_console "read-only target"
    crash "full target" full true partial
    check "full target: said" grep -qE "cannot write below|No space left" "$image/output"
    on_console "full target"
    crash "target that the dump fills" half true partial
    whole "target that the dump fills"
    is "target that the dump fills: recorded" "$(state)" incomplete
    check "target that the dump fills: a part of the dump is there" [ -s "$new_dump/vmcore-incomplete" ]
    crash "target unmounted on the way" unmounted "mkdir -p $scratch/image/target/dumps"
    check "target unmounted on the way: said or finished" grep -qF -e "vmcore-summary: wrote" -e "$digest_first" "$image/output"
else
    skip "read-only, full and unmounted targets" "cannot mount: $(cat "$scratch/mount")"
fi
crash "missing target" missing
on_console "missing target"
crash "target removed on the way" removed
check "target removed on the way: said or finished" grep -qF -e "vmcore-summary: wrote" -e "$digest_first" "$image/output"
crash "console, log and pstore that block" blocking
whole "console, log and pstore that block"

# --- makedumpfile. Ours is done before it starts.
# shellcheck disable=SC2016,SC2329
{
    absent() { printf '#!/bin/sh\nexit 127\n' > "$image/bin/makedumpfile"; }
    failing() { printf '#!/bin/sh\nfor last; do :; done\necho half > "$last"\nexit 1\n' > "$image/bin/makedumpfile"; }
    hanging() { printf '#!/bin/sh\nfor last; do :; done\necho half > "$last"\nexec sleep 600\n' > "$image/bin/makedumpfile"; }
}
for kind in absent:missing failing:incomplete hanging:incomplete; do
    [ $kind != hanging:incomplete ] || dump_seconds=5
    crash "makedumpfile ${kind%:*}" "${kind%:*}"
    whole "makedumpfile ${kind%:*}"
    is "makedumpfile ${kind%:*}: recorded" "$(state)" "${kind#*:}"
    dump_seconds=''
done

# --- SIGKILL at each tenth of a run
new_machine
start=$(date +%s%N)
hook vmcore-summary-kdump > /dev/null
run_ms=$((($(date +%s%N) - start) / 1000000))
# shellcheck disable=SC2329
killed() {
    program "" " & pid=\$!; sleep $(printf '%d.%03d' $((at / 1000)) $((at % 1000))); kill -9 \$pid; wait \$pid"
    sed -i 's/^exec//' "$VMCORE_SUMMARY"
}
for tenth in 1 2 3 4 5 6 7 8 9; do
    at=$((run_ms * tenth / 10))
    crash "killed at $tenth/10" killed
    finished=$(sed -n 's/^vmcore-summary: \([a-z]*\): [a-z]*.*, [0-9]* rows.*/\1/p' "$image/output" | sort -u)
    kept=$([ -z "$(summary)" ] || zcat "$(summary)" 2> /dev/null | jq -r 'select(.record == "end").section' | sort -u)
    is "killed at $tenth/10: every section told as finished is kept" "$(comm -23 <(echo "$finished") <(echo "$kept"))" ""
    [ -z "$(summary)" ] || check "killed at $tenth/10: it can be shown" "$host" show --no-pager "$(summary)"
done
# without a hook that gives it its name
mkdir -p "$scratch/rest"
cp "$(new_machine; hook vmcore-summary-kdump > /dev/null; summary)" "$scratch/rest/.vmcore-summary.jsonl.gz.a1B2c3"
check "an unfinished file is found in its directory" grep -q 'kernel ' <("$host" show --no-pager "$scratch/rest" 2>&1)
check "and by its name" grep -q 'kernel ' <("$host" show --no-pager "$scratch/rest/.vmcore-summary.jsonl.gz.a1B2c3" 2>&1)

# --- little memory
statuses() { zcat "$(summary)" | jq -c 'select(.record == "end") | [.section, .status]'; }
new_machine
hook vmcore-summary-kdump > /dev/null
unlimited=$(statuses)
# shellcheck disable=SC2329
small() { program "ulimit -v 32768; exec"; }
crash "32 MiB" small
whole "32 MiB"
is "32 MiB: the sections end as without a limit" "$(statuses)" "$unlimited"

# --- the clock, and names
# shellcheck disable=SC2329
old_clock() { # every file that is made now is of 1970
    printf '#!/bin/sh\necho 19700101T000005Z\n' > "$image/bin/date"
    chmod +x "$image/bin/date"
    mkdir "$target/dumps/127.0.0.1-2026-01-01-00:00:00"
    touch -d 'now + 1 year' "$target/dumps/127.0.0.1-2026-01-01-00:00:00"
}
# the collector is told where the dump goes; without it the hook finds out
collector=''
crash "clock behind older dumps" old_clock
whole "clock behind older dumps"
new_machine
old_clock
hook vmcore-summary-kdump > /dev/null
rm -r "$image/run"
hook vmcore-summary-kdump > /dev/null
is "two crashes within one second" "$(cd "$base" && printf '%s ' *)" "crash-19700101T000005Z crash-19700101T000005Z-1 "
printf '[Capture]\nDirectory=%s\n' "$scratch/own" > "$scratch/own.conf"
for _ in 1 2 3; do "$static" capture --quiet --vmcore "$core" --config "$scratch/own.conf"; done
is "three of the program's own" "$(find "$scratch/own" -name '*.gz' | wc -l) $(find "$scratch/own" -name '*Z-[12]' | wc -l)" "3 2"

# --- who owns the place
# shellcheck disable=SC2329
{
    linked() { mkdir -p "$image/elsewhere" && ln -s "$image/elsewhere" "$base"; }
    strangers() { mkdir -m 755 "$base" && chown 1234 "$base"; }
}
crash "summary directory that is a link" linked
is "summary directory that is a link: nothing there" "$(ls -A "$image/elsewhere")" ""
on_console "summary directory that is a link"
if [ "$(id -u)" = 0 ]; then
    crash "a stranger's summary directory" strangers
    is "a stranger's summary directory: nothing there" "$(ls -A "$base")" ""
    on_console "a stranger's summary directory"
    chown 1234 "$scratch/own"
    "$static" capture --vmcore "$core" --config "$scratch/own.conf" 2> "$scratch/err"
    is "likewise the program's own" "$? $(find "$scratch/own" -name '*.gz' | wc -l)" "0 3"
    check "it is said" grep -q "own: belongs to someone else; the summary is not saved" "$scratch/err"
else
    skip "a stranger's directory" "only root can make one"
fi

# --- the configuration
# shellcheck disable=SC2329
wrong() { printf '[Capture]\nDeadline=08parsecs\nDeadline=99999999999999999999h\nnonsense\nSections=\n' > "$image/conf"; }
for shell in dash bash "busybox sh"; do
    # shellcheck disable=SC2016
    is "limits of wrong durations under $shell" "$($shell -c '. "$VMCORE_SUMMARY_LIB"
        for d in 08s 0 never 99999999999999999999h 2min 25h 90500ms ""; do printf "%s " $(($(duration_s "$d") + 0)); done')" \
        "8 60 60 60 120 60 91 60 "
done
shell=dash
crash "configuration with errors" wrong
whole "configuration with errors"
for line in 2 3 4; do
    check "configuration with errors: line $line is named" grep -q "conf:$line: " "$image/output"
done

# --- an image of our own: nothing but the reboot may end it
# Its paths are led into the scratch directory; waits of the reboot's own, 5 s each, are shortened.
new_image() { # DEVICE
    new_machine
    sed -e "s|/proc/sysrq-trigger|$image/sysrq|g; s|/proc/sys/kernel/panic|$image/panic|g; s|/proc/vmcore|$core|g" \
        -e "s|/run/vmcore-summary|$image/run|g; s|/etc/vmcore-summary/image.conf|$image/image.conf|g" \
        -e "s|/usr/lib/vmcore-summary/capture-lib.sh|$VMCORE_SUMMARY_LIB|g" \
        -e 's/sleep 5/sleep 0.1/; s/bounded 60/bounded 3/' \
        "$top/dracut-module/55vmcore-summary/image-run.sh" > "$image/image-run"
    printf 'device=%s\nfstype=ext4\ndevice_wait=2\ncapture_limit=20\nlimit=2\n' "$1" > "$image/image.conf"
    printf '#!/bin/sh\necho "$*" >> "%s/reboots"\n' "$image" > "$image/bin/reboot"
    printf '#!/bin/sh\nexit 1\n' > "$image/bin/umount"
    echo 0 > "$image/panic"
    : > "$image/mountinfo"
    chmod +x "$image/bin"/*
    # it would reboot this very machine
    ! grep -E '/proc/sysrq|/proc/sys/' "$image/image-run" || exit 1
}
image_run() { # [ARGUMENT]: its status
    (cd / && PATH=$image/bin:$PATH timeout $hook_seconds dash "$image/image-run" "$@") >> "$image/output" 2>&1 < /dev/null
    echo $?
}
reboots() { # WHAT: it ends by the reboot, first of all by SysRq
    check "$1: it comes to its end in time" [ "$(image_run)" != 124 ]
    is "$1: and reboots" "$(cat "$image/sysrq") $(cat "$image/reboots")" "b -f"
}
in_image() { find "$image/run/target" -name vmcore-summary.jsonl.gz; }

new_image /dev/nosuch
reboots "image without its device"
check "image without its device: said" grep -q "/dev/nosuch has not appeared in 2 s" "$image/output"
on_console "image without its device"
rm "$image/sysrq" "$image/reboots" "$image/output"
reboots "second call, from an emergency"
is "second call, from an emergency: nothing but the reboot" "$(cat "$image/output")" "vmcore-summary: rebooting"
new_image /dev/nosuch
echo "36 22 254:16 / $image/run/target rw - ext4 /dev/x rw" > "$image/mountinfo"
mkdir -p "$image/run/target"
rmdir "$image/run/target" "$image/run"
reboots "image with its target"
is "image with its target: the summary is whole" "$(trailer "$(in_image)")" '["trailer","end"]'
for body in "exit 1" "exec sleep 600"; do
    new_image "$scratch/device"
    [ -b "$scratch/device" ] || mknod "$scratch/device" b 7 123 2> /dev/null ||
        { skip "image whose mount does '$body'" "mknod not allowed"; continue; }
    printf '#!/bin/sh\n%s\n' "$body" > "$image/bin/mount"
    reboots "image whose mount does '$body'"
    check "image whose mount does '$body': said" grep -q "cannot mount" "$image/output"
    on_console "image whose mount does '$body'"
done
for body in "exec sleep 600" "kill -SEGV \$\$" "exit 3"; do
    new_image /dev/nosuch
    printf '#!/bin/sh\n%s\n' "$body" > "$VMCORE_SUMMARY"
    echo capture_limit=3 >> "$image/image.conf"
    reboots "image whose program does '$body'"
    check "image whose program does '$body': said" grep -q "capture ended with status" "$image/output"
done
new_image /dev/nosuch
rm "$VMCORE_SUMMARY"
reboots "image without its program"
new_image /dev/nosuch
is "the dead man's switch does not wait" "$(image_run --watch)" 0
is "it sees to a kernel that panics" "$(cat "$image/panic")" 10
for _ in $(seq 200); do [ ! -s "$image/reboots" ] || break; sleep 0.1; done
is "and reboots after its time" "$(cat "$image/sysrq") $(cat "$image/reboots")" "b -f"

umount -l "$scratch/image/target" 2> /dev/null
done_testing

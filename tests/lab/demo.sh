#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make demo`: a machine in QEMU runs out of memory several times and panics; its capture kernel, in an
# image made by dracut with our module, writes the summary to the machine's disk and reboots; the
# machine comes back and shows it. The files of that disk are then in build/demo/.
set -eu -o pipefail
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/lab.sh"
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$lab_top/$BUILD ;; esac
export BUILD
mem=1024
work=$(mktemp -d)
qemu=
trap 'rm -rf "$work"; [ -z "$qemu" ] || kill "$qemu" 2> /dev/null || :' EXIT
bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; fi
step() { printf '%s%4ds  %s%s\n' "$bold" $((SECONDS - lab_started)) "$*" "$plain"; }
note() { printf '       %s\n' "$*"; }

# progress: from the console on stdin, what a person wants to follow; what `show` prints, whole. The
# digest that the capture kernel prints on its console is the same, so its lines are only counted.
progress() {
    local line part='' digest=0
    while IFS= read -r line; do
        line=${line%$'\r'}
        case $line in
        'lab: shown'*) part='' ;;
        'lab: $ '*) part=show; step "the machine: $ ${line#lab: $ }" ;;
        'lab: '*) step "the machine: ${line#lab: }" ;;
        'vmcore-summary: rebooting'*)
            part=''
            note "(and $digest lines of digest on the console, for a machine without a disk)"
            step "the capture kernel: rebooting"
            ;;
        'vmcore-summary: '*) part=capture; step "the capture kernel: ${line#vmcore-summary: }" ;;
        *'Killed process'* | *'Kernel panic - not syncing'*) [ "$part" ] || note "${line#*] }" ;;
        *)
            case $part in
            show) printf '%s\n' "$line" ;;
            capture) digest=$((digest + 1)) ;;
            esac
            ;;
        esac
    done
}

step "a Debian cloud kernel"
kernel=$(lab_kernel bookworm)
note "$(lab_kernel_version "$kernel"), in $kernel"
step "a capture image, by dracut with our module"
lab_dracut_image "$kernel" "$work/capture.img" 2> "$work/dracut.log" || { cat "$work/dracut.log"; exit 1; }
note "$(stat -c %s "$work/capture.img") bytes, of which vmcore-summary $(gzip -1c "$BUILD/static/vmcore-summary" | wc -c)"
lab_first_image "$kernel" oom "$work/capture.img" "$work/first.img" "$BUILD/vmcore-summary"
lab_disk "$work/disk" 256
step "booting it in QEMU: $mem MB, 2 CPUs in software, crashkernel=256M"
: > "$work/console.log"
LAB_TIMEOUT=${LAB_TIMEOUT:-1800} lab_boot "$kernel" "$work/first.img" "$work/disk" "$work/console.log" "$mem" loglevel=4 &
qemu=$!
tail -n +1 -f --pid=$qemu -s 0.2 "$work/console.log" | progress
status=0
wait $qemu || status=$?
qemu=

demo=$BUILD/demo
rm -rf "$demo"
lab_from_disk "$work/disk" "$demo"
cp "$work/console.log" "$demo/"
summary=$(find "$demo" -name vmcore-summary.jsonl.gz | head -1)
if [ $status != 0 ] || [ -z "$summary" ] || ! [ -s "$demo/lab/show.txt" ]; then
    tail -n 40 "$demo/console.log"
    step "no summary came back (QEMU ended with $status); the console is in $demo/console.log"
    exit 1
fi
step "done: $summary, $(stat -c %s "$summary") bytes"
note "read it with: $BUILD/vmcore-summary show $(dirname "$summary")"

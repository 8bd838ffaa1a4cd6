#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whole crashes with Debian 12's own kdump-tools: Debian machines with our `make install`, in QEMU, two at a
# time. `system` has all on one disk; `small` keeps its dumps on a disk that is too small for one, and has a
# network with a server. They crash once for each round of the table below; each time kdump-tools' own capture
# boot does what it does, and the machine comes back. Then their disks are looked at. Speaks TAP.
#
# KDUMP_TOOLS_KEEP    the directory that gets console logs and files (build/kdump-tools)
# KDUMP_TOOLS_AGAIN   1: no crash, the comparisons once more with what an earlier run left there
# KDUMP_TOOLS_ROUNDS  names of rounds, for these alone
. "$(dirname "$0")/../lib.sh"
. tests/lab/lab.sh
. tests/lab/kdump_tools_root.sh
keep=${KDUMP_TOOLS_KEEP:-$BUILD/kdump-tools}

# machine, round, key of vmcore-summary.conf, line for /etc/default/kdump-tools
all_rounds='
system auto        Dump.Mode=auto
system cut         Dump.Mode=alongside          MAKEDUMP_ARGS="-F -c -d 31 -L 4194304"
system alongside   Dump.Mode=alongside
system instead     Dump.Mode=instead
small  nfs         Dump.Mode=alongside          NFS=10.0.2.2:/srv/crash
small  full-remove Retention.RemoveVmcore=yes
small  full        Dump.Mode=alongside
small  ssh         Dump.Mode=alongside          SSH=root@10.0.2.2
small  auto-full   Dump.Mode=auto'
rounds() { # MACHINE: what it is to do
    local machine round key line
    while read -r machine round key line; do
        [ "$machine" = "$1" ] && case " ${KDUMP_TOOLS_ROUNDS:-$round} " in
        *" $round "*) echo "$round $key $line" ;;
        esac
    done <<< "$all_rounds"
}

# --- the machines ---------------------------------------------------------------------------------
configure() { # ROOT: all that the machines have in common
    make -s -C "$top" install DESTDIR="$1" BUILD="$BUILD" &&
        install -D -m 755 tests/lab/guest/kdump-tools-round.sh "$1/lab/round.sh" &&
        install -m 644 tests/lab/guest/kdump-tools-round.service "$1/etc/systemd/system/lab.service" &&
        systemctl --root="$1" -q enable lab.service vmcore-summary-harvest.service &&
        mkdir -p "$1/etc/vmcore-summary.conf.d" && # the machine is emulated, which takes some ten times as long
        printf '%s\n' '[Capture]' Deadline=3min SectionDeadline=30s > "$1/etc/vmcore-summary.conf.d/emulated.conf" &&
        lab_say "building its images" &&
        kdump_tools_configure "$1"
}
plan() { # ROOT MACHINE: the rounds that it finds
    local n=0 round key line dir
    mkdir -p "$1/lab/rounds"
    while read -r round key line; do
        dir=$1/lab/rounds/$((++n))-$round
        mkdir "$dir" &&
            printf '[%s]\n%s\n' "${key%%.*}" "${key#*.}" > "$dir/vmcore-summary.conf" &&
            echo "$line" > "$dir/kdump-tools" || return
    done < <(rounds "$2")
}
collect() { # MACHINE
    local part
    mkdir -p "$keep/$1/var/log"
    for part in lab var/log/journal; do
        debugfs -R "rdump /$part $(dirname "$keep/$1/$part")" "$scratch/$1.disk" > /dev/null 2>&1
    done
    (cd "$keep/$1" && tr -d '\r' < console.log | awk '/^\[ *[0-9.]*\] Linux version/ { n++ } { print > ("boot." n + 0) }')
    grep -q 'lab: done' "$keep/$1/console.log"
}
run_system() {
    cp -a "$scratch/root" "$scratch/system" &&
        plan "$scratch/system" system &&
        kdump_tools_disk "$scratch/system.disk" 2048 "$scratch/system" &&
        kdump_tools_boot "$scratch/system" "$scratch/system.disk" "$keep/system/console.log" 1024 -net none &&
        collect system
}
run_small() {
    local server
    server=$(kdump_tools_root kdump-server "$(kdump_server_packages)") &&
        cp -a "$server" "$keep/small/server" &&
        cp -a "$scratch/root" "$scratch/small" &&
        echo "/dev/vdb /var/crash ext4 rw 0 0" >> "$scratch/small/etc/fstab" &&
        kdump_tools_network "$scratch/small" "$keep/small/server" &&
        plan "$scratch/small" small &&
        kdump_tools_disk "$scratch/small.disk" 2048 "$scratch/small" &&
        kdump_tools_disk "$scratch/small.crash" 16 &&
        kdump_server_run "$(realpath "$keep/small/server")" kdump_tools_boot "$scratch/small" "$scratch/small.disk" \
            "$(realpath "$keep/small")/console.log" 1024 -netdev user,id=lan -device virtio-net-pci,netdev=lan \
            -drive "file=$scratch/small.crash,format=raw,if=virtio,cache=unsafe" &&
        collect small
}
crashes() {
    local base m
    [ "${KDUMP_TOOLS_AGAIN:-0}" = 0 ] || return 0
    rm -rf "$keep"
    base=$(kdump_tools_root kdump-tools "$(kdump_tools_packages)") &&
        cp -a "$base" "$scratch/root" && configure "$scratch/root" || return
    lab_say "booting"
    for m in system small; do
        [ "$(rounds $m)" ] || continue
        mkdir -p "$keep/$m"
        ("run_$m" && touch "$keep/$m/whole"; lab_say "$m: powered off") &
    done
    wait
}
[ "${KDUMP_TOOLS_AGAIN:-0}" != 0 ] || crashes

# --- what a round left ------------------------------------------------------------------------------
rows() { zcat "$summary/vmcore-summary.jsonl.gz" | jq -r "$1"; } # WHAT: of its summary
listed() { jq -r '"\(.reason) \(.vmcore) \(.state)"' "$out/list.json" | tail -1; }
files() { find "$1" -type f ! -name 'vmcore-summary.*' -printf '%f\n' | sed 's/[0-9]\{12\}/TIME/' | sort | paste -sd ' '; } # DIRECTORY
disk() { tr ' ' '\n' < "$out/disk" | sed -n "s/^$1=//p"; } # WHAT: free, blocks; of one KiB on `small`
policy() { rows 'select(.record == "policy") | '"$1"; }
at() { sed -n "s/^\[ *\([0-9]*\)\.[0-9]*\] .*$1.*/\1/p" "$boot" | head -1; } # PATTERN: seconds since the capture kernel began
readable() { # DUMP, flattened
    makedumpfile -R "$scratch/dump" < "$1" > /dev/null && makedumpfile --dump-dmesg "$scratch/dump" "$scratch/dump.dmesg" > /dev/null
    local status=$?
    rm -f "$scratch/dump" "$scratch/dump.dmesg"
    return $status
}
# enter ROUND: $kept, $out, $boot, $summary, $dump (the directory that kdump-tools made) are its
enter() {
    kept=$keep/$machine/lab/kept/$1 out=$keep/$machine/lab/out/$1
    boot=$keep/$machine/boot.$((2 * $(rounds "$machine" | grep -n "^$1 " | cut -d : -f 1)))
    summary=$(dirname "$(find "$kept" -name vmcore-summary.jsonl.gz | head -1)")
    dump=$(find "$kept" -maxdepth 1 -name '2*' | head -1)
}
common() { # ROUND
    is "$1: a summary" "$(find "$kept" -name vmcore-summary.jsonl.gz | wc -l)" 1
    is "$1: every section of it ended well" "$(rows 'select(.record == "end" and .status != "ok") | "\(.section) \(.status) \(.reason)"')" ""
    is "$1: who crashed" "$(rows 'select(.record == "crash") | .comm')" round.sh
    is "$1: nothing is left of a writing" "$(find "$kept" -name '.vmcore-summary.*')" ""
    is "$1: after the reboot all is in order, and the next crash kernel loaded" \
        "$(grep . "$out/units" | sort -u | paste -sd ' ')" "ActiveState=active Result=success"
    check "$1: who logs in is told" grep -q vmcore-summary "$out/motd"
    is "$1: an entry of the journal" "$(jq -r 'select(.MESSAGE_ID == "'"$id"'") | "\(.VMCORE_SUMMARY_REASON) \(.VMCORE_SUMMARY_VMCORE)"' "$out/journal")" \
        "$(listed | cut -d ' ' -f 1,2)"
    echo "# $1: the capture kernel ran $(at 'reboot: Restarting system') s; summary after $(at 'vmcore-summary: summary in') s," \
        "kdump-tools began after $(at 'kdump-tools\[[0-9]*\]: Starting kdump-tools') s;" \
        "files: $(grep -v '^vmcore-summary' "$out/files" | paste -sd ,); $(cat "$out/disk")"
}
# The dump is left out: our own unit reboots. It waits 30 s for what is not on the disk yet, and 30 s for `reboot`.
reboots_at_once() { # ROUND
    check "$1: reboots at once" [ $(($(at 'reboot: Restarting system') - $(at 'vmcore-summary: summary in'))) -le 60 ]
    is "$1: kdump-tools does not begin" "$(at 'Starting kdump-tools')" ""
    is "$1: and leaves nothing" "$(files "$kept")" .seen
}
whole_dump() { # ROUND
    is "$1: one dump, and it is kdump-tools' own" "$(files "$dump")" ".seen dmesg.TIME dump.TIME"
    check "$1: makedumpfile can read it" readable "$(echo "$dump"/dump.2*)"
    is "$1: the summary lies beside it" "$(cd "$dump" && echo vmcore-summary.*)" \
        "vmcore-summary.dump vmcore-summary.jsonl.gz vmcore-summary.txt"
    is "$1: list" "$(listed)" "sysrq saved complete"
}

test_alongside() {
    whole_dump alongside
    is "alongside: its log is the one that kdump-tools saved" "$("$host" show --no-pager --color=never --section dmesg \
        "$summary/vmcore-summary.jsonl.gz" | grep -c 'sysrq triggered crash')" "$(grep -c 'sysrq triggered crash' "$dump"/dmesg.*)"
    is "alongside: the summary was there before kdump-tools began" "$(grep -aoE 'vmcore-summary: summary in /var/crash/vmcore-summary|running makedumpfile --dump-dmesg' \
        "$boot" | paste -sd ,)" "vmcore-summary: summary in /var/crash/vmcore-summary,running makedumpfile --dump-dmesg"
}
test_instead() {
    reboots_at_once instead
    is "instead: list" "$(listed)" "sysrq skipped complete"
    is "instead: its policy record" "$(policy '"\(.mode) \(.decision)"')" "instead skip"
    check "instead: show, on the machine" grep -q 'left out' "$out/show"
    check "instead: and on the capture kernel's console" grep -q 'none, left out: Mode=instead' "$boot"
}
test_auto() {
    whole_dump auto
    is "auto: its policy record" "$(policy '"\(.mode) \(.decision) \(.estimate_bytes > 0) \(.estimate_bytes + .min_free_bytes <= .free_bytes)"')" \
        "auto dump true true"
    echo "# auto: estimated $(policy .estimate_bytes), written $(stat -c %s "$dump"/dump.2*) bytes"
}
test_auto-full() {
    reboots_at_once auto-full
    is "auto-full: list" "$(listed)" "sysrq skipped complete"
    is "auto-full: its policy record" "$(policy '"\(.mode) \(.decision) \(.estimate_bytes + .min_free_bytes > .free_bytes)"')" "auto skip true"
    is "auto-full: the digest has its figures" "$(grep -c "none, left out: $(policy .reason)" <(tr -s ' \n' ' ' < "$summary/vmcore-summary.txt"))" 1
    check "auto-full: and so has show, on the machine" grep -q 'left out: ' "$out/show"
    echo "# auto-full: $(policy .reason)"
}
# A dump that fills its disk: makedumpfile's is cut, then `cp` of all memory is tried.
test_full() {
    check "full: kdump-tools falls back to cp" grep -q "makedumpfile failed, falling back to 'cp'" "$boot"
    check "full: which fails, too" grep -q 'failed to save vmcore' "$boot"
    is "full: both halves are untouched" "$(files "$dump")" ".seen dmesg.TIME dump-incomplete vmcore-incomplete"
    is "full: list" "$(listed)" "sysrq incomplete complete"
    check "full: show" grep -qE 'dump-incomplete \([0-9.]+ MiB, incomplete' "$out/show"
    check "full: the disk is full" [ "$(disk free)" -lt 128 ] # KiB that `cat` writes at once
}
test_full-remove() {
    check "full-remove: kdump-tools fails" grep -q 'failed to save vmcore' "$boot"
    is "full-remove: both halves are gone, and nothing else" "$(files "$dump")" ".seen dmesg.TIME"
    is "full-remove: list" "$(listed)" "sysrq incomplete complete"
    check "full-remove: show" grep -q 'none: it was removed for want of space' "$out/show"
    check "full-remove: nine tenths of the disk can be used" [ $((10 * $(disk free))) -gt $((9 * $(disk blocks))) ]
}
# makedumpfile ends early, which kdump-tools does not see: its status is that of the program behind the pipe.
test_cut() {
    check "cut: kdump-tools believes it" grep -q 'kdump-tools: saved vmcore' "$boot"
    is "cut: as one that is whole" "$(files "$dump")" ".seen dmesg.TIME dump.TIME"
    is "cut: it ends at its limit" "$(stat -c %s "$dump"/dump.2*)" 4194304
    is "cut: list" "$(listed)" "sysrq incomplete complete"
    check "cut: show" grep -qE 'dump\.[0-9]+ \([0-9.]+ MiB, incomplete' "$out/show"
    check "cut: the journal, and how much of it is there" grep -qE 'The vmcore is incomplete: .* % of its memory is there' \
        <(jq -r .MESSAGE "$out/journal")
}

# sent ROUND DIRECTORY: what the server has got
sent() {
    local there
    is "$1: one dump, and it is kdump-tools' own" "$(files "$(find "$2" -maxdepth 1 -name '10.0.2.15-2*')")" "dmesg.TIME dump.TIME"
    check "$1: makedumpfile can read it" readable "$(find "$2" -name 'dump.2*')"
    there=$(echo "$2"/vmcore-summary/10.0.2.15-crash-*)
    check "$1: the summary is there too" cmp "$there/vmcore-summary.jsonl.gz" "$summary/vmcore-summary.jsonl.gz"
    check "$1: and its digest" cmp "$there/vmcore-summary.txt" "$summary/vmcore-summary.txt"
    is "$1: nothing else" "$(find "$2/vmcore-summary" -type f | wc -l)" 2
}
test_ssh() { sent ssh "$keep/small/server/var/crash"; }
test_nfs() { sent nfs "$keep/small/server/srv/crash"; }

id=$(sed -n 's/^-- //p' systemd/vmcore-summary.catalog)
for machine in system small; do
    n=$(rounds $machine | wc -l)
    [ "$n" -gt 0 ] || continue
    check "$machine: a Debian machine crashes $n times and comes back" [ -e "$keep/$machine/whole" ]
    [ -e "$keep/$machine/whole" ] || tail -n 60 "$keep/$machine/console.log" >&2
    # its units are its capture kernel's, too
    is "$machine: boots" "$(find "$keep/$machine" -maxdepth 1 -name 'boot.[1-9]*' | wc -l)" $((1 + 2 * n))
    while read -r round _; do
        enter "$round"
        common "$round"
        "test_$round"
    done < <(rounds $machine)
    systemd_says() { journalctl --quiet -D "$keep/$machine/var/log/journal" -o json "$@"; }
    is "$machine, its journal: no cycle in any boot" "$(systemd_says --grep 'ordering cycle' | wc -l)" 0
    is "$machine, its journal: none of our units failed" "$(systemd_says _PID=1 -p warning --grep vmcore-summary | jq -r .MESSAGE)" ""
done
done_testing

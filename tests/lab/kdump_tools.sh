#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whole crashes with Debian 12's own kdump-tools: a Debian machine with our `make install`, nothing else of it
# changed, in QEMU. It crashes twice, with Mode=alongside and with Mode=instead; each time kdump-tools' own
# capture boot does what it does, and the machine comes back. Then its disk is looked at. Speaks TAP.
#
# KDUMP_TOOLS_KEEP    the directory that gets console log and files (build/kdump-tools)
# KDUMP_TOOLS_AGAIN   1: no crash, the comparisons once more with what an earlier run left there
. "$(dirname "$0")/../lib.sh"
. tests/lab/lab.sh
. tests/lab/kdump_tools_root.sh
keep=${KDUMP_TOOLS_KEEP:-$BUILD/kdump-tools}

crashes() {
    local root=$scratch/root base
    [ "${KDUMP_TOOLS_AGAIN:-0}" = 0 ] || return 0
    rm -rf "$keep" && mkdir -p "$keep"
    base=$(kdump_tools_root) &&
        cp -a "$base" "$root" &&
        make -s -C "$top" install DESTDIR="$root" BUILD="$BUILD" &&
        install -D -m 755 tests/lab/guest/kdump-tools-round.sh "$root/lab/round.sh" &&
        install -m 644 tests/lab/guest/kdump-tools-round.service "$root/etc/systemd/system/lab.service" &&
        printf '%s\n' alongside instead > "$root/lab/modes" &&
        systemctl --root="$root" -q enable lab.service vmcore-summary-harvest.service &&
        lab_say "building its images" &&
        kdump_tools_configure "$root" &&
        kdump_tools_disk "$root" "$scratch/disk" &&
        lab_say "booting" &&
        kdump_tools_boot "$root" "$scratch/disk" "$keep/console.log" 1024 &&
        lab_say "powered off" &&
        mkdir -p "$keep/var/log" &&
        for part in lab var/crash var/log/journal; do
            debugfs -R "rdump /$part $(dirname "$keep/$part")" "$scratch/disk" > /dev/null 2>&1
        done &&
        grep -q 'lab: done' "$keep/console.log"
}
check "a Debian machine crashes twice and comes back" crashes
[ "$tap_failed" = 0 ] || { tail -n 60 "$keep/console.log" >&2; done_testing; }

crash=$keep/var/crash out=$keep/lab/out
read -r -d '' -a dumps < <(find "$crash" -name 'dump.*' -o -name 'vmcore.*') || true
dump_dir=$(dirname "${dumps[0]:-$crash/none}")
apart=$(echo "$crash"/vmcore-summary/crash-*)
release=$(sed -n 's/^\[.*\] Linux version \([^ ]*\).*/\1/p' "$keep/console.log" | head -1)
rows() { # FILE WHAT: of a summary
    zcat "$1/vmcore-summary.jsonl.gz" | jq -r "$2"
}
listed() { jq -r '"\(.reason) \(.vmcore) \(.state) \(.release)"' "$out/$1/list.json" | tail -1; }

# --- with the dump ----------------------------------------------------------------------------------
is "one dump, of two crashes" "${#dumps[@]}" 1
check "it is kdump-tools' own: $(basename "$dump_dir")" grep -qE '/[0-9]{12}$' <<< "$dump_dir"
check "makedumpfile can read it" sh -c "makedumpfile -R '$scratch/dump' < '${dumps[0]:-}' > /dev/null &&
    makedumpfile --dump-dmesg '$scratch/dump' '$scratch/dump.dmesg' > /dev/null"
is "the summary lies beside it" "$(find "$dump_dir" -name 'vmcore-summary.*' -printf '%f\n' | sort | paste -sd ' ')" \
    "vmcore-summary.dump vmcore-summary.jsonl.gz vmcore-summary.txt"
is "its log is the one that kdump-tools saved" "$("$host" show --no-pager --color=never --section dmesg "$dump_dir/vmcore-summary.jsonl.gz" |
    grep -c 'sysrq triggered crash')" "$(grep -c 'sysrq triggered crash' "$dump_dir"/dmesg.*)"
is "list, on the machine" "$(listed alongside)" "sysrq saved complete $release"
is "the summary was there before kdump-tools began" "$(grep -aoE 'vmcore-summary: summary in /var/crash/vmcore-summary|running makedumpfile --dump-dmesg' \
    "$keep/console.log" | paste -sd ,)" \
    "vmcore-summary: summary in /var/crash/vmcore-summary,running makedumpfile --dump-dmesg,vmcore-summary: summary in /var/crash/vmcore-summary"

# --- instead of it --------------------------------------------------------------------------------------
check "one summary without a dump: $(basename "$apart")" [ -s "$apart/vmcore-summary.jsonl.gz" ]
is "list, on the machine, after Mode=instead" "$(listed instead)" "sysrq skipped complete $release"
is "its policy record" "$(rows "$apart" 'select(.record == "policy") | "\(.mode) \(.decision)"')" "instead skip"
check "show, on the machine" grep -q 'left out' "$out/instead/show"
check "and on the capture kernel's console" grep -q 'none, left out: Mode=instead' "$keep/console.log"

# --- both ---------------------------------------------------------------------------------------------
for dir in "$dump_dir" "$apart"; do
    is "$(basename "$dir"): every section ended well" "$(rows "$dir" 'select(.record == "end" and .status != "ok") |
        "\(.section) \(.status) \(.reason)"')" ""
    is "$(basename "$dir"): who crashed" "$(rows "$dir" 'select(.record == "crash") | .comm')" round.sh
done
is "nothing is left of a writing, and nothing else is below ours" \
    "$(cd "$crash/vmcore-summary" && find . -type f ! -path './crash-*/vmcore-summary.*' ! -name .seen)" ""
# five boots: three of the machine, two of its capture kernel, whose units are the machine's
is "boots" "$(grep -c '\] Linux version' "$keep/console.log")" 5
for mode in alongside instead; do
    is "$mode: after the reboot all is in order, and the next crash kernel loaded" \
        "$(grep . "$out/$mode/units" | sort -u | paste -sd ' ')" "ActiveState=active Result=success"
    check "$mode: who logs in is told" grep -q vmcore-summary "$out/$mode/motd"
done
systemd_says() { journalctl --quiet -D "$keep/var/log/journal" -o json "$@"; }
id=$(sed -n 's/^-- //p' systemd/vmcore-summary.catalog)
is "the journal: an entry for each crash, of the boot after it" \
    "$(systemd_says MESSAGE_ID="$id" | jq -r '"\(.VMCORE_SUMMARY_REASON) \(.VMCORE_SUMMARY_VMCORE) \(.VMCORE_SUMMARY_FILE)"')" \
    "sysrq saved ${dump_dir#"$keep"}/vmcore-summary.jsonl.gz
sysrq skipped ${apart#"$keep"}/vmcore-summary.jsonl.gz"
is "the journal: no cycle in any boot" "$(systemd_says --grep 'ordering cycle' | wc -l)" 0
is "the journal: none of our units failed" "$(systemd_says _PID=1 -p warning --grep vmcore-summary | jq -r .MESSAGE)" ""
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The units, started by systemd at the boot of a machine in QEMU, under the hardening that they ask for: a
# Debian root of this machine's own packages with our deb installed into it, the capture's kernel, a disk
# with two crashes that nobody has been told of, and old summaries beyond what is kept.
. "$(dirname "$0")/../lib.sh"
. tests/lab/lab.sh
. tests/lab/debian_root.sh
# shellcheck source=tests/summary.sh
. tests/summary.sh
data=tests/data/summary
root=$scratch/root out=$scratch/out/lab
export LAB_TIMEOUT=300
id=$(sed -n 's/^-- //p' systemd/vmcore-summary.catalog)

# --- without a boot: what systemd-analyze says of them ----------------------------------------------
for unit in systemd/*.service systemd/*.timer; do
    sed -e "s|/usr/bin/vmcore-summary|$host|" -e "s|/usr/lib/vmcore-summary|$top/conf/kdump|" "$unit" > "$scratch/${unit##*/}"
done
is "systemd has nothing to say of the units" \
    "$(systemd-analyze verify --man=no "$scratch"/*.service "$scratch"/*.timer 2>&1)" ""
exposed_less_than() { # LIMIT UNITFILE
    systemd-analyze security --no-pager --offline=true "$2" | tail -n 1 |
        awk -v limit="$1" '{ print > "/dev/stderr"; for (i = 1; i < NF; i++) if ($i ~ /:$/) exit !($(i + 1) < limit) }'
}
for unit in systemd/vmcore-summary-{harvest,baseline}.service; do
    # systemd-pstore.service of Debian 12 is at 9.5, "unsafe"; below 3 is "ok", as for systemd-coredump@
    check "${unit##*/}: exposure below 3 of 10" \
        exposed_less_than 3.0 "$scratch/${unit##*/}"
done

# --- the machine -----------------------------------------------------------------------------------------
crash() { # DIRECTORY FILE
    mkdir -p "$root/var/crash/$1"
    pack_summary "$2" "$root/var/crash/$1/vmcore-summary.jsonl.gz"
}
machine() {
    local deb
    make -s BUILD="$BUILD" deb >&2 && deb=$(find "$BUILD" -maxdepth 1 -name "vmcore-summary_$("$host" --version | cut -d ' ' -f 2)_*.deb") || return
    # shellcheck disable=SC2046
    debian_root "$root" dpkg dash coreutils grep sed util-linux systemd init-system-helpers perl-base \
        $(dpkg-deb -f "$deb" Depends | sed 's/([^)]*)//g; s/,/ /g') >&2 &&
        dpkg --root="$root" -i "$deb" >&2 &&
        systemctl --root="$root" enable vmcore-summary-baseline.timer >&2 || return
    rm -rf "$root"/var/lib/dpkg "$root"/usr/share/{perl,zoneinfo}
    crash 127.0.0.1-2026-11-21-10:18:03 "$data/oom.jsonl"
    crash vmcore-summary/crash-20251121T105859Z "$data/sysrq.jsonl"
    crash vmcore-summary/crash-20200101T000000Z "$data/sysrq.jsonl"
    crash vmcore-summary/live-20200101T000000Z "$data/sysrq.jsonl"
    crash vmcore-summary/kept "$data/sysrq.jsonl"
    touch "$root"/var/crash/vmcore-summary/{crash-20200101T000000Z,live-20200101T000000Z,kept}/.seen
    mkdir -p "$root/etc/vmcore-summary.conf.d" "$root/lab"
    printf '[Retention]\nKeepMax=1\nBaselineKeep=1\n' > "$root/etc/vmcore-summary.conf.d/lab.conf"
    cp tests/lab/guest/systemd.sh "$root/lab/run"
    cat > "$root/etc/systemd/system/lab.service" <<-'UNIT'
	[Unit]
	Description=Writes down what became of the units
	After=multi-user.target
	[Service]
	Type=oneshot
	ExecStart=/bin/sh /lab/run
	ExecStopPost=/bin/systemctl poweroff --force
	UNIT
    # of the machine's own services none is wanted
    rm -rf "$root"/etc/systemd/system/{getty.target.wants,sysinit.target.wants,network*,dbus*}
    rm -f "$scratch/disk" && truncate -s 300M "$scratch/disk" && mkfs.ext4 -q -F -d "$root" "$scratch/disk"
}
booted() {
    local kernel initrd=$scratch/initrd
    kernel=$(lab_kernel bookworm) && lab_root "$initrd" "$kernel" virtio_pci virtio_blk ext4 &&
        cp tests/lab/guest/switch-root.sh "$initrd/init" && lab_pack "$initrd" "$scratch/initrd.img" &&
        lab_boot "$kernel" "$scratch/initrd.img" "$scratch/disk" "$scratch/console.log" 768 loglevel=4 \
            systemd.unit=multi-user.target systemd.wants=lab.service systemd.show_status=no &&
        lab_from_disk "$scratch/disk" "$scratch/out"
}
check "a machine with our package" machine
check "boots and is done" booted
check "to the end" test -e "$out/done"
[ "$tap_failed" = 0 ] || { tail -n 40 "$scratch/console.log" >&2; done_testing; }
crashes=$scratch/out/var/crash
shown() { sed -n "s/^$2=//p" "$out/$1"; }
entries() { jq -rs "map(select(.MESSAGE_ID == \"$id\")) | $1" "$out/journal.json"; }

# --- harvest ---------------------------------------------------------------------------------------------
is "harvest ran at boot" "$(shown harvest Result) $(shown harvest ExecMainStatus) $(shown harvest ActiveState)" "success 0 active"
is "an entry for each crash that nobody knew" "$(entries '[.[].VMCORE_SUMMARY_REASON] | sort | join(" ")')" "oom sysrq"
# the journal looks a sender up, and may find it gone when it comes to the last
is "from its own unit" "$(entries '[.[]._SYSTEMD_UNIT // empty] | unique | join(" ")')" vmcore-summary-harvest.service
is "with the path of the summary" "$(entries '[.[].VMCORE_SUMMARY_FILE] | sort | join(" ")')" \
    "/var/crash/127.0.0.1-2026-11-21-10:18:03/vmcore-summary.jsonl.gz /var/crash/vmcore-summary/crash-20251121T105859Z/vmcore-summary.jsonl.gz"
check "the marker is there" test -e "$crashes/127.0.0.1-2026-11-21-10:18:03/.seen"
check "a line for who logs in" grep -q 'ran out of memory' "$out/motd"
check "the catalog explains it" grep -q 'What was in memory is' "$out/catalog"
is "the older crash went, by KeepMax=, what is not of its form stayed" "$(cd "$crashes/vmcore-summary" && printf '%s\n' [ck]*)" $'crash-20251121T105859Z\nkept'
is "harvest again: nothing new" "$(cat "$out/again")" "0 2"
is "without a crash it does not start" "$(shown empty ConditionResult)" no

# --- the baseline -------------------------------------------------------------------------------------------
is "the timer waits" "$(shown timer ActiveState)" active
check "for an hour and more" [ "$(shown timer NextElapseUSecMonotonic | grep -oE '^1h')" = 1h ]
is "started by hand, the service summarises the running kernel" \
    "$(shown baseline Result) $(shown baseline ExecMainStatus)" "success 0"
live=$(ls -d "$crashes"/vmcore-summary/live-*)
is "one is kept, by BaselineKeep=, the new one" "$(wc -l <<< "$live") $(grep -c 2020 <<< "$live")" "1 0"
zcat "$live/vmcore-summary.jsonl.gz" > "$scratch/live.jsonl"
is "it is of this machine" "$(jq -r 'select(.record == "header") | "\(.live) \(.release)"' "$scratch/live.jsonl")" "true $(cat "$out/release")"
is "no section failed" "$(jq -r 'select(.record == "end" and .status != "ok" and .status != "partial") | "\(.section) \(.status) \(.reason)"' "$scratch/live.jsonl")" ""
is "it holds systemd itself" "$(jq -r 'select(.record == "task" and .pid == 1).comm' "$scratch/live.jsonl")" systemd
is "only root reads it" "$(stat -c %a "$live/vmcore-summary.jsonl.gz")" 600
is "and it is no news" "$(cat "$out/after")" "0 2"
for option in PrivateDevices ProtectKernelTunables; do
    is "with $option=, which the unit leaves out, it could not" "$(shown $option Result)" exit-code
done
done_testing

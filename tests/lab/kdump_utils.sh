#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kdump-utils (Fedora, RHEL) from a checkout, whole: KDUMP_UTILS=DIR tests/lab/kdump_utils.sh. A Debian machine
# gets it by its own `make install`, and ours by `make install`; its kdumpctl and mkdumprd build capture images
# with Debian's dracut. The machine crashes in QEMU three times: as it is, with Mode=instead, and by `kdumpctl
# test` onto a logical volume; each time the capture image does what it does, and the machine comes back.
# Needs root and loop devices. Speaks TAP.
#
# KDUMP_UTILS_KEEP    the directory that gets console log, images and files (build/kdump-utils)
# KDUMP_UTILS_AGAIN   1: no crash, the comparisons once more with what an earlier run left there
. "$(dirname "$0")/../lib.sh"
. tests/lab/lab.sh
. tests/lab/dracut_root.sh
keep=${KDUMP_UTILS_KEEP:-$BUILD/kdump-utils}
ku=${KDUMP_UTILS:-}
again=${KDUMP_UTILS_AGAIN:-0}
cant=
[ -e "$ku/mkdumprd" ] || cant="KDUMP_UTILS names no checkout of kdump-utils"
[ "$again" = 1 ] || dracut_can_mount "$scratch" || cant="no loop devices here, or not root"
if [ -n "$cant" ]; then
    skip "crashes with kdump-utils" "$cant"
    done_testing
fi

# --- the machine ------------------------------------------------------------------------------------
# kdump-utils as its own `make install` puts it. Not there, for Debian does not have it, and for an image without
# a network not needed: dracut-network, dracut-squash, grubby.
kdump_utils() { # ROOT
    local build=$scratch/checkout modules
    # it generates kdump.conf in its own directory
    cp -r "$ku/." "$build/" && make -s -C "$build" install DESTDIR="$1" sbindir=/usr/sbin ARCH=x86_64 >&2 || return
    # Fedora has one directory where Debian has two, and a dracut that puts grep into every image
    [ -e "$1/usr/sbin/makedumpfile" ] || ln -s ../bin/makedumpfile "$1/usr/sbin/"
    mkdir -p "$1/usr/lib/dracut/dracut.conf.d" &&
        echo 'install_optional_items+=" vi /etc/virc ps grep cat rm "' > "$1/usr/lib/dracut/dracut.conf.d/01-dist.conf" || return
    # The first image is made in a chroot, where another kernel runs on other hardware; kdumpctl refuses modules
    # that are built in.
    sed -i "s/^KDUMP_KERNELVER=.*/KDUMP_KERNELVER=\"$version\"/" "$1/etc/sysconfig/kdump"
    modules=$(cd "$kernel/lib/modules/$version" && find . -name 'virtio_pci.ko*' -o -name 'virtio_blk.ko*' | sed 's|.*/||; s|\..*||' | paste -sd ' ')
    [ -z "$modules" ] || echo "extra_modules $modules" >> "$1/etc/kdump.conf"
}

machine() {
    local root=$scratch/root base
    rm -rf "$keep" && mkdir -p "$keep"
    kernel=$(lab_kernel "$dracut_suite") && version=$(lab_kernel_version "$kernel") && base=$(dracut_root) &&
        cp -a "$base" "$root" && kdump_utils "$root" &&
        dracut_root_machine "$root" "$kernel" kdump-utils-rounds.sh alongside instead lvm &&
        dracut_disk "$root" "$scratch/disk"
}
in_machine() { dracut_chroot "$scratch/disk" bash -s; }

# The administrator's part, in the machine: prints what kdump's own decision is after each step, a line each.
# 0: the image is good, 1: it is to be built anew.
decisions() {
    in_machine << 'MACHINE'
cd /usr/lib/kdump # where kdumpctl looks for its parts when it is read
decide() {
    (__SOURCED__=1
        . /usr/bin/kdumpctl
        parse_config && setup_initrd && need_initrd_rebuild
        echo "$1: $?") 2>> /lab/decisions.log
}
old=/etc/hostname
decide "as built"
for f in /etc/kdump/{pre,post,emergency}.d/50-vmcore-summary /etc/kdump.conf; do
    touch -d '+1 min' "$f"
    decide "$f"
    touch -r $old "$f"
done
for f in /etc/vmcore-summary.conf /usr/lib/vmcore-summary/vmcore-summary; do
    touch -d '+1 min' "$f"
    decide "$f"
    vmcore-summary enable > /dev/null
    decide "$f, enable"
    touch -r $old "$f" /etc/kdump.conf
done
vmcore-summary disable > /dev/null
decide disable
vmcore-summary enable > /dev/null
touch -r $old /etc/kdump.conf /etc/kdump/*/50-vmcore-summary
decide "enabled again, times as before"
MACHINE
}

images() {
    lab_say "building an ordinary image, and kdump's"
    dracut_ordinary_image "$scratch/disk" "$version" > "$keep/build.log" 2>&1 &&
        in_machine <<< 'vmcore-summary enable && kdumpctl rebuild && { vmcore-summary check --json > /lab/check.json; test -s /lab/check.json; }' >> "$keep/build.log" 2>&1 ||
        { tail -20 "$keep/build.log" >&2; return 1; }
    dracut_take "$scratch/disk" "/boot/initramfs-$version.img" "$keep/ordinary" && dracut_from_disk "$scratch/disk" /lab/check.json "$keep/check.json" &&
        dracut_take "$scratch/disk" "/boot/initramfs-${version}kdump.img" "$keep/kdump"
}

if [ "$again" = 0 ]; then
    check "a Debian machine with kdump-utils and dracut" machine
    check "kdumpctl rebuild" images
    [ "$tap_failed" = 0 ] || done_testing
    decisions > "$keep/decisions"
    check "it crashes three times and comes back" dracut_crashes "$kernel" "$scratch/disk" "$keep" 4
    [ "$tap_failed" = 0 ] || { tail -n 60 "$keep/console.log" >&2; done_testing; }
fi

# --- images -------------------------------------------------------------------------------------------
hooks="etc/kdump/emergency.d/50-vmcore-summary etc/kdump/post.d/50-vmcore-summary etc/kdump/pre.d/50-vmcore-summary"
check "an ordinary image is one" [ "$(grep -c 'virtio_blk\|bin/systemctl' "$keep/ordinary.list")" -gt 1 ]
is "nothing of ours is in it" "$(dracut_ours "$keep/ordinary.list")" ""
is "all that is needed is in kdump's, though nothing but make install was done" "$(dracut_ours "$keep/kdump.list")" \
    "$hooks etc/vmcore-summary.conf $dracut_payload"
is "what has kdump build its image anew" "$(cat "$keep/decisions")" "as built: 0
/etc/kdump/pre.d/50-vmcore-summary: 1
/etc/kdump/post.d/50-vmcore-summary: 1
/etc/kdump/emergency.d/50-vmcore-summary: 1
/etc/kdump.conf: 1
/etc/vmcore-summary.conf: 0
/etc/vmcore-summary.conf, enable: 1
/usr/lib/vmcore-summary/vmcore-summary: 0
/usr/lib/vmcore-summary/vmcore-summary, enable: 1
disable: 1
enabled again, times as before: 0"

# --- three crashes --------------------------------------------------------------------------------------
version=$(sed -n 's/^\[.*\] Linux version \([^ ]*\).*/\1/p' "$keep/console.log" | head -1)
out=$keep/lab/out
names() { # ROUND: of all files that the crashes have left, until then
    (cd "$out/$1/crash" && find . -mindepth 1 -type f ! -name .seen -printf '%P\n' |
        sed -E 's/[0-9]{4}-[0-9:-]{14}/DATE/; s/crash-[0-9TZ]+/crash-TIME/; s/kdump-test-[0-9-]+/kdump-test-ID/' | sort | paste -sd ' ')
}
files() { printf "$1/%s\n" "${@:2}" | sort | paste -sd ' '; } # DIRECTORY NAME…
listed() { jq -r '"\(.reason) \(.vmcore) \(.state) \(.release)"' "$out/$1/list.json" | tail -1; }
says() { grep -a -c "$1" "$out/$2/kdump"; } # TEXT ROUND: kdumpctl, before that crash
beside="kexec-dmesg.log vmcore vmcore-dmesg.txt vmcore-summary.dump vmcore-summary.jsonl.gz vmcore-summary.txt"
apart="vmcore-summary.dump vmcore-summary.jsonl.gz vmcore-summary.txt"
with=$(echo "$out"/alongside/crash/127.0.0.1-*) without=$(echo "$out"/instead/crash/vmcore-summary/crash-*)
tested=$(echo "$out"/lvm/crash/kdump-test-*)

is "four boots of the machine, three of its capture kernel" "$(grep -ac '\] Linux version' "$keep/console.log")" 7
is "kdump is armed each time, with the image as it is, then built anew twice" \
    "$(for r in alongside instead lvm; do echo "$(says 'Starting kdump: \[OK\]' $r) $(says Rebuilding $r)"; done | paste -sd ,)" "1 0,1 1,1 1"
# shellcheck disable=SC2086
is "alongside: what lies there" "$(names alongside)" "$(files 127.0.0.1-DATE $beside)"
is "alongside: list, on the machine" "$(listed alongside)" "sysrq saved complete $version"
check "alongside: makedumpfile reads the dump" makedumpfile -f --dump-dmesg "$with/vmcore" "$scratch/dmesg"
is "alongside: the summary has the log that kdump saved" \
    "$("$host" show --no-pager --color=never --section dmesg "$with/vmcore-summary.jsonl.gz" | grep -c 'sysrq triggered crash')" \
    "$(grep -c 'sysrq triggered crash' "$with/vmcore-dmesg.txt")"
is "alongside: it was there before the dump, and moved to it afterwards" \
    "$(grep -aoE 'summary in /sysroot/var/crash|saving vmcore$|summary moved to /sysroot/var/crash/127' "$with/kexec-dmesg.log" | paste -sd ,)" \
    "summary in /sysroot/var/crash,saving vmcore,summary moved to /sysroot/var/crash/127"
is "instead: what enable says" "$(grep -c '^ *kdump_pre /usr/lib/vmcore-summary/kdump-pre$' "$out/instead/enable")" 1
# shellcheck disable=SC2086
is "instead: what lies there" "$(names instead)" "$({ files 127.0.0.1-DATE $beside && files vmcore-summary/crash-TIME $apart; } | paste -sd ' ')"
is "instead: list, on the machine" "$(listed instead)" "sysrq skipped complete $version"
is "instead: its policy record" "$(dracut_rows "$without" 'select(.record == "policy") | "\(.mode) \(.decision)"')" "instead skip"
check "instead: the console says so" grep -aq 'the full dump is left out' "$keep/console.log"
# shellcheck disable=SC2086
is "kdumpctl test onto LVM: what lies there" "$(names lvm)" "$(files kdump-test-ID $beside vmcore-creation.status)"
is "kdumpctl test onto LVM: list, on the machine" "$(listed lvm)" "sysrq saved complete $version"
is "kdumpctl test onto LVM: its policy record" "$(dracut_rows "$tested" 'select(.record == "policy") | "\(.mode) \(.decision)"')" "auto dump"
check "kdumpctl test onto LVM: it has succeeded, says kdump" grep -q 'Last successful vmcore creation test' "$out/status"
for round in alongside lvm; do # before the crash, by a running machine that goes on for some seconds
    echo "# $round: estimate $(jq 'select(.level == 31) | .bytes' "$out/$round/estimate.json"), dump $(find "$out/$round/crash" -name vmcore -printf %s)" >&2
done
dracut_check_sections "$with" "$without" "$tested"
dracut_check_images "$keep" "$out" alongside instead lvm
dracut_check_journal "$keep" "sysrq saved,sysrq skipped,sysrq saved"
done_testing

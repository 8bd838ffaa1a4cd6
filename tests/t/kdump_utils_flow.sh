#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The flow of kdump-utils' own kdump.sh, whole, from a checkout: KDUMP_UTILS=DIR tests/t/kdump_utils_flow.sh.
# It runs in a root directory with the programs of a kdump image, on a dump of a whole machine, with the
# real makedumpfile, vmcore-dmesg and file systems on loop devices. Not real: systemctl and logger, which
# only say what they are told; the NFS mount, a tmpfs of that name; LVM, a link under /dev/mapper; and the
# ssh server where there is no sshd (SSHD=FILE names one).
if [ -z "${IN_NAMESPACE:-}" ] && unshare -m true 2> /dev/null; then
    IN_NAMESPACE=1 exec unshare -m --propagation private bash "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"
. "$top/tests/capture_root.sh"
flow=${KDUMP_UTILS:-}/dracut/99kdumpbase/kdump.sh
vmcore=$(vmcore_of_cache)
dracut_lib=$(find /usr/lib/dracut/modules.d/??base/dracut-lib.sh 2> /dev/null)
programs='awk cat chmod cp cut date dd dirname dmesg echo findmnt grep head id ip ln ls makedumpfile mkdir mount
    mv nproc readlink rm rmdir scp sed sleep sort ssh stat sync tail tr umount vmcore-dmesg'
# shellcheck disable=SC2086
cant=$(capture_root_cant "$vmcore" "$flow" KDUMP_UTILS $programs)
[ -n "$cant$dracut_lib" ] || cant="no dracut-core"
if [ -n "$cant" ]; then
    skip "kdump.sh of kdump-utils" "$cant"
    done_testing
fi

# --- the image ----------------------------------------------------------------------------------
# image NAME CONF CMDLINE: a fresh one, with our hooks in it as `make install` puts them
image() {
    local p
    scratch=$base/$1
    mkdir "$scratch"
    # shellcheck disable=SC2086
    capture_root "$vmcore" "$shell" $programs
    cp "$KDUMP_UTILS/kdump-lib-initramfs.sh" "$KDUMP_UTILS/kdump-logger.sh" "${dracut_lib%/*}"/dracut*lib.sh "$root/lib/"
    cp "$flow" "$root/usr/bin/"
    # older dracut has getarg in its library
    [ ! -e /usr/lib/dracut/dracut-util ] ||
        for p in getarg getargs; do ln -s /host/usr/lib/dracut/dracut-util "$root/usr/bin/dracut-$p"; done
    printf '#!/bin/sh\necho "$*" >> /log\n' > "$root/usr/bin/logger"
    chmod +x "$root/usr/bin/logger" "$root/usr/bin/kdump.sh"
    printf '%s\n' "$2" > "$root/etc/kdump.conf"
    echo "quiet ${3:-}" > "$root/proc/cmdline"
    cp "$top/dracut-module/capture-lib.sh" "$top/conf/kdump/"kdump-* "$root/usr/lib/vmcore-summary/"
    install_hooks
}

install_hooks() {
    mkdir -p "$root"/etc/kdump/{pre.d,post.d,emergency.d}
    cp "$top/conf/kdump/vmcore-summary-kdump" "$root/etc/kdump/pre.d/50-vmcore-summary"
    cp "$top/conf/kdump/vmcore-summary-kdump" "$root/etc/kdump/post.d/50-vmcore-summary"
    cp "$top/conf/kdump/vmcore-summary-emergency" "$root/etc/kdump/emergency.d/50-vmcore-summary"
}

# target SIZE [OPTIONS]: an ext4 on a loop device at /kdumproot/crash, $device is its name in the image
target() {
    truncate -s "$1" "$scratch/target.img"
    mkfs.ext4 -q -F "$scratch/target.img"
    mkdir -p "$root/kdumproot/crash"
    mount -o loop "$scratch/target.img" "$root/kdumproot/crash"
    [ -z "${2:-}" ] || mount -o "remount,$2" "$root/kdumproot/crash"
    loop=$(awk -v p="$root/kdumproot/crash" '$5 == p { print $(NF - 1) }' /proc/self/mountinfo)
    mkdir -p "$root/dev/disk/by-uuid" "$root/dev/mapper"
    device=/dev/disk/by-uuid/1234-abcd
    mknod "$root$loop" b "$((0x$(stat -c %t "$loop")))" "$((0x$(stat -c %T "$loop")))"
    ln -s "$loop" "$root$device"
    ln -s "$loop" "$root/dev/mapper/vg-crash"
    dumps=$root/kdumproot/crash/dumps
}

program() { # BODY: a stand-in for our program
    printf '#!/bin/sh\n%s\n' "$1" > "$root/usr/lib/vmcore-summary/vmcore-summary"
}

kdump() { in_root /usr/bin/sh /usr/bin/kdump.sh "$@"; }
final() { cat "$root/final" 2> /dev/null; }
record() { tr -s ' \n' ' ' < "$1/vmcore-summary.dump" | sed 's/ $//'; }
names() { (cd "$1" && find . -mindepth 1 ! -path './lost+found*' -printf '%P\n' | sed -E 's/[0-9]{4}-[0-9:-]{14}/DATE/' | sort | paste -sd ' '); }
dump() { echo "$dumps"/127.0.0.1-*; }
is_summary() { [ "$("$host" list --json -D "$1" | jq -r .state,.reason | paste -sd " ")" = "complete oom" ]; }
said() { grep -q -- "$1" "$scratch/console" "$scratch/output"; }
base=$scratch

# --- flows ----------------------------------------------------------------------------------------
test_local() {
    local without
    image local-without "path /dumps"
    rm -r "$root/etc/kdump"
    target 200M
    echo "ext4 $device" >> "$root/etc/kdump.conf"
    kdump
    without=$(cd "$(dump)" && sha256sum vmcore vmcore-dmesg.txt)
    check "$shell: kdump.sh works in this root at all" [ -s "$(dump)/vmcore" ]
    capture_root_done
    image local "path /dumps"
    target 200M ro
    echo "ext4 $device" >> "$root/etc/kdump.conf"
    kdump
    is "$shell: local: kdump.sh ends well" $? 0
    is "$shell: local: and reboots" "$(final)" "systemctl reboot -f"
    is "$shell: local: what lies there" "$(names "$dumps")" \
        "$(echo 127.0.0.1-DATE{,/{kexec-dmesg.log,vmcore,vmcore-dmesg.txt,vmcore-summary.{dump,jsonl.gz,txt}}})"
    is "$shell: local: the dump is what it is without us" "$(cd "$(dump)" && sha256sum vmcore vmcore-dmesg.txt)" "$without"
    check "$shell: local: the summary is whole" is_summary "$dumps"
    is "$shell: local: the record" "$(record "$(dump)")" "vmcore: saved status: 0 file: vmcore"
    capture_root_done
}

test_names_of_targets() {
    image lvm "path /dumps"
    target 200M
    echo "ext4 /dev/mapper/vg-crash" >> "$root/etc/kdump.conf"
    kdump
    is "$shell: LVM path" "$(record "$(dump)")" "vmcore: saved status: 0 file: vmcore"
    capture_root_done
    image dracut_args "path /dumps"
    target 200M
    echo "dracut_args --mount \"$device /kdumproot/crash ext4 defaults\"" >> "$root/etc/kdump.conf"
    kdump
    is "$shell: dracut_args --mount" "$(record "$(dump)")" "vmcore: saved status: 0 file: vmcore"
    capture_root_done
    image rootfs "path /dumps"
    target 200M
    mount --bind "$root/kdumproot/crash" "$root/sysroot"
    umount "$root/kdumproot/crash"
    dumps=$root/sysroot/dumps
    kdump
    is "$shell: no target named: the root file system" "$(record "$(dump)")" "vmcore: saved status: 0 file: vmcore"
    capture_root_done
    image nfs "nfs server:/export
path /dumps" "kdump_remote_ip=127.0.0.1"
    mkdir "$root/kdumproot/nfs"
    mount -t tmpfs server:/export "$root/kdumproot/nfs"
    dumps=$root/kdumproot/nfs/dumps
    # another machine's, that is newer than ours will be
    mkdir -p "$dumps/192.0.2.7-2037-01-01-00:00:00"
    touch -d '2037-01-01' "$dumps/192.0.2.7-2037-01-01-00:00:00"
    kdump
    is "$shell: NFS" "$(record "$(dump)")" "vmcore: saved status: 0 file: vmcore"
    is "$shell: NFS: another machine's dump gets nothing" "$(ls "$dumps/192.0.2.7-2037-01-01-00:00:00")" ""
    capture_root_done
}

test_kdumpctl_test() {
    image kdumpctl-test "path /dumps" kdump_test_id=1700000000-5
    target 200M
    echo "ext4 $device" >> "$root/etc/kdump.conf"
    kdump
    is "$shell: kdumpctl test: what lies there" "$(names "$dumps")" \
        "$(echo kdump-test-1700000000-5{,/{kexec-dmesg.log,vmcore,vmcore-creation.status,vmcore-dmesg.txt,vmcore-summary.{dump,jsonl.gz,txt}}})"
    is "$shell: kdumpctl test: success" "$(cut -d' ' -f1 "$dumps"/kdump-test-*/vmcore-creation.status)" success
    capture_root_done
}

# mode NAME MODE SIZE: a flow with kdump_pre and Mode= on a disk of that size
mode() {
    image "$1" "path /dumps
kdump_pre /usr/lib/vmcore-summary/kdump-pre"
    target "$3"
    echo "ext4 $device" >> "$root/etc/kdump.conf"
    printf '[Dump]\nMode=%s\nMinFree=1M\n' "$2" > "$root/etc/vmcore-summary.conf"
    kdump
}

# shellcheck disable=SC2016
test_modes() {
    local name
    for name in instead:200M auto:16M; do
        mode "$name" "${name%:*}" "${name#*:}"
        is "$shell: $name: kdump.sh is told to leave the dump out" $? 1
        is "$shell: $name: and reboots" "$(final)" "systemctl reboot -f"
        is "$shell: $name: no vmcore" "$(find "$dumps" -name 'vmcore*' ! -name 'vmcore-summary*')" ""
        is "$shell: $name: the record" "$(record "$dumps"/vmcore-summary/crash-*)" "vmcore: skipped status: file:"
        is "$shell: $name: list says so" "$("$host" list --json -D "$dumps" | jq -r .vmcore)" skipped
        check "$shell: $name: and the digest" grep -q "vmcore    none, left out: " <("$host" show "$dumps"/vmcore-summary/crash-*)
        check "$shell: $name: the summary is whole" is_summary "$dumps"
        capture_root_done
    done
    for name in alongside:200M auto:200M; do
        mode "$name" "${name%:*}" "${name#*:}"
        is "$shell: $name: the dump is made" "$(record "$(dump)")" "vmcore: saved status: 0 file: vmcore"
        is "$shell: $name: one summary was written" "$(grep -c "summary in" "$scratch/output")" 1
        check "$shell: $name: it is whole" is_summary "$dumps"
        capture_root_done
    done
    image broken "path /dumps
kdump_pre /usr/lib/vmcore-summary/kdump-pre
kdump_post /usr/lib/vmcore-summary/kdump-post"
    cp "$top/conf/kdump/vmcore-summary-kdump" "$root/usr/lib/vmcore-summary/kdump-post"
    target 200M
    echo "ext4 $device" >> "$root/etc/kdump.conf"
    program 'kill -SEGV $$'
    kdump
    check "$shell: a program that crashes: the dump is made" [ -s "$(dump)/vmcore" ]
    is "$shell: a program that crashes: nothing of ours is left" "$(find "$dumps" -name '*summary*')" ""
    capture_root_done
}

test_kdump_post() {
    image kdump_post "path /dumps
kdump_post /usr/lib/vmcore-summary/kdump-post"
    rm -r "$root/etc/kdump"
    cp "$top/conf/kdump/vmcore-summary-kdump" "$root/usr/lib/vmcore-summary/kdump-post"
    target 200M
    echo "ext4 $device" >> "$root/etc/kdump.conf"
    kdump
    check "$shell: kdump_post alone: the summary is with the dump" is_summary "$(dump)"
    is "$shell: kdump_post alone: the record" "$(record "$(dump)")" "vmcore: saved status: 0 file: vmcore"
    capture_root_done
}

test_collector() {
    local hooks
    for hooks in with without; do
        image "collector-$hooks" "path /dumps
core_collector /usr/lib/vmcore-summary/kdump-collector makedumpfile -l --message-level 7 -d 31"
        [ $hooks = with ] || rm -r "$root/etc/kdump"
        target 200M
        echo "ext4 $device" >> "$root/etc/kdump.conf"
        kdump
        is "$shell: collector $hooks hooks: kdump.sh ends well" "$? $(final)" "0 systemctl reboot -f"
        check "$shell: collector $hooks hooks: a dump" makedumpfile -f --dump-dmesg "$(dump)/vmcore" "$scratch/dmesg"
        check "$shell: collector $hooks hooks: and a summary with it" is_summary "$(dump)"
        capture_root_done
    done
}

# The disk takes 16 MiB of a dump that needs more.
test_full() {
    local remove
    for remove in no yes; do
        image "full-$remove" "path /dumps"
        printf '[Retention]\nRemoveVmcore=%s\n' $remove > "$root/etc/vmcore-summary.conf"
        target 16M
        echo "ext4 $device" >> "$root/etc/kdump.conf"
        kdump
        is "$shell: full disk: kdump.sh says that it failed" $? 1
        is "$shell: full disk: the record (RemoveVmcore=$remove)" "$(record "$(dump)")" "$(if [ $remove = yes ]; then
            echo "vmcore: incomplete status: 1 file: removed: yes"; else
            echo "vmcore: incomplete status: 1 file: vmcore-incomplete"; fi)"
        check "$shell: full disk: the summary is whole (RemoveVmcore=$remove)" is_summary "$dumps"
        is "$shell: full disk: list says so" "$("$host" list --json -D "$dumps" | jq -r .vmcore)" incomplete
        check "$shell: full disk: the log is there, too" [ -s "$(dump)/vmcore-dmesg.txt" ]
        kdump --error-handler
        is "$shell: full disk: the error handler reboots" "$(tail -1 "$root/final")" "systemctl reboot -f"
        check "$shell: full disk: and our part of it says where the summary is" said "the summary is in /kdumproot"
        capture_root_done
    done
}

test_no_mount() {
    image no-mount "path /dumps
ext4 /dev/disk/by-uuid/none"
    kdump --error-handler
    is "$shell: no target: the error handler reboots" "$(tail -1 "$root/final")" "systemctl reboot -f"
    sleep 1 # for what is in the console's pipe
    check "$shell: no target: the digest is on the console" grep -q "ran out of memory and panicked" "$scratch/console"
    capture_root_done
}

test_raw() {
    image raw "path /dumps"
    target 200M
    umount "$root/kdumproot/crash"
    loop=$(losetup -f --show "$scratch/target.img")
    rm -f "$root$loop"
    mknod "$root$loop" b "$((0x$(stat -c %t "$loop")))" "$((0x$(stat -c %T "$loop")))"
    printf 'raw %s\ncore_collector /usr/lib/vmcore-summary/kdump-collector makedumpfile -l --message-level 1 -d 31\n' \
        "$loop" >> "$root/etc/kdump.conf"
    kdump
    is "$shell: raw: kdump.sh ends well" "$? $(final)" "0 systemctl reboot -f"
    # shellcheck disable=SC2016
    check "$shell: raw: the dump on the device is whole" sh -c 'makedumpfile -f -R "$1" < "$2"' sh "$scratch/vmcore" "$loop"
    check "$shell: raw: and can be read" makedumpfile -f --dump-dmesg "$scratch/vmcore" "$scratch/dmesg"
    sleep 1
    check "$shell: raw: the digest is on the console" grep -q "ran out of memory and panicked" "$scratch/console"
    losetup -d "$loop"
    capture_root_done
}

# --- ssh --------------------------------------------------------------------------------------------
test_ssh() {
    local server=sshd wrapper
    for wrapper in "" "/usr/lib/vmcore-summary/kdump-collector "; do
        image "ssh${wrapper:+-collector}" "core_collector ${wrapper}makedumpfile -l --message-level 1 -d 31
ssh root@crashhost" "kdump_remote_ip=127.0.0.1"
        [ -z "$wrapper" ] || rm -r "$root/etc/kdump"
        echo "seed" > "$root/var/lib/random-seed"
        if [ -x "${SSHD:-$(command -v sshd)}" ] && command -v ssh-keygen > /dev/null; then
            check "$shell: sshd starts" start_sshd
            dumps=$scratch/there
            chmod 755 "$scratch"
        else
            server="a stand-in for sshd"
            fake_ssh
            dumps=$root/there
        fi
        echo "path ${dumps#"$root"}" >> "$root/etc/kdump.conf"
        kdump
        is "$shell: $server${wrapper:+, collector}: kdump.sh ends well" "$? $(final)" "0 systemctl reboot -f"
        # shellcheck disable=SC2016
        check "$shell: $server${wrapper:+, collector}: the flattened dump is whole" \
            sh -c 'makedumpfile -f -R "$1" < "$2"' sh "$scratch/vmcore" "$(dump)/vmcore.flat"
        if [ -z "$wrapper" ]; then
            check "$shell: $server: a summary with it" is_summary "$(dump)"
            is "$shell: $server: and the record" "$(record "$(dump)")" "vmcore: saved status: 0 file: vmcore.flat"
        else
            check "$shell: $server, collector alone: a summary has arrived" is_summary "$dumps/vmcore-summary"
        fi
        stop_sshd
        capture_root_done
    done
}

for shell in ${SHELLS:-bash dash}; do
    base=$scratch/$shell
    mkdir -p "$base"
    test_local
    test_names_of_targets
    test_kdumpctl_test
    test_modes
    test_kdump_post
    test_collector
    test_full
    test_no_mount
    test_raw
    test_ssh
    scratch=${base%/"$shell"}
done
done_testing

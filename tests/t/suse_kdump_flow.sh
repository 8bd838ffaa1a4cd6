#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The flow of SUSE's own kdump-save, whole, from a checkout: SUSE_KDUMP=DIR tests/t/suse_kdump_flow.sh.
# Its configuration goes through the checkout's kdump-read-config.sh, as in an image. It runs in a root
# directory with the programs of such an image, on a dump of a whole machine, with the real makedumpfile and
# file systems on loop devices. Not real: reboot, and umount, which would take the test's own mounts; the
# NFS mount, a directory; and the ssh server where there is no sshd (SSHD=FILE names one).
if [ -z "${IN_NAMESPACE:-}" ] && unshare -m true 2> /dev/null; then
    IN_NAMESPACE=1 exec unshare -m --propagation private bash "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"
. "$top/tests/capture_root.sh"
flow=${SUSE_KDUMP:-}/dracut/kdump-save
vmcore=$(vmcore_of_cache)
programs='cat date df ln ls makedumpfile mkdir mkfifo mount mv rm rmdir sleep ssh sync'
# shellcheck disable=SC2086
cant=$(capture_root_cant "$vmcore" "$flow" SUSE_KDUMP $programs)
if [ -n "$cant" ]; then
    skip "kdump-save of SUSE's kdump" "$cant"
    done_testing
fi
base=$scratch

# image NAME SYSCONFIG [SIZE]: a fresh one; the directory of the dumps is $dumps
image() {
    scratch=$base/$1
    mkdir "$scratch"
    # shellcheck disable=SC2086
    capture_root "$vmcore" bash $programs
    printf '#!/bin/sh\necho "umount $*" >> /final\n' > "$root/usr/bin/umount"
    chmod +x "$root/usr/bin/umount"
    mkdir -p "$root/kdump" "$root/kdump/mnt"
    install -m 755 "$flow" "$root/kdump/kdump-save"
    cp "$top/dracut-module/capture-lib.sh" "$top/conf/suse/"suse-* "$root/usr/lib/vmcore-summary/"
    echo testhost > "$root/etc/hostname.kdump"
    # one CPU, as a capture kernel has
    printf '%s\n' KDUMP_CPUS=1 "$2" > "$scratch/sysconfig"
    KDUMP_CONF=$scratch/sysconfig bash "$SUSE_KDUMP/kdump-read-config.sh" --print > "$root/etc/kdump.conf"
    truncate -s "${3:-200M}" "$scratch/target.img"
    mkfs.ext4 -q -F "$scratch/target.img"
    mount -o loop "$scratch/target.img" "$root/kdump/mnt"
    mkdir -p "$root/kdump/mnt/var/crash"
    dumps=$root/kdump/mnt/var/crash
}

with_us='KDUMP_PRESCRIPT=". /usr/lib/vmcore-summary/suse-pre"
KDUMP_POSTSCRIPT=". /usr/lib/vmcore-summary/suse-post"'
save() { in_root /kdump/kdump-save; }
dump() { echo "$dumps"/*20[0-9][0-9]-[0-9][0-9]-*; }
record() { tr -s ' \n' ' ' < "$1/vmcore-summary.dump" | sed 's/ $//'; }
names() { (cd "$(dump)" && find . -mindepth 1 -printf '%P\n' | sort | paste -sd ' '); }
final() { paste -sd ' ' "$root/final"; }
is_summary() { [ "$("$host" list --json -D "$1" | jq -r .state,.reason | paste -sd " ")" = "complete oom" ]; }
whole() { timeout 60 makedumpfile -f -R "$scratch/vmcore" < "$1"; } # a flattened dump; a cut one has makedumpfile wait for ever

image without ""
save
check "kdump-save works in this root at all" whole "$(dump)/vmcore"
without=$(cd "$(dump)" && sha256sum vmcore dmesg)
capture_root_done

image alongside "$with_us"
save
is "alongside: reboots" "$(final)" "umount -a reboot -f"
is "alongside: what lies there" "$(names)" "README.txt dmesg vmcore vmcore-summary.dump vmcore-summary.jsonl.gz vmcore-summary.txt"
is "alongside: nothing else of ours" "$(ls "$dumps")" "$(basename "$(dump)")"
is "alongside: the dump is what it is without us" "$(cd "$(dump)" && sha256sum vmcore dmesg)" "$without"
check "alongside: the summary is whole" is_summary "$(dump)"
is "alongside: the record" "$(record "$(dump)")" "vmcore: saved status: saved successfully file: vmcore"
check "alongside: no script failed" test "$(grep -c 'script failed' "$scratch/output")" = 0
capture_root_done

for name in instead:200M auto:16M; do
    image "$name" "$with_us" "${name#*:}"
    printf '[Dump]\nMode=%s\nMinFree=1M\n' "${name%:*}" > "$root/etc/vmcore-summary.conf"
    save
    is "$name: reboots" "$(final)" "umount -a reboot -f"
    is "$name: the log, and no vmcore" "$(names)" \
        "README.txt dmesg vmcore-summary.dump vmcore-summary.jsonl.gz vmcore-summary.txt"
    check "$name: README.txt says so" grep -q "vmcore status: skipped" "$(dump)/README.txt"
    is "$name: the record" "$(record "$(dump)")" "vmcore: skipped status: skipped file:"
    is "$name: list says so" "$("$host" list --json -D "$dumps" | jq -r .vmcore)" skipped
    capture_root_done
done

image auto "$with_us"
printf '[Dump]\nMode=auto\n' > "$root/etc/vmcore-summary.conf"
save
is "auto with room: the dump is made" "$(record "$(dump)")" "vmcore: saved status: saved successfully file: vmcore"
capture_root_done

# the free space that is asked for is more than there is
image none-without 'KDUMP_DUMPFORMAT=none KDUMP_FREE_DISK_SIZE=100000'
save
is "format none, little space: kdump-save by itself deletes the log" "$(names)" README.txt
capture_root_done
image none "$with_us
KDUMP_DUMPFORMAT=none KDUMP_FREE_DISK_SIZE=100000"
save
is "format none, little space: with us the log stays" "$(names)" \
    "README.txt dmesg vmcore-summary.dump vmcore-summary.jsonl.gz vmcore-summary.txt"
check "format none: the summary is whole" is_summary "$(dump)"
capture_root_done

image low "$with_us
KDUMP_FREE_DISK_SIZE=100000"
save
is "little space left: kdump-save deletes the vmcore" "$(names)" \
    "README.txt dmesg vmcore-summary.dump vmcore-summary.jsonl.gz vmcore-summary.txt"
is "little space left: list says so" "$("$host" list --json -D "$dumps" | jq -r .vmcore)" incomplete
capture_root_done

for remove in no yes; do
    image "full-$remove" "$with_us
KDUMP_FREE_DISK_SIZE=0" 16M
    printf '[Retention]\nRemoveVmcore=%s\n' $remove > "$root/etc/vmcore-summary.conf"
    save
    is "full disk: reboots (RemoveVmcore=$remove)" "$(final)" "umount -a reboot -f"
    check "full disk: the summary is whole (RemoveVmcore=$remove)" is_summary "$(dump)"
    is "full disk: list says so (RemoveVmcore=$remove)" "$("$host" list --json -D "$dumps" | jq -r .vmcore)" incomplete
    is "full disk: the half (RemoveVmcore=$remove)" "$([ -e "$(dump)/vmcore" ] && echo stays || echo removed)" \
        "$([ $remove = yes ] && echo removed || echo stays)"
    capture_root_done
done

image nfs "$with_us
KDUMP_SAVEDIR=nfs://server/export"
dumps=$root/kdump/mnt
save
is "NFS: the record" "$(record "$(dump)")" "vmcore: saved status: saved successfully file: vmcore"
check "NFS: the summary is whole" is_summary "$(dump)"
capture_root_done

image plain 'KDUMP_PRESCRIPT=/usr/lib/vmcore-summary/suse-pre'
save
check "without the dot: the dump is made" whole "$(dump)/vmcore"
check "without the dot: and the summary" is_summary "$dumps/vmcore-summary"
capture_root_done

image ssh "$with_us
KDUMP_SAVEDIR=ssh://root@crashhost$base/ssh/there KDUMP_NET_TIMEOUT=0"
if [ -x "${SSHD:-$(command -v sshd)}" ] && command -v ssh-keygen > /dev/null; then
    server=sshd dumps=$base/ssh/there
    check "sshd starts" start_sshd
else
    server="a stand-in for sshd" dumps=$root$base/ssh/there
    fake_ssh
fi
save
stop_sshd
is "$server: reboots" "$(final)" "umount -a reboot -f"
check "$server: the dump is whole" whole "$(dump)/vmcore"
check "$server: the summary, too" is_summary "$(dump)"
is "$server: the record" "$(record "$(dump)")" "vmcore: saved status: saved successfully file: vmcore"
capture_root_done
scratch=$base
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `vmcore-summary check` on made trees of each distribution, healthy and with one thing wrong at a time.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/trees.sh
. tests/trees.sh
hook=/etc/kdump/pre.d/50-vmcore-summary
payload=usr/lib/vmcore-summary/vmcore-summary
# old enough that images made below are newer
old() { find "$1" -exec touch -h -d @1700000000 {} +; }

verdict() { # TREE [OPTION…]: exit status, first line
    "$asan" check --root "$@" > "$scratch/said" 2> "$scratch/err"
    echo "$? $(head -1 "$scratch/said")"
}
state() { # TREE ITEM: its state and what was found
    "$asan" check --root "$1" --json 2> "$scratch/err" |
        jq -r --arg i "$2" '.items[] | select(.item == $i) | "\(.state) \(.found)"'
}
todo() { "$asan" check --root "$1" --json | jq -r --arg i "$2" '.items[] | select(.item == $i) | .do'; }

# --- healthy ones
fedora=$scratch/fedora
tree_fedora "$fedora"
ln -s /usr/lib/vmcore-summary/kdump-post "$fedora$hook" # absolute: it must stay in the tree
old "$fedora"
tree_image "$fedora/boot/initramfs-${release}kdump.img" $payload ${hook#/}
is "Fedora" "$(verdict "$fedora")" "0 VMCORE-SUMMARY OK - a crash will leave a summary"
is "nothing on stderr" "$(cat "$scratch/err")" ""
is "--quiet is the first line" "$(verdict "$fedora" --quiet) $(wc -l < "$scratch/said")" \
    "0 VMCORE-SUMMARY OK - a crash will leave a summary 1"
is "which kdump" "$("$asan" check --root "$fedora" --json | jq -r .kdump)" kdump-utils

suse=$scratch/suse
tree_suse "$suse"
sed -i 's|^KDUMP_PRESCRIPT=.*|KDUMP_PRESCRIPT=". /usr/lib/vmcore-summary/suse-pre"|' "$suse/etc/sysconfig/kdump"
old "$suse"
tree_image "$suse/var/lib/kdump/initrd" $payload
is "SUSE" "$(verdict "$suse")" "0 VMCORE-SUMMARY OK - a crash will leave a summary"
is "which kdump" "$("$asan" check --root "$suse" --json | jq -r .kdump)" "SUSE kdump"

debian=$scratch/debian
tree_debian "$debian"
mkdir "$debian/etc/systemd/system/kdump-tools-dump.service.wants"
ln -s /usr/lib/systemd/system/vmcore-summary-kdump-tools.service \
    "$debian/etc/systemd/system/kdump-tools-dump.service.wants/"
is "Debian" "$(verdict "$debian")" "0 VMCORE-SUMMARY OK - a crash will leave a summary"
is "which kdump" "$("$asan" check --root "$debian" --json | jq -r .kdump)" kdump-tools

own=$scratch/own
tree_common "$own"
old "$own"
tree_image "$own/boot/vmcore-summary-$release.img" $payload
is "an image of our own" "$(verdict "$own")" "0 VMCORE-SUMMARY OK - a crash will leave a summary"

# --- memory
echo 0 > "$fedora/sys/kernel/kexec_crash_size"
is "nothing reserved" "$(verdict "$fedora")" \
    "2 VMCORE-SUMMARY CRITICAL - no memory is reserved for a capture kernel"
check "with what to do" grep -q -- '-> add crashkernel=2G-64G:256M,64G-:512M' "$scratch/said"
echo $((192 << 20)) > "$fedora/sys/kernel/kexec_crash_size"
is "less than the default" "$(verdict "$fedora")" \
    "1 VMCORE-SUMMARY WARNING - 192 MiB reserved; the default of kdump-utils for this machine is 256 MiB"
echo $((256 << 20)) > "$fedora/sys/kernel/kexec_crash_size"
put "$fedora/proc/meminfo" "MemTotal: 134217728 kB"
is "enough for less memory than there is" "$(state "$fedora" crashkernel)" \
    "warn 256 MiB reserved; the default of kdump-utils for this machine is 512 MiB"
put "$fedora/proc/meminfo" "MemTotal: 16106127 kB"
echo $((128 << 20)) > "$debian/sys/kernel/kexec_crash_size"
is "Debian 12's default is its own" "$(state "$debian" crashkernel)" "ok 128 MiB reserved"
sed -i 's/384M-:128M/512M-:192M/' "$debian/etc/default/grub.d/kdump-tools.cfg"
is "and Debian 13's" "$(state "$debian" crashkernel)" \
    "warn 128 MiB reserved; the default of kdump-tools for this machine is 192 MiB"
for spec in '' '-' '512M-' '99999999999999999999M-:1M' '1G-2G' '0-:' ',,,' 'x'; do
    sed -i "s/crashkernel=.*/crashkernel=$spec\"/" "$debian/etc/default/grub.d/kdump-tools.cfg"
    is "crashkernel=$spec asks for nothing" "$(state "$debian" crashkernel)" "ok 128 MiB reserved"
done
rm "$fedora/sys/kernel/kexec_crash_size"
is "a kernel without kexec" "$(state "$fedora" crashkernel)" "fail this kernel cannot load a capture kernel"
echo $((256 << 20)) > "$fedora/sys/kernel/kexec_crash_size"
echo 0 > "$fedora/sys/kernel/kexec_crash_loaded"
is "nothing loaded" "$(verdict "$fedora")" "2 VMCORE-SUMMARY CRITICAL - no capture kernel is loaded"
echo 0 > "$debian/sys/kernel/kexec_crash_loaded"
is "nothing loaded by kdump-tools" "$(state "$debian" loaded)" "fail no capture kernel is loaded"
for line in USE_KDUMP=0 USE_KDUMP= '#USE_KDUMP=1'; do
    put "$debian/etc/default/kdump-tools" "$line"
    is "nor ever, with $line" "$(state "$debian" loaded)" "fail no capture kernel is loaded, and kdump-tools are off"
done
echo USE_KDUMP=1 > "$debian/etc/default/kdump-tools"
echo 1 > "$debian/sys/kernel/kexec_crash_loaded"
is "two things" "$(echo 0 > "$fedora/sys/kernel/kexec_crash_size"; verdict "$fedora")" \
    "2 VMCORE-SUMMARY CRITICAL - no memory is reserved for a capture kernel (and 1 more)"
echo $((256 << 20)) > "$fedora/sys/kernel/kexec_crash_size"
echo 1 > "$fedora/sys/kernel/kexec_crash_loaded"

# --- hook and image
chmod 644 "$fedora/usr/lib/vmcore-summary/kdump-post"
is "a hook that kdump passes over" "$(state "$fedora" hook)" "fail no hook of kdump calls vmcore-summary"
is "what to do" "$(todo "$fedora" hook)" "vmcore-summary enable"
chmod 755 "$fedora/usr/lib/vmcore-summary/kdump-post"
echo 'kdump_pre /usr/lib/vmcore-summary/kdump-pre' >> "$fedora/etc/kdump.conf"
mv "$fedora$hook" "$scratch/hook"
is "kdump_pre does as well" "$(state "$fedora" hook)" "ok kdump_pre /usr/lib/vmcore-summary/kdump-pre"
mv "$scratch/hook" "$fedora$hook"
image=$fedora/boot/initramfs-${release}kdump.img
touch -d @1700000001 "$fedora/etc/kdump.conf" "$fedora/usr/lib/vmcore-summary/vmcore-summary"
tree_image "$image" etc/nothing
is "an image without us" "$(state "$fedora" image)" \
    "fail /boot/initramfs-${release}kdump.img does not have vmcore-summary"
tree_image "$image" $payload
is "an image without the hook" "$(state "$fedora" image)" \
    "fail /boot/initramfs-${release}kdump.img has vmcore-summary, but not the hook that calls it"
tree_image "$image" squashfs-root.img
is "a squashed one" "$(verdict "$fedora")" \
    "3 VMCORE-SUMMARY UNKNOWN - /boot/initramfs-${release}kdump.img is squashed and cannot be looked into"
tree_image "$image" "not-$payload" $payload.old ${hook#/}
is "names that look alike" "$(state "$fedora" image)" \
    "fail /boot/initramfs-${release}kdump.img does not have vmcore-summary"
# a tool that may not look at other processes, as xz by Landlock
if [ "$(id -u)" = 0 ]; then
    program "$scratch/bin/lsinitrd"
    cat > "$scratch/bin/lsinitrd" << 'LSINITRD'
#!/bin/sh
exec setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'cat "$1" | cmp - "$1" && cat "$1"' sh "$1"
LSINITRD
    printf '%s\n' "$payload" "${hook#/}" > "$image"
    is "an image whose list is made without the rights of check" "$(PATH=$scratch/bin:$PATH state "$fedora" image)" \
        "ok ${image#"$fedora"} has vmcore-summary"
fi
echo garbage > "$image"
check "an image that is none" grep -qE '^(unknown|fail) ' <<< "$(state "$fedora" image)"
tree_image "$image" $payload ${hook#/}
touch "$scratch/now" && touch -d '+1 hour' "$fedora/etc/vmcore-summary.conf"
is "an image older than the configuration" "$(state "$fedora" image)" \
    "warn /boot/initramfs-${release}kdump.img is older than /etc/vmcore-summary.conf"
rm "$fedora/etc/vmcore-summary.conf"
put "$fedora/etc/sysconfig/kdump" "$(printf 'KDUMP_KERNELVER="6.1.0-other"\nKDUMP_COMMANDLINE_APPEND="irqpoll"')"
is "a crash boots another kernel than this" "$(state "$fedora" image)" "fail there is no /var/lib/kdump/initramfs-6.1.0-otherkdump.img"
put "$fedora/etc/sysconfig/kdump" "$(printf 'KDUMP_KERNELVER=""\nKDUMP_COMMANDLINE_APPEND="irqpoll"')"
is "or it is not said which" "$(state "$fedora" image)" "ok ${image#"$fedora"} has vmcore-summary"
mkfifo "$fedora/etc/vmcore-summary.profile" && rm "$image" && mkfifo "$image"
is "a FIFO is not waited for" "$(state "$fedora" image)" \
    "unknown /boot/initramfs-${release}kdump.img cannot be read"
rm "$image" "$fedora/etc/vmcore-summary.profile"
is "no image" "$(state "$fedora" image)" "fail there is no /var/lib/kdump/initramfs-${release}kdump.img"
tree_image "$fedora/var/lib/kdump/initramfs-${release}kdump.img" $payload ${hook#/}
is "the other place for it" "$(state "$fedora" image)" \
    "ok /var/lib/kdump/initramfs-${release}kdump.img has vmcore-summary"
sed -i 's|^KDUMP_PRESCRIPT=.*|KDUMP_PRESCRIPT=""|' "$suse/etc/sysconfig/kdump"
is "SUSE without the script" "$(state "$suse" hook)" \
    "fail KDUMP_PRESCRIPT of /etc/sysconfig/kdump does not call vmcore-summary"
ln -s /dev/null "$debian/etc/systemd/system/vmcore-summary-kdump-tools.service"
is "Debian with our unit masked" "$(state "$debian" hook)" "fail vmcore-summary-kdump-tools.service is not enabled"
rm "$debian/etc/systemd/system/vmcore-summary-kdump-tools.service" "$debian/usr/lib/vmcore-summary/vmcore-summary"
is "Debian without the program" "$(state "$debian" image)" \
    "fail /usr/lib/vmcore-summary/vmcore-summary is missing, which is for the capture kernel"

# --- what is loaded: the memory that is reserved for it, as /proc/kcore and /proc/iomem have it
image=$suse/var/lib/kdump/initrd
memory() { # TREE IMAGE OFFSET: 256 KiB, with the image somewhere in it
    python3 - "$2" "$3" > "$1/proc/kcore" << 'CORE'
import struct, sys
image, at, size, phys = open(sys.argv[1], "rb").read(), int(sys.argv[2]), 256 << 10, 0x2d000000
assert at + len(image) <= size
elf = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 4, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
load = struct.pack("<IIQQQQQQ", 1, 7, 4096, 0xffff888000000000 + phys, phys, size, size, 4096)
data = bytes(at) + image
sys.stdout.buffer.write((elf + load).ljust(4096, b"\0") + data.ljust(size, b"\0"))
CORE
    printf '%s\n' '2c000000-3fffffff : System RAM' '  2d000000-2d03ffff : Crash kernel' > "$1/proc/iomem"
}
is "a tree without memory, by its times" "$(state "$suse" loaded_image)" "ok /var/lib/kdump/initrd has not changed since this boot"
{ cat "$image"; head -c 150000 /dev/urandom; } > "$scratch/large" && cp "$scratch/large" "$image"
for at in 0 4096 65536 $((106496)); do
    memory "$suse" "$image" "$at"
    is "the image at $at" "$(state "$suse" loaded_image)" "ok /var/lib/kdump/initrd is in the memory of the capture kernel"
done
memory "$suse" "$image" 512
is "not at the begin of a page" "$(state "$suse" loaded_image)" \
    "warn another image than /var/lib/kdump/initrd is loaded, or it as it was before"
is "what to do" "$(todo "$suse" loaded_image)" "load it anew: systemctl restart kdump"
memory "$suse" "$image" 65536
printf x | dd of="$image" bs=1 seek=149000 conv=notrunc 2> "$scratch/dd"
check "one byte of it is another" grep -q ^warn <<< "$(state "$suse" loaded_image)"
is "a warning" "$(verdict "$suse" --ignore hook --ignore image --quiet | cut -c 1-27)" "1 VMCORE-SUMMARY WARNING - "
cp "$scratch/large" "$image"
sed -i 's/2d03ffff/2d02ffff/' "$suse/proc/iomem"
check "the rest of it is beyond what is reserved" grep -q ^warn <<< "$(state "$suse" loaded_image)"
sed -i 's/2d02ffff/2e0fffff/' "$suse/proc/iomem"
check "what is reserved is more than can be read" grep -q '^ok .* in the memory' <<< "$(state "$suse" loaded_image)"
unknown() { # WHAT WHY
    is "$1" "$(state "$suse" loaded_image)" \
        "unknown /var/lib/kdump/initrd has changed since this boot; whether that is loaded cannot be known: $2"
}
put "$suse/proc/stat" "$(printf 'cpu 0\nbtime 1000000000')"
for line in '00000000-00000000 : Crash kernel' ' : Crash kernel' '2d00000000000000000000-1 : Crash kernel' \
    '0-ffffffffffffffff : Crash kernel' 'nothing'; do
    echo "$line" > "$suse/proc/iomem"
    unknown "iomem: $line" "/proc/iomem does not say where it is"
done
memory "$suse" /dev/null 0
unknown "memory that shows nothing" "this kernel hides it"
echo garbage > "$suse/proc/kcore"
unknown "memory that is none" "/proc/kcore cannot be read"
rm "$suse/proc/kcore"
check "no memory" grep -q '^unknown .* cannot be known: /proc/kcore is not there' <<< "$(state "$suse" loaded_image)"
mkfifo "$suse/proc/kcore"
check "memory that is masked" grep -q '^unknown .* cannot be known: /proc/kcore is masked' <<< "$(state "$suse" loaded_image)"
rm "$suse/proc/kcore"
put "$suse/proc/stat" garbage
check "no times either" grep -q '^unknown ' <<< "$(state "$suse" loaded_image)"
echo 0 > "$suse/sys/kernel/kexec_crash_loaded"
is "nothing is loaded" "$(state "$suse" loaded_image)" "unknown nothing is loaded to compare with /var/lib/kdump/initrd"
echo 1 > "$suse/sys/kernel/kexec_crash_loaded"
is "Debian has nothing to compare" "$(state "$debian" loaded_image)" "ok nothing of ours is in what kdump-tools loads"

# --- symbols and types
echo '0000000000000000 T _stext' > "$own/proc/kallsyms"
is "functions alone" "$(state "$own" symbols)" \
    "warn the kernel has no symbols of variables in memory (CONFIG_KALLSYMS_ALL)"
rm "$own/sys/kernel/btf/vmlinux"
is "no types" "$(state "$own" types)" "warn the kernel has no types in memory (CONFIG_DEBUG_INFO_BTF)"
put "$own/etc/vmcore-summary.profile" x
is "a profile stands in" "$(state "$own" symbols)/$(state "$own" types)" \
    "ok /etc/vmcore-summary.profile stands in for symbols/ok /etc/vmcore-summary.profile stands in for types"

# --- the target
echo 'nfs server:/export # there' >> "$fedora/etc/kdump.conf"
is "NFS is not tried" "$(state "$fedora" target)" "unknown nfs server:/export: not tried from here"
sed -i 's/^nfs.*/ext4 UUID=0123-4567/' "$fedora/etc/kdump.conf"
is "a file system that is not mounted" "$(state "$fedora" target)" \
    "unknown /var/crash on UUID=0123-4567, which is not mounted now; kdump mounts it"
put "$fedora/proc/self/mountinfo" '21 20 253:1 / /my\040dumps rw - ext4 /dev/disk/by-uuid/0123-4567 rw'
mkdir "$fedora/my dumps"
is "a file system that is" "$(state "$fedora" target)" "ok /my dumps/var/crash on UUID=0123-4567"
mkdir -p "$fedora/my dumps/var" && touch "$fedora/my dumps/var/crash"
is "something else is in the way" "$(state "$fedora" target)" "fail /my dumps/var/crash: Not a directory"
sed -i 's|^KDUMP_SAVEDIR=.*|KDUMP_SAVEDIR="ssh://host/dir"|' "$suse/etc/sysconfig/kdump"
is "SUSE over a network" "$(state "$suse" target)" "unknown to ssh://host/dir: not tried from here"

# Debian: the dump in KDUMP_COREDIR, summaries in our Directory=
kt=$debian/etc/default/kdump-tools
is "Debian, two places" "$(state "$debian" target)" "ok summaries in /var/crash/vmcore-summary, dumps in /var/crash"
is "both are told" "$("$asan" check --root "$debian" --json | jq -r '.target, .summaries' | paste -sd ' ')" \
    "/var/crash /var/crash/vmcore-summary"
mkdir -p "$debian/srv/dumps" "$debian/my sums"
printf '%s\n' 'USE_KDUMP=1' 'KDUMP_COREDIR="/srv/dumps"' > "$kt"
put "$debian/etc/vmcore-summary.conf" "$(printf '[Capture]\nDirectory=/my sums/here')"
is "each where it is set" "$(state "$debian" target)" "ok summaries in /my sums/here, dumps in /srv/dumps"
put "$debian/etc/fstab" "$(printf '%s\n' '# /dev/vdz /srv ext4 rw 0 0' '/dev/vda / ext4 rw 0 1' '/dev/vdb /srv ext4 rw 0 2' \
    'UUID=1-2 /my\040sums xfs defaults 0 2' '/dev/vdd /srv/dumps/x ext4 rw 0 2' '/dev/vdc /srv/dumps ext4 noauto 0 2' \
    '/dev/vde /srv/dum ext4 rw 0 2' 'short line')"
is "a file system of fstab that is not there, for the summaries" "$(state "$debian" target)" \
    "unknown /my sums/here on UUID=1-2, which is not mounted now; kdump mounts it"
check "and then the room is not known" grep -q '^unknown ' <<< "$(state "$debian" room)"
printf '%s\n' '22 20 253:2 / /my\040sums rw - xfs /dev/vdx rw' >> "$debian/proc/self/mountinfo"
is "for the dump" "$(state "$debian" target)" "unknown /srv/dumps on /dev/vdb, which is not mounted now; kdump mounts it"
is "the room for it" "$(state "$debian" room | sed 's/ [0-9.]* [KMGT]iB/ SIZE/')" \
    "unknown SIZE free for summaries; the room for dumps in /srv/dumps cannot be seen"
echo '23 20 253:3 / /srv rw - ext4 /dev/vdb rw' >> "$debian/proc/self/mountinfo"
is "both are there" "$(state "$debian" target)" "ok summaries in /my sums/here on UUID=1-2, dumps in /srv/dumps on /dev/vdb"
for remote in NFS=host:/export SSH=root@host 'FTP="host:/x"'; do
    echo "$remote" >> "$kt"
    check "a dump over ${remote%%=*} is no matter of the summary" \
        grep -q "^ok summaries in /my sums/here on UUID=1-2; dumps go to ${remote%%=*} .*host" <<< "$(state "$debian" target)"
    check "nor of its room" grep -q '^ok .* free for summaries$' <<< "$(state "$debian" room)"
    sed -i '$d' "$kt"
done
rm "$debian/etc/fstab"
rmdir "$debian/srv/dumps" && touch "$debian/srv/dumps"
is "no place for the dump is a warning" "$(state "$debian" target)" "warn /srv/dumps: Not a directory"
rm "$debian/srv/dumps"
mkdir "$debian/elsewhere" && ln -s /elsewhere "$debian/my sums/here"
is "a link is not followed there" "$(state "$debian" target)" \
    "fail /my sums/here is a symbolic link, which is not followed there"
rm "$debian/my sums/here"
if [ "$(id -u)" = 0 ]; then
    mkdir "$debian/my sums/here" && chown 1234 "$debian/my sums/here"
    is "someone else's directory" "$(state "$debian" target)" "fail /my sums/here belongs to someone else than root"
    chown 0 "$debian/my sums/here"
else
    skip "someone else's directory" "only root can make one"
fi

# what is read-only or small: in a namespace of its own, with the mounts that its first argument makes
mounted() { # COMMANDS ITEM: its state, in $debian
    # shellcheck disable=SC2016
    "${namespace[@]}" "$BASH" -c 'cd "$1" && eval "$2" >&2 && "$3" check --root "$1" --json' sh "$debian" "$1" "$asan" \
        2> "$scratch/err" | jq -r --arg i "$2" '.items[] | select(.item == $i) | "\(.state) \(.found)"'
}
if [ "$(id -u)" = 0 ]; then namespace=(unshare -m); else namespace=(unshare -rm); fi
mkdir -p "$debian/srv/dumps"
printf 'Node 0, zone Normal\n        present  1099511627776\n' > "$debian/proc/zoneinfo" # 4096 TiB
if "${namespace[@]}" mount -t tmpfs none "$debian/srv" 2> "$scratch/mount"; then
    bind='mount --bind "my sums" "my sums" && mount -o remount,ro,bind "my sums"'
    is "a read-only mount of the summaries" "$(mounted "$bind" target)" "warn /my sums/here is on a file system that is read-only now"
    is "a read-only file system of the dump" "$(mounted 'mount -t tmpfs -o ro none srv' target)" \
        "warn /srv/dumps is on a file system that is read-only now"
    is "the nearest one above counts" "$(mounted 'rmdir "my sums/here"; mount -t tmpfs -o ro none "my sums"' target)" \
        "warn /my sums/here is on a file system that is read-only now"
    is "a full one" "$(mounted 'mount -t tmpfs -o size=4k none "my sums" && echo x > "my sums/x"' room)" \
        "fail 0 B free, which is not enough for a summary"
    is "a small one for the dump alone" "$(mounted 'mount -t tmpfs -o size=8m none srv' room | sed 's/^\([a-z]*\) [^ ]* [KMGT]iB/\1 SIZE/; s/be .*/be/')" \
        "warn SIZE free for summaries, 8 MiB for dumps, enough for a summary; a full dump of level 31 would be"
    is "one for both" "$(mounted 'mount -t tmpfs -o size=8m none srv && mount --bind srv "my sums"' room | sed 's/;.*//')" \
        "warn 8 MiB free, enough for a summary"
else
    skip "read-only and small file systems" "cannot mount: $(cat "$scratch/mount")"
fi
if [ "$(id -u)" = 0 ] && mkdir -p "$debian/my sums/here" && chattr +i "$debian/my sums/here" 2> /dev/null; then
    is "a directory that even root cannot write to" "$(state "$debian" target)" "fail /my sums/here: Operation not permitted"
    chattr -i "$debian/my sums/here"
else
    skip "a directory that even root cannot write to" "this file system has no attributes"
fi

# --- room: a machine that no disk is large enough for, 4096 TiB of kernel memory
printf 'Node 0, zone Normal\n        present  1099511627776\n' > "$suse/proc/zoneinfo"
sed -i 's|^KDUMP_SAVEDIR=.*|KDUMP_SAVEDIR="file:///var/crash"|' "$suse/etc/sysconfig/kdump"
echo 'KDUMP_DUMPLEVEL=11' >> "$suse/etc/sysconfig/kdump"
check "no room for the full dump" grep -qE \
    '^warn .* free, enough for a summary; a full dump of level 11 would be .* now$' <<< "$(state "$suse" room)"
put "$suse/etc/vmcore-summary.conf" "$(printf '[Dump]\nMode=auto\n')"
check "which is fine if it is left out then" grep -qE '^ok .*, and is left out$' <<< "$(state "$suse" room)"
rm "$suse/etc/vmcore-summary.conf"
printf 'Node 0, zone Normal\n        present  1\n' > "$suse/proc/zoneinfo"
sed -i 's/LEVEL=11/LEVEL="31,1"/' "$suse/etc/sysconfig/kdump"
check "room for it" grep -qE '^ok .* free; a full dump of level 1 would be .* now$' <<< "$(state "$suse" room)"
# what is reserved for the capture kernel is not in its dump
printf 'Node 0, zone Normal\n        present  %s\n' $((192 << 12)) > "$suse/proc/zoneinfo"
want=$(state "$suse" room)
printf 'Node 0, zone Normal\n        present  %s\n' $((256 << 12)) > "$suse/proc/zoneinfo"
check "a GiB more is more" [ "$(state "$suse" room)" != "$want" ]
printf '00000000-bfffffff : System RAM\n  01000000-08ffffff : Crash kernel\n%s\n  100000000-137ffffff : Crash kernel\n' \
    '100000000-13fffffff : System RAM' > "$suse/proc/iomem"
is "but not if it is the capture kernel's, in two ranges" "$(state "$suse" room | grep -o 'would.*')" "$(grep -o 'would.*' <<< "$want")"
sed -i 's/[0-9a-f]*-[0-9a-f]* :/00000000-00000000 :/' "$suse/proc/iomem"
check "of unknown size it is none" [ "$(state "$suse" room)" != "$want" ]
rm "$suse/proc/iomem"
printf 'Node 0, zone Normal\n        present  1\n' > "$suse/proc/zoneinfo"
sed -i 's/LEVEL=.*/LEVEL=99999999999/' "$suse/etc/sysconfig/kdump"
check "a level that there is not" grep -q 'dump of level 31 ' <<< "$(state "$suse" room)"

# --- sysctls, and what the exit status leaves out
rm -r "${own:?}/etc" && put "$own/proc/kallsyms" "0000000000000000 D init_task" && put "$own/sys/kernel/btf/vmlinux" x
for item in vm/panic_on_oom kernel/panic_on_oops kernel/panic; do
    echo 0 > "$own/proc/sys/$item"
    check "$item = 0 is a warning" grep -q '^1 VMCORE-SUMMARY WARNING' <<< "$(verdict "$own")"
    is "which can be ignored" "$(verdict "$own" --ignore "${item#*/}" --quiet)" \
        "0 VMCORE-SUMMARY OK - a crash will leave a summary"
    rm "$own/proc/sys/$item"
    check "$item that is not there is not known" grep -q '^3 VMCORE-SUMMARY UNKNOWN' <<< "$(verdict "$own")"
    echo 10 > "$own/proc/sys/$item"
done
printf '\033[31m1' > "$own/proc/sys/kernel/panic"
"$asan" check --root "$own" > "$scratch/said"
is "no control character gets through" "$(grep -c $'\033' "$scratch/said")" 0

# --- the command line: never 2, which is an alarm
"$asan" check --ignore nothing > "$scratch/said" 2>&1
is "an unknown item" "$? $(head -1 "$scratch/said")" "3 vmcore-summary check: there is no item 'nothing'"
"$asan" check --wrong > "$scratch/said" 2>&1
is "an unknown option" "$? $(head -1 "$scratch/said")" "3 vmcore-summary check: unrecognized option '--wrong'"
"$asan" check --root "$scratch/not-there" > "$scratch/said" 2>&1
is "a tree that is not there" "$?" 3
mkdir "$scratch/empty"
check "an empty tree" grep -q '^2 ' <<< "$(verdict "$scratch/empty")"
"$asan" check --json > "$scratch/said" 2> "$scratch/err"
check "this machine, whatever it is" jq -e '.items | length == 13' "$scratch/said"
done_testing

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A Debian machine whose images dracut makes, for the kdump of other distributions (kdump_utils.sh): its root
# without any kdump, what a chroot needs for the building of images, and QEMU.
# DRACUT_SUITE: bookworm, with dracut 059, or trixie, with 106, whose kdump images are squashed as Fedora's are.
dracut_suite=${DRACUT_SUITE:-bookworm}
dracut_uuid=5ca1ab1e-0000-4000-8000-00000000cafe # of its root file system

# dracut_root: prints the directory of the root, made by debootstrap when the cache has none
dracut_root() {
    local dir=$lab_cache/dracut-$dracut_suite mirror
    mkdir -p "$lab_cache"
    (
        flock 9
        [ -e "$dir/.complete" ] && exit
        lab_say "installing Debian ($dracut_suite) with dracut"
        # shellcheck disable=SC2016  # apt-get expands it
        mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' "Codename: $(. /etc/os-release && echo "$VERSION_CODENAME")" | head -1)
        rm -rf "$dir" && mkdir -p "$dir" &&
            debootstrap --variant=minbase --include="$(dracut_root_packages)" "$dracut_suite" "$dir/root" \
                "${mirror:-http://deb.debian.org/debian}" > "$dir/log" 2>&1 || { tail -n 5 "$dir/log" >&2; exit 1; }
        touch "$dir/.complete"
    ) 9> "$dir.lock" || return
    echo "$dir/root"
}

# What the packages of those kdumps require, as far as Debian has it; the libraries of our program. No kernel
# package, which would bring initramfs-tools: the lab has one.
dracut_root_packages() {
    local packages=systemd,systemd-sysv,udev,kmod,dracut,zstd,xz-utils,cpio,kexec-tools,makedumpfile,lvm2,keyutils
    packages=$packages,gawk,ethtool,iproute2,openssh-client,libjansson4,libinih1,libkdumpfile10
    case $dracut_suite in
    bookworm) echo "$packages,libelf1" ;;
    *) echo "$packages,libelf1t64,dracut-squash,squashfs-tools" ;;
    esac
}

# dracut_root_machine ROOT KERNEL ROUNDS ROUND…: makes a machine of it with ours, as `make install` puts it,
# which runs guest/round.sh with the functions in guest/ROUNDS
dracut_root_machine() {
    local root=$1 rounds=$3
    mkdir -p "$root/boot" "$root/lab/out" "$root/var/log/journal" &&
        cp -a "$2"/boot/* "$root/boot/" &&
        cp -a "$2/lib/modules" "$root/usr/lib/" &&
        make -s -C "$lab_top" install DESTDIR="$root" BUILD="${BUILD:-build}" &&
        install -m 755 "$lab_here/guest/round.sh" "$root/lab/" &&
        install -m 644 "$lab_here/guest/$rounds" "$root/lab/rounds.sh" &&
        install -m 644 "$lab_here"/guest/lab-{before,after}.service "$root/etc/systemd/system/" || return
    echo kdump > "$root/etc/hostname"
    echo "UUID=$dracut_uuid / ext4 rw 0 1" > "$root/etc/fstab"
    printf '%s\n' "${@:4}" > "$root/lab/rounds"
    # what kdump says when it loads its image is to be seen
    mkdir -p "$root/etc/systemd/system/kdump.service.d"
    printf '[Service]\nStandardOutput=journal+console\n' > "$root/etc/systemd/system/kdump.service.d/console.conf"
    systemctl --root="$root" -q enable kdump.service lab-before.service lab-after.service vmcore-summary-harvest.service &&
        # kexec-tools' own services load something else
        systemctl --root="$root" -q mask kexec.service kexec-load.service getty-static.service serial-getty@ttyS0.service
}

# dracut_disk ROOT DISK: with ROOT on it
dracut_disk() {
    rm -f "$2"
    truncate -s 3G "$2" && mkfs.ext4 -q -F -U "$dracut_uuid" -E lazy_itable_init=0 -d "$1" "$2"
}

# dracut_chroot DISK COMMAND…: runs a command in the machine on DISK, whose root file system it sees as a
# running machine does: by its device, and that by its UUID. Needs root and loop devices.
# shellcheck disable=SC2016  # the inner shell expands
dracut_chroot() {
    unshare -m --propagation private "$BASH" -c '
        set -e
        disk=$1 uuid=$2 mnt=$(mktemp -d)
        shift 2
        loop=$(losetup -f --show "$disk")
        trap "umount -R $mnt; rmdir $mnt; losetup -d $loop" EXIT
        mount "$loop" "$mnt"
        mount -t proc proc "$mnt/proc"
        mount --rbind /sys "$mnt/sys"
        mount -t tmpfs tmp "$mnt/run"
        mount -t tmpfs dev "$mnt/dev"
        for node in null zero full random urandom tty; do cp -a "/dev/$node" "$mnt/dev/"; done
        cp -a "$loop" "$mnt$loop"
        ln -s /proc/self/fd "$mnt/dev/fd"
        mkdir -p "$mnt/dev/disk/by-uuid" "$mnt/dev/block" "$mnt/dev/shm" "$mnt/run/lock"
        ln -s "../..${loop#/dev}" "$mnt/dev/disk/by-uuid/$uuid"
        ln -s "..${loop#/dev}" "$mnt/dev/block/$(stat -c "%Hr:%Lr" "$loop")"
        PATH=/usr/sbin:/usr/bin chroot "$mnt" "$@"' dracut_chroot "$1" "$dracut_uuid" "${@:2}"
}

# dracut_ordinary_image DISK VERSION: the image that the machine boots with, in its /boot
dracut_ordinary_image() {
    dracut_chroot "$1" dracut -q -f --hostonly --add-drivers "virtio_pci virtio_blk ext4" \
        "/boot/initramfs-$2.img" "$2"
}

# dracut_boot KERNEL DISK INITRD CONSOLE MEM_MB [QEMU_ARGUMENT…]: until the machine powers off or reboots; after a
# capture kernel that ran on the second CPU QEMU may not come up again
dracut_boot() {
    local kernel=$1 disk=$2 initrd=$3 console=$4 mem=$5
    shift 5
    timeout "${LAB_TIMEOUT:-2400}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m "$mem" \
        -nodefaults -no-reboot -display none -serial "file:$console" \
        -kernel "$(lab_vmlinuz "$kernel")" -initrd "$initrd" \
        -append "console=ttyS0 root=UUID=$dracut_uuid rw panic=10 crashkernel=${LAB_CRASHKERNEL:-256M}" \
        -drive "file=$disk,format=raw,if=virtio,cache=unsafe,discard=unmap,detect-zeroes=unmap" "$@" < /dev/null
}

# dracut_can_mount SCRATCH: whether dracut_chroot can work here
dracut_can_mount() {
    local loop
    truncate -s 1M "$1/loop" && loop=$(losetup -f --show "$1/loop" 2> /dev/null) && losetup -d "$loop" && rm "$1/loop"
}

# dracut_from_disk DISK PATH FILE: copies a file out of the machine
dracut_from_disk() {
    debugfs -R "dump $2 $3" "$1" > /dev/null 2>&1 && [ -s "$3" ]
}

# dracut_list DISK PATH…: what is in images, into files beside them; with the machine's own lsinitrd, which knows
# its dracut's squashed ones
# shellcheck disable=SC2016
dracut_list() {
    dracut_chroot "$1" bash -c 'for i; do lsinitrd "$i" > "$i.list" && chmod 644 "$i.list" || exit; done' list "${@:2}"
}

# dracut_take DISK PATH NAME: an image of the machine to NAME.img, what is in it to NAME.list
dracut_take() {
    dracut_list "$1" "$2" && dracut_from_disk "$1" "$2" "$3.img" && dracut_from_disk "$1" "$2.list" "$3.list"
}

# dracut_crashes KERNEL DISK KEEP BOOTS: boots the machine so many times, with another empty disk, a crash and its
# capture kernel each but for the last; KEEP has its ordinary image, and gets the console log, /lab and the journal
dracut_crashes() {
    local part boot status=0
    truncate -s 512M "$2.other"
    for ((boot = 1; boot <= $4 && status == 0; boot++)); do
        lab_say "boot $boot"
        dracut_boot "$1" "$2" "$3/ordinary.img" "$3/console" 1024 \
            -drive "file=$2.other,format=raw,if=virtio,cache=unsafe,discard=unmap,detect-zeroes=unmap" || status=$?
        cat "$3/console" >> "$3/console.log"
    done
    lab_say "that was the last"
    # shellcheck disable=SC2046
    dracut_list "$2" $(debugfs -R "ls -p /lab/out" "$2" 2> /dev/null | awk -F / '$3 ~ /^04/ && $6 !~ /^\./ { print "/lab/out/" $6 "/image" }')
    mkdir -p "$3/var/log"
    for part in lab var/log/journal; do
        debugfs -R "rdump /$part $(dirname "$3/$part")" "$2" > /dev/null 2>&1
    done
    grep -q 'lab: done' "$3/console.log"
}

# dracut_ours LIST: the names of our files in an image, without those of directories
dracut_ours() {
    sed -nE 's#^-.*( |squashfs-root/)((etc|usr)/[^ ]*vmcore-summary[^ ]*)$#\2#p' "$1" | sort -u | paste -sd ' '
}
# shellcheck disable=SC2034
dracut_payload=$(printf 'usr/lib/vmcore-summary/%s\n' capture-lib.sh kdump-utils.sh suse-kdump.sh suse-post suse-pre vmcore-summary | paste -sd ' ')

dracut_rows() { zcat "$1/vmcore-summary.jsonl.gz" | jq -r "$2"; } # DIRECTORY WHAT: of a summary

# dracut_check_sections DIRECTORY…: TAP; that each summary is there, and whole
dracut_check_sections() {
    local dir
    for dir; do
        is "$(basename "$dir"): every section ended well" \
            "$(dracut_rows "$dir" 'select(.record == "end") | "\(.status) \(.reason // "")"' | sort -u)" "ok "
    done
}

# dracut_check_images KEEP OUT ROUND…: TAP; what of ours is in the image of each crash, what `vmcore-summary check`
# says of the first one
dracut_check_images() {
    local keep=$1 out=$2 round
    shift 2
    is "hook and image, says check" "$(jq -r '.items[] | select(.item == "hook" or .item == "image") | "\(.item) \(.state)"' \
        "$keep/check.json" | paste -sd ' ')" "hook ok image ok"
    for round; do
        is "$round: all of ours is in the image of that crash" \
            "$(comm -12 <(tr ' ' '\n' <<< "$dracut_payload") <(dracut_ours "$out/$round/image.list" | tr ' ' '\n') | paste -sd ' ')" \
            "$dracut_payload"
    done
}

# dracut_check_journal KEEP WANT: TAP; harvest's entries for the crashes
dracut_check_journal() {
    is "the journal: an entry for each crash" "$(journalctl --quiet -D "$1/var/log/journal" -o json \
        MESSAGE_ID="$(sed -n 's/^-- //p' "$lab_top/systemd/vmcore-summary.catalog")" |
        jq -r '"\(.VMCORE_SUMMARY_REASON) \(.VMCORE_SUMMARY_VMCORE)"' | paste -sd ,)" "$2"
}

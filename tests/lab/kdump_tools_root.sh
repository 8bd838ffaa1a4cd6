# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A Debian 12 machine of its own packages, kdump-tools among them as Debian ships it, for kdump_tools.sh.

# kdump_tools_root: prints the directory of the machine's root without anything of ours, made by
# debootstrap when the cache has none
kdump_tools_root() {
    local dir=$lab_cache/kdump-tools-bookworm mirror
    mkdir -p "$lab_cache"
    (
        flock 9
        [ -e "$dir/.complete" ] && exit
        lab_say "installing Debian 12 with kdump-tools"
        # shellcheck disable=SC2016  # apt-get expands it
        mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Codename: bookworm' | head -1)
        rm -rf "$dir" && mkdir -p "$dir" &&
            debootstrap --variant=minbase --include="$(kdump_tools_packages)" bookworm "$dir/root" \
                "${mirror:-http://deb.debian.org/debian}" > "$dir/log" 2>&1 || { tail -n 5 "$dir/log" >&2; exit 1; }
        touch "$dir/.complete"
    ) 9> "$dir.lock" || return
    echo "$dir/root"
}

# what kdump-tools recommends, and the libraries of our program
kdump_tools_packages() {
    echo systemd,systemd-sysv,udev,kmod,initramfs-tools,zstd,linux-image-cloud-amd64,kdump-tools,makedumpfile,libelf1,libjansson4,libinih1,libkdumpfile10
}

# kdump_tools_configure ROOT: what the administrator of this machine has set
kdump_tools_configure() {
    local root=$1 version
    version=$(ls "$root/lib/modules")
    echo kdump > "$root/etc/hostname"
    echo "/dev/vda / ext4 rw 0 1" > "$root/etc/fstab"
    mkdir -p "$root/var/log/journal"
    # Made in a chroot, an image of MODULES=dep would be for this machine's disk. kdump-tools keeps `list`.
    printf '%s\n' virtio_pci virtio_blk ext4 crc32c_generic > "$root/etc/initramfs-tools/modules"
    echo MODULES=list > "$root/etc/initramfs-tools/conf.d/machine"
    # shellcheck disable=SC2016
    unshare -m "$BASH" -c 'mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" &&
        chroot "$1" sh -ec "update-initramfs -u -k $2; /etc/kernel/postinst.d/kdump-tools $2"' \
        sh "$root" "$version" >&2 || return
    # else kdump-tools would make its image once more at the first boot
    cp "$root/etc/kdump/sysctl.conf" "$root/var/lib/kdump/latest_sysctls-$version"
}

# kdump_tools_disk ROOT DISK: with ROOT on it
kdump_tools_disk() {
    rm -f "$2"
    truncate -s 2G "$2" && mkfs.ext4 -q -F -E lazy_itable_init=0 -d "$1" "$2"
}

# kdump_tools_boot ROOT DISK CONSOLE MEM_MB: until the machine powers off
kdump_tools_boot() {
    timeout "${LAB_TIMEOUT:-1200}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m "$4" \
        -display none -monitor none -serial "file:$3" -net none \
        -kernel "$(echo "$1"/boot/vmlinuz-*)" -initrd "$(echo "$1"/boot/initrd.img-*)" \
        -append "console=ttyS0 root=/dev/vda rw panic=10 ${LAB_CRASHKERNEL:-crashkernel=384M-:128M}" \
        -drive "file=$2,format=raw,if=virtio,cache=unsafe,discard=unmap,detect-zeroes=unmap" < /dev/null
}

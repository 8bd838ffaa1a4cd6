# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154  # lab.sh sets the variables lab_…
# A machine of another architecture that crashes and captures, as lab.sh has it for this machine's own.
# Source it after lab.sh and arm64_packages.sh. dracut puts together images of programs that run here,
# so the capture image is busybox's with what mkimage installs.

# arm64_root ROOT KERNEL MODULE…
arm64_root() {
    local root=$1 busybox
    busybox=$(arm64_busybox) && lab_root "$@" && cp "$busybox/bin/busybox" "$root/bin/busybox"
}

# arm64_program ROOT FROM PROGRAM: a program out of unpacked packages, with the libraries that it needs
arm64_program() {
    local root=$1 from=$2 libraries=$1/lib/aarch64-linux-gnu file library
    local -a todo
    mkdir -p "$libraries"
    ln -sf aarch64-linux-gnu/ld-linux-aarch64.so.1 "$root/lib/ld-linux-aarch64.so.1"
    todo=("$(find "$from" -path "*/sbin/$3" | head -1)")
    cp "${todo[0]}" "$root/bin/$3" || return
    while [ ${#todo[@]} -gt 0 ]; do
        file=${todo[0]} todo=("${todo[@]:1}")
        for library in $(aarch64-linux-gnu-readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
            [ -e "$libraries/$library" ] && continue
            file=$(find "$from" -name "$library" -path '*aarch64-linux-gnu*' | head -1)
            cp -L "$file" "$libraries/$library" || { lab_say "no library $library"; return 1; }
            todo+=("$file")
        done
    done
}

# arm64_capture_image KERNEL PROGRAM IMAGE [PROFILE]
arm64_capture_image() {
    local root status=0 own=usr/lib/vmcore-summary
    root=$(mktemp -d) || return
    mkdir -p "$root/$own" "$root/etc/vmcore-summary" &&
        arm64_root "$root" "$1" virtio_pci virtio_blk ext4 &&
        cp "$2" "$lab_top/dracut-module/capture-lib.sh" "$root/$own/" &&
        cp "$lab_top/dracut-module/55vmcore-summary/image-run.sh" "$root/$own/image-run" &&
        cp "$lab_here/guest/init-capture.sh" "$root/init" &&
        printf '%s\n' device=/dev/vda fstype=ext4 options=rw directory=/vmcore-summary \
            > "$root/etc/vmcore-summary/image.conf" &&
        { [ -z "${4:-}" ] || cp "$4" "$root/etc/vmcore-summary.profile"; } &&
        lab_pack "$root" "$3" || status=1
    rm -rf "$root"
    return $status
}

# arm64_first_image KERNEL SCENARIO CAPTURE_IMAGE KEXEC PROGRAM IMAGE
arm64_first_image() {
    local root status=0
    root=$(mktemp -d) || return
    arm64_root "$root" "$1" virtio_pci virtio_blk ext4 &&
        lab_first_files "$root" "$1" "$2" "$3" &&
        arm64_program "$root" "$4" kexec &&
        cp "$5" "$root/bin/" &&
        lab_pack "$root" "$6" || status=1
    rm -rf "$root"
    return $status
}

# arm64_boot KERNEL CPU INITRD DISK CONSOLE MEM_MB [ARGUMENT…]: as lab_boot. CPU `max` has LVA and LPA2:
# a kernel configured for 52 bits then uses them. Its pointers are signed by QEMU's own hash, for the
# architecture's takes most of the time.
arm64_boot() {
    local kernel=$1 cpu=$2 initrd=$3 disk=$4 console=$5 mem=$6
    shift 6
    [ "$cpu" != max ] || cpu=max,pauth-impdef=on
    timeout "${LAB_TIMEOUT:-900}" qemu-system-aarch64 -M virt,gic-version=3 -cpu "$cpu" -accel tcg,thread=multi \
        -smp 2 -m "$mem" -display none -monitor none -serial "file:$console" -net none \
        -kernel "$(lab_vmlinuz "$kernel")" -initrd "$initrd" \
        -append "console=ttyAMA0 crashkernel=${LAB_CRASHKERNEL:-256M} panic=10 rdinit=/init $*" \
        -drive "file=$disk,format=raw,if=virtio,cache=unsafe" < /dev/null
}

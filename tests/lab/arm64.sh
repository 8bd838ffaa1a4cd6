#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints the path of a vmcore of an arm64 machine, made in QEMU when the cache has none:
#
#   arm64.sh [SCENARIO [MEM_MB [SUITE [CPU]]]]     sysrq 512 bookworm cortex-a72
#
# With CPU `max` the machine has LVA and LPA2: a kernel configured for 52 bits then uses them.
# kexec-tools 2.0.25 writes a wrong p_paddr for the image of an arm64 kernel, whose capture kernel
# then kills each process that reads it; so the dump is QEMU's own, with the machine's VMCOREINFO.
# Beside it lie lab/truth/* and console.log, as vmcore.sh leaves them. Needs qemu-system-arm.
set -eu -o pipefail
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/lab/arm64_packages.sh
. "$lab_here/arm64_packages.sh"
scenario=${1:-sysrq} mem=${2:-512} suite=${3:-bookworm} cpu=${4:-cortex-a72}
dir=$lab_cache/vmcores/arm64-$suite-$cpu-$scenario-$mem

arm64_kernel() {
    local apt package parts kernel=$lab_cache/kernels/arm64-$suite
    [ -e "$kernel/.complete" ] && echo "$kernel" && return
    lab_say "fetching the Debian cloud kernel ($suite, arm64)"
    apt=$(arm64_apt "$suite") || return
    package=$(lab_apt "$apt" apt-cache depends --important linux-image-cloud-arm64 |
        sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -1)
    parts=$(lab_apt "$apt" apt-cache depends --important "$package" |
        sed -n 's/^ *Depends: \(linux-\(binary\|modules\)-.*\)/\1/p')
    rm -rf "$kernel"
    # shellcheck disable=SC2086
    arm64_unpack "$suite" "$kernel" "$package" $parts || return
    [ -d "$kernel/lib" ] || ln -s usr/lib "$kernel/lib"
    [ -d "$kernel/boot" ] || { mkdir "$kernel/boot" &&
        cp "$kernel"/lib/modules/*/vmlinuz "$kernel/boot/vmlinuz-$(ls "$kernel/lib/modules")"; } || return
    depmod -b "$kernel" "$(ls "$kernel/lib/modules")" && touch "$kernel/.complete"
    echo "$kernel"
}

arm64_image() { # KERNEL IMAGE
    local root status=0 busybox=$lab_cache/arm64-busybox
    [ -x "$busybox/bin/busybox" ] || arm64_unpack bookworm "$busybox" busybox-static || return
    root=$(mktemp -d) || return
    lab_root "$root" "$1" virtio_pci virtio_blk ext4 qemu_fw_cfg &&
        cp "$busybox/bin/busybox" "$root/bin/busybox" &&
        cp "$lab_here/guest/init-panic.sh" "$root/init" &&
        cp "$lab_here/guest/truth.sh" "$root/lab/" &&
        cp "$lab_here/guest/scenario-$scenario.sh" "$root/lab/scenario.sh" &&
        lab_pack "$root" "$2" || status=1
    rm -rf "$root"
    return $status
}

make_vmcore() {
    local kernel work
    kernel=$(arm64_kernel)
    work=$(mktemp -d -p "$lab_cache")
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    arm64_image "$kernel" "$work/first.img"
    lab_disk "$work/disk" 256
    lab_say "crashing an arm64 machine of $mem MB ($suite, $cpu, $scenario)"
    python3 "$lab_here/qemu_dump.py" "$work/vmcore" "$work/console.log" "${LAB_TIMEOUT:-600}" \
        qemu-system-aarch64 -M virt,gic-version=3 -cpu "$cpu" -accel tcg,thread=multi -smp 2 -m "$mem" \
        -display none -monitor none -net none -device vmcoreinfo \
        -kernel "$(lab_vmlinuz "$kernel")" -initrd "$work/first.img" \
        -append "console=ttyAMA0 rdinit=/init panic=0" \
        -drive "file=$work/disk,format=raw,if=virtio,cache=unsafe" ||
        { tail -20 "$work/console.log" >&2; lab_say "no vmcore"; return 1; }
    lab_from_disk "$work/disk" "$work/out"
    cp --sparse=always "$work/vmcore" "$work/out/vmcore"
    mv "$work/console.log" "$work/out/"
    echo "$kernel" > "$work/out/kernel"
    rm -rf "$dir"
    mv "$work/out" "$dir"
}

mkdir -p "$lab_cache/vmcores" "$lab_cache/kernels"
if [ ! -s "$dir/vmcore" ]; then
    exec 9> "$dir.lock"
    flock 9
    # another may have made it while we waited
    [ -s "$dir/vmcore" ] || make_vmcore >&2
fi
echo "$dir/vmcore"

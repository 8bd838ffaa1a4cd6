#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guest_memory.sh DIR [SUITE [DEVICE…]]: a machine of 512 MB without kdump panics (scenario sysrq) and
# stands still; QEMU dumps the memory of that moment in every form that it writes:
#   DIR/elf DIR/paging DIR/kdump-zlib DIR/kdump-lzo DIR/kdump-snappy
# DEVICEs are QEMU's: with `vmcoreinfo` the dumps have the kernel's VMCOREINFO, without it none. Beside
# them lie lab/truth/*, what the machine said of itself just before, and console.log.
set -eu -o pipefail
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/lab.sh"
dir=$1 suite=${2:-bookworm}
shift; [ $# = 0 ] || shift
devices=()
for device; do devices+=(-device "$device"); done

panic_image() { # KERNEL IMAGE
    local root status=0
    root=$(mktemp -d) || return
    lab_root "$root" "$1" virtio_pci virtio_blk ext4 qemu_fw_cfg &&
        cp "$lab_here/guest/init-panic.sh" "$root/init" &&
        cp "$lab_here/guest/truth.sh" "$root/lab/" &&
        cp "$lab_here/guest/scenario-sysrq.sh" "$root/lab/scenario.sh" &&
        lab_pack "$root" "$2" || status=1
    rm -rf "$root"
    return $status
}
kernel=$(lab_kernel "$suite")
mkdir -p "$dir"
panic_image "$kernel" "$dir/first.img"
lab_disk "$dir/disk" 256
forms=
for form in elf paging kdump-zlib kdump-lzo kdump-snappy; do forms+=,$form=$dir/$form; done
python3 "$lab_here/qemu_dump.py" "${forms#,}" "$dir/console.log" "${LAB_TIMEOUT:-600}" \
    qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 512 \
    -display none -monitor none -net none ${devices[@]+"${devices[@]}"} \
    -kernel "$(lab_vmlinuz "$kernel")" -initrd "$dir/first.img" \
    -append "console=ttyS0 rdinit=/init panic=0" \
    -drive "file=$dir/disk,format=raw,if=virtio,cache=unsafe" ||
    { tail -20 "$dir/console.log" >&2; lab_say "no dumps"; exit 1; }
lab_from_disk "$dir/disk" "$dir/out"
mv "$dir/out/lab" "$dir/"
rm -rf "$dir/out" "$dir/disk" "$dir/first.img"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make check-pmsg`: the digest in pstore, for real. No kernel of Debian has /dev/pmsg0, so a small one is
# built of Debian's own source (tests/lab/pmsg.config; it stays in the cache). A machine with ramoops crashes,
# its capture kernel writes the digest, the machine reboots, and what pstore has kept is compared with what
# the console showed: once in a zone that holds it all, once in one that does not. Speaks TAP.
#
# PMSG_KEEP    the directory that gets the consoles (build/pmsg)
# PMSG_AGAIN   1: no crash, the comparisons once more with what an earlier run left there
. "$(dirname "$0")/../lib.sh"
. tests/lab/lab.sh
keep=${PMSG_KEEP:-$BUILD/pmsg}
# one MiB out of the machine's RAM; SeaBIOS and QEMU's loader write nothing there
region=0x10000000 region_bytes=0x100000

pmsg_kernel() { # prints the directory of the kernel
    local dir
    dir=$lab_cache/kernels/pmsg-$(sha256sum tests/lab/pmsg.config | cut -c 1-8)
    mkdir -p "$lab_cache/kernels"
    (
        flock 9
        [ -e "$dir/.complete" ] || pmsg_kernel_build "$dir" >&2
    ) 9> "$dir.lock" || return
    echo "$dir"
}
# the kernel's makefiles would take this test's variables (host) for their own
pmsg_make() { env -i PATH="$PATH" make -s "$@"; }
pmsg_kernel_build() { # DIR
    local apt=$lab_cache/apt-bookworm work=$1/work
    rm -rf "$1" && mkdir -p "$work" "$1/boot"
    lab_say "fetching Debian's kernel source"
    lab_apt_prepare bookworm "$apt" &&
        (cd "$work" && lab_apt "$apt" apt-get download linux-source-6.1) &&
        dpkg-deb --fsys-tarfile "$work"/*.deb | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
        tar -xJ -C "$work" --strip-components=1 || return
    lab_say "building it, by two jobs of low priority (some ten minutes)"
    cp tests/lab/pmsg.config "$work/"
    (
        cd "$work" && pmsg_make tinyconfig && scripts/kconfig/merge_config.sh -m .config pmsg.config && pmsg_make olddefconfig || exit
        # what an option needs may be gone
        grep '=y$' pmsg.config | grep -vxFf .config && { lab_say "not in the configuration"; exit 1; }
        renice -n 10 $BASHPID && pmsg_make -j2 bzImage && pmsg_make kernelrelease > ../release
    ) > "$1/build.log" 2>&1 || { tail -n 20 "$1/build.log"; return 1; }
    cp "$work/arch/x86/boot/bzImage" "$1/boot/vmlinuz-$(cat "$1/release")" && cp "$work/.config" "$1/boot/config" || return
    lab_say "the kernel is built"
    rm -rf "$work" && touch "$1/.complete"
}

pmsg_image() { # KERNEL CMDLINE IMAGE
    local root=$scratch/root
    rm -rf "$root" && mkdir -p "$root/boot" "$root/lib/modules/none"
    lab_root "$root" "$root" && lab_program "$root" "$static" && cp tests/lab/guest/init-pmsg.sh "$root/init" || return
    lab_pack "$root" "$scratch/capture.img"
    lab_program "$root" kexec && cp "$(lab_vmlinuz "$1")" "$root/boot/vmlinuz" && cp "$scratch/capture.img" "$root/boot/" &&
        echo "$2" > "$root/lab/capture-cmdline" && lab_pack "$root" "$3"
}

# pmsg_machine NAME PARAMETER…: of ramoops. It runs until it says that it is done, and only reboots by itself.
pmsg_machine() {
    local name=$1 kernel qemu status=1
    shift
    [ "${PMSG_AGAIN:-0}" = 0 ] || return 0
    local parameters="ramoops.mem_address=$region ramoops.mem_size=$region_bytes ramoops.record_size=0x4000 $*"
    kernel=$(pmsg_kernel) && mkdir -p "$keep/$name" &&
        pmsg_image "$kernel" "console=ttyS0 rdinit=/init nr_cpus=1 panic=10 $parameters" "$scratch/first.img" || return
    : > "$keep/$name/console.log"
    # shellcheck disable=SC2016  # of memmap=, no variable
    qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 512 -display none -monitor none -net none \
        -serial "file:$keep/$name/console.log" -serial "file:$keep/$name/pmsg" \
        -kernel "$(lab_vmlinuz "$kernel")" -initrd "$scratch/first.img" \
        -append "console=ttyS0 rdinit=/init crashkernel=128M panic=10 memmap=$region_bytes"'$'"$region $parameters" < /dev/null &
    qemu=$!
    for _ in $(seq "${LAB_TIMEOUT:-300}"); do
        kill -0 $qemu 2> /dev/null && ! grep -q '^lab: no ' "$keep/$name/console.log" || break
        grep -q '^lab: done' "$keep/$name/console.log" && status=0 && break
        sleep 1
    done
    kill $qemu 2> /dev/null
    wait $qemu
    [ $status = 0 ] || tail -n 30 "$keep/$name/console.log" >&2
    return $status
}

console() { tr -d '\r' < "$keep/$1/console.log"; } # NAME
# what the capture kernel printed for our program, without what went to standard error
digest() { console "$1" | sed -n '/^lab: capture$/,/^lab: captured/p' | grep -v '^lab: \|^vmcore-summary\|^\['; }
record() { awk -v n="$2" '/^lab: end of a record$/ { i++; next } i == n - 1' "$keep/$1/pmsg"; } # NAME NUMBER
bytes() { LC_ALL=C wc -c; }

tests/deps.sh flex bison >&2
check "a kernel with /dev/pmsg0" pmsg_kernel
[ "$tap_failed" = 0 ] || done_testing

check "64 KiB: crash, capture, two reboots" pmsg_machine large ramoops.pmsg_size=0x10000
is "64 KiB: the capture's status" "$(console large | sed -n 's/^lab: captured with status //p')" 0
digest large > "$keep/large/digest"
record large 1 > "$keep/large/record"
check "64 KiB: the digest ($(bytes < "$keep/large/digest") bytes) is kept, each line" cmp "$keep/large/digest" "$keep/large/record"
check "64 KiB: and is one" grep -q '^More: vmcore-summary show' "$keep/large/record"
# what sink_to_pmsg() is careful for
record large 2 > "$keep/large/flood"
is "64 KiB: of more the kernel keeps the end, up to the zone's size" "$(bytes < "$keep/large/flood")" $((0x10000 - 12))
is "64 KiB: with what was written later" "$(tail -n 2 "$keep/large/flood" | paste -sd ,)" "line 9000,written later"

# 2 KiB, some of it for error correction
room=1536
check "2 KiB: crash, capture, two reboots" pmsg_machine small ramoops.pmsg_size=0x800 ramoops.ecc=1
digest small > "$keep/small/digest"
notice=$'\nECC: No errors detected\n' # by ramoops, behind the record
record small 1 | head -c -${#notice} > "$keep/small/record"
is "2 KiB: it came back without an error" "$(record small 1 | tail -c ${#notice})" "${notice%?}"
kept=$(bytes < "$keep/small/record")
check "2 KiB: too little for the digest" [ "$(bytes < "$keep/small/digest")" -gt 2048 ]
check "2 KiB: its beginning is kept" cmp -n "$kept" "$keep/small/digest" "$keep/small/record"
check "2 KiB: in three quarters of the zone, but for a line ($kept bytes)" [ $((kept <= room && kept > room - 81)) = 1 ]
is "2 KiB: in whole lines" "$(tail -c 1 "$keep/small/record" | od -An -c | tr -d ' ')" '\n'
done_testing

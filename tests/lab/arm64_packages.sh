# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154  # lab.sh sets lab_cache and lab_top
# Debian's arm64 packages, unpacked without installing them. Source it after lab.sh. Functions that
# print a directory fill it when the cache has none.

# Installed on this machine where they are missing: what builds arm64 programs, and what runs its machines.
arm64_compiler() { "$lab_top/tests/deps.sh" gcc-aarch64-linux-gnu libc6-dev-arm64-cross; }
arm64_tools() { arm64_compiler && "$lab_top/tests/deps.sh" qemu-system-arm; }

# arm64_once DIR COMMAND…: prints DIR; without a whole one, runs COMMAND… DIR first.
arm64_once() {
    local dir=$1
    shift
    mkdir -p "$(dirname "$dir")"
    (
        flock 9
        [ -e "$dir/.complete" ] && exit
        rm -rf "$dir" && mkdir -p "$dir" && "$@" "$dir" >&2 && touch "$dir/.complete"
    ) 9> "$dir.lock" || return
    echo "$dir"
}

# arm64_apt SUITE: prints the directory of an apt configuration that sees arm64 packages alone. The
# machine's own package state stays as it is.
arm64_apt() { arm64_once "$lab_cache/apt-arm64-$1" arm64_apt_fill "$1"; }
arm64_apt_fill() { # SUITE DIR
    mkdir -p "$2"/{lists/partial,archives/partial,sources.list.d}
    lab_apt_sources "$1" "$2"
    lab_apt_conf "$2" > "$2/apt.conf"
    : > "$2/status"
    cat >> "$2/apt.conf" <<-CONF
	APT::Architecture "arm64";
	APT::Architectures { "arm64"; };
	Dir::State::status "$2/status";
	CONF
    lab_apt "$2" apt-get update -qq || lab_say "apt: not every source of suite $1 answered"
    lab_apt "$2" apt-cache show libc6 > /dev/null
}

# arm64_unpack SUITE DIR PACKAGE…: their files, without installing them
arm64_unpack() {
    local apt dir=$2
    apt=$(arm64_apt "$1") || return
    shift 2
    mkdir -p "$dir"
    (cd "$dir" && lab_apt "$apt" apt-get download "$@" >&2 &&
        for deb in ./*.deb; do dpkg-deb -x "$deb" . || exit; done && rm ./*.deb)
}

# arm64_kernel SUITE FLAVOUR: boot/vmlinuz-VERSION and lib/modules/VERSION of linux-image-FLAVOUR
arm64_kernel() {
    local name=$1
    [ "$2" = cloud-arm64 ] || name=$1-$2
    arm64_once "$lab_cache/kernels/arm64-$name" arm64_kernel_fill "$1" "$2"
}
arm64_kernel_fill() { # SUITE FLAVOUR DIR
    local apt package parts
    lab_say "fetching the Debian kernel ($1, $2)"
    apt=$(arm64_apt "$1") || return
    package=$(lab_apt "$apt" apt-cache depends --important "linux-image-$2" |
        sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -1)
    [ -n "$package" ] || { lab_say "no linux-image-$2 in suite $1"; return 1; }
    # from 7.x on the kernel, its modules and its configuration are packages of their own
    parts=$(lab_apt "$apt" apt-cache depends --important "$package" |
        sed -n 's/^ *Depends: \(linux-\(base\|binary\|modules\)-.*\)/\1/p')
    # shellcheck disable=SC2086
    arm64_unpack "$1" "$3" "$package" $parts || return
    [ -d "$3/lib" ] || ln -s usr/lib "$3/lib"
    [ -d "$3/boot" ] || { mkdir "$3/boot" &&
        cp "$3"/lib/modules/*/vmlinuz "$3/boot/vmlinuz-$(ls "$3/lib/modules")"; } || return
    depmod -b "$3" "$(ls "$3/lib/modules")"
}

# arm64_debug SUITE KERNEL: System.map and vmlinux of its debuginfo package, the latter without DWARF:
# 260 MB to fetch, 45 to keep
arm64_debug() { arm64_once "$2-debug" arm64_debug_fill "$1" "$(ls "$2/lib/modules")"; }
arm64_debug_fill() { # SUITE VERSION DIR
    local apt
    lab_say "fetching the debuginfo of $2"
    apt=$(arm64_apt "$1") || return
    (cd "$3" && lab_apt "$apt" apt-get download "linux-image-$2-dbg" &&
        dpkg-deb --fsys-tarfile ./*.deb | tar -x --strip-components=5 ./usr/lib/debug/boot && rm ./*.deb &&
        aarch64-linux-gnu-strip --strip-debug -o vmlinux "vmlinux-$2" && rm "vmlinux-$2" &&
        mv "System.map-$2" System.map)
}

# arm64_kexec SUITE: kexec-tools with the libraries that it needs
arm64_kexec() { arm64_once "$lab_cache/arm64-kexec-$1" arm64_kexec_fill "$1"; }
arm64_kexec_fill() { # SUITE DIR
    local apt packages
    apt=$(arm64_apt "$1") || return
    packages=$(lab_apt "$apt" apt-cache depends --recurse --important kexec-tools |
        sed -n -E '/^(kexec-tools|libc6|zlib1g|liblzma5|libzstd1|libxen.*)$/p' | sort -u)
    # shellcheck disable=SC2086
    arm64_unpack "$1" "$2" $packages
}

arm64_busybox() { arm64_once "$lab_cache/arm64-busybox" arm64_busybox_fill; }
arm64_busybox_fill() { arm64_unpack "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$1" busybox-static; }

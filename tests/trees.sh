# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Trees of made machines for `--root`, as each distribution's kdump lays its files out. Sourced after
# tests/lib.sh.
release=6.1.0-test

put() { # FILE TEXT: makes a file, with its directories
    mkdir -p "$(dirname "$1")"
    printf '%s\n' "$2" > "$1"
}

program() { # FILE…: programs that do nothing
    local file
    for file; do
        put "$file" '#!/bin/sh'
        chmod 755 "$file"
    done
}

# What all have: a healthy kernel with 16 GB, and vmcore-summary installed.
tree_common() { # DIR
    put "$1/proc/sys/kernel/osrelease" "$release"
    put "$1/proc/meminfo" "MemTotal:       16106127 kB"
    put "$1/proc/kallsyms" "$(printf '0000000000000000 T _stext\n0000000000000000 D init_task')"
    put "$1/proc/self/mountinfo" "20 1 253:0 / / rw - ext4 /dev/root rw"
    put "$1/proc/stat" "$(printf 'cpu 0\nbtime 4102444800')" # after whatever is built here
    put "$1/proc/sys/vm/panic_on_oom" 1
    put "$1/proc/sys/vm/oom_kill_allocating_task" 0
    put "$1/proc/sys/kernel/panic" 10
    put "$1/proc/sys/kernel/panic_on_oops" 1
    put "$1/sys/kernel/kexec_crash_size" $((256 << 20))
    put "$1/sys/kernel/kexec_crash_loaded" 1
    put "$1/sys/kernel/btf/vmlinux" BTF
    mkdir -p "$1/var/crash"
    program "$1/usr/lib/vmcore-summary/vmcore-summary" "$1/usr/lib/vmcore-summary/kdump-post" \
        "$1/usr/lib/vmcore-summary/kdump-emergency" "$1/usr/lib/vmcore-summary/suse-pre" \
        "$1/usr/lib/vmcore-summary/suse-post"
}

tree_fedora() { # DIR
    tree_common "$1"
    program "$1/usr/bin/kdumpctl" "$1/usr/sbin/mkdumprd"
    put "$1/etc/sysconfig/kdump" 'KDUMP_COMMANDLINE_APPEND="irqpoll"'
    put "$1/etc/kdump.conf" "$(printf '# a comment\npath /var/crash\ncore_collector makedumpfile -l -d 31')"
    mkdir -p "$1/etc/kdump/pre.d" "$1/etc/kdump/post.d"
}

tree_suse() { # DIR
    tree_common "$1"
    program "$1/usr/lib/kdump/kdump-save" "$1/usr/sbin/mkdumprd"
    put "$1/etc/sysconfig/kdump" "$(printf 'KDUMP_SAVEDIR="/var/crash"\nKDUMP_PRESCRIPT=""\nKDUMP_POSTSCRIPT=""')"
}

tree_debian() { # DIR
    tree_common "$1"
    program "$1/usr/sbin/kdump-config"
    put "$1/etc/default/kdump-tools" 'USE_KDUMP=1'
    # shellcheck disable=SC2016  # as the package has it
    put "$1/etc/default/grub.d/kdump-tools.cfg" \
        'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=384M-:128M"'
    mkdir -p "$1/usr/lib/systemd/system"
    cp "$top/systemd/vmcore-summary-kdump-tools.service" "$1/usr/lib/systemd/system/"
    mkdir -p "$1/etc/systemd/system"
}

# An image as dracut makes it, with these empty files in it.
tree_image() { # IMAGE FILE…
    local image=$1 work
    work=$(mktemp -d -p "$scratch")
    shift
    (cd "$work" && mkdir -p usr/lib && touch usr/lib/some && for f; do mkdir -p "$(dirname "./$f")" && touch "./$f"; done &&
        find . -mindepth 1 | sed 's|^\./||' | cpio -o -H newc --quiet | gzip) > "$work.img"
    mkdir -p "$(dirname "$image")"
    mv "$work.img" "$image"
}

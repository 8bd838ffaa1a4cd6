# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A root directory with no more in it than a distribution's kdump image has, for the flow of its own
# scripts: the programs of this machine, one by one, /proc with a vmcore in it, a console that is read,
# and `systemctl` and `reboot` that only say so. For tests that run in a mount namespace of their own.

# vmcore_of_cache: a dump of a whole machine, if one of the other tests has left one
vmcore_of_cache() {
    local f
    for f in "${VMCORE:-}" "$cache"/vmcores/bookworm-*-1024/vmcore; do
        if [ -s "$f" ]; then
            echo "$f"
            return
        fi
    done
}

# capture_root_cant VMCORE FLOW NAME PROGRAM…: why the flow of the script FLOW, from a checkout of the
# project that the environment variable NAME=DIR names, cannot be run on VMCORE here; nothing if it can
capture_root_cant() {
    local vmcore=$1 flow=$2 name=$3 p
    shift 3
    [ -e "$flow" ] || { echo "$name names no checkout"; return; }
    [ -n "$vmcore" ] || { echo "no vmcore in the cache: tests/lab/vmcore.sh makes one"; return; }
    [ -n "${IN_NAMESPACE:-}" ] || { echo "no mount namespaces here"; return; }
    for p; do
        [ -n "$(command -v "$p")" ] || { echo "no $p here"; return; }
    done
}

# capture_root VMCORE SHELL PROGRAM…: makes $root; its console is read into $scratch/console
capture_root() {
    local vmcore=$1 shell=$2 p
    shift 2
    root=$scratch/root
    mkdir -p "$root"
    mount -t tmpfs none "$root"
    mkdir -p "$root"/{host,realproc,proc,dev,run,tmp,etc,sysroot,kdumproot,kdump/mnt,root,var/lib,var/tmp} \
        "$root"/usr/{bin,lib/vmcore-summary}
    for p in bin sbin; do ln -s usr/bin "$root/$p"; ln -sfn bin "$root/usr/sbin"; done
    ln -s usr/lib "$root/lib"
    ln -s /host/usr/lib64 "$root/lib64"
    ln -s "/host/usr/lib/$(uname -m)-linux-gnu" "$root/usr/lib/"
    mount --bind / "$root/host"
    mount -o remount,bind,ro "$root/host"
    for p in "$shell" "$@"; do
        ln -s "/host$(readlink -f "$(command -v "$p")")" "$root/usr/bin/$p"
    done
    [ "$shell" = sh ] || ln -s "$shell" "$root/usr/bin/sh"
    mount -t proc proc "$root/realproc"
    for p in "$root"/realproc/*; do ln -s "/realproc/${p##*/}" "$root/proc/"; done
    rm -f "$root/proc/cmdline" "$root/proc/sysrq-trigger"
    echo quiet > "$root/proc/cmdline"
    : > "$root/proc/vmcore"
    mount --bind "$vmcore" "$root/proc/vmcore"
    for p in null zero urandom; do
        : > "$root/dev/$p"
        mount --bind "/dev/$p" "$root/dev/$p"
    done
    mkfifo "$root/dev/console"
    ln -s /realproc/self/fd "$root/dev/fd"
    for p in systemctl reboot halt; do
        printf '#!/bin/sh\necho "%s $*" >> /final\n' $p > "$root/usr/bin/$p"
        chmod +x "$root/usr/bin/$p"
    done
    cp "$static" "$root/usr/lib/vmcore-summary/vmcore-summary"
    exec 8<> "$root/dev/console"
    cat <&8 > "$scratch/console" &
    console_reader=$!
}

# in_root COMMAND…: as an image's init would, with a limit that no flow needs
in_root() {
    (cd / && env -i HOME=/ PATH=/usr/sbin:/usr/bin TERM=linux NEWROOT=/sysroot DRACUT_SYSTEMD=1 \
        timeout 300 chroot "$root" "$@") >> "$scratch/output" 2>&1 < /dev/null
}

# Everything mounted below $scratch goes with the namespace, but the loop devices would not.
capture_root_done() {
    kill "$console_reader" 2> /dev/null
    exec 8>&-
    awk -v s="$scratch/" 'index($5, s) == 1 { print $5 }' /proc/self/mountinfo | sort -r | xargs -r umount -l
}

# --- a server for ssh to "crashhost" ----------------------------------------------------------------
# With the key of kdump-utils, which is also the default one.
start_sshd() {
    sshd=${SSHD:-$(command -v sshd)}
    mkdir -m 700 "$scratch/ssh" "$root/root/.ssh"
    ssh-keygen -q -t ed25519 -N '' -f "$scratch/ssh/host"
    ssh-keygen -q -t ed25519 -N '' -f "$root/root/.ssh/kdump_id_rsa"
    cp "$root/root/.ssh/kdump_id_rsa.pub" "$scratch/ssh/authorized_keys"
    mkdir -p /run/sshd "$root/etc/ssh"
    printf '%s\n' Port\ 20022 "ListenAddress 127.0.0.1" "HostKey $scratch/ssh/host" "StrictModes no" "UsePAM no" \
        "Subsystem sftp internal-sftp" "AuthorizedKeysFile $scratch/ssh/authorized_keys" "PidFile $scratch/ssh/pid" > "$scratch/ssh/config"
    "$sshd" -f "$scratch/ssh/config" -E "$scratch/ssh/log" || return
    echo "[127.0.0.1]:20022 $(cat "$scratch/ssh/host.pub")" > "$root/root/.ssh/known_hosts"
    printf 'Host crashhost\nIdentityFile /root/.ssh/kdump_id_rsa\nHostName 127.0.0.1\nPort 20022\nUserKnownHostsFile /root/.ssh/known_hosts\n' > "$root/etc/ssh/ssh_config"
    echo "root:x:0:0:root:/root:/bin/sh" > "$root/etc/passwd"
    return 0
}

stop_sshd() {
    local pid
    [ -s "$scratch/ssh/pid" ] || return
    pid=$(cat "$scratch/ssh/pid")
    kill "$pid"
    while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
}

fake_ssh() { # runs what it is told here, below /there
    local p
    mkdir "$root/there"
    for p in ssh scp; do rm -f "$root/usr/bin/$p"; done
    # shellcheck disable=SC2016
    {
        printf '#!/bin/sh\nwhile :; do case $1 in -q) shift ;; -[io]) shift 2 ;; *) break ;; esac; done\nshift\n%s\n' \
            'SSH_CLIENT="127.0.0.1 1 2" exec sh -c "$*"' > "$root/usr/bin/ssh"
        printf '#!/bin/sh\nfor last; do from=$to; to=$last; done\ncp "$from" "${to#*:}"\n' > "$root/usr/bin/scp"
    }
    chmod +x "$root/usr/bin/ssh" "$root/usr/bin/scp"
}

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A Debian 12 machine of its own packages, kdump-tools among them as Debian ships it, for kdump_tools.sh; and
# another one that receives what it sends.

# kdump_tools_packages: what kdump-tools recommends, how it sends dumps elsewhere, the libraries of our program
kdump_tools_packages() {
    echo systemd,systemd-sysv,udev,kmod,initramfs-tools,zstd,linux-image-cloud-amd64,kdump-tools,makedumpfile,openssh-client,nfs-common,iproute2,libelf1,libjansson4,libinih1,libkdumpfile10
}
kdump_server_packages() { echo openssh-server,nfs-ganesha,nfs-ganesha-vfs; }

# kdump_tools_root NAME PACKAGES: prints the directory of a Debian 12 root with PACKAGES and nothing of ours,
# made by debootstrap when the cache has none
kdump_tools_root() {
    local dir=$lab_cache/$1-bookworm mirror
    mkdir -p "$lab_cache"
    (
        flock 9
        [ "$(cat "$dir/.complete" 2> /dev/null)" = "$2" ] && exit
        lab_say "installing Debian 12: $1"
        # shellcheck disable=SC2016  # apt-get expands it
        mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Codename: bookworm' | head -1)
        rm -rf "$dir" && mkdir -p "$dir" &&
            debootstrap --variant=minbase --include="$2" bookworm "$dir/root" \
                "${mirror:-http://deb.debian.org/debian}" > "$dir/log" 2>&1 || { tail -n 5 "$dir/log" >&2; exit 1; }
        echo "$2" > "$dir/.complete"
    ) 9> "$dir.lock" || return
    echo "$dir/root"
}

# kdump_tools_configure ROOT: what the administrator of this machine has set
kdump_tools_configure() {
    local root=$1 version
    version=$(ls "$root/lib/modules")
    echo kdump > "$root/etc/hostname"
    printf '%s\n' "/dev/vda / ext4 rw 0 1" > "$root/etc/fstab"
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

# kdump_tools_network ROOT SERVER: an address of QEMU's own network, and a key that SERVER knows
kdump_tools_network() {
    mkdir -p "$1/etc/systemd/network" &&
        printf '%s\n' '[Match]' 'Name=e*' '[Network]' Address=10.0.2.15/24 Gateway=10.0.2.2 IPv6AcceptRA=no \
            > "$1/etc/systemd/network/lan.network" &&
        systemctl --root="$1" -q enable systemd-networkd.service systemd-networkd-wait-online.service &&
        (umask 077 && mkdir -p "$1/root/.ssh" "$2/root/.ssh") &&
        ssh-keygen -q -t ed25519 -N '' -C kdump -f "$1/root/.ssh/kdump_id_rsa" &&
        install -m 600 "$1/root/.ssh/kdump_id_rsa.pub" "$2/root/.ssh/authorized_keys" &&
        sed 's/^/10.0.2.2 /' "$2"/etc/ssh/ssh_host_*_key.pub > "$1/root/.ssh/known_hosts"
}

# kdump_tools_disk DISK MB [ROOT]: with ROOT on it
kdump_tools_disk() {
    rm -f "$1"
    truncate -s "$2M" "$1" && mkfs.ext4 -q -F -m 0 -E lazy_itable_init=0 ${3:+-d "$3"} "$1"
}

# kdump_tools_boot ROOT DISK CONSOLE MEM_MB [OPTION…]: until the machine powers off. Without hardware whose
# drivers have nothing to do here, and without drivers that take long to load; svm=off, aes=off,pclmulqdq=off in
# their place made a guest of QEMU 7.2 whose mounts fail.
kdump_tools_boot() {
    local root=$1 disk=$2 console=$3 mem=$4
    shift 4
    local quiet=modprobe.blacklist=kvm_amd,aesni_intel,ghash_clmulni_intel
    timeout "${LAB_TIMEOUT:-3600}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m "$mem" \
        -nodefaults -display none -serial "file:$console" \
        -kernel "$(echo "$root"/boot/vmlinuz-*)" -initrd "$(echo "$root"/boot/initrd.img-*)" \
        -append "console=ttyS0 root=/dev/vda rw panic=10 $quiet ${LAB_CRASHKERNEL:-crashkernel=384M-:128M}" \
        -drive "file=$disk,format=raw,if=virtio,cache=unsafe,discard=unmap,detect-zeroes=unmap" "$@" < /dev/null
}

# kdump_server_run ROOT COMMAND…: runs COMMAND, which may be a function of this file, where 127.0.0.1 is a server
# with sshd and NFS: in a network of its own, which ends with it. Below ROOT/var/crash is what came by ssh, below
# ROOT/srv/crash what came by NFS.
# shellcheck disable=SC2016  # the shell there expands
kdump_server_run() {
    local here=${BASH_SOURCE[0]}
    unshare -mnp --fork --kill-child --mount-proc \
        "$BASH" -c '. "$1" && kdump_server_start "$2" && shift 2 && "$@"' sh "$here" "$@"
}

kdump_server_start() { # ROOT
    ip link set lo up &&
        mkdir -p "$1"/{run/sshd,run/ganesha,srv/crash,var/crash,var/lib/nfs/ganesha} &&
        mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
        mount --bind "$1/srv/crash" "$1/srv/crash" && ln -sf /proc/self/mounts "$1/etc/mtab" || return # ganesha looks there
    cat > "$1/etc/ganesha/ganesha.conf" <<-'CONF'
	NFS_CORE_PARAM { Protocols = 4; Enable_NLM = false; Enable_RQUOTA = false; }
	NFSV4 { Graceless = true; }
	EXPORT { Export_Id = 1; Path = /srv/crash; Pseudo = /srv/crash; Access_Type = RW; Squash = None; FSAL { Name = VFS; } }
	CONF
    chroot "$1" /usr/sbin/sshd -D -e -o ListenAddress=127.0.0.1 -o UsePAM=no 2> "$1/sshd.log" < /dev/null &
    chroot "$1" /usr/bin/ganesha.nfsd -F -L /ganesha.log -f /etc/ganesha/ganesha.conf -N NIV_EVENT < /dev/null &
}

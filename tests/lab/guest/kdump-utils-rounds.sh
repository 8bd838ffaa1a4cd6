# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# For round.sh on the machine of kdump_utils.sh.
configure() { # ROUND
    case $1 in
    instead) # what `vmcore-summary enable` says is to be done by hand
        mkdir -p /etc/vmcore-summary.conf.d
        printf '[Dump]\nMode=instead\n' > /etc/vmcore-summary.conf.d/mode.conf
        vmcore-summary enable > "out/$1/enable"
        grep '^ *kdump_pre' "out/$1/enable" >> /etc/kdump.conf
        ;;
    lvm) # another file system, on a logical volume; there is room for a dump
        mkdir -p /dumps /etc/systemd/system/vmcore-summary-harvest.service.d
        pvcreate -q /dev/vdb && vgcreate -q crash /dev/vdb && lvcreate -q -y -W n -n dumps -l 100%FREE crash &&
            mkfs.ext4 -q /dev/crash/dumps && mount /dev/crash/dumps /dumps && mkdir /dumps/here
        echo "/dev/mapper/crash-dumps /dumps ext4 defaults 0 2" >> /etc/fstab
        sed -i 's|^path .*|path /here|' /etc/kdump.conf
        echo "ext4 /dev/mapper/crash-dumps" >> /etc/kdump.conf
        printf '[Capture]\nDirectory=/dumps/here\n[Dump]\nMode=auto\nMinFree=1M\n' > /etc/vmcore-summary.conf.d/mode.conf
        printf '[Unit]\nConditionDirectoryNotEmpty=|/dumps/here\nRequiresMountsFor=/dumps/here\n' > \
            /etc/systemd/system/vmcore-summary-harvest.service.d/dumps.conf
        ;;
    esac # else as `make install` has left it
}

dumps_of() {
    case $1 in
    lvm) echo /dumps/here ;;
    *) echo /var/crash ;;
    esac
}

image() { echo "/boot/initramfs-$(uname -r)kdump.img"; }

crash() {
    case $1 in
    lvm) kdumpctl test --force ;; # crashes the machine by itself
    *) echo c > /proc/sysrq-trigger ;;
    esac
}

at_end() { kdumpctl status > out/status 2>&1; }

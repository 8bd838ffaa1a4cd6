# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# How every machine of the lab begins (busybox initramfs), sourced by its /init: kernel file systems and
# modules; and what several of them do then.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done < /modules/order

# mount_disk DIR: waits for the disk; without one the machine ends
mount_disk() {
    tries=0
    until [ -b /dev/vda ] || [ $tries = 40 ]; do sleep 0.5; tries=$((tries + 1)); done
    mount -t ext4 /dev/vda "$1" || { echo "lab: no disk"; poweroff -f; }
}

# memcg_oom: a memory cgroup "webapp" of 60 MB, and an OOM kill in it
memcg_oom() {
    mkdir -p /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup
    echo +memory > /sys/fs/cgroup/cgroup.subtree_control
    mkdir /sys/fs/cgroup/webapp
    echo 60M > /sys/fs/cgroup/webapp/memory.max
    sh -c 'echo 0 > /sys/fs/cgroup/webapp/cgroup.procs; exec tail /dev/zero'
}

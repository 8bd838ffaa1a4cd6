#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A capture kernel that keeps everything: /proc/vmcore itself, and what vmcore-dmesg makes of it.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done < /modules/order
tries=0
until [ -b /dev/vda ] || [ $tries = 20 ]; do sleep 0.5; tries=$((tries + 1)); done
mount -t ext4 /dev/vda /var/crash || { echo "lab: no disk"; poweroff -f; }
echo "lab: the capture kernel saves the memory"
vmcore-dmesg /proc/vmcore > /var/crash/vmcore-dmesg.txt
dd if=/proc/vmcore of=/var/crash/vmcore bs=1M
sync
umount /var/crash
echo "lab: saved"
poweroff -f

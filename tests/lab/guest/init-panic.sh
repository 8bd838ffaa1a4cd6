#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A machine without a capture kernel (busybox initramfs), whose memory QEMU dumps once it has
# panicked: tells QEMU where VMCOREINFO is, by qemu_fw_cfg, and runs /lab/scenario.sh.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done < /modules/order
tries=0
until [ -b /dev/vda ] || [ $tries = 40 ]; do sleep 0.5; tries=$((tries + 1)); done
mount -t ext4 /dev/vda /var/crash || { echo "lab: no disk"; poweroff -f; }
echo "lab: the machine is up, $(uname -rm)"
mkdir -p /var/crash/lab/truth
. /lab/truth.sh
. /lab/scenario.sh
echo "lab: no crash came"
poweroff -f

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The initramfs of a machine whose root, with systemd, is on its disk.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done < /modules/order
tries=0
until [ -b /dev/vda ] || [ $tries = 20 ]; do sleep 0.5; tries=$((tries + 1)); done
mount -t ext4 /dev/vda /root || { echo "lab: no disk"; poweroff -f; }
mount --move /dev /root/dev
mount --move /proc /root/proc
mount --move /sys /root/sys
exec switch_root /root /lib/systemd/systemd

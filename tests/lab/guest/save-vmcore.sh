#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A capture kernel that keeps everything: /proc/vmcore itself, and what vmcore-dmesg makes of it.
. /lab/start.sh
mount_disk /var/crash
echo "lab: the capture kernel saves the memory"
vmcore-dmesg /proc/vmcore > /var/crash/vmcore-dmesg.txt
dd if=/proc/vmcore of=/var/crash/vmcore bs=1M
sync
umount /var/crash
echo "lab: saved"
poweroff -f

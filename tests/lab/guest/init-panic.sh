#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A machine without a capture kernel (busybox initramfs), whose memory QEMU dumps once it has
# panicked: tells QEMU where VMCOREINFO is, by qemu_fw_cfg, and runs /lab/scenario.sh.
. /lab/start.sh
mount_disk /var/crash
echo "lab: the machine is up, $(uname -rm)"
mkdir -p /var/crash/lab/truth
. /lab/truth.sh
. /lab/scenario.sh
echo "lab: no crash came"
poweroff -f

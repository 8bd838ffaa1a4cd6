#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The machine of pmsg.sh (busybox initramfs), whose memory outlives its reboots. What pstore has kept goes
# to the second serial line and says what comes next; there is no disk to note it on.
. /lab/start.sh
kept=/sys/fs/pstore/pmsg-ramoops-0

reboot_at_once() { echo b > /proc/sysrq-trigger; }

if [ -e /proc/vmcore ]; then
    echo "lab: capture"
    vmcore-summary capture --output ''
    echo "lab: captured with status $?"
    reboot_at_once
fi
echo "lab: zone of $(cat /sys/module/ramoops/parameters/pmsg_size)"
mount -t pstore pstore /sys/fs/pstore
stty -F /dev/ttyS1 raw
if ! [ -e $kept ]; then
    kexec -p /boot/vmlinuz --initrd=/boot/capture.img --append="$(cat /lab/capture-cmdline)" ||
        { echo "lab: no capture kernel"; sleep 600; }
    echo 1 > /proc/sys/kernel/sysrq
    echo "lab: crash"
    echo c > /proc/sysrq-trigger
fi
cat $kept > /dev/ttyS1
echo "lab: end of a record" > /dev/ttyS1
if ! grep -q '^line ' $kept; then # it was the digest; what does the kernel itself do with too much?
    rm $kept
    awk 'BEGIN { for (i = 1; i <= 9000; i++) print "line " i }' > /tmp/lines
    dd if=/tmp/lines of=/dev/pmsg0 bs=1M
    echo "written later" > /dev/pmsg0
    sleep 1 # until ttyS1 has it all
    reboot_at_once
fi
sleep 1
echo "lab: done"
sleep 600

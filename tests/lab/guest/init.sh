#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The machine that crashes (busybox initramfs): mounts its disk, loads the capture kernel, runs
# /lab/scenario.sh. When the disk says that this machine had crashed before, it runs /lab/after.sh.
. /lab/start.sh
mount_disk /var/crash

if [ -e /var/crash/lab/armed ]; then
    echo "lab: the machine is back"
    . /lab/after.sh
    sync
    umount /var/crash
    poweroff -f
fi

echo "lab: the machine is up, $(uname -r)"
console=$(sed -n 's/.*\(console=[^ ]*\).*/\1/p' /proc/cmdline)
args="$console nr_cpus=1 irqpoll reset_devices panic=10 loglevel=4 $(cat /var/crash/lab/capture-cmdline 2>/dev/null)"
# kexec-tools ask for _text on arm64, and without an answer describe memory wrongly. Where kallsyms is
# of functions alone, it begins with _stext, 64 KiB behind.
if ! grep -q ' _text$' /proc/kallsyms && sed -n 's/10000 T _stext$/00000 T _text/p' /proc/kallsyms | grep . > /run/kallsyms; then
    cat /proc/kallsyms >> /run/kallsyms
    mount -o bind /run/kallsyms /proc/kallsyms
fi
kexec -p /boot/vmlinuz --initrd=/boot/capture.img --append="$args" ||
    kexec -s -p /boot/vmlinuz --initrd=/boot/capture.img --append="$args"
umount /proc/kallsyms 2> /dev/null
rm -f /run/kallsyms
[ "$(cat /sys/kernel/kexec_crash_loaded)" = 1 ] || { echo "lab: no capture kernel"; poweroff -f; }
echo "lab: the capture kernel is loaded"
mkdir -p /var/crash/lab/truth
touch /var/crash/lab/armed
sync
. /lab/truth.sh
. /lab/scenario.sh
echo "lab: no crash came"
poweroff -f

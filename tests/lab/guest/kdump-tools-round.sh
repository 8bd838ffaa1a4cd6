#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# On the machine of kdump_tools.sh, once at the end of each boot: keeps what the last crash left, and crashes
# again, for each mode that /lab/modes names, a line each. Then it powers off.
cd /lab || exit
exec > /dev/console 2>&1
[ ! -s crashed ] || {
    read -r mode < crashed
    mkdir -p "out/$mode"
    vmcore-summary list --no-legend --no-pager > "out/$mode/list"
    vmcore-summary list --json > "out/$mode/list.json"
    vmcore-summary show --no-pager > "out/$mode/show"
    find /var/crash -type f > "out/$mode/files"
    cp /run/motd.d/vmcore-summary "out/$mode/motd"
    systemctl show -p Result,ActiveState vmcore-summary-harvest.service kdump-tools.service > "out/$mode/units"
    : > crashed
}
read -r mode < modes || {
    echo "lab: done"
    journalctl --sync
    exec systemctl poweroff
}
sed -i 1d modes
echo "$mode" > crashed
mkdir -p /etc/vmcore-summary.conf.d
printf '[Dump]\nMode=%s\n' "$mode" > /etc/vmcore-summary.conf.d/mode.conf
kdump-config status
cat /proc/sys/kernel/random/boot_id >> boots
journalctl --sync
sync
echo "lab: crash, Mode=$mode"
echo 1 > /proc/sys/kernel/sysrq
echo c > /proc/sysrq-trigger

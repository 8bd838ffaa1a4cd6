#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# On the machine of kdump_tools.sh, once at the end of each boot: keeps what the last crash left, and crashes
# again, for each directory of /lab/rounds, which holds a drop-in for vmcore-summary.conf and lines for
# kdump-tools' own configuration. Then it powers off.
cd /lab || exit
exec > /dev/console 2>&1

keep() { # ROUND
    mkdir -p "out/$1" "kept/$1"
    stat -f -c 'free=%a blocks=%b' /var/crash > "out/$1/disk"
    vmcore-summary list --no-legend --no-pager > "out/$1/list"
    vmcore-summary list --json > "out/$1/list.json"
    vmcore-summary show --no-pager > "out/$1/show"
    find /var/crash -type f -printf '%P %s\n' > "out/$1/files"
    cp /run/motd.d/vmcore-summary "out/$1/motd"
    systemctl show -p Result,ActiveState vmcore-summary-harvest.service kdump-tools.service > "out/$1/units"
    journalctl --sync
    journalctl -b -o json -t vmcore-summary --quiet > "out/$1/journal"
    mv /var/crash/vmcore-summary /var/crash/2* "kept/$1" 2> /dev/null
}

[ ! -s crashed ] || {
    read -r round < crashed
    keep "$round"
    : > crashed
}
[ -e kdump-tools ] || cp /etc/default/kdump-tools kdump-tools
for next in rounds/*; do break; done
[ -d "$next" ] || {
    echo "lab: done"
    journalctl --sync
    exec systemctl poweroff
}
round=${next#rounds/[0-9]-}
echo "$round" > crashed
mkdir -p /etc/vmcore-summary.conf.d
cp "$next/vmcore-summary.conf" /etc/vmcore-summary.conf.d/round.conf
cat kdump-tools "$next/kdump-tools" > /etc/default/kdump-tools
rm -r "$next"
kdump-config status
journalctl --sync
sync
echo "lab: crash, $round"
echo 1 > /proc/sys/kernel/sysrq
echo c > /proc/sysrq-trigger

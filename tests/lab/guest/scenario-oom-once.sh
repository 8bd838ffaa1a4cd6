# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# One OOM panic, for large machines: a process for each gigabyte, for busybox's tail ends at two.
truth /var/crash/lab/truth
echo 1 > /proc/sys/vm/panic_on_oom
total=$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)
while [ "$total" -gt 0 ]; do
    tail /dev/zero &
    total=$((total - 1000000))
done
wait

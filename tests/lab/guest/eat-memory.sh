#!/lab/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# In a capture image in place of the program: takes memory until 32 MiB are available, as the kernel counts
# it, runs the program, and says what it used.
b=/lab/busybox left_kib=32768
available() { # in KiB, to $available; without a process of its own
    while read -r name kib _; do
        [ "$name" != MemAvailable: ] || available=$kib
    done < /proc/meminfo
}
least() { # the least that was available, until the file is gone
    least=$left_kib
    while [ -e /lab/running ]; do
        available
        [ "$available" -ge "$least" ] || least=$available
        $b usleep 2000
    done
    echo $((left_kib - least)) > /lab/used
}

$b mkdir -p /lab/eaten
$b mount -t tmpfs -o size=100% none /lab/eaten
n=0
available
until [ "$available" -le $((left_kib + 256)) ] || [ $n = 200 ]; do
    n=$((n + 1))
    # a half each time, for what else the kernel does in between
    $b dd if=/dev/zero of=/lab/eaten/$n bs=64k count=$(((available - left_kib) / 128 + 1)) 2> /dev/null
    available
done
echo "lab: $available KiB available"
left_kib=$available
: > /lab/running
least < /dev/null &
$b time -f "lab: %e s, largest process %M KiB" /lab/vmcore-summary "$@"
status=$?
$b rm /lab/running
wait
read -r used < /lab/used
echo "lab: $used KiB used, status $status"
exit $status

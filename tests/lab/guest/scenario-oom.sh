# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# Three OOM kills, one of them in a memory cgroup, then an OOM panic.
echo "lab: OOM kill 1: a memory cgroup of 60 MB is full"
memcg_oom
echo "lab: OOM kill 2: the whole machine is full"
tail /dev/zero
echo "lab: OOM kill 3: with oom_score_adj 500"
sh -c 'echo 500 > /proc/self/oom_score_adj; exec tail /dev/zero'
mount -t tmpfs -o size=200M none /tmp
sleep 1000 &
sleep 1000 &
dd if=/dev/zero of=/tmp/x bs=1M count=100 2> /dev/null
truth /var/crash/lab/truth
echo "lab: OOM panic: vm.panic_on_oom=1, 100 MB in a tmpfs, and full once more"
echo 1 > /proc/sys/vm/panic_on_oom
tail /dev/zero

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# Many dentries, inodes and files, some history, then the truth twice, with rounds of what moves by itself between, and a crash at once.
memcg_oom
tail /dev/zero
mount -t tmpfs -o size=200M none /tmp
dd if=/dev/zero of=/tmp/x bs=1M count=20 2> /dev/null
sleep 1000 &
sh -c 'echo 0 > /sys/fs/cgroup/webapp/cgroup.procs; echo 300 > /proc/self/oom_score_adj; exec sleep 1000' &
find /sys /proc > /dev/null 2>&1 # every name is a dentry, every file an inode
for d in 1 2 3 4 5; do cp -r /bin /tmp/d$d; done
sync
sleep 2
echo "lab: the truth"
truth /var/crash/lab/truth-before
rounds /var/crash/lab/rounds 20
truth /var/crash/lab/truth
echo c > /proc/sysrq-trigger

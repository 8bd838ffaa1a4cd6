#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A machine that does not crash (busybox initramfs): the running kernel is summarised from /proc/kcore
# while what the machine says of itself is written down again and again, before, during and after. Booted
# with lockdown=confidentiality, it only asks for a summary.
# shellcheck disable=SC2086 # $capture is a command and its words; $out has no blanks
. /lab/start.sh
mount_disk /var/crash
mount -t securityfs none /sys/kernel/security
chmod 755 / /bin /dev
echo "nobody:x:65534:65534::/:/bin/sh" > /etc/passwd
echo "lab: the machine is up, $(uname -r)"

out=/var/crash/lab
mkdir -p $out/before $out/after
# try NAME COMMAND…: what it says and how it ends
try() {
    name=$1
    shift
    "$@" > $out/$name.out 2> $out/$name.err
    echo $? > $out/$name.status
}
capture="vmcore-summary capture --live"

if grep -q lockdown= /proc/cmdline; then
    cat /sys/kernel/security/lockdown > $out/lockdown
    try locked $capture --output /var/crash/locked
    try unrehearsed vmcore-summary test
    sync
    umount /var/crash
    poweroff -f
fi

try nobody su nobody -c "$capture --output /tmp/nobody"
# by its path: busybox has a setpriv of its own, which cannot do this
try uncapable /bin/setpriv --bounding-set -sys_rawio $capture --output /tmp/uncapable
try masked unshare -m sh -c "mount --bind /dev/null /proc/kcore; $capture --output /tmp/masked"
try missing unshare -m sh -c "mount -t proc -o subset=pid proc /proc; $capture --output /tmp/missing"

. /lab/truth.sh
memcg_oom
sh -c 'echo 0 > /sys/fs/cgroup/webapp/cgroup.procs; echo 300 > /proc/self/oom_score_adj; exec sleep 1000' &
mount -t tmpfs -o size=200M none /tmp
dd if=/dev/zero of=/tmp/x bs=1M count=20 2> /dev/null
sync
sleep 2

# the counters that move, over and over until the file named $1 is gone
samples() {
    n=0
    while [ -e "$1" ]; do
        n=$((n + 1))
        cat /proc/meminfo > /run/samples/meminfo.$n
        cat /proc/slabinfo > /run/samples/slabinfo.$n
        cat /proc/zoneinfo > /run/samples/zoneinfo.$n
    done
}
mkdir /run/samples
cat /proc/stat > $out/stat
truth $out/before
touch /run/sampling
samples /run/sampling &
sleep 1
try live $capture --verbose --output /var/crash/live
sleep 1
rm /run/sampling
wait $!
truth $out/after
mv /run/samples $out/
try estimate vmcore-summary estimate --json
try classes $capture --section estimate --output /var/crash/classes
date +%s > $out/now

# processes that come and go as fast as they can: each summary must end, and say what it could not follow
touch /run/storm
for _ in 1 2; do
    while [ -e /run/storm ]; do sh -c 'busybox true | busybox true'; done &
done
n=0
while [ $n -lt "$(cat /lab/storm)" ]; do
    n=$((n + 1))
    try storm$n $capture --quiet --output /var/crash/storm$n
done
rm /run/storm
try rehearsed vmcore-summary test

# What is loaded for a crash, and what lies on the disk. The file is new, so that no time can tell.
image=/boot/vmcore-summary-$(uname -r).img
loaded() { # NAME [COMMAND…]: what `check` says of it
    name=$1
    shift
    "$@" vmcore-summary check --json > $out/loaded-$name
}
dd if=/dev/urandom of=$image bs=1k count=3001 2> /dev/null
loaded nothing
kexec -p /boot/vmlinuz --initrd=$image --append=console=ttyS0
loaded same
loaded masked unshare -m sh -c 'mount --bind /dev/null /proc/kcore; "$@"' sh
cp $image $image.new
echo >> $image.new
mv $image.new $image
loaded rebuilt
kexec -s -p /boot/vmlinuz --initrd=$image --append=console=ttyS0
loaded again
echo "lab: done"
sync
umount /var/crash
poweroff -f

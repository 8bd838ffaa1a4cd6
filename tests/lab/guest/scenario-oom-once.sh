# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# One OOM panic, for large machines.
truth /var/crash/lab/truth
echo 1 > /proc/sys/vm/panic_on_oom
tail /dev/zero

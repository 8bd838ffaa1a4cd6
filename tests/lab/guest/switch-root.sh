#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The initramfs of a machine whose root, with systemd, is on its disk.
. /lab/start.sh
mount_disk /root
mount --move /dev /root/dev
mount --move /proc /root/proc
mount --move /sys /root/sys
exec switch_root /root /lib/systemd/systemd

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A capture kernel with busybox in place of dracut: what our image does there is done all the same.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /run
while read -r module; do insmod "/modules/$module"; done < /modules/order
exec sh /usr/lib/vmcore-summary/image-run

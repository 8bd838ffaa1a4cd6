#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A capture kernel with busybox in place of dracut: what our image does there is done all the same.
. /lab/start.sh
mkdir -p /run
exec sh /usr/lib/vmcore-summary/image-run

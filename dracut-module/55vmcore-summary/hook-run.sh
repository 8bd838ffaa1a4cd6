#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by dracut's init in an image of our own: before the mounts, when all devices are there, or in
# an emergency, when they are not. It does not come back: init would look for a root file system for
# ever. Should even the reboot fail, init ends here, which panics the kernel, and panic= reboots it.
/usr/lib/vmcore-summary/image-run
[ "$$" = 1 ] && exit 1

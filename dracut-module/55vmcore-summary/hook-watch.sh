#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by dracut's init at its first stage, in an image of our own without systemd.
/usr/lib/vmcore-summary/image-run --watch

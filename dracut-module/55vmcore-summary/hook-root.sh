#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by dracut's init when its other hooks have read the command line. There is no root file
# system to look for, and init dies unless it is told that this is well.
# shellcheck disable=SC2034
root=vmcore-summary rootok=1

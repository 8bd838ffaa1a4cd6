# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# The boot after the crash: what a person would type. The output stays on the disk, too.
echo "lab: \$ vmcore-summary list"
vmcore-summary list 2>&1 | tee /var/crash/lab/list.txt
echo "lab: \$ vmcore-summary show"
vmcore-summary show 2>&1 | tee /var/crash/lab/show.txt
echo "lab: shown"

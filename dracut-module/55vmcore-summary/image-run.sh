#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The whole work of a capture image of our own: mount the target, capture, reboot.
#
#   image-run           all of it; never returns if a reboot is possible
#   image-run --watch   starts the dead man's switch and returns: after $limit seconds the machine
#                       reboots whatever hangs
#   image-run --reboot  only the reboot
#
# /etc/vmcore-summary/image.conf, written by mkimage, sets device, fstype, options, directory and
# device_wait, capture_limit, limit (seconds).
device='' fstype=auto options=rw directory=/var/crash/vmcore-summary device_wait=30 limit=240
. /etc/vmcore-summary/image.conf
. /usr/lib/vmcore-summary/capture-lib.sh
target=/run/vmcore-summary/target

# Three ways, each good when the one before is not: SysRq (needs no user space), the image's own
# reboot, which may be systemctl's and works without systemd only with -f. The caller ends as the third.
reboot_now() {
    say "rebooting"
    sync_all
    echo b > /proc/sysrq-trigger
    sleep 5
    reboot -f
    sleep 5
}

# Without `sync` in the image: SysRq's is asynchronous, so give it a moment.
sync_all() {
    bounded 20 umount "$target" && return
    echo s > /proc/sysrq-trigger
    sleep 2
    echo u > /proc/sysrq-trigger
    sleep 1
}

watch() {
    # a kernel that panics here must not stay; its command line may not say so
    [ "$(cat_line /proc/sys/kernel/panic)" = 0 ] && echo 10 > /proc/sys/kernel/panic
    (
        sleep "$limit"
        say "not done after $limit s"
        echo b > /proc/sysrq-trigger
        reboot -f
    ) < /dev/null &
}

wait_for_device() {
    wait_until=$(($(uptime_s) + device_wait))
    until [ -b "$device" ]; do
        [ "$(uptime_s)" -lt "$wait_until" ] || { say "$device has not appeared in $device_wait s"; return 1; }
        sleep 1
    done
}

mount_target() {
    mkdir -p "$target"
    is_mounted "$target" && return
    wait_for_device || return
    bounded 60 mount -t "$fstype" -o "$options" "$device" "$target" && return
    say "cannot mount $device ($fstype) on the target"
    return 1
}

work() {
    if ! [ -e /proc/vmcore ]; then
        say "no /proc/vmcore: this is no capture kernel"
        return
    fi
    say "reading the crashed kernel's memory"
    if mount_target; then
        capture_into "$target${directory%/}"
    else
        capture_to_console
    fi
}

case ${1:-} in
--watch) watch ;;
--reboot) reboot_now ;;
*)
    # a second call comes from an emergency after the first: then only the reboot is left
    if mkdir -p /run/vmcore-summary && mkdir /run/vmcore-summary/started 2> /dev/null; then
        work
    fi
    reboot_now
    ;;
esac

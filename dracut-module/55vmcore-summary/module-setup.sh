#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dracut module: puts vmcore-summary into a capture image.
#
# In the kdump images of distributions it brings only the program and its configuration; their own
# hooks (kdump/pre.d, kdump/post.d) call it. In an image of our own, which mkimage builds and marks by
# $VMCORE_SUMMARY_IMAGE, it also brings what mounts the target, runs the capture and reboots.
# Nothing here may depend on where dracut keeps its hooks or how it numbers its modules: both changed.
# shellcheck disable=SC2154  # moddir, initdir, systemdsystemunitdir… are dracut's

vmcore_summary_libdir=${VMCORE_SUMMARY_LIBDIR:-/usr/lib/vmcore-summary}
vmcore_summary_conf=${VMCORE_SUMMARY_CONF:-/etc/vmcore-summary.conf}

# 0: include, 255: only when asked for, 1: impossible
check() {
    [[ -x $vmcore_summary_libdir/vmcore-summary ]] || return 1
    [[ $VMCORE_SUMMARY_IMAGE ]] && return 0
    # mkdumprd of kdump-utils (Fedora, RHEL)
    [[ $IN_KDUMP ]] && return 0
    # mkdumprd of SUSE says `--add kdump`; their own modules look for it so
    [[ " $dracutmodules $add_dracutmodules $force_add_dracutmodules " == *" kdump "* ]] && return 0
    return 255
}

depends() {
    [[ $VMCORE_SUMMARY_IMAGE ]] && echo base udev-rules
    return 0
}

# /proc/vmcore needs no module; those of the target come from what mkimage tells dracut
installkernel() {
    return 0
}

install() {
    local config hook

    inst_simple "$vmcore_summary_libdir/vmcore-summary" /usr/lib/vmcore-summary/vmcore-summary
    inst_simple "$vmcore_summary_libdir/capture-lib.sh" /usr/lib/vmcore-summary/capture-lib.sh
    # for the hooks of kdump-utils in /etc/kdump, and for those that SUSE's configuration names
    for hook in kdump-utils.sh suse-kdump.sh suse-pre suse-post; do
        [[ ! -e $vmcore_summary_libdir/$hook ]] ||
            inst_simple "$vmcore_summary_libdir/$hook" "/usr/lib/vmcore-summary/$hook"
    done
    for config in "$vmcore_summary_conf" "$vmcore_summary_conf".d/*.conf; do
        [[ -e $config ]] && inst_simple "$config" "/etc/vmcore-summary.conf${config#"$vmcore_summary_conf"}"
    done
    vmcore_summary_profile
    inst_multiple mkdir mv mount sleep
    inst_multiple -o cat date ls readlink rm rmdir sync
    [[ $VMCORE_SUMMARY_IMAGE ]] && vmcore_summary_own_image
    return 0
}

# Whether the kernel that the image is for lacks BTF, or data among its symbols, in its memory. Of one
# that does not run its build's configuration tells; where that is not to be found, no.
vmcore_summary_wants_profile() {
    local config
    if [[ $kernel == "$(uname -r)" ]]; then
        [[ ! -e ${VMCORE_SUMMARY_BTF:-/sys/kernel/btf/vmlinux} ]] ||
            ! grep -q ' init_uts_ns$' "${VMCORE_SUMMARY_KALLSYMS:-/proc/kallsyms}"
        return
    fi
    for config in "${VMCORE_SUMMARY_BOOT:-/boot}/config-$kernel" "/lib/modules/$kernel/config"; do
        [[ -r $config ]] || continue
        ! grep -qx CONFIG_DEBUG_INFO_BTF=y "$config" || ! grep -qx CONFIG_KALLSYMS_ALL=y "$config"
        return
    done
    return 1
}

# The profile that the administrator made, or one that is made now, for a kernel that needs one. The
# capture takes it only for the kernel that it is of, so that a stale one does no harm.
vmcore_summary_profile() {
    local profile program=${VMCORE_SUMMARY_PROGRAM:-/usr/bin/vmcore-summary}

    profile=$(. "$vmcore_summary_libdir/capture-lib.sh" && config_value Profile /etc/vmcore-summary.profile)
    if [[ -e $profile ]]; then
        # a profile may name its kernel by a build id alone
        if ! grep -q '^release ' "$profile" || grep -qxF "release $kernel" "$profile"; then
            inst_simple "$profile"
            return 0
        fi
        dwarn "vmcore-summary: $profile is not of $kernel"
    fi
    vmcore_summary_wants_profile || return 0
    mkdir -p "$initdir${profile%/*}"
    [[ -x $program ]] && "$program" profile --kernel "$kernel" --output "$initdir$profile" ||
        dwarn "vmcore-summary: no profile of $kernel; memory, slabs and tasks will not be in its summaries"
    return 0
}

vmcore_summary_own_image() {
    # what image-run.sh reads: shell assignments, written by mkimage
    mkdir -p "$initdir/etc/vmcore-summary"
    printf '%s\n' "$VMCORE_SUMMARY_IMAGE" > "$initdir/etc/vmcore-summary/image.conf"
    # no shell that waits for someone, whatever fails; and a short wait for devices
    mkdir -p "$initdir/etc/cmdline.d"
    echo "rd.shell=0 rd.emergency=reboot rd.retry=40" > "$initdir/etc/cmdline.d/55-vmcore-summary.conf"
    inst_script "$moddir/image-run.sh" /usr/lib/vmcore-summary/image-run
    inst_multiple umount
    inst_hook emergency 00 "$moddir/hook-run.sh"
    inst_hook shutdown-emergency 00 "$moddir/hook-run.sh"
    if dracut_module_included systemd; then
        vmcore_summary_units
    else
        # systemctl under the name of reboot would bring megabytes of libraries
        [[ $(readlink -f "$(command -v reboot)") == *systemctl ]] || inst_multiple -o reboot
        inst_hook cmdline 00 "$moddir/hook-watch.sh"
        inst_hook cmdline 99 "$moddir/hook-root.sh"
        inst_hook pre-mount 00 "$moddir/hook-run.sh"
    fi
}

# A unit of this directory with the image's limit in it: @LIMIT@ seconds for the work, @SWITCH@ for all.
vmcore_summary_unit() { # FILE DESTINATION
    local limit
    limit=$(eval "$VMCORE_SUMMARY_IMAGE" && echo "${limit:-240}")
    mkdir -p "$initdir/${2%/*}"
    sed -e "s/@LIMIT@/$limit/" -e "s/@SWITCH@/$((limit + 40))/" "$moddir/$1" > "$initdir/$2"
}

vmcore_summary_units() {
    local unit=vmcore-summary-capture.service target=$systemdsystemunitdir/initrd.target

    vmcore_summary_unit $unit "$systemdsystemunitdir/$unit"
    mkdir -p "$initdir/$target.wants"
    ln -sf ../$unit "$initdir/$target.wants/$unit"
    vmcore_summary_unit initrd-target.conf "$target.d/vmcore-summary.conf"
    # emergency.service of dracut 059 starts its target anew for ever; ours ends in a reboot. In /etc,
    # for that wins over whichever file dracut installs.
    vmcore_summary_unit emergency.service /etc/systemd/system/emergency.service
    ln -sf emergency.service "$initdir/etc/systemd/system/dracut-emergency.service"
}

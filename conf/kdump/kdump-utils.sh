#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What our hooks for kdump-utils (Fedora, RHEL) share: where the dump goes, and what is to be done
# before and after it. kdump does not tell its hooks where the dump goes, so the image's own kdump.conf
# is read. Whoever sources this calls before_dump and after_dump through bounded(): whatever touches the
# target may hang on it.
: "${VMCORE_SUMMARY_LIB:=/usr/lib/vmcore-summary/capture-lib.sh}"
: "${VMCORE_SUMMARY_KDUMP_CONF:=/etc/kdump.conf}"
: "${VMCORE_SUMMARY_FSTAB:=/etc/fstab}"
: "${VMCORE_SUMMARY_CMDLINE:=/proc/cmdline}"
: "${VMCORE_SUMMARY_BOOTED:=/dev/zero}" # a file as old as this boot
: "${NEWROOT:=/sysroot}"
# shellcheck source=dracut-module/capture-lib.sh
. "$VMCORE_SUMMARY_LIB"

# --- where the dump goes ----------------------------------------------------------------------
# kdump.conf in the image names the target even where the administrator's does not.
read_kdump_conf() {
    kd_device='' kd_path=/var/crash kd_remote='' kd_host='' kd_sshkey=/root/.ssh/kdump_id_rsa
    kd_collector='makedumpfile -l -d 31' # kdump's own default
    while read -r kd_key kd_value; do
        kd_value=${kd_value%%#*}
        kd_value=${kd_value%"${kd_value##*[! 	]}"}
        case $kd_key in
        path) kd_path=${kd_value:-/var/crash} ;;
        sshkey) [ -f "$kd_value" ] && kd_sshkey=$kd_value ;;
        core_collector) kd_collector=${kd_value:-$kd_collector} ;;
        ssh) kd_remote=ssh kd_host=$kd_value ;;
        raw) kd_remote=raw ;;
        # before there were `ssh` and `nfs`
        net) case $kd_value in *@*) kd_remote=ssh kd_host=$kd_value ;; *) kd_device=$kd_value ;; esac ;;
        ext[234] | xfs | btrfs | f2fs | minix | vfat | nfs | nfs4 | virtiofs)
            [ -n "$kd_device" ] || kd_device=$kd_value
            ;;
        # --mount "DEVICE POINT TYPE OPTIONS", in whatever quotes
        dracut_args)
            case $kd_value in
            *--mount\ ?*)
                kd_value=${kd_value#*--mount ?}
                kd_device=${kd_value%% *}
                ;;
            esac
            ;;
        esac
    done < "$VMCORE_SUMMARY_KDUMP_CONF"
} 2> /dev/null

device_path() { # DEVICE as kdump.conf and fstab name it: its node
    case $1 in
    UUID=*) echo "/dev/disk/by-uuid/${1#*=}" ;;
    LABEL=*) echo "/dev/disk/by-label/${1#*=}" ;;
    PARTUUID=*) echo "/dev/disk/by-partuuid/${1#*=}" ;;
    PARTLABEL=*) echo "/dev/disk/by-partlabel/${1#*=}" ;;
    *) echo "$1" ;;
    esac
}

device_number() { # NODE: "major:minor" of a block device
    # shellcheck disable=SC2046
    set -- $(ls -lLn "$1" 2> /dev/null)
    case ${1:-} in
    b*) echo "${5%,}:$6" ;;
    esac
}

# mount_point DEVICE: where it is mounted, by its name or its number: like kdump, the first mount of a
# whole file system, else the first of a part of one where that is how they are mounted (btrfs
# subvolumes, NFS). Bind mounts of a directory are passed over.
mount_point() {
    mp_node=$(device_path "$1")
    mp_real=$(readlink -f "$mp_node" 2> /dev/null) || mp_real=$mp_node
    mp_number=$(device_number "$mp_node")
    mp_found=''
    while read -r _ _ mp_dev mp_root mp_point _ mp_rest; do
        mp_rest=${mp_rest#*- }
        mp_type=${mp_rest%% *}
        mp_source=${mp_rest#* }
        mp_source=${mp_source%% *}
        if [ "$mp_source" != "$1" ] && [ "$mp_source" != "$mp_node" ] &&
            [ "$mp_source" != "$mp_real" ] && [ "$mp_dev" != "$mp_number" ]; then
            continue
        fi
        case $mp_root,$mp_type in
        /,*) mp_found=$mp_point && break ;;
        *,nfs* | *,btrfs | *,virtiofs) mp_found=${mp_found:-$mp_point} ;;
        esac
    done < "$VMCORE_SUMMARY_MOUNTINFO"
    # mountinfo writes blanks as \040; %b of printf reads that
    [ -n "$mp_found" ] && printf '%b\n' "$mp_found"
}

# The mount point that dracut's fstab gives a device, mounted if it was not.
mount_by_fstab() { # DEVICE
    while read -r fs_device fs_point _; do
        [ "$(device_path "$fs_device")" = "$(device_path "$1")" ] || continue
        is_mounted "$fs_point" || bounded 60 mount "$fs_point" || continue
        echo "$fs_point"
        return
    done < "$VMCORE_SUMMARY_FSTAB"
    return 1
} 2> /dev/null

find_target() { # prints the mount point of the dump target
    if [ -n "$kd_device" ]; then
        mount_point "$kd_device" || mount_by_fstab "$kd_device"
    elif [ -z "$kd_remote" ] && is_mounted "$NEWROOT"; then
        echo "$NEWROOT"
    else
        return 1
    fi
}

# kdump remounts its target only when it writes the dump, after us.
make_writable() { # MOUNTPOINT
    while read -r _ _ _ _ mw_point mw_options _; do
        [ "$mw_point" = "$1" ] || continue
        case ,$mw_options, in
        *,ro,*) bounded 60 mount -o remount,rw "$1" ;;
        esac
        return
    done < "$VMCORE_SUMMARY_MOUNTINFO"
}

# --- over ssh -----------------------------------------------------------------------------------
# ssh_move SUMMARY_DIRECTORY PATH STATUS TEST_ID ADDRESSES: to the newest dump of this machine that is no
# older than the summary; with the record of it
# shellcheck disable=SC2016
ssh_move='umask 077; f=
if [ -n "$4" ]; then f=$2/kdump-test-$4; else
for x in "$2"/*-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]-[0-9][0-9]:[0-9][0-9]:[0-9][0-9]; do
  i=${x##*/}; i=${i%-????-??-??-??:??:??}
  case " $5 ${SSH_CLIENT%% *} " in *" $i "*) ;; *) continue ;; esac
  [ "$1" -nt "$x" ] && continue
  [ -n "$f" ] && ! [ "$x" -nt "$f" ] || f=$x
done; fi
[ -d "$f" ] && ! [ -L "$f" ] || f=$1
s=missing n=
for x in vmcore vmcore.flat vmcore-incomplete; do if [ -e "$f/$x" ]; then n=$x; break; fi; done
case $n in ?*-incomplete) s=incomplete ;; ?*) s=saved ;; esac
if [ "$f" != "$1" ]; then for x in jsonl.gz txt; do
  [ -e "$f/vmcore-summary.$x" ] || mv "$1/vmcore-summary.$x" "$f/vmcore-summary.$x"
done; rmdir "$1"; fi 2> /dev/null
printf "vmcore: %s\nstatus: %s\nfile: %s\n" $s "$3" "$n" > "$f/vmcore-summary.dump"
echo "$f"'

# A summary in this image's memory, then there. Notes where it is, for the other hooks.
capture_remote() { # [ARGUMENT…]
    capture_into "$VMCORE_SUMMARY_STATE/here" "$@"
    [ -n "$summary_directory" ] || return
    send_by_ssh "$kd_path"
}

# --- before the dump ----------------------------------------------------------------------------
# before_dump [--policy]: captures, once in a boot, and returns 0; with --policy, 10 if the dump is to
# be left out, which is never so before the summary is safe.
before_dump() {
    ! [ -e "$VMCORE_SUMMARY_STATE/before" ] || return 0
    note before started
    read_kdump_conf
    collector_options
    [ $# = 0 ] || set -- --policy --dump-level "$dump_level" --dump-compression "$dump_compression"
    [ $# -gt 0 ] || [ "$(config_value Mode alongside)" = alongside ] ||
        say "Mode= does nothing without kdump_pre: see vmcore-summary-kdump(7)"
    capture_status=0
    if target=$(find_target); then
        make_writable "$target"
        target=$target/${kd_path#/}
        [ $# = 0 ] || set -- "$@" --dump-target "$target"
        capture_into "$target/vmcore-summary" "$@"
        # for a machine that goes down during the dump
        [ -z "$summary_directory" ] || record_dump "$summary_directory" missing '' ''
    elif [ "$kd_remote" = ssh ]; then
        capture_remote "$@"
    else
        say "no file system to write to: the summary goes to the console"
        capture_to_console
    fi
    # whatever the program says, a dump is left out only for a summary that is there
    [ $# -gt 0 ] && [ "$capture_status" = 10 ] && leave_out || return 0
    return 10
}

leave_out() { # fails if the summary is nowhere
    [ -n "$summary_directory" ] && is_published "$summary_directory" || return
    record_dump "$summary_directory" skipped '' ''
    if [ "$kd_remote" = ssh ]; then
        [ -n "$(noted remote)" ] || return
        bounded "$ssh_limit" ssh_do "$summary_directory/vmcore-summary.dump" "$ssh_record" "$(noted remote)"
    else
        if [ -n "$(test_id)" ]; then place_beside "$(noted summary)" ''; fi
        bounded 30 settle "$summary_directory"
    fi
    say "the full dump is left out"
}

# --- after the dump -----------------------------------------------------------------------------
test_id() { # of `kdumpctl test`, which gives the dump a directory of its own
    set -f
    # shellcheck disable=SC2046
    set -- $(cat_line "$VMCORE_SUMMARY_CMDLINE")
    set +f
    for ti; do
        case $ti in
        kdump_test_id=*/*) ;;
        kdump_test_id=*) echo "${ti#*=}" ;;
        esac
    done
}

# The machine's addresses, from `ip` as kdump takes them: it is in images that need a network.
own_addresses() {
    ip -o addr | while read -r _ _ oa_family oa_address _; do
        case $oa_family in
        inet | inet6) echo "${oa_address%%/*}" ;;
        esac
    done
} 2> /dev/null

# dump_directory BASE FILE NOW: the newest directory below BASE that kdump made since FILE was written:
# IP-YYYY-MM-DD-HH:MM:SS with an address of this machine (other machines may dump to one NFS export),
# or kdump-test-ID of `kdumpctl test`. What is newer than NOW, a file just written there, was made
# before this boot, whose clock stands in the past.
# shellcheck disable=SC3013  # every shell of a capture image knows -nt
dump_directory() {
    dd_found=$(test_id)
    if [ -n "$dd_found" ]; then
        dd_found=$1/kdump-test-$dd_found
        [ -d "$dd_found" ] && ! [ -L "$dd_found" ] && echo "$dd_found"
        return
    fi
    dd_addresses=$(own_addresses)
    for dd in "$1"/*-[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]-[0-9][0-9]:[0-9][0-9]:[0-9][0-9]; do
        if ! [ -d "$dd" ] || [ -L "$dd" ] || [ "$2" -nt "$dd" ]; then continue; fi
        [ -e "$3" ] && [ "$dd" -nt "$3" ] && continue
        dd_address=${dd##*/}
        dd_address=${dd_address%-????-??-??-??:??:??}
        case "
$dd_addresses
" in
        *"
$dd_address
"* | "

") ;;
        *) [ "$dd_address" = 127.0.0.1 ] || continue ;;
        esac
        if [ -z "$dd_found" ] || [ "$dd" -nt "$dd_found" ]; then dd_found=$dd; fi
    done
    [ -n "$dd_found" ] && echo "$dd_found"
}

dump_file() { # DIRECTORY: the name of the dump in it
    for df in vmcore vmcore.flat vmcore-incomplete; do
        if [ -e "$1/$df" ]; then
            echo "$df"
            return
        fi
    done
}

# place_beside SUMMARY_DIRECTORY SINCE: moves the summary to the dump that was made since then; sets
# $summary_directory to where it is now
place_beside() {
    summary_directory=$1
    pb_dump=$(noted dump) # from kdump-collector, which knows
    [ -n "$pb_dump" ] || pb_dump=$(dump_directory "${1%/vmcore-summary/*}" "$2" "$1/vmcore-summary.dump") || return
    [ "$pb_dump" != "$1" ] || return 0
    move_beside "$1" "$pb_dump" || return
    summary_directory=$pb_dump
    note summary "$pb_dump"
    say "summary moved to $pb_dump"
}

record_after() { # DIRECTORY STATUS
    ra_file=$(dump_file "$1")
    ra_removed=
    case $ra_file in
    '') ra_state=missing ;;
    *-incomplete)
        ra_state=incomplete
        if [ "$2" != 0 ] && remove_half "$1" "$ra_file"; then ra_removed=yes ra_file=; fi
        ;;
    *)
        ra_state=saved
        if is_cut "$1" "$ra_file"; then
            ra_state=incomplete
            if remove_half "$1" "$ra_file"; then ra_removed=yes ra_file=; fi
        fi
        ;;
    esac
    record_dump "$1" "$ra_state" "$2" "$ra_file" "$ra_removed"
}

after_dump() { # STATUS
    since=$(noted summary)
    if ! [ -e "$VMCORE_SUMMARY_STATE/before" ]; then
        before_dump # kdump_post is all there is
        since=$VMCORE_SUMMARY_BOOTED
    fi
    ! [ -e "$VMCORE_SUMMARY_STATE/after" ] || return 0
    note after "$1"
    read_kdump_conf
    if [ -n "$(noted remote)" ]; then
        bounded "$ssh_limit" ssh_do /dev/null "$ssh_move" "$(noted remote)" "$kd_path" "$1" \
            "$(test_id)" "$(own_addresses | tr_lines)" > "$VMCORE_SUMMARY_STATE/moved"
        [ -z "$(noted moved)" ] || say "summary in $kd_host:$(noted moved)"
        return
    fi
    summary_directory=$(noted summary)
    [ -n "$summary_directory" ] && [ -d "$summary_directory" ] || return
    record_dump "$summary_directory" missing "$1" ''
    place_beside "$summary_directory" "$since"
    record_after "$summary_directory" "$1"
}

tr_lines() { # lines to words
    while read -r tl; do printf '%s ' "$tl"; done
}

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What suse-pre and suse-post share. They source this in a subshell of kdump-save, so that its variables
# (KDUMP_PROTO, KDUMP_SAVEDIR, DIR, SAVE_COMMAND…) are seen and none of ours are left behind. A script that
# is run instead of sourced sees only what the image's kdump.conf says.
: "${VMCORE_SUMMARY_LIB:=/usr/lib/vmcore-summary/capture-lib.sh}"
: "${VMCORE_SUMMARY_KDUMP_CONF:=/etc/kdump.conf}"
: "${VMCORE_SUMMARY_SUSE_MOUNT:=/kdump/mnt}"
# shellcheck source=dracut-module/capture-lib.sh
. "$VMCORE_SUMMARY_LIB"
: "${send_limit:=60}"
# shellcheck source=/dev/null
[ -n "${KDUMP_PROTO:-}" ] || ! [ -r "$VMCORE_SUMMARY_KDUMP_CONF" ] || . "$VMCORE_SUMMARY_KDUMP_CONF"

# Where kdump-save makes its directories; nothing for what it reaches over the network.
local_base() {
    case ${KDUMP_PROTO:-} in
    file) echo "$VMCORE_SUMMARY_SUSE_MOUNT${KDUMP_SAVEDIR#*://}" ;;
    nfs | cifs) echo "$VMCORE_SUMMARY_SUSE_MOUNT" ;;
    esac
}

dump_compression() {
    case ${KDUMP_DUMPFORMAT:-} in
    lzo | snappy | zstd) echo "$KDUMP_DUMPFORMAT" ;;
    ELF | raw) echo none ;;
    *) echo zlib ;;
    esac
}

# kdump-save deletes old dumps only after the script before the dump: the room that they leave is not
# to be seen yet, and a decision about room would be wrong.
old_dumps_go() { # BASE
    [ "${KDUMP_PROTO:-}" = file ] && [ "${KDUMP_KEEP_OLD_DUMPS:-0}" != 0 ] || return
    og_left=$KDUMP_KEEP_OLD_DUMPS
    for og in "$1"/[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]-[0-2][0-9][-:][0-5][0-9]; do
        [ ! -d "$og" ] || og_left=$((og_left - 1))
    done
    [ "$og_left" -lt 0 ]
}

# suse_before [--policy]: captures, once in a boot, and returns 0; with --policy, 10 if the dump is to be
# left out, which is never so before the summary is safe, and so never for a remote target: there it
# arrives with the rest.
suse_before() {
    ! [ -e "$VMCORE_SUMMARY_STATE/before" ] || return 0
    note before started
    base=$(local_base)
    case ${KDUMP_DUMPFORMAT:-} in none) shift $# ;; esac
    if [ -z "$base" ]; then
        capture_into "$VMCORE_SUMMARY_STATE/here"
        return 0
    fi
    if [ "$(config_value Mode alongside)" = auto ] && old_dumps_go "$base"; then shift $#; fi
    if [ $# -gt 0 ]; then
        dump_level=${KDUMP_DUMPLEVEL:-31}
        [ "${KDUMP_DUMPFORMAT:-}" != raw ] || dump_level=0
        set -- "$@" --dump-target "$base" --dump-level "$dump_level" --dump-compression "$(dump_compression)"
    fi
    capture_into "$base/vmcore-summary" "$@"
    [ -n "$summary_directory" ] || return 0
    # for a machine that goes down during the dump
    record_dump "$summary_directory" missing '' ''
    [ $# -gt 0 ] && [ "$capture_status" = 10 ] || return 0
    record_dump "$summary_directory" skipped '' ''
    say "the full dump is left out"
    return 10
}

# record_status DIRECTORY: what kdump-save said became of its vmcore
record_status() {
    rs_removed='' rs_file=''
    case ${KDUMP_DUMPFORMAT:-},${VMCORE_STATUS:-} in
    none,*) rs_state=skipped ;;
    *,saved*)
        rs_state=saved rs_file=vmcore
        if is_cut "$1" vmcore; then
            rs_state=incomplete
            if remove_half "$1" vmcore; then rs_removed=yes rs_file=''; fi
        fi
        ;;
    *,deleted*) rs_state=incomplete rs_removed=yes ;; # by kdump-save, for KDUMP_FREE_DISK_SIZE
    *)
        rs_state=missing
        if [ -f "$1/vmcore" ]; then
            rs_state=incomplete rs_file=vmcore
            if remove_half "$1" vmcore; then rs_removed=yes rs_file=''; fi
        fi
        ;;
    esac
    record_dump "$1" "$rs_state" "${VMCORE_STATUS:-}" "$rs_file" "$rs_removed"
}

# Through kdump-save's own channel, whatever it is. For bounded() only.
send() { # FILE
    # shellcheck disable=SC2034  # SAVE_COMMAND uses it
    FILENAME=${1##*/}
    cat "$1" > "$SOURCE" &
    eval "$SAVE_COMMAND"
}

suse_after() {
    [ -e "$VMCORE_SUMMARY_STATE/before" ] || suse_before # there is no script before the dump
    ! [ -e "$VMCORE_SUMMARY_STATE/after" ] || return 0
    note after yes
    directory=$(noted summary)
    [ -n "$directory" ] && [ -d "$directory" ] && [ -n "${DIR:-}" ] || return 0
    if [ -z "$(local_base)" ]; then
        record_status "$directory"
        for file in jsonl.gz txt dump; do
            [ ! -f "$directory/vmcore-summary.$file" ] ||
                bounded "$send_limit" send "$directory/vmcore-summary.$file" ||
                say "could not send vmcore-summary.$file"
        done
        return 0
    fi
    if [ -d "$DIR" ] && ! [ -L "$DIR" ] && move_beside "$directory" "$DIR"; then
        directory=$DIR
        say "summary moved to $DIR"
    fi
    record_status "$directory"
}

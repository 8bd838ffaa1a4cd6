#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the hooks of capture images share. POSIX sh with few programs: a capture image has little more
# than mkdir, mv, mount and sleep. Nothing here fails its caller, and nothing waits without a bound.
: "${VMCORE_SUMMARY:=/usr/lib/vmcore-summary/vmcore-summary}"
: "${VMCORE_SUMMARY_MOUNTINFO:=/proc/self/mountinfo}"
: "${VMCORE_SUMMARY_UPTIME:=/proc/uptime}"
: "${VMCORE_SUMMARY_CONF:=/etc/vmcore-summary.conf}"
: "${VMCORE_SUMMARY_STATE:=/run/vmcore-summary}" # what one hook leaves for the next

# config_value KEY DEFAULT: a value of the configuration, by vmcore-summary.conf(5)
config_value() {
    config_value=$2
    for config_file in "$VMCORE_SUMMARY_CONF" "$VMCORE_SUMMARY_CONF".d/*.conf; do
        [ -r "$config_file" ] || continue
        while IFS=' 	=' read -r config_key config_rest || [ -n "$config_key" ]; do
            [ "$config_key" = "$1" ] && config_value=${config_rest:-$2}
        done < "$config_file"
    done
    echo "$config_value"
}

duration_s() { # VALUE: a number with ms, s, min or h, in seconds; the default if it is not up to 24 h
    duration_s=${1%%[!0-9]*}
    duration_s=${duration_s#"${duration_s%%[!0]*}"} # or it is octal
    [ ${#duration_s} -le 8 ] || duration_s=
    case $1 in
    *ms) duration_s=$((${duration_s:-0} / 1000 + 1)) ;;
    *h) duration_s=$((${duration_s:-0} * 3600)) ;;
    *m | *min) duration_s=$((${duration_s:-0} * 60)) ;;
    esac
    [ "${duration_s:-0}" -gt 0 ] && [ "$duration_s" -le 86400 ] || duration_s=60
    echo "$duration_s"
}

# The program keeps its own deadline, and 15 s for what comes after; this is for when it cannot.
: "${capture_limit:=$(($(duration_s "$(config_value Deadline 60s)") + 30))}"
# and of a whole hook: it has to find, mount or reach the target, too
: "${hook_limit:=$((capture_limit + 90))}"

say() {
    said=$*
    echo "vmcore-summary: $*"
}

cat_line() { # FILE: its first line
    cat_line=''
    read -r cat_line < "$1"
    echo "$cat_line"
} 2> /dev/null

note() { # NAME VALUE: for the hooks that follow
    mkdir -p "$VMCORE_SUMMARY_STATE" && echo "$2" > "$VMCORE_SUMMARY_STATE/$1"
}

noted() { cat_line "$VMCORE_SUMMARY_STATE/$1"; } # NAME

uptime_s() {
    uptime_s=$(cat_line "$VMCORE_SUMMARY_UPTIME")
    uptime_s=${uptime_s%%.*}
    echo "${uptime_s:-0}"
}

# bounded SECONDS COMMAND…: the command's status; 124 when it was killed for being late. It never waits
# for a process that even SIGKILL does not end (one stuck in the kernel).
bounded() {
    bounded_until=$(($(uptime_s) + $1))
    shift
    "$@" < /dev/null &
    bounded_pid=$!
    # the first second in small steps: most commands are quick
    bounded_steps=0
    while kill -0 $bounded_pid 2> /dev/null; do
        if [ "$(uptime_s)" -ge $bounded_until ]; then
            kill -9 $bounded_pid 2> /dev/null
            return 124
        fi
        if [ $bounded_steps -lt 10 ]; then
            sleep 0.1 2> /dev/null || sleep 1
        else
            sleep 1
        fi
        bounded_steps=$((bounded_steps + 1))
    done
    wait $bounded_pid
}

# run_hook FUNCTION ARGUMENT…: within the time limit; its status
run_hook() {
    bounded "$hook_limit" "$@"
    run_hook=$?
    [ $run_hook != 124 ] || say "stopped after $hook_limit s"
    return $run_hook
}

is_mounted() { # DIRECTORY
    while read -r _ _ _ _ is_mounted _; do
        [ "$is_mounted" = "$1" ] && return
    done < "$VMCORE_SUMMARY_MOUNTINFO"
    return 1
}

# new_directory BASE: makes BASE/crash-TIME and prints it. No name begins with a digit: what cleans old
# dumps away by their names must not take ours for one. A BASE that is a link or someone else's, where
# all may write beside it, is refused; the directory just made shows who we are to that file system.
new_directory() {
    new_time=$(date -u +%Y%m%dT%H%M%SZ 2> /dev/null) || new_time=
    ! [ -L "$1" ] && mkdir -p "$1" || return
    for new_suffix in '' -1 -2 -3 -4 -5 -6 -7 -8 -9; do
        new_path=$1/crash-${new_time:-unknown}$new_suffix
        mkdir -m 700 "$new_path" 2> /dev/null || continue
        # shellcheck disable=SC3067  # every shell of a capture image knows -O
        if [ -O "$new_path" ] && ! [ -O "$1" ]; then
            rmdir "$new_path"
            return 1
        fi
        echo "$new_path"
        return
    done
    return 1
}

# run_capture ARGUMENT…: becomes the program, the first to go when memory runs out. For bounded() only,
# which kills the process that this is called in.
run_capture() {
    echo 1000 > /proc/self/oom_score_adj
    exec "$VMCORE_SUMMARY" capture "$@" 2>&1
}

# A capture that was killed leaves what it had under its temporary name: every finished section.
publish_rest() { # DIRECTORY
    for rest in "$1"/.vmcore-summary.jsonl.gz.*; do
        [ -s "$rest" ] && ! [ -e "$1/vmcore-summary.jsonl.gz" ] &&
            mv "$rest" "$1/vmcore-summary.jsonl.gz"
    done
}

# capture_into BASE [ARGUMENT…]: writes a summary below BASE, or to the console when it cannot be
# written there. Sets $summary_directory, which is noted before anything can go wrong, and
# $capture_status.
capture_into() {
    capture_base=$1
    shift
    summary_directory=$(new_directory "$capture_base") || summary_directory=
    if [ -z "$summary_directory" ]; then
        say "cannot write below $capture_base"
        capture_to_console
        return
    fi
    capture_in "$@"
    is_published "$summary_directory" && return
    rmdir "$summary_directory" "$capture_base" 2> /dev/null
    summary_directory=
    note summary ''
}

# capture_in [ARGUMENT…]: writes a summary into $summary_directory, which is there
capture_in() {
    note summary "$summary_directory"
    bounded "$capture_limit" run_capture --output "$summary_directory" "$@"
    capture_status=$?
    # a wrong command line, made of someone's kdump.conf, must not cost the summary
    if [ $capture_status = 2 ] && [ $# -gt 0 ]; then
        bounded "$capture_limit" run_capture --output "$summary_directory"
        capture_status=$?
    fi
    case $capture_status in
    0 | 10) ;;
    *) say "capture ended with status $capture_status" ;;
    esac
    publish_rest "$summary_directory"
    ! is_published "$summary_directory" || say "summary in $summary_directory"
}

is_published() { [ -s "$1/vmcore-summary.jsonl.gz" ]; } # DIRECTORY

# The digest says why there is no more: what was said last.
capture_to_console() {
    summary_directory=
    bounded "$capture_limit" run_capture --no-target "$said"
    capture_status=$?
    [ $capture_status = 0 ] || say "capture ended with status $capture_status"
}

# --- over ssh -----------------------------------------------------------------------------------
: "${ssh_limit:=60}" # seconds for each connection
# ssh_do FILE SCRIPT ARGUMENT…: runs a script there, with FILE as its input; as kdump does, but never
# waiting for someone. For bounded() only. No ' may be in the arguments, nor in the scripts.
ssh_do() {
    sd_input=$1
    sd_command="sh -c '$2' sh"
    shift 2
    for sd; do
        case $sd in
        *\'*) return 1 ;;
        esac
        sd_command="$sd_command '$sd'"
    done
    # what keeps ssh from waiting for randomness, where the image brings it
    cat /var/lib/random-seed > /dev/urandom 2> /dev/null
    exec ssh -q -i "$kd_sshkey" -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=20 \
        "$kd_host" "$sd_command" < "$sd_input"
}

# Hosts that dump to one path tell their summaries apart by the address that they come from.
# shellcheck disable=SC2016  # for the shell there
ssh_first='mkdir -p "$1" && umask 077 && d=$1/vmcore-summary && mkdir -p "$d" || exit 1
n=$d/${3:-${SSH_CLIENT%% *}}-$2
for s in "" -1 -2 -3 -4 -5 -6 -7 -8 -9; do d=$n$s && mkdir "$d" && break; done 2> /dev/null
cat > "$d/.part" && sync "$d/.part" 2> /dev/null
mv "$d/.part" "$d/vmcore-summary.jsonl.gz" && echo "$d"'
# shellcheck disable=SC2016
ssh_text='umask 077 && cat > "$1/vmcore-summary.txt"'
# shellcheck disable=SC2016,SC2034  # for the hooks
ssh_record='umask 077 && cat > "$1/vmcore-summary.dump"'

# send_by_ssh PATH [NAME]: $summary_directory to PATH/vmcore-summary/ADDRESS-crash-TIME of $kd_host, or NAME-…. Notes
# the directory there, and fails if there is none.
send_by_ssh() {
    bounded "$ssh_limit" ssh_do "$summary_directory/vmcore-summary.jsonl.gz" "$ssh_first" \
        "$1" "${summary_directory##*/}" "${2:-}" > "$VMCORE_SUMMARY_STATE/remote"
    if [ -z "$(noted remote)" ]; then
        say "could not send the summary to $kd_host"
        return 1
    fi
    say "sent to $kd_host:$(noted remote)"
    ! [ -f "$summary_directory/vmcore-summary.txt" ] || bounded "$ssh_limit" ssh_do \
        "$summary_directory/vmcore-summary.txt" "$ssh_text" "$(noted remote)"
}

# --- what the dump will be ----------------------------------------------------------------------
# collector_options: $dump_level and $dump_compression of the command $kd_collector. Of several levels (-d 11,31)
# makedumpfile tries the last when the others do not fit. Anything but makedumpfile copies all.
# shellcheck disable=SC2086  # to be split
collector_options() {
    set -f
    set -- $kd_collector
    set +f
    [ "${1##*/}" != kdump-collector ] || shift
    dump_level=0 dump_compression=none
    [ "${1##*/}" = makedumpfile ] || return 0
    while shift && [ $# -gt 0 ]; do
        case $1 in
        --*) ;;
        -*) collector_letters "${1#-}" "${2:-}" ;;
        esac
    done
}

# shellcheck disable=SC2034  # for the caller
collector_letters() { # LETTERS NEXT: options of one word, the last of which may take the next
    cl=$1
    while [ -n "$cl" ]; do
        case $cl in
        c*) dump_compression=zlib ;;
        l*) dump_compression=lzo ;;
        p*) dump_compression=snappy ;;
        z*) dump_compression=zstd ;;
        E*) dump_compression=none ;;
        d*)
            cl=${cl#d}
            cl=${cl:-$2}
            cl=${cl##*,}
            case $cl in
            '' | *[!0-9]*) ;;
            *) dump_level=$cl ;;
            esac
            return
            ;;
        [!DFeXfhvWjZRS]*) return ;; # the rest of the word is this one's value
        esac
        cl=${cl#?}
    done
}

# --- what became of the full dump ---------------------------------------------------------------
# is_cut DIRECTORY FILE: whether a dump that has the name of a whole one is none. Who wrote it may not have
# seen that: of a pipe a shell sees the last program's status alone.
is_cut() {
    [ -f "$1/$2" ] && ! [ -L "$1/$2" ] || return
    bounded 60 run_verify "$1/$2"
    [ $? = 10 ]
}

run_verify() { exec "$VMCORE_SUMMARY" verify "$1" 2>&1; } # for bounded() only

# record_dump DIRECTORY STATE STATUS FILE [REMOVED]: STATE is saved, skipped, incomplete or missing.
# Written in place and always of one length: the second writing needs no space of a full disk.
record_dump() {
    rd_text="vmcore: $2
status: $3
file: $4"
    [ -z "${5:-}" ] || rd_text="$rd_text
removed: $5"
    [ -L "$1/vmcore-summary.dump" ] ||
        (umask 077 && printf '%-255s\n' "$rd_text
" 1<> "$1/vmcore-summary.dump")
} 2> /dev/null

# Moves our files and nothing else; never over a file that is there.
move_beside() { # SUMMARY_DIRECTORY DUMP_DIRECTORY
    for mb in vmcore-summary.jsonl.gz vmcore-summary.txt vmcore-summary.dump; do
        [ -f "$1/$mb" ] && ! [ -e "$2/$mb" ] && mv "$1/$mb" "$2/$mb"
    done
    case $1 in # only what new_directory() has made
    */crash-*) rmdir "$1" 2> /dev/null && rmdir "${1%/*}" 2> /dev/null ;;
    esac
    [ -f "$2/vmcore-summary.jsonl.gz" ]
}

# What is left when a dump has failed for want of space is less than makedumpfile writes at once.
no_room() { # DIRECTORY
    nr_text=0123456789abcdef
    while [ ${#nr_text} -lt 262144 ]; do nr_text=$nr_text$nr_text; done
    (set -C && printf %s "$nr_text" > "$1/.vmcore-summary.room")
    nr_status=$?
    rm -f "$1/.vmcore-summary.room"
    [ $nr_status != 0 ]
} 2> /dev/null

# remove_half DIRECTORY FILE…: with RemoveVmcore=yes, removes the parts of a vmcore that have filled the
# disk. Of a dump that failed for another reason they stay: crash may read it.
remove_half() {
    rh_dir=$1
    shift
    case $(config_value RemoveVmcore no) in
    yes | true | on | 1) ;;
    *) return 1 ;;
    esac
    for rh; do
        [ -f "$rh_dir/$rh" ] && ! [ -L "$rh_dir/$rh" ] || return
    done
    # asked once: the first that goes leaves room
    is_published "$rh_dir" && no_room "$rh_dir" || return
    for rh; do
        rm -f "$rh_dir/$rh" && say "removed $rh_dir/$rh: the disk was full, and it is not whole" || return
    done
}

# For what no program has synced; not every image has `sync`.
settle() { # DIRECTORY
    sync -f "$1" || sync
} 2> /dev/null

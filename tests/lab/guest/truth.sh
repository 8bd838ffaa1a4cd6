# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# truth DIR: writes what the machine says about itself, to compare a summary with.
truth() {
    mkdir -p "$1"
    for file in meminfo slabinfo zoneinfo vmstat vmallocinfo modules buddyinfo swaps mounts cmdline version uptime; do
        cat "/proc/$file" > "$1/$file"
    done
    cat /proc/net/protocols > "$1/protocols"
    # pid oom_score_adj oom_score statm[7] comm
    for p in /proc/[0-9]*; do
        echo "${p#/proc/} $(cat "$p/oom_score_adj") $(cat "$p/oom_score") $(cat "$p/statm") $(cat "$p/comm")"
    done > "$1/tasks"
    for p in /proc/[0-9]*; do
        echo "pid ${p#/proc/}"
        cat "$p/status"
    done > "$1/status"
    for p in /proc/[0-9]*; do
        echo "${p#/proc/} $(cat "$p/cgroup")"
    done > "$1/cgroups"
    sync
}

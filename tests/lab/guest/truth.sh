# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# rounds DIR COUNT: what truth does between reading slabinfo and its end, so many times over. What moves
# from one slabinfo to the next is what can move between the truth and a crash just after it.
rounds() {
    mkdir -p "$1"
    round=0
    while [ $round -lt "$2" ]; do
        for file in slabinfo meminfo uptime; do
            cat "/proc/$file" > "$1/$file.$round"
        done
        sync
        round=$((round + 1))
    done
}

# truth DIR: writes what the machine says about itself, to compare a summary with. What takes long and
# does not change comes first, counters last.
truth() {
    mkdir -p "$1"
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
    cat /proc/net/protocols > "$1/protocols"
    dmesg -r > "$1/dmesg"
    sync
    for file in modules mounts cmdline version swaps vmallocinfo buddyinfo vmstat zoneinfo slabinfo meminfo uptime; do
        cat "/proc/$file" > "$1/$file"
    done
    sync
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# compare_tasks.sh TASKS SUMMARY_JSONL [STATUS [CGROUPS]]
# Compares the task section of a summary with what the same machine said of its tasks shortly before:
#   TASKS    a line a process: pid, oom_score_adj, perhaps oom_score, the seven numbers of
#            /proc/PID/statm, comm
#   STATUS   /proc/PID/status of each, behind a line "pid N"
#   CGROUPS  /proc/PID/cgroup of each, its first line behind the pid
# Says what differs and exits 1 if that is more than time explains: up to 5 processes (and any number
# of kworkers) may have come or gone; rss may lie apart by what threads had not published yet, which
# /proc/PID/statm does not see and the summary adds: 64 page faults of up to 16 pages a thread.
set -eu
[ $# -ge 2 ] || { echo "usage: compare_tasks.sh TASKS SUMMARY_JSONL [STATUS [CGROUPS]]" >&2; exit 2; }
scratch_dir=$(mktemp -d)
trap 'rm -rf "$scratch_dir"' EXIT
page=$(jq 'select(.record == "header") | .page_size_bytes' "$2")
[ "$page" ] || { echo "the summary has no header" >&2; exit 1; }

jq -r "select(.section == \"task\" and .record == \"task\") |
    [.pid, .oom_score_adj, .oom_score, .vsz_bytes / $page, .rss_bytes / $page, .threads, .ppid, .uid,
     .pgtables_bytes / 1024, .kthread, .state, .comm, .cgroup] | @tsv" "$2" > "$scratch_dir/summary"
[ -s "$scratch_dir/summary" ] || { echo "the summary has no task" >&2; exit 1; }

# The truth as pid, adj, score or -, vsz, rss, comm. The last number of statm (dt) is always 0, which
# tells a file with oom_score from one without.
awk -v OFS='\t' '
    FNR == NR {if ($10 != "0") old = 1; next}
    {s = old ? 3 : 4; comm = $(s + 7); for (i = s + 8; i <= NF; i++) comm = comm " " $i
     print $1, $2, old ? "-" : $3, $s, $(s + 1), comm}' "$1" "$1" > "$scratch_dir/truth"

awk -F '\t' '
    function bad(what) {print what > "/dev/stderr"; failed++}
    function differ(a, b) {return a > b ? a - b : b - a}
    # /proc/PID/comm shows the work of a kworker and the whole name of a kernel thread
    function same_comm(proc, comm) {
        return proc == comm || length(comm) == 15 && index(proc, comm) == 1 ||
               comm ~ /^kworker\// && index(proc, comm) == 1}
    FNR == NR {adj[$1] = $2; score[$1] = $3; vsz[$1] = $4; rss[$1] = $5; name[$1] = $6; next}
    !($1 in name) {if ($12 !~ /^kworker/) {print "came: " $1, $12; moved++}; next}
    {
        seen[$1] = 1
        if (!same_comm(name[$1], $12)) bad("pid " $1 ": comm " $12 ", was " name[$1])
        if (adj[$1] != $2) bad("pid " $1 ": oom_score_adj " $2 ", was " adj[$1])
        if (score[$1] != "-" && differ(score[$1], $3) > 10)
            bad("pid " $1 ": oom_score " $3 ", was " score[$1])
        if ($10 == "true" && $4 + $5 != 0) bad("pid " $1 ": a kernel thread with memory")
        if (differ(vsz[$1], $4) > vsz[$1] / 20) bad("pid " $1 ": vsz " $4 " pages, was " vsz[$1])
        if (differ(rss[$1], $5) > 1024 * $6 + rss[$1] / 20)
            bad("pid " $1 ": rss " $5 " pages, was " rss[$1])
        compared++
    }
    END {
        for (pid in name)
            if (!(pid in seen) && name[pid] !~ /^kworker/) {print "went: " pid, name[pid]; moved++}
        if (moved > 5) bad(moved " processes came or went")
        if (compared < 10) bad("only " compared + 0 " processes are in both")
        exit failed > 0
    }' "$scratch_dir/truth" "$scratch_dir/summary" >&2

[ $# -ge 3 ] || exit 0
# A process that has not been replaced keeps these.
awk -F '\t' '
    function bad(what) {print what > "/dev/stderr"; failed++}
    FNR == NR {
        if ($1 ~ /^pid /) {pid = substr($1, 5); next}
        sub(/ kB$/, "", $2)
        value[pid, $1] = $2
        next}
    !(($1, "Pid:") in value) {next}
    {
        if (value[$1, "PPid:"] != $7) bad("pid " $1 ": ppid " $7 ", was " value[$1, "PPid:"])
        if (value[$1, "Uid:"] != $8) bad("pid " $1 ": uid " $8 ", was " value[$1, "Uid:"])
        state = substr(value[$1, "State:"], 1, 1)
        if (state != $11 && (state $11) !~ /[RD]/) # these two pass
            bad("pid " $1 ": state " $11 ", was " state)
        if (value[$1, "Threads:"] != $6)
            bad("pid " $1 ": " $6 " threads, had " value[$1, "Threads:"])
        if (($1, "VmPTE:") in value && value[$1, "VmPTE:"] + 0 != $9 && $11 != "R")
            bad("pid " $1 ": page tables of " $9 " KiB, were " value[$1, "VmPTE:"])
        compared++
    }
    END {
        if (compared < 10) bad("only " compared + 0 " processes are in both")
        exit failed > 0
    }' "$3" "$scratch_dir/summary" >&2

[ $# -ge 4 ] || exit 0
# The unified hierarchy, or the memory controller's where that is one of its own.
awk -F '\t' '
    FNR == NR {
        line = $0
        if (match(line, /^[0-9]+ /)) {pid = substr(line, 1, RLENGTH - 1); line = substr(line, RLENGTH + 1)}
        split(line, part, ":")
        if (part[2] == "" && !(pid in path) || part[2] ~ /(^|,)memory(,|$)/)
            path[pid] = substr(line, length(part[1] part[2]) + 3)
        next}
    $1 in path {
        if (path[$1] != $13) {print "pid " $1 ": cgroup " $13 ", was " path[$1] > "/dev/stderr"; failed++}
        compared++
    }
    END {
        if (compared < 10) {print "only " compared + 0 " processes are in both" > "/dev/stderr"; failed++}
        exit failed > 0
    }' "$4" "$scratch_dir/summary" >&2

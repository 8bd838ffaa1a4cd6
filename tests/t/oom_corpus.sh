#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real OOM logs from public places against what a careful reader found in each (INDEX.tsv), through
# the real program. The index is the witness: it was written by hand, not by a program.
. "$(dirname "$0")/../lib.sh"
logs=$shared/corpus/oom-logs

# Where the program says other than the index, and is right to. FILE FIELD: why.
# - 59 panic: the index infers one from "Rebooting in 86400 seconds..", the panic's own line is cut.
#   The program does not guess: outcome is unknown.
known_difference() {
    [ "$1 $2" = "59-5.10.179-syz-deadlock.log panic" ]
}

if [ ! -e "$logs/INDEX.tsv" ]; then
    skip "real OOM logs" "no corpus at $logs"
    done_testing
fi

oom() { # OUTPUT ARGUMENT…
    local out=$1
    shift
    "$asan" oom "$@" > "$out"
}

json() { # RECORD JQ-EXPRESSION: over the records of the log at hand
    jq -rs "map(select(.record == \"$1\")) | $2" "$scratch/out"
}

# The index's wording of a constraint as the format's. Empty: it does not say.
constraint_of() {
    case $1 in
    *"memcg OOM)"* | *"(memcg)"* | CONSTRAINT_MEMCG* | CONSTRAINT_BPF_PSI_MEM) echo memcg ;;
    CONSTRAINT_NONE* | none-printed*) echo none ;;
    *cpuset\ * | CONSTRAINT_CPUSET*) echo cpuset ;;
    CONSTRAINT_MEMORY_POLICY*) echo memory_policy ;;
    esac
}

check_constraint() { # FILE WORDING
    local want
    want=$(constraint_of "$2")
    # one event of a log may be cut where another tells
    [ -z "$want" ] || is "$1: constraint" \
        "$(json event '[.[].constraint] | map(select(. != "unknown")) | unique | join(" ")')" "$want"
    case $2 in CONSTRAINT_*)
        is "$1: constraint text" "$(json event '[.[].constraint_text // empty] | unique | join(" ")')" \
            "${2%% *}" ;;
    esac
}

check_memcg() { # FILE WORDING
    local path=${2%% *}
    case $2 in
    group=*) is "$1: group" "$(json event '[.[].group_memcg // empty] | unique | join(" ")')" "${2#group=}" ;;
    /*) is "$1: memcg" "$(json event '[.[].oom_memcg // empty] | unique | join(" ")')" "$path" ;;
    "-("*) path=${2#-(task_memcg=}
        is "$1: task memcg" "$(json event '[.[].task_memcg // empty] | unique | join(" ")')" "${path%)}" ;;
    -) is "$1: no memcg" "$(json event '[.[].oom_memcg // empty] | unique | join(" ")')" "" ;;
    esac
}

check_panic() { # FILE WORDING
    local want='' got
    known_difference "$1" panic && return
    case $2 in yes:*) want=${2#yes:}; want=${want% (consequence)} ;; esac
    got=$(json event '[.[].panic // empty] | unique | join(" ")')
    # the index leaves an exit code out
    case $want in Attempted*) got=${got%% exitcode*} ;; esac
    is "$1: panic" "$got" "$want"
}

# "6409:konqueror;22386:httpd.worker(x3)" sorted, without what stands in parentheses
killed_of() {
    [ "$1" = - ] || tr ';' '\n' <<< "$1" | sed 's/([^)]*)$//' | LC_ALL=C sort -u
}

while IFS=$'\t' read -r file _ _ _ invoked events killed invoking constraint memcg panic _; do
    [ "$file" = file ] && continue
    check "$file: is read" oom "$scratch/out" --json "$logs/$file"
    is "$file: events" "$(json event length)" "$events"
    is "$file: killed" "$(json victim '.[] | "\(.pid):\(.comm)"' | LC_ALL=C sort -u)" "$(killed_of "$killed")"
    check_constraint "$file" "$constraint"
    check_memcg "$file" "$memcg"
    check_panic "$file" "$panic"
    # header lines that the index quotes; one of 2.6.18 names nobody
    case $invoking in -|unknown*|*"(from"*) ;; *)
        is "$file: who asked" "$(json event '[.[].trigger_comm // empty] | join(";")')" "$invoking"
        is "$file: header lines" "$(json event '[.[].trigger_comm // empty] | length')" "$invoked" ;;
    esac
    check "$file: readable" oom "$scratch/text" "$logs/$file"
    is "$file: fits 80 columns" "$(LC_ALL=C.UTF-8 awk 'length($0) > 80' "$scratch/text")" ""
done < "$logs/INDEX.tsv"
done_testing

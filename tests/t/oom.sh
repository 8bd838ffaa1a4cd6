#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `vmcore-summary oom` as a user calls it: logs of our own against what was read off them by hand and
# kept (tests/data/oom), bad input, pipes, big input.
. "$(dirname "$0")/../lib.sh"
data=$top/tests/data/oom

same() { # EXPECTED COMMAND…
    local want=$1
    shift
    "$@" 2> /dev/null | diff -u "$want" - >&2
}

status() { # COMMAND…: prints the exit status
    "$@" > "$scratch/out" 2> "$scratch/err"
    echo $?
}

for log in "$data"/*.log; do
    name=$(basename "$log" .log)
    check "$name: text" same "$data/$name.txt" "$asan" oom "$log"
    check "$name: JSON" same "$data/$name.jsonl" "$asan" oom --json "$log"
    is "$name: JSON is valid" "$("$asan" oom --json "$log" 2> /dev/null | jq -c . | wc -l)" \
        "$(wc -l < "$data/$name.jsonl")"
    is "$name: nothing steers the terminal" \
        "$("$asan" oom "$log" 2> /dev/null | LC_ALL=C tr -d '\n -~' | LC_ALL=C tr -d '\200-\377')" ""
done

# the same from a pipe, gzipped, byte by byte
check "standard input" same "$data/global-caller.txt" "$asan" oom < "$data/global-caller.log"
check "- is standard input" same "$data/global-caller.txt" "$asan" oom - < "$data/global-caller.log"
gzip -c "$data/storm-syslog.log" > "$scratch/messages.gz"
check "a gzipped log" same "$data/storm-syslog.txt" "$asan" oom "$scratch/messages.gz"
check "a pipe" same "$data/memcg-kmsg.jsonl" "$asan" oom -j <(cat "$data/memcg-kmsg.log")

# exit status
is "no event is no failure" "$(status "$asan" oom "$data/no-event.log")" 0
check "but said" grep -q 'no OOM event' "$scratch/err"
is "unless asked" "$(status "$asan" oom --exit-code "$data/no-event.log")" 3
is "an event with --exit-code" "$(status "$asan" oom -e "$data/iso-comma.log")" 0
is "an empty log" "$(status "$asan" oom /dev/null)" 0
is "a missing file" "$(status "$asan" oom "$scratch/none")" 1
check "is named" grep -q "$scratch/none: No such file" "$scratch/err"
is "a directory" "$(status "$asan" oom "$scratch")" 1
check "is one" grep -q 'Is a directory' "$scratch/err"
printf '\177ELF\2\1\1' > "$scratch/vmcore"
is "a dump" "$(status "$asan" oom "$scratch/vmcore")" 1
check "is no log" grep -q 'not a log' "$scratch/err"
head -c 20 "$scratch/messages.gz" > "$scratch/cut.gz"
is "a cut gzip file" "$(status "$asan" oom "$scratch/cut.gz")" 1
for wrong in --nonsense --tasks=x --tasks=-1 --page-size=5000 --page-size= "a b"; do
    # shellcheck disable=SC2086
    is "usage: $wrong" "$(status "$asan" oom $wrong)" 2
done
is "help" "$(status "$asan" oom --help)" 0
check "goes to standard output" grep -q '^Usage: vmcore-summary oom' "$scratch/out"
is "and fits 80 columns" "$(grep -E '.{81}' "$scratch/out")" ""
is "a full disk is seen" "$("$asan" oom --json "$data/iso-comma.log" > /dev/full 2> /dev/null; echo $?)" 1

# options
is "no tasks" "$("$asan" oom --tasks=0 "$data/global-caller.log" | grep -c RESIDENT)" 0
is "one task" "$("$asan" oom -t 1 "$data/global-caller.log" | grep -A9 RESIDENT | wc -l)" 2
is "a page size given" "$("$asan" oom --json --page-size=65536 "$data/iso-comma.log" |
    jq 'select(.record == "meminfo").free_bytes')" $((500 * 65536))

# big logs: 30 MB with 600 events, and a line without end, in little memory
for _ in $(seq 300); do
    cat "$data/storm-syslog.log"
    for _ in 1 2 3 4 5 6 7 8; do cat "$data/global-caller.log"; done
done > "$scratch/big.log"
peak() { # KIB COMMAND…: fails if the command's peak is above
    local limit=$1
    shift
    (ulimit -v "$limit" && "$@") > /dev/null
}
is "a big log: events" "$("$host" oom --json "$scratch/big.log" | grep -c '"record":"event"')" $((300 * 11))
check "a big log: memory" peak 40000 "$host" oom --json "$scratch/big.log"
check "an endless line: memory" peak 40000 "$host" oom <(head -c 100000000 /dev/zero | tr '\0' x)
check "endless rows: memory" peak 40000 "$host" oom --json <(
    echo 'x invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0'
    yes '[  333]     1   332     2667      111       2        3         -1000 name' | head -500000)
done_testing

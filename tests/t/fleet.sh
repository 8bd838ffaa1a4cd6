#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A fleet: two machines harvest into journals of their own, their journals travel by systemd-journal-upload to
# one systemd-journal-remote, and the crashes are counted there. The daemons are the real ones; a machine
# is a set of namespaces with a journald, the network is a loopback of the test's own. And the summaries
# go into databases by the commands of vmcore-summary-fleet(7), which are run as they stand there.
# shellcheck disable=SC2016  # the other shell expands
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/summary.sh
. tests/summary.sh
if [ "${FLEET_INSIDE:-}" != yes ]; then
    unshare -n -m true || { skip "a fleet" "namespaces are not allowed here"; done_testing; }
    rm -rf "$scratch"
    FLEET_INSIDE=yes exec unshare -n -m "$BASH" "$0"
fi
data=tests/data/summary
id=$(sed -n 's/^-- //p' systemd/vmcore-summary.catalog)
remote_url=http://127.0.0.1:19532
check "a loopback of its own" python3 tests/loopback.py

# until_true SECONDS COMMAND…
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return
        sleep 0.1
    done
} 2> /dev/null

# --- the machines: web has two crashes, db one --------------------------------------------------
machine() { # NAME SUMMARY…: makes it, with its summaries
    local dir=$scratch/$1 n=0 summary
    mkdir -p "$dir/run" "$dir/crash"
    printf '%s' "$1" | md5sum | cut -c 1-32 > "$dir/machine-id"
    shift
    for summary; do
        n=$((n + 1))
        mkdir "$dir/crash/crash-$n"
        pack_summary "$summary" "$dir/crash/crash-$n/vmcore-summary.jsonl.gz"
    done
}
sed 's/"nodename":"[^"]*"/"nodename":"db-1"/' "$data/oom.jsonl" > "$scratch/db.jsonl"
machine web "$data/oom.jsonl" "$data/sysrq.jsonl"
machine db "$scratch/db.jsonl"

# harvested NAME: boots its journald, harvests twice, stops it; its journal is in $scratch/NAME/run/log/journal
harvested() {
    timeout 60 unshare -m -u -p --fork --kill-child "$BASH" -c '
        hostname "$1"
        mount --bind "$2/run" /run && mount --bind "$2/machine-id" /etc/machine-id && mount -t proc proc /proc || exit
        /lib/systemd/systemd-journald &
        journald=$!
        for i in $(seq 100); do [ -S /run/systemd/journal/socket ] && break; sleep 0.1; done
        "$3" harvest -D "$2/crash" && "$3" harvest -D "$2/crash" || exit
        journalctl --sync
        kill $journald
        wait $journald' harvested "$1" "$scratch/$1" "$host"
}
count() { journalctl -q -D "$1" --merge -o json MESSAGE_ID="$id" | jq -Srs "$2"; }
for name in web db; do
    check "$name: its journal takes the entries" harvested "$name"
done
is "web: two crashes in its journal" "$(count "$scratch/web/run/log/journal" length)" 2
is "db: one" "$(count "$scratch/db/run/log/journal" length)" 1

# --- to one place ---------------------------------------------------------------------------------
mkdir "$scratch/remote"
timeout 300 /lib/systemd/systemd-journal-remote --listen-http=127.0.0.1:19532 --split-mode=host -o "$scratch/remote" > "$scratch/remote.log" 2>&1 &
remote=$!
check "systemd-journal-remote listens" until_true 20 bash -c ': < /dev/tcp/127.0.0.1/19532'
upload() { # NAME
    timeout 60 /lib/systemd/systemd-journal-upload -u $remote_url -D "$scratch/$1/run/log/journal" \
        --save-state="$scratch/$1/upload" --follow=no
}
for name in web db; do
    check "$name: systemd-journal-upload sends its journal" upload "$name"
done
check "web: a second upload goes on where the first ended" upload web
kill $remote
wait $remote
is "three crashes in all" "$(count "$scratch/remote" length)" 3
is "by machine" "$(count "$scratch/remote" 'group_by(._HOSTNAME) | map("\(.[0]._HOSTNAME) \(length)") | join(", ")')" "db 1, web 2"
is "by reason" "$(count "$scratch/remote" 'group_by(.VMCORE_SUMMARY_REASON) | map("\(.[0].VMCORE_SUMMARY_REASON) \(length)") | join(", ")')" \
    "oom 2, sysrq 1"
fields='[.[] | with_entries(select(.key | test("^(VMCORE_SUMMARY_|MESSAGE|PRIORITY)"))) | del(.VMCORE_SUMMARY_FILE)] | sort'
is "the entries are what the machines wrote" "$(count "$scratch/remote" "$fields")" \
    "$({ count "$scratch/web/run/log/journal" .; count "$scratch/db/run/log/journal" .; } | jq -Ss "add | $fields")"
is "the machine that crashed is named" "$(count "$scratch/remote" '[.[].VMCORE_SUMMARY_NODENAME] | sort | join(" ")')" \
    "$(cat "$data/oom.jsonl" "$data/sysrq.jsonl" "$scratch/db.jsonl" | jq -r 'select(.record == "header").nodename' | sort | paste -sd ' ')"

# --- what the manual says, as it is printed -------------------------------------------------------
example() { # NAME: the commands, with this test's directories
    sed -n '/^\.\\" example: '"$1"'$/,/^\.\\" end$/p' "$top/systemd/vmcore-summary-fleet.7" |
        { echo .nf; cat; } | nroff -Tascii -rLL=190n | grep -v '^$' |
        sed -e "s|/var/log/journal/remote|$scratch/remote|" -e "s|/srv/summaries|$scratch|"
}
run_example() { (cd "$scratch" && "$BASH" -eu <(example "$1")); }
is "the manual has the message's id" "$(example journal | grep -c "MESSAGE_ID=$id ")" 1
is "the manual's count of the journal" "$(run_example journal | awk '{ print $1, $NF }' | sort)" $'1 oom\n1 oom\n1 sysrq'
check "the manual's lines" run_example lines
is "each record is one" "$(wc -l < "$scratch/records.jsonl")" "$(cat "$data/oom.jsonl" "$data/sysrq.jsonl" "$scratch/db.jsonl" | wc -l)"
run_example sqlite > "$scratch/answer"
is "the manual's sqlite: status" $? 0
is "crashes by reason" "$(head -2 "$scratch/answer")" $'oom\t2\nsysrq\t1'
check "there are caches" [ "$(tail -n +3 "$scratch/answer" | wc -l)" -ge 5 ]
is "the largest ones" "$(tail -n +3 "$scratch/answer")" "$(jq -rs 'map(select(.section == "slab" and .record == "cache")) |
    group_by(.name) | map(max_by(.bytes)) | sort_by(-.bytes) | .[:10][] | "\(.name)\t\(.bytes)"' "$scratch/records.jsonl")"
# PostgreSQL is no package of tests/deps.sh; where a server is, FLEET_POSTGRESQL names its socket's directory
[ -z "${FLEET_POSTGRESQL:-}" ] || is "the manual's PostgreSQL" \
    "$(export PGHOST=$FLEET_POSTGRESQL PGDATABASE=postgres && run_example postgresql)" $'oom|2\nsysrq|1'
done_testing

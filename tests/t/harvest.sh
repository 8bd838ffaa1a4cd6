#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# harvest: each new summary is told to the journal once, and people who log in hear of the latest.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/summary.sh
. tests/summary.sh
export TZ=UTC
data=tests/data/summary
crash=$scratch/crash
mkdir -p "$crash/202611211018" "$crash/vmcore-summary/older" "$crash/cut"
pack_summary "$data/oom.jsonl" "$crash/202611211018/vmcore-summary.jsonl.gz"
pack_summary "$data/oom.jsonl" "$crash/202611211018/.vmcore-summary.jsonl.gz.left00"
sed 's/"panic":"sysrq triggered crash"/"panic":"two\\nlines \\u001b[31m"/' "$data/sysrq.jsonl" > "$scratch/sysrq.jsonl"
pack_summary "$scratch/sysrq.jsonl" "$crash/vmcore-summary/older/vmcore-summary.jsonl.gz"
head -c 2500 "$crash/202611211018/vmcore-summary.jsonl.gz" > "$crash/cut/.vmcore-summary.jsonl.gz.a1B2c3"

# listen COUNT: a journal that takes COUNT entries
listen() {
    rm -f "$scratch/socket" "$scratch/ready"
    python3 tests/journal_socket.py "$scratch/socket" "$1" > "$scratch/entries" 2> "$scratch/ready" &
    listener=$!
    until grep -qs ready "$scratch/ready"; do
        kill -0 "$listener" || return
        sleep 0.1
    done
}
harvest() { "$asan" harvest -D "$crash" --socket "$scratch/socket" "$@" 2> "$scratch/err"; }
entry() { jq -rs --arg r "$1" "map(select(.VMCORE_SUMMARY_REASON == \$r))[0].$2" "$scratch/entries"; }

check "without a journal it fails" sh -c "! '$asan' harvest -D '$crash' --socket '$scratch/none' 2>/dev/null"
is "and marks nothing as seen" "$(find "$crash" -name .seen)" ""
listen 3
harvest --motd="$scratch/motd.d/vmcore-summary"
is "harvest: status" $? 0
wait "$listener"
is "the journal could read every entry" $? 0
is "an entry for each crash" "$(jq -r .VMCORE_SUMMARY_REASON "$scratch/entries" | sort | tr '\n' ' ')" "oom oom sysrq "
is "where the summary is" "$(entry sysrq VMCORE_SUMMARY_FILE)" "$crash/vmcore-summary/older/vmcore-summary.jsonl.gz"
is "text with newlines arrives whole" "$(entry sysrq VMCORE_SUMMARY_PANIC)" $'two\nlines \e[31m'
is "its priority is critical" "$(entry oom PRIORITY)" 2
is "the kernel" "$(entry oom VMCORE_SUMMARY_KERNEL)" "6.1.0-50-amd64"
is "the task" "$(entry oom VMCORE_SUMMARY_COMM)" nginx
is "how many were killed" "$(jq -r 'select(.VMCORE_SUMMARY_FILE | contains("20261121")) | .VMCORE_SUMMARY_VICTIMS' "$scratch/entries")" 3
is "no control byte in the message" "$(jq -r .MESSAGE "$scratch/entries" | LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f]')" 0
check "an unfinished summary is told of as such" \
    sh -c "jq -r 'select(.VMCORE_SUMMARY_FILE | contains(\"/cut/\")) | .MESSAGE' '$scratch/entries' | grep -q 'is incomplete'"
id=$(entry oom MESSAGE_ID)
check "the message id is one of 128 bits" grep -qE '^[0-9a-f]{32}$' <<< "$id"
check "and the catalog's" grep -qx -- "-- $id" systemd/vmcore-summary.catalog
while read -r field; do
    check "the catalog's field $field is in the entry" test "$(entry oom "$field")" != null
done < <(grep -oE '@[A-Z_]+@' systemd/vmcore-summary.catalog | tr -d @ | sort -u)
is "who logs in hears of the latest" "$(head -1 "$scratch/motd.d/vmcore-summary")" \
    "web-3 (kernel 6.1.0-50-amd64) ran out of memory and panicked on Sat 2026-11-21 10:18:03 UTC, 23 d 0 h after boot."
check "and how many are new" grep -q '(3 crashes are new: vmcore-summary list)' "$scratch/motd.d/vmcore-summary"
is "anyone may read that" "$(stat -c %a "$scratch/motd.d/vmcore-summary")" 644
is "each directory is marked" "$(find "$crash" -name .seen | wc -l)" 3

# a summary of the running kernel is no crash to tell of
mkdir "$crash/live"
jq -c 'if .record == "header" then . + {live: true} else . end' "$data/sysrq.jsonl" > "$scratch/live.jsonl"
pack_summary "$scratch/live.jsonl" "$crash/live/vmcore-summary.jsonl.gz"
rm "$scratch/motd.d/vmcore-summary"
harvest --motd="$scratch/motd.d/vmcore-summary"
is "nothing new: status" $? 0
check "nothing new: no line at login" test ! -e "$scratch/motd.d/vmcore-summary"
is "nothing new: silence" "$(cat "$scratch/err")" ""
mkdir "$crash/new"
echo nonsense > "$crash/new/vmcore-summary.jsonl.gz"
cp "$crash/202611211018/vmcore-summary.jsonl.gz" "$crash/vmcore-summary/"
listen 1
harvest
is "one that cannot be read: status" $? 1
check "it is named" grep -q 'new/vmcore-summary.jsonl.gz: not a summary' "$scratch/err"
wait "$listener"
is "the others are told of all the same" "$(entry oom VMCORE_SUMMARY_FILE)" "$crash/vmcore-summary/vmcore-summary.jsonl.gz"

# --- the text beside it
mkdir "$crash/text"
cp "$crash/202611211018/vmcore-summary.jsonl.gz" "$crash/text/"
echo "the capture's" > "$crash/text/vmcore-summary.txt"
listen 1
rm -r "$crash/new"
harvest --text
is "with --text: status" $? 0
wait "$listener"
is "the digest is written, as show has it" "$(cat "$crash/text/vmcore-summary.txt")" \
    "$("$asan" show "$crash/text" --color=never 2> /dev/null)"
is "for root" "$(stat -c %a "$crash/text/vmcore-summary.txt")" 600
check "not for those told of before" test ! -e "$crash/202611211018/vmcore-summary.txt"
mkdir "$crash/elsewhere" && cp "$crash/text/vmcore-summary.jsonl.gz" "$crash/elsewhere/"
ln -s /dev/full "$crash/elsewhere/vmcore-summary.txt"
listen 1
harvest --text
is "a link of that name is replaced, not followed: status" $? 0
wait "$listener"
check "it is a file" test ! -L "$crash/elsewhere/vmcore-summary.txt"

# --- the unit and the catalog
sed "s|/usr/bin/vmcore-summary|$host|" systemd/vmcore-summary-harvest.service > "$scratch/vmcore-summary-harvest.service"
check "systemd takes the unit" systemd-analyze verify --man=no "$scratch/vmcore-summary-harvest.service"
is "systemd has nothing to say of it" "$(systemd-analyze verify --man=no "$scratch/vmcore-summary-harvest.service" 2>&1)" ""
mkdir -p "$scratch/root/usr/lib/systemd/catalog" "$scratch/root/var/lib/systemd/catalog"
cp systemd/vmcore-summary.catalog "$scratch/root/usr/lib/systemd/catalog/"
check "the journal takes the catalog" journalctl --root="$scratch/root" --update-catalog
is "and knows the message" "$(journalctl --root="$scratch/root" --list-catalog | cut -d' ' -f1)" "$id"
done_testing

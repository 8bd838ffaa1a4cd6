#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# show and list on golden summaries, whole and damaged, to a file and to a terminal.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/summary.sh
. tests/summary.sh
export TZ=UTC TERM=xterm
unset NO_COLOR PAGER SYSTEMD_PAGER LESS
data=tests/data/summary
crash=$scratch/crash/202611211018
mkdir -p "$crash"
file=$crash/vmcore-summary.jsonl.gz
pack_summary "$data/oom.jsonl" "$file"
show() { "$asan" show "$@"; }
# Control bytes other than newline and tab.
controls() { LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]'; }

# --- the digest
for name in oom sysrq; do
    pack_summary "$data/$name.jsonl" "$scratch/$name.gz"
    show "$scratch/$name.gz" > "$scratch/$name.txt" 2> "$scratch/err"
    sed -i "s|$scratch|/var/crash|" "$scratch/$name.txt"
    is "the digest of $name says nothing on stderr" "$(cat "$scratch/err")" ""
    check "the digest of $name is as it was" diff -u "$data/$name.txt" "$scratch/$name.txt"
    is "no line of the digest of $name is over 80 columns" "$(awk 'length($0) > 80' "$scratch/$name.txt")" ""
    is "no control byte in the digest of $name" "$(controls < "$scratch/$name.txt")" 0
done
# Its Summary line alone is of where the machine had it.
show "$data/demo.jsonl.gz" | sed 's|tests/data/summary/demo|/var/crash/vmcore-summary/crash-20261121T164006Z/vmcore-summary|' > "$scratch/demo.txt"
awk '/^```/ { on = !on; next } on && /^The machine/ { found = 1 } on && found; !on && found { exit }' README.md > "$scratch/readme.txt"
check "README has an example" test "$(wc -l < "$scratch/readme.txt")" -gt 50
check "and show prints it" diff -u <(head -n "$(wc -l < "$scratch/readme.txt")" "$scratch/demo.txt") "$scratch/readme.txt"
is "the static program says the same" "$("$static" show "$file" | md5sum)" "$(show "$file" | md5sum)"
is "a directory is its summary" "$(show "$crash" | md5sum)" "$(show "$file" | md5sum)"
is "the latest below a directory" "$(show -D "$scratch/crash" | md5sum)" "$(show "$file" | md5sum)"

# --- sections
for section in header crash oom memory zone slab task module; do
    show -s "$section" "$file" > "$scratch/out"
    check "section $section shows something" test -s "$scratch/out"
    is "no control byte in section $section" "$(controls < "$scratch/out")" 0
done
is "all records as JSON are those that were packed" "$(show -j "$file" | md5sum)" "$(md5sum < "$data/oom.jsonl")"
is "the records of a section as JSON" "$(show -j -s zone "$file" | md5sum)" "$(grep '"section":"zone"' "$data/oom.jsonl" | md5sum)"
is "a cache's row" "$(show -s slab "$file" | awk '$1 == "dentry" {print $2, $3, $4, $5}')" "75.1 MiB 402000 410000"
check "an unknown section is refused" sh -c "! '$asan' show -s nope '$file' 2>/dev/null"

# --- help fits a terminal
for command in "" $("$host" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'); do
    # shellcheck disable=SC2086
    is "no line of '$command --help' is over 80 columns" "$("$host" $command --help | awk 'length($0) > 80')" ""
done

# --- a section that is not all there says so, on stderr
lack() { show "$@" 2>&1 >/dev/null | sed 's/.*: section //'; }
is "a whole section says nothing" "$(lack -s zone "$file")" ""
damaged_with() { # FILTER: the summary with its lines changed
    sed "$1" "$data/oom.jsonl" > "$scratch/lack.jsonl"
    rm -f "$scratch/lack.gz"
    pack_summary "$scratch/lack.jsonl" "$scratch/lack.gz"
}
damaged_with '/"section":"dmesg","record":"end"/d; /"section":"zone","record":"end"/d'
for args in "-s dmesg" "-s zone" "-j -s zone"; do
    # shellcheck disable=SC2086
    is "no end: show $args" "$(lack $args "$scratch/lack.gz")" \
        "$(cut -d' ' -f2 <<< "${args#-j }") is cut: records after the last one shown are lost"
done
rows=$(grep -c '"section":"zone","record":"zone"' "$data/oom.jsonl")
damaged_with '0,/"section":"zone","record":"zone"/{/"section":"zone","record":"zone"/d}'
is "a row that is lost" "$(lack -s zone "$scratch/lack.gz")" "zone is damaged: 1 of its $rows records are lost"
damaged_with '/"section":"zone","record":"zone"/d; s/\("section":"zone","record":"end","status":"\)[a-z]*".*/\1skipped","reason":"no\\u001b x","rows":0}/'
is "a section that was skipped" "$(lack -s zone "$scratch/lack.gz")" 'zone is not whole: skipped: no\x1b x'
is "is shown all the same" "$(show -s zone "$scratch/lack.gz" 2> /dev/null | awk '$1 == "status" {print $2}')" skipped

# The rule of kexec-tools' vmcore-dmesg, written down a second time: escapes bytes that are neither
# printable nor white space in the C locale.
cat > "$scratch/dmesg.py" <<'PY'
import json, sys
out = sys.stdout.buffer
for line in open(sys.argv[1], encoding="utf-8"):
    r = json.loads(line)
    if r["section"] != "dmesg" or r["record"] != "line":
        continue
    us = r["ts_ns"] // 1000
    out.write(b"[%5d.%06d] " % (us // 1000000, us % 1000000))
    for c in r["text"].encode():
        out.write(bytes([c]) if chr(c) in " \t\n\r\v\f" or 0x20 <= c < 0x7f else b"\\x%02x" % c)
    out.write(b"\n")
PY
show -s dmesg "$file" > "$scratch/dmesg"
python3 "$scratch/dmesg.py" "$data/oom.jsonl" > "$scratch/dmesg.want"
check "dmesg is byte for byte what vmcore-dmesg prints" cmp "$scratch/dmesg" "$scratch/dmesg.want"

# --- hostile text
{ grep '"section":"header"' "$data/oom.jsonl"
  printf '{"section":"x\\u001b[31m","record":"\\u009by","k\\u001bey":"\\u202ev \\u0000","n":{"a":["\\u001b"]}}\n'
  printf '{"section":"module","record":"module","name":"\\u001b]0;t\\u0007","users":["\\u001b[2J"],"taint":"\xc2\x9b"}\n'
} > "$scratch/evil.jsonl"
pack_summary "$scratch/evil.jsonl" "$scratch/evil.gz"
evil_section=$(printf 'x\033[31m')
for args in "" "-s module" "-j" "-j -s module"; do
    # shellcheck disable=SC2086
    is "no control byte gets through: show $args" "$(show $args "$scratch/evil.gz" | controls)" 0
done
is "nor from names of records and fields" "$(show -s "$evil_section" "$scratch/evil.gz" | controls)" 0
check "what is escaped stays JSON" sh -c "'$asan' show -j '$scratch/evil.gz' | jq -e . >/dev/null"

# --- a terminal
on_terminal() { python3 tests/terminal.py "$@"; }
check "colours on a terminal" bash -c "python3 tests/terminal.py env PAGER= '$asan' show '$file' | grep -q \$'\\033\\[1;31m'"
is "none with NO_COLOR" "$(on_terminal env PAGER= NO_COLOR=1 "$asan" show "$file" | grep -c $'\033')" 0
is "none with --color=never" "$(on_terminal env PAGER= "$asan" show --color=never "$file" | grep -c $'\033')" 0
check "colours anywhere with --color=always" bash -c "'$asan' show --color=always '$file' | grep -q \$'\\033\\[1m'"
is "only colours steer the terminal" \
    "$(on_terminal env PAGER= "$asan" show "$file" | sed 's/\r$//; s/\x1b\[[0-9;]*m//g' | controls)" 0
is "colours change no text" \
    "$(on_terminal env PAGER= "$asan" show "$file" | sed 's/\r$//; s/\x1b\[[0-9;]*m//g' | md5sum)" "$(show "$file" | md5sum)"
is "the log on a terminal obeys nothing" \
    "$(on_terminal env PAGER= "$asan" show -s dmesg "$file" | sed 's/\r$//' | controls)" 0
is "the pager gets everything" \
    "$(on_terminal env PAGER='sed s/^/P:/' "$asan" show --color=never "$file" | tr -d '\r' | grep -vc '^P:')" 0
is "SYSTEMD_PAGER comes before PAGER" \
    "$(on_terminal env PAGER=false SYSTEMD_PAGER='sed s/^/S:/' "$asan" show -s zone "$file" | grep -c '^S:')" 3
is "no pager when told so" \
    "$(on_terminal env PAGER='sed s/^/P:/' "$asan" show --no-pager "$file" | grep -c '^P:')" 0
check "a pager that is left early is no failure" on_terminal env PAGER=true "$asan" show "$file"
# shellcheck disable=SC2016
is "the pager may start nothing" \
    "$(on_terminal env PAGER='echo $LESSSECURE; cat >/dev/null' "$asan" show "$file" | tr -d '\r')" 1
check "no pager off a terminal" sh -c "! PAGER='sed s/^/P:/' '$asan' show '$file' | grep -q '^P:'"

# --- damage
size=$(stat -c %s "$file")
head -c $((size * 6 / 10)) "$file" > "$scratch/cut.gz"
show "$scratch/cut.gz" > "$scratch/cut.txt"
is "a cut summary is shown, status" $? 0
check "it says that it is cut" grep -q 'the file is cut' "$scratch/cut.txt"
check "what is whole is there" grep -q 'OUT OF MEMORY' "$scratch/cut.txt"
check "what is missing is named" grep -q 'no whole section .*module' "$scratch/cut.txt"
cp "$file" "$scratch/flip.gz"
printf '\377\377\377\377' | dd of="$scratch/flip.gz" bs=1 seek=$((size / 2)) conv=notrunc status=none
show "$scratch/flip.gz" > "$scratch/flip.txt"
check "a damaged summary is shown" grep -q 'part of the file damaged' "$scratch/flip.txt"
check "the sections after the damage, too" grep -q '^MODULES' "$scratch/flip.txt"
for bad in /dev/null /bin/sh "$scratch/nothing"; do
    show "$bad" > "$scratch/out" 2> "$scratch/err"
    is "$bad: status" $? 1
    is "$bad: one line on stderr, nothing on stdout" "$(wc -l < "$scratch/err") $(wc -c < "$scratch/out")" "1 0"
done

# --- list
"$asan" list -D "$scratch/empty" > "$scratch/out" 2> "$scratch/err"
is "list of nothing: status" $? 1
check "list of nothing says so" grep -q 'no summary found' "$scratch/err"
older=$scratch/crash/127.0.0.1-2026-01-02-03:04:05
mkdir -p "$older" "$scratch/crash/vmcore-summary/id"
sed 's/"crash_time":[0-9]*/"crash_time":1700000000/' "$data/sysrq.jsonl" > "$scratch/older.jsonl"
pack_summary "$scratch/older.jsonl" "$older/vmcore-summary.jsonl.gz"
echo x > "$older/vmcore"
cp "$scratch/cut.gz" "$scratch/crash/vmcore-summary/id/.vmcore-summary.jsonl.gz.a1B2c3"
echo x > "$crash/vmcore-incomplete"
"$asan" list -D "$scratch/crash" > "$scratch/list"
is "the oldest first" "$(awk 'NR > 1 {print $6}' "$scratch/list" | tr '\n' ' ')" "sysrq oom oom "
is "vmcores beside them" "$(awk 'NR > 1 {print $(NF - 4)}' "$scratch/list" | tr '\n' ' ')" "saved missing incomplete "
is "whether they are whole" "$(awk 'NR > 1 {print $(NF - 3)}' "$scratch/list" | tr '\n' ' ')" "complete incomplete complete "
is "the latest first with -r" "$("$asan" list -r --no-legend -D "$scratch/crash" | awk '{print $6}' | tr '\n' ' ')" "oom oom sysrq "
is "the latest only with -n 1" "$("$asan" list -n 1 --no-legend -D "$scratch/crash" | awk '{print $NF}')" "$file"
is "list as JSON" "$("$asan" list -j -D "$scratch/crash" | jq -r .vmcore | tr '\n' ' ')" "saved missing incomplete "
check "the digest names the vmcore" sh -c "'$asan' show '$older' | grep -q 'vmcore .*/127.0.0.1-2026-01-02-03:04:05/vmcore'"

# --- a summary of the running kernel, made after the crashes
live=$scratch/crash/live-20300101T000000Z
mkdir "$live"
jq -c 'if .record == "header" then del(.crash_time, .core_bytes) + {live: true, capture_time: 1893456000, core_kind: "kcore"}
    elif .record == "crash" then del(.panic, .cpu, .pid, .comm) + {reason: "none"} else . end' "$data/sysrq.jsonl" > "$scratch/live.jsonl"
pack_summary "$scratch/live.jsonl" "$live/vmcore-summary.jsonl.gz"
is "a live one is listed as such, by its time" "$("$asan" list --no-legend -D "$scratch/crash" | awk '{print $6}' | tr '\n' ' ')" \
    "sysrq oom oom live "
is "and in JSON" "$("$asan" list -j -n 1 -D "$scratch/crash" | jq -c '[.live, .capture_time, .crash_time]')" "[true,1893456000,null]"
is "the latest crash is shown, not what came after it" "$("$asan" show -j -D "$scratch/crash" | jq -r 'select(.record == "header").crash_time')" \
    "$("$asan" show -j "$file" | jq -r 'select(.record == "header").crash_time')"
check "where nothing crashed, the live one is" sh -c "'$asan' show '$live' | tr '\n' ' ' |
    grep -q 'was running when its memory was read on Tue 2030-01-01 .* after boot\.'"
check "its digest knows no vmcore" sh -c "! '$asan' show '$live' | grep -q '^ *vmcore '"

check "a wrong option is a usage error" sh -c "'$asan' list --nope 2>/dev/null; test \$? = 2"
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# diff on small summaries that were written by hand: whole, damaged, of other machines.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/summary.sh
. tests/summary.sh
export TZ=UTC TERM=xterm
unset NO_COLOR PAGER SYSTEMD_PAGER LESS
data=tests/data/diff
old=$scratch/old.gz new=$scratch/new.gz
pack_summary "$data/old.jsonl" "$old"
pack_summary "$data/new.jsonl" "$new"
diff_of() { "$asan" diff "$@"; }
status_of() { "$asan" diff "$@" > "$scratch/out" 2> "$scratch/err"; echo $?; }
controls() { LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]'; }

# --- the digest
is "summaries that differ are no failure" "$(status_of "$old" "$new")" 0
is "nothing on stderr" "$(cat "$scratch/err")" ""
sed "s|$scratch|/var/crash|" "$scratch/out" > "$scratch/digest"
check "the digest is as it was" diff -u "$data/digest.txt" "$scratch/digest"
is "no line over 80 columns" "$(awk 'length($0) > 80' "$scratch/digest")" ""
is "the summaries have control bytes" "$(grep -c 'u001b' "$data/new.jsonl")" 1
for how in "" --all "-s slab" --json; do
    # shellcheck disable=SC2086
    is "no control byte with '$how'" "$(diff_of $how "$old" "$new" | controls)" 0
done
# address space and promises are told in full, but do not stand among the memory that went
for side in old new; do
    { grep -v '"section":"memory","record":"end"' "$data/$side.jsonl"
      for name in VmallocTotal CommitLimit Committed_AS DirectMap2M; do
          printf '{"section":"memory","record":"total","name":"%s","bytes":%s}\n' $name \
              "$([ $side = old ] && echo 1048576 || echo 34359738368)"
      done
      jq -c 'select(.section == "memory" and .record == "end") | .rows += 4' "$data/$side.jsonl"
    } > "$scratch/virtual.jsonl"
    pack_summary "$scratch/virtual.jsonl" "$scratch/virtual.$side"
done
is "what is no memory is not ranked" "$(diff_of "$scratch/virtual.old" "$scratch/virtual.new" | sed -n '/^What grew/,$p')" \
    "$(sed -n '/^What grew/,$p' "$scratch/digest")"
is "but told in its section" "$(diff_of -s memory "$scratch/virtual.old" "$scratch/virtual.new" |
    grep -cE '^(VmallocTotal|CommitLimit|Committed_AS|DirectMap2M) ')" 4
is "a summary does not differ from itself" "$(diff_of --json "$old" "$old")" ""

# --- JSON, against the same comparison written a second time
cat > "$scratch/want.py" <<'PY'
import json, sys
FIELDS = {("memory", "total"): "bytes count",
    ("zone", "zone"): "free_bytes pcp_bytes cma_free_bytes managed_bytes present_bytes spanned_bytes",
    ("slab", "cache"): "bytes objects_active objects_total slabs",
    ("task", "comm"): "rss_bytes swap_bytes pgtables_bytes processes",
    ("task", "task"): "rss_bytes swap_bytes pgtables_bytes threads", ("module", "module"): "bytes"}
def rows(path):
    sums = {}
    def add(section, record, name, r):
        row = sums.setdefault((section, record, name), {})
        for f in FIELDS[section, record].split():
            if f in r:
                row[f] = row.get(f, 0) + r[f]
    for line in open(path, encoding="utf-8"):
        r = json.loads(line)
        s, k = r["section"], r["record"]
        if (s, k) == ("task", "task"):
            add(s, "comm", r["comm"], dict(r, processes=1))
            add(s, k, "%d %s" % (r["pid"], r["comm"]), r)
        elif (s, k) == ("zone", "zone"):
            add(s, k, "%d %s" % (r["node"], r["name"]), r)
        elif (s, k) in FIELDS:
            add(s, k, r["name"], r)
    return sums
old, new = rows(sys.argv[1]), rows(sys.argv[2])
for key in old.keys() | new.keys():
    o, n = old.get(key), new.get(key)
    for f in (o or {}).keys() | (n or {}).keys():
        delta = (n or {}).get(f, 0) - (o or {}).get(f, 0)
        first = f == FIELDS[key[0], key[1]].split()[0]
        if delta or (first and (o is None or n is None)):
            print(*key, f, "-" if o is None else o[f], "-" if n is None else n[f], delta, sep="|")
PY
cat > "$scratch/got.py" <<'PY'
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    print(r["section"], r["record"], r["name"], r["field"], r.get("old", "-"), r.get("new", "-"), r["delta"], sep="|")
PY
export PYTHONIOENCODING=utf-8
python3 "$scratch/want.py" "$data/old.jsonl" "$data/new.jsonl" | LC_ALL=C sort > "$scratch/want"
diff_of --json "$old" "$new" | python3 "$scratch/got.py" | LC_ALL=C sort > "$scratch/got"
check "every difference as JSON, and no other" diff -u "$scratch/want" "$scratch/got"
is "an estimate is marked" "$(diff_of -j "$old" "$new" | jq -r 'select(.exact == false) | .name' | sort -u)" inode_cache
check "there are some" test "$(wc -l < "$scratch/got")" -gt 20
for section in memory zone slab task module; do
    is "JSON of $section alone" "$(diff_of -j -s "$section" "$old" "$new" | md5sum)" \
        "$(diff_of -j "$old" "$new" | grep "^{\"section\":\"$section\"" | md5sum)"
    is "as many rows in the table of $section" \
        "$(diff_of -s "$section" "$old" "$new" | awk '/^NAME/ { on = 1; next } !NF { on = 0 } on' | wc -l)" \
        "$(diff_of -j -s "$section" "$old" "$new" | wc -l)"
done

# --- what is missing is said, and is not taken for what vanished
says() { # DESCRIPTION TEXT: in the digest, however its lines are broken
    is "$1" "$(tr -s ' \n' '  ' < "$scratch/out" | grep -cF -- "$2")" 1
}
grep -v '"section":"module"' "$data/new.jsonl" > "$scratch/x.jsonl"
pack_summary "$scratch/x.jsonl" "$scratch/x.gz"
is "a section that is missing is no failure" "$(status_of "$old" "$scratch/x.gz")" 0
says "it is named" "module is missing in the new summary (no record): not compared."
is "and no module vanished: JSON has this alone" "$(diff_of -j -s module "$old" "$scratch/x.gz")" \
    '{"section":"module","record":"note","side":"new","status":"absent","compared":false,"text":"module is missing in the new summary (no record): not compared."}'

sed '/inode_cache/d; /"section":"slab","record":"end"/s/"ok","rows":4/"timeout","reason":"ended after 10 s","rows":3/' \
    "$data/new.jsonl" > "$scratch/x.jsonl"
pack_summary "$scratch/x.jsonl" "$scratch/x.gz"
is "a section that is cut is no failure" "$(status_of "$old" "$scratch/x.gz")" 0
says "it is named" "slab is in part in the new summary (timeout: ended after 10 s)"
is "JSON says so" "$(diff_of -j -s slab "$old" "$scratch/x.gz" | jq -c 'select(.record == "note") | del(.text)')" \
    '{"section":"slab","record":"note","side":"new","status":"timeout","reason":"ended after 10 s","compared":true}'
is "what it lacks did not vanish" "$(diff_of -j -s slab "$old" "$scratch/x.gz" | grep -cE 'inode_cache|gone_cache')" 0
is "what it has is compared" "$(diff_of -j -s slab "$old" "$scratch/x.gz" | grep -c 'kmalloc-256')" 4

sed '/kmalloc-256/s/.*/not a record/' "$data/new.jsonl" > "$scratch/x.jsonl"
gzip -nc "$scratch/x.jsonl" > "$scratch/x.gz"
is "a damaged line is no failure" "$(status_of "$old" "$scratch/x.gz")" 0
says "the damage is named" "The new summary is damaged"
is "JSON says what was lost" "$(diff_of -j "$old" "$scratch/x.gz" | jq -r 'select(.record == "note") | [.section, .side, .status] | @csv')" \
    ',"new",
"slab","new","lossy"'
is "the lost row did not vanish" "$(diff_of -j -s slab "$old" "$scratch/x.gz" | grep -c 'kmalloc-256')" 0

size=$(stat -c %s "$new")
bad=0
for part in 10 30 50 70 90 99; do
    head -c $((size * part / 100)) "$new" > "$scratch/cut.gz"
    timeout 20 "$asan" diff --all "$old" "$scratch/cut.gz" > "$scratch/out" 2> "$scratch/err"
    case $? in
    0) grep -qE 'damaged|did not finish' "$scratch/out" || bad=$((bad + 1)) ;;
    1) grep -q cut.gz "$scratch/err" || bad=$((bad + 1)) ;;
    *) bad=$((bad + 1)) ;;
    esac
done
is "a summary cut anywhere is compared or refused by name" "$bad" 0

# --- other machines
sed 's/"nodename":"db1"/"nodename":"db2"/; s/6.1.0-50-amd64/6.12.1-amd64/' "$data/new.jsonl" > "$scratch/x.jsonl"
pack_summary "$scratch/x.jsonl" "$scratch/x.gz"
is "another machine's summary" "$(status_of "$old" "$scratch/x.gz")" 0
says "two machines" "Two machines"
says "two kernels" "Two kernels"
# pid 1 is another process after a boot, whatever its name is
sed 's/"uptime_s":186400/"uptime_s":3600/' "$data/new.jsonl" > "$scratch/x.jsonl"
pack_summary "$scratch/x.jsonl" "$scratch/x.gz"
is "another boot" "$(status_of "$old" "$scratch/x.gz")" 0
says "two boots" "Two boots: pids mean other tasks"
is "single tasks are not compared" "$(diff_of -j "$old" "$scratch/x.gz" | grep -c '"record":"task"')" 0
check "those of a name are" grep -q '^worker (2 -> 3) ' "$scratch/out"
is "the order is looked at" "$(diff_of "$new" "$old" | grep -c 'old summary is the later one')" 1

# --- the command line
is "one summary is too few" "$(status_of "$old")" 2
is "three are too many" "$(status_of "$old" "$old" "$old")" 2
is "a section that is not compared" "$(status_of -s dmesg "$old" "$new")" 2
is "a file that is not there" "$(status_of "$old" "$scratch/nope")" 1
is "it is named" "$(grep -c nope "$scratch/err")" 1
is "the program of the capture image has no diff" "$("$static" diff "$old" "$new" 2>/dev/null; echo $?)" 2
# the completion takes commands from the --help of the program in PATH
complete_diff() {
    PATH=$(dirname "$host"):$PATH bash -c '. src/cli/vmcore-summary.bash
        COMP_WORDS=(vmcore-summary "$@") COMP_CWORD=$#; _vmcore_summary; echo "${COMPREPLY[*]}"' _ "$@"
}
is "the completion knows the command" "$(complete_diff dif)" diff
is "and its sections" "$(complete_diff diff --section '')" "memory zone slab task module"
done_testing

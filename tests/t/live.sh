#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# capture --live: a Debian kernel in QEMU is summarised while it runs, through /proc/kcore, and compared with what its
# own /proc says. What does not move is equal. What moves was written down over and over while the capture
# ran: its bound is from the least to the most that was seen then. A second boot has kernel lockdown.
#
# LIVE_SUITE  the Debian suite of the kernel (bookworm)
# LIVE_STORM  how often to capture while processes come and go as fast as they can (3)
# shellcheck disable=SC2016  # awk and jq expand
. "$(dirname "$0")/../lib.sh"
. tests/lab/lab.sh
out=$scratch/run/out/lab
export LAB_TIMEOUT=180
lab_live() { # DIRECTORY [ARGUMENT…]: boots, and leaves there what the machine wrote
    local kernel dir=$1 root
    shift
    mkdir -p "$dir" && kernel=$(lab_kernel "${LIVE_SUITE:-bookworm}") && root=$(mktemp -d) &&
        lab_root "$root" "$kernel" virtio_pci virtio_blk ext4 && lab_program "$root" "$host" setpriv kexec &&
        cp "$(lab_vmlinuz "$kernel")" "$root/boot/vmlinuz" &&
        cp tests/lab/guest/init-live.sh "$root/init" && cp tests/lab/guest/truth.sh "$root/lab/" &&
        echo "${LIVE_STORM:-3}" > "$root/lab/storm" && lab_pack "$root" "$dir/image" &&
        rm -rf "$root" && lab_disk "$dir/disk" 128 &&
        lab_boot "$kernel" "$dir/image" "$dir/disk" "$dir/console.log" 768 loglevel=4 "$@" &&
        lab_from_disk "$dir/disk" "$dir/out"
}
refused() { # DIRECTORY NAME TEXT: exit status 1, nothing on stdout, one line on stderr with TEXT
    is "$2: refused" "$(cat "$1/$2.status")" 1
    is "$2: in one line" "$(wc -l < "$1/$2.err") $(wc -c < "$1/$2.out")" "1 0"
    check "$2: which says what to do ($3)" grep -q -- "$3" "$1/$2.err"
}

check "a machine runs and is summarised" lab_live "$scratch/run"
check "to the end" grep -q 'lab: done' "$scratch/run/console.log"
[ "$tap_failed" = 0 ] || { tail -n 40 "$scratch/run/console.log" >&2; done_testing; }
before=$out/before after=$out/after
all=$scratch/summary.jsonl
is "capture: exit status" "$(cat "$out/live.status")" 0
zcat "$scratch/run/out/live/vmcore-summary.jsonl.gz" > "$all"
records() { jq -r "select(.section == \"$1\" and .record == \"$2\") | $3" "$all"; }

# --- the file -----------------------------------------------------------------------------------
is "every section ended well" "$(jq -r 'select(.record == "end" and .status != "ok") | "\(.section) \(.status) \(.reason)"' "$all")" ""
is "the sections of a crash, in their order" "$(jq -r 'select(.record == "end") | .section' "$all" | paste -sd ' ')" \
    "header dmesg oom crash memory zone slab task module trailer"
is "records are where FORMAT.md has them" "$(python3 tests/format_doc.py src/summary/FORMAT.md records < "$all")" ""
is "header: live" "$(records header header '"\(.live) \(.core_kind) \(.crash_time) \(.core_bytes)"')" "true kcore null null"
check "header: when ($(records header header .capture_time))" awk -v t="$(records header header .capture_time)" \
    -v boot="$(sed -n 's/^btime //p' "$out/stat")" 'NR == 1 { exit !(t >= boot + int($1)) }' "$before/uptime"
check "header: and not later" [ "$(records header header .capture_time)" -le "$(cat "$out/now")" ]
is "header: release" "$(records header header .release)" "$(cut -d ' ' -f 3 "$before/version")"
is "crash: none" "$(records crash crash '"\(.reason) \(.panic) \(.comm)"')" "none null null"
is "crash: the command line" "$(records crash crash .cmdline)" "$(cat "$before/cmdline")"
check "crash: uptime, of before or after or between" awk -v s="$(records crash crash .uptime_s)" \
    '{ t[NR] = int($1) } END { exit !(s >= t[1] && s <= t[2]) }' "$before/uptime" "$after/uptime"
is "oom: the kill in the memory cgroup" "$(records oom event '"\(.constraint) \(.outcome)"')" "memcg killed"
log=$(records dmesg line .text)
check "dmesg: the log from its first line ($(wc -l <<< "$log") lines)" grep -q '^Linux version' <(head -1 <<< "$log")
is "dmesg: the console's lines are in it" "$(sed -n 's/^\[ *[0-9.]*\] //p' "$scratch/run/console.log" | tr -d '\r' |
    sed '/Killed process/q' | grep -vFx "$log")" ""

# --- the estimate of a dump: of each kind of page as many as the counters say, within four standard errors of a sample
kinds() { # AWK: of meminfo in kB; class NAME… : what the sample says, and its bound, in bytes
    zcat "$scratch/run/out/classes/vmcore-summary.jsonl.gz" | jq -rs --argjson kb "$(awk "{ v[\$1] = \$2 } END { print $1 }" "$after/meminfo")" \
        --args '[.[] | select(.section == "estimate")] | (map(select(.record == "estimate"))[0]) as $e |
        (map(select(.record == "class" and (.name as $n | $ARGS.positional | index($n)))) | map(.bytes) | add) as $got |
        ($kb * 1024 / $e.memory_bytes) as $p | (4 * $e.memory_bytes * (($p * (1 - $p) / $e.samples) | sqrt)) as $bound |
        if ($got - $kb * 1024 | fabs) <= $bound + 4194304 then "near" else "\($got) not \($kb * 1024) by \($bound)" end' "${@:2}"
}
is "estimate: for all levels, by looking at memory" "$(jq -rs '"\(length) \(all(.sampled))"' "$out/estimate.out")" "32 true"
is "estimate: free pages" "$(kinds 'v["MemFree:"]' free)" near
is "estimate: anonymous pages" "$(kinds 'v["AnonPages:"]' user)" near
is "estimate: cache" "$(kinds 'v["Active:"] + v["Inactive:"] + v["Unevictable:"] - v["AnonPages:"]' cache cache_private)" near

# --- what does not move ---------------------------------------------------------------------------
for when in before after; do
    # not those that ended while the line was written
    awk 'NF >= 11' "$out/$when/tasks" > "$scratch/tasks-$when"
    check "module: each as /proc/modules had it $when" tests/lab/compare_modules.sh "$out/$when/modules" "$all"
    check "zone: watermarks and extent as $when" tests/lab/compare_zoneinfo.sh "$out/$when/zoneinfo" "$all"
    check "slab: every cache with its sizes as $when" tests/lab/compare_slabinfo.sh "$out/$when/slabinfo" "$all" 100000
    check "task: each that was there $when" \
        tests/lab/compare_tasks.sh "$scratch/tasks-$when" "$all" "$out/$when/status" "$out/$when/cgroups"
done

# --- what moves: between the least and the most that was seen while it was read ---------------------------
samples=$(find "$out/samples" -name 'meminfo.*' | wc -l)
check "there are samples enough ($samples)" [ "$samples" -ge 20 ]
# The kernel adds what CPUs count for themselves to its totals now and then, the summary always: see crash.sh.
threshold_pages=$(awk '/vm stats threshold:/ { sum += $4 } END { print sum + 0 }' "$before/zoneinfo")
slack_bytes=$(((threshold_pages + 2 * 32) * 4096))
cat "$out"/samples/meminfo.* "$before/meminfo" "$after/meminfo" | awk '
    { sub(/:/, "", $1); v = $3 == "kB" ? $2 * 1024 : $2
      if (!($1 in least) || v < least[$1]) least[$1] = v
      if (!($1 in most) || v > most[$1]) most[$1] = v }
    END { for (n in least) printf "%s %.0f %.0f\n", n, least[n], most[n] }' | sort > "$scratch/memory"
outside() { # JOINED SLACK: name least most summary, in bytes; /proc rounds down to KiB
    awk -v slack="$2" '$4 < $2 - slack || $4 > $3 + 1023 + slack { print; }' "$1"
}
records memory total '"\(.name) \(.bytes // .count)"' | sort | join "$scratch/memory" - > "$scratch/joined"
check "memory: most of /proc/meminfo is there ($(wc -l < "$scratch/joined"))" [ "$(wc -l < "$scratch/joined")" -ge 45 ]
is "memory: what never moves is exact" "$(outside <(grep -E '^(MemTotal|SwapTotal|CommitLimit|Hugepagesize|HugePages_|Hugetlb|DirectMap)' "$scratch/joined") 0)" ""
# free pages wander between the zones' lists, which MemFree counts, and those of the CPUs, by megabytes
lists=$(awk '$1 == "count:" { sum += $2 } FNR == 1 && NR > 1 { if (sum > most) most = sum; sum = 0 }
    END { if (sum > most) most = sum; print most * 4096 }' "$out"/samples/zoneinfo.*)
is "memory: free is within what was seen" "$(outside <(grep -E '^Mem(Free|Available)' "$scratch/joined") $((slack_bytes + lists)))" ""
is "memory: the rest is within what was seen" "$(outside <(grep -vE '^Mem(Free|Available)' "$scratch/joined") "$slack_bytes")" ""
is "memory: the parts add up to MemTotal" "$(jq -s '[.[] | select(.section == "memory" and .record == "part") | .bytes] | add' "$all")" \
    "$(records memory total 'select(.name == "MemTotal") | .bytes')"
cat "$out"/samples/slabinfo.* "$before/slabinfo" "$after/slabinfo" | awk '/^#|^slabinfo/ { next }
    { split("active total slabs", name); v[1] = $2; v[2] = $3; v[3] = $15
      for (i = 1; i <= 3; i++) { key = $1 "/" name[i]
          if (!(key in least) || v[i] < least[key]) least[key] = v[i]
          if (!(key in most) || v[i] > most[key]) most[key] = v[i] } }
    END { for (n in least) print n, least[n], most[n] }' | sort > "$scratch/slab"
records slab cache '"\(.name)/active \(.objects_active)\n\(.name)/total \(.objects_total)\n\(.name)/slabs \(.slabs)"' |
    sort | join "$scratch/slab" - > "$scratch/joined"
is "slab: three counts of every cache" "$(wc -l < "$scratch/joined")" "$(wc -l < "$scratch/slab")"
is "slab: counts of caches that stood still are exact" "$(awk '$2 == $3 && $4 != $2' "$scratch/joined")" ""
is "slab: the others are within what was seen" "$(awk '$2 != $3 && ($4 < $2 || $4 > $3)' "$scratch/joined")" ""
check "slab: most stood still ($(awk '$2 == $3' "$scratch/joined" | wc -l) of $(wc -l < "$scratch/joined"))" \
    [ "$(awk '$2 == $3' "$scratch/joined" | wc -l)" -gt $(($(wc -l < "$scratch/joined") / 2)) ]

# --- people -----------------------------------------------------------------------------------------
shown=$(TZ=UTC "$host" show "$scratch/run/out/live" | tr -s ' \n' '  ')
check "show: says that it ran" grep -q 'was running when its memory was read on .* after boot' <<< "$shown"
is "show: speaks of no crash" "$(grep -ciE 'crashed|panic|oops' <<< "$shown")" 0
is "list: marks it" "$("$host" list -D "$scratch/run/out/live" --no-legend | grep -cw live)" 1
is "diff: of the machine with itself" "$("$host" diff --json "$scratch/run/out/live" "$scratch/run/out/live")" ""
check "diff: takes it for a baseline" grep -q '^Old .*(live)' <("$host" diff "$scratch/run/out/live" "$scratch/run/out/storm1")

# --- a machine that does not hold still -----------------------------------------------------------------
for n in $(seq "${LIVE_STORM:-3}"); do
    storm=$scratch/run/out/storm$n/vmcore-summary.jsonl.gz
    is "storm $n: exit status" "$(cat "$out/storm$n.status")" 0
    is "storm $n: no section is lost, and what is not whole says why" \
        "$(zcat "$storm" | jq -r 'select(.record == "end" and .status != "ok" and
            (.status != "partial" or (.reason | contains("unstable") | not))) | "\(.section) \(.status) \(.reason)"')" ""
    is "storm $n: all sections" "$(zcat "$storm" | jq -r 'select(.record == "end").section' | wc -l)" 10
    check "storm $n: tasks" [ "$(zcat "$storm" | grep -c '"record":"task"')" -ge "$(grep -c . "$before/tasks")" ]
done

# --- a rehearsal of a crash ------------------------------------------------------------------------
is "a rehearsal" "$(cat "$out/rehearsed.status") $(head -1 "$out/rehearsed.out")" \
    "0 A crash now would leave a complete summary."
is "of every section" "$(awk '$2 == "ok" || $2 == "partial"' "$out/rehearsed.out" | wc -l)" \
    "$(jq -r 'select(.record == "end" and .section != "trailer") | .section' "$all" | wc -l)"
is "with nothing to complain of" "$(cat "$out/rehearsed.err")" ""

# --- check: what is loaded --------------------------------------------------------------------------
loaded() { jq -r '.items[] | select(.item == "loaded_image") | "\(.state) \(.found)"' "$out/loaded-$1"; }
image=/boot/vmcore-summary-$(records header header .release).img
is "nothing is loaded" "$(loaded nothing)" "unknown nothing is loaded to compare with $image"
is "the image that is loaded" "$(loaded same)" "ok $image is in the memory of the capture kernel"
check "memory that cannot be seen: $(loaded masked)" grep -q '^unknown .*masked' <<< "$(loaded masked)"
is "the image was rebuilt since" "$(loaded rebuilt)" "warn another image than $image is loaded, or it as it was before"
is "and loaded by the kernel itself" "$(loaded again)" "ok $image is in the memory of the capture kernel"

# --- why not --------------------------------------------------------------------------------------------
refused "$out" nobody "only root"
refused "$out" uncapable "CAP_SYS_RAWIO"
refused "$out" masked "masked"
refused "$out" missing "CONFIG_PROC_KCORE"
check "a machine with kernel lockdown" lab_live "$scratch/locked" lockdown=confidentiality
is "it is locked down" "$(cat "$scratch/locked/out/lab/lockdown")" "none integrity [confidentiality]"
is "under lockdown it cannot be held" "$(cat "$scratch/locked/out/lab/unrehearsed.status")" 3
check "and says why" grep -q 'lockdown (confidentiality) forbids' "$scratch/locked/out/lab/unrehearsed.err"
refused "$scratch/locked/out/lab" locked "lockdown (confidentiality) forbids"
is "no summary is left" "$(find "$scratch/locked/out" -name '*vmcore-summary*')" ""
done_testing

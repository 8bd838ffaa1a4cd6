#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One whole crash: a Debian kernel in QEMU crashes; its capture kernel, in an image made by dracut
# with our module, writes the summary to the machine's disk and reboots; the machine comes back and shows
# it. The summary is compared with what the machine had said about itself just before: exactly where
# nothing moves, elsewhere within what is allowed for, see slack_bytes.
#
# CRASH_SUITE      the Debian suite whose kernel crashes (bookworm), or one series of it
#                  (trixie-backports:6.18); tests/lab/kernels.sh tries all
# CRASH_SCENARIO   tests/lab/guest/scenario-NAME.sh: sysrq (the default) and slab crash just after the
#                  truth was taken; between the truth and the panic of oom the machine fills up, so
#                  that only what does not move is compared
# CRASH_KEEP       the directory that gets the machine's disk and console log (build/crash)
# CRASH_AGAIN      1: no crash, the comparisons once more with what an earlier run left there
#
# A suite arm64-SUITE is its arm64 kernel, arm64-SUITE-16k that of 16 KiB pages; @CPU behind it is QEMU's
# processor (cortex-a72, or cortex-a76, which has pages of 16 KiB: addresses of 48 and of 47 bits; or max,
# which has 52). The capture image is then
# not dracut's, see tests/lab/arm64_machine.sh, and where the kernel's own symbols are functions alone
# (bookworm), a kernel profile made of its debuginfo package lies in it.
# shellcheck disable=SC2016,SC2046  # awk and jq expand; no file has blanks in its name
. "$(dirname "$0")/../lib.sh"
. tests/lab/lab.sh
. tests/lab/arm64_packages.sh
. tests/lab/arm64_machine.sh
export BUILD=$top/$BUILD
suite=${CRASH_SUITE:-bookworm} scenario=${CRASH_SCENARIO:-sysrq}
case $scenario in
oom) reason=oom who=tail frozen='' kills='memcg killed,none killed,none killed,none panic' victims='tail tail tail' ;;
*) reason=sysrq who=init frozen=1 kills='memcg killed,none killed' victims='tail tail' ;;
esac

# --- the crash --------------------------------------------------------------------------------
captured() {
    local kernel
    kernel=$(lab_kernel "$suite") &&
        lab_dracut_image "$kernel" "$work/capture.img" &&
        lab_first_image "$kernel" "$scenario" "$work/capture.img" "$work/first.img" "$host" &&
        lab_disk "$work/disk" 256 &&
        lab_boot "$kernel" "$work/first.img" "$work/disk" "$work/console.log" 1024 loglevel=8 &&
        lab_from_disk "$work/disk" "$work/out" &&
        find "$work/out" -name vmcore-summary.jsonl.gz | grep -q .
}
arm64_profile() { # SUITE KERNEL: prints the path of one, or nothing where the kernel needs none
    local debug
    grep -qs '^CONFIG_KALLSYMS_ALL=y' "$2"/boot/config-* "$2"/lib/modules/*/config && return
    debug=$(arm64_debug "$1" "$2") &&
        "$host" profile --vmlinux "$debug/vmlinux" --symbols "$debug/System.map" --output "$work/profile" &&
        echo "$work/profile"
}
captured_arm64() {
    local kernel kexec profile name=${suite#arm64-} cpu=cortex-a72 flavour=cloud-arm64
    local program=$BUILD/arm64/static/vmcore-summary
    case ${name%@*} in *-16k) flavour=arm64-16k cpu=cortex-a76 ;; esac
    case $name in *@*) cpu=${name#*@} name=${name%@*} ;; esac
    name=${name%-16k}
    arm64_tools >&2 && tests/lab/cross_arm64.sh >&2 &&
        kernel=$(arm64_kernel "$name" "$flavour") &&
        kexec=$(arm64_kexec "$name") &&
        profile=$(arm64_profile "$name" "$kernel") &&
        arm64_capture_image "$kernel" "$program" "$work/capture.img" "$profile" &&
        arm64_first_image "$kernel" "$scenario" "$work/capture.img" "$kexec" "$program" "$work/first.img" &&
        lab_disk "$work/disk" 256 &&
        arm64_boot "$kernel" "$cpu" "$work/first.img" "$work/disk" "$work/console.log" 1024 loglevel=8 &&
        lab_from_disk "$work/disk" "$work/out" &&
        find "$work/out" -name vmcore-summary.jsonl.gz | grep -q .
}
crash() {
    local status work=$scratch keep=${CRASH_KEEP:-$BUILD/crash}
    [ "${CRASH_AGAIN:-0}" = 0 ] || { cp -a "$keep/." "$work/"; return; }
    rm -rf "$keep" && mkdir -p "$keep"
    case $suite in
    arm64-*) captured_arm64 ;;
    *) captured ;;
    esac
    status=$?
    # what a failure is understood by
    cp -a "$work/console.log" "$work/out" "$keep/" 2> /dev/null
    return $status
}
check "a machine crashes, captures, comes back" crash
[ "$tap_failed" = 0 ] || { tail -n 60 "$scratch/console.log" >&2; done_testing; }
truth=$scratch/out/lab/truth before=$scratch/out/lab/truth-before
[ "$frozen" ] || before=$truth
summary=$(find "$scratch/out" -name vmcore-summary.jsonl.gz)
all=$scratch/summary.jsonl
zcat "$summary" > "$all"

records() { jq -r "select(.section == \"$1\" and .record == \"$2\") | $3" "$all"; }
same_lists() { # DESCRIPTION GOT WANT: lines in any order
    check "$1" diff <(sort <<< "$2") <(sort <<< "$3")
}

# page_bytes_of TRUTH: its size of a page, by the first process, whose memory statm has in pages and status in KiB
page_bytes_of() {
    awk 'FNR == NR { if ($1 == 1) pages = $4; next } $1 == "pid" { pid = $2 }
        $1 == "VmSize:" && pid == 1 { print $2 * 1024 / pages }' "$1/tasks" "$1/status"
}

# --- the file ---------------------------------------------------------------------------------
is "readable by root alone" "$(stat -c %a "$summary")" 600
is "in a directory for root alone" "$(stat -c %a "$(dirname "$summary")")" 700
is "one summary" "$(wc -l <<< "$summary")" 1
is "nothing half-written beside it" "$(find "$scratch/out" -name '.vmcore-summary*')" ""
is "every section ended well" "$(jq -r 'select(.record == "end" and .status != "ok") |
    "\(.section) \(.status) \(.reason)"' "$all")" ""
sections=$(jq -r 'select(.record == "end") | .section' "$all" | paste -sd ' ')
check "header first, trailer last ($sections)" grep -qE '^header .* trailer$' <<< "$sections"
same_lists "every section once" "$(tr ' ' '\n' <<< "$sections")" \
    "$(printf '%s\n' header crash dmesg oom memory zone slab task module trailer)"
check "the digest lies beside it" [ -s "$(dirname "$summary")/vmcore-summary.txt" ]
check "the capture kernel rebooted by itself" grep -q 'lab: the machine is back' "$scratch/console.log"
check "and printed the digest on its console" grep -qi "$reason" <(sed -n '/reading the crashed/,/rebooting/p' "$scratch/console.log")
check "the machine shows it after the reboot" grep -qi "$reason\|out of memory" "$scratch/out/lab/show.txt"
is "and lists it" "$(grep -cw "$reason" "$scratch/out/lab/list.txt")" 1

# --- header, crash, dmesg, oom ------------------------------------------------------------------
is "header: release" "$(records header header .release)" "$(cut -d ' ' -f 3 "$truth/version")"
page=$(page_bytes_of "$truth")
is "header: page size" "$(records header header .page_size_bytes)" "$page"
crashed=$(records header header .crash_time)
check "header: the time of the crash ($crashed)" \
    [ "$(awk -v a="$(stat -c %Y "$scratch/console.log")" -v b="$crashed" 'BEGIN { d = a - b; print (d >= 0 && d < 1800) }')" = 1 ]
is "crash: reason" "$(records crash crash .reason)" "$reason"
is "crash: who" "$(records crash crash .comm)" "$who"
is "crash: CPUs, the one that the panic stopped too" "$(records crash crash .cpus)" 2
is "crash: the command line" "$(records crash crash .cmdline)" "$(cat "$truth/cmdline")"
# between the truth and the panic's own line on the console, however long the machine took from one to the other
panicked=$(sed -n 's/^\[ *\([0-9.]*\)\] Kernel panic - not syncing.*/\1/p' "$scratch/console.log" | head -1)
check "crash: uptime" awk -v s="$(records crash crash .uptime_s)" -v panicked="$panicked" \
    'NR == 1 { exit !(s >= int($1) && s <= panicked + 1) }' "$truth/uptime"
is "oom: the kills, one in the memory cgroup" "$(records oom event '"\(.constraint) \(.outcome)"' | paste -sd ,)" "$kills"
is "oom: victims" "$(records oom victim .comm | paste -sd ' ')" "$victims"

# What syslog(2) gave is there, line by line; what came after, as the serial console has it.
"$host" show --no-pager --color=never --section dmesg "$summary" > "$scratch/dmesg"
check "dmesg: as syslog and then the console had it" \
    tests/lab/compare_dmesg.py "$scratch/dmesg" "$truth/dmesg" "$scratch/console.log"

# --- modules ------------------------------------------------------------------------------------
check "module: each as /proc/modules has it, in its order" \
    tests/lab/compare_modules.sh "$truth/modules" "$all"

# --- tasks --------------------------------------------------------------------------------------
# /proc/PID/status as "pid name ppid uid threads VmSize VmPTE"; kernel threads have no memory, and here
# longer names than a task can hold. Kernel workers come and go, and /proc writes what they work on behind their names: they are compared by pid.
status_table() {
    awk '
    function flush() { if (pid != "") print pid, name, ppid, uid, threads, size * 1024, pte * 1024 }
    $1 == "pid" { flush(); pid = $2; size = pte = 0 }
    $1 == "Name:" { name = substr($2, 1, 15) } $1 == "PPid:" { ppid = $2 } $1 == "Uid:" { uid = $2 }
    $1 == "Threads:" { threads = $2 } $1 == "VmSize:" { size = $2 } $1 == "VmPTE:" { pte = $2 }
    END { flush() }' "$1"
}
tasks=$(records task task '"\(.pid) \(.comm) \(.ppid) \(.uid) \(.threads) \(.vsz_bytes // 0) \(.pgtables_bytes // 0)"')
# the one that filled the machine came after the truth
[ "$frozen" ] || tasks=$(grep -v '^[0-9]* tail ' <<< "$tasks")
same_lists "task: name, parent, user, threads, size and page tables of each" \
    "$(grep -v ' kworker/' <<< "$tasks")" "$(status_table "$truth/status" | grep -v ' kworker/')"
# a worker that was there before and is there now has kept its name; /proc writes more behind it
is "task: kernel workers by pid and name" "$(join <(grep ' kworker/' <<< "$tasks" | cut -d ' ' -f 1,2 | sort) \
    <(awk '$11 ~ /^kworker/ { print $1, $11 }' "$truth/tasks" | sort) | awk 'index($3, $2) != 1')" ""
if [ "$frozen" ]; then
same_lists "task: oom_score_adj of each process" \
    "$(records task task 'select(.kthread | not) | "\(.pid) \(.oom_score_adj)"')" \
    "$(awk '$4 > 0 { print $1, $2 }' "$truth/tasks")"
# Between "mm: convert mm's rss stats into percpu_counter" (v6.2) and the precise sums of later
# releases the kernel ranked by counters that leave out up to 32 pages a CPU each, three of them on two CPUs;
# a score is two thirds of the thousandths of memory that a process has: a point where pages are of 4 KiB.
points=$(awk -v page="$page" '$1 == "MemTotal:" { x = 3 * 2 * 32 * page / ($2 * 1024) * 1000 * 2 / 3; print int(x) + (x > int(x)) }' \
    "$truth/meminfo")
is "task: oom_score of each within $points of what /proc has" "$(join \
    <(records task task 'select(.kthread | not) | select(.pid != 1) | "\(.pid) \(.oom_score)"' | sort) \
    <(awk '$4 > 0 && $1 != 1 { print $1, $3 }' "$truth/tasks" | sort) -a 1 -a 2 |
    awk -v points="$points" '{ off = $2 - $3; if (off < 0) off = -off } NF != 3 || off > points')" ""
check "task: states and cgroup of each, resident memory within what moves" \
    tests/lab/compare_tasks.sh "$truth/tasks" "$all" "$truth/status" "$truth/cgroups"
fi

# --- memory and zones -----------------------------------------------------------------------------
# How far a counter may be from the truth: what it moved by in the second before, and, for the kernel
# adds per-CPU counts to its totals only now and then while a summary adds them all, as much as those
# can hold: CPUs x threshold pages in each zone, and 32 pages in each CPU for other counters.
cpus=2
threshold_pages=$(awk '/vm stats threshold:/ { sum += $4 } END { print sum + 0 }' "$truth/zoneinfo")
slack_bytes=$(((threshold_pages + cpus * 32) * page))
meminfo() { awk '{ sub(/:/, "", $1); printf "%s %.0f\n", $1, $3 == "kB" ? $2 * 1024 : $2 }' "$1" | sort; }
memory=$(records memory total '"\(.name) \(.bytes // .count)"' | sort)
compared=$(join <(meminfo "$truth/meminfo") <(meminfo "$before/meminfo") | join - <(echo "$memory"))
check "memory: most of /proc/meminfo is there ($(wc -l <<< "$compared") of $(wc -l < "$truth/meminfo"))" \
    [ "$(wc -l <<< "$compared")" -ge 45 ]
# /proc rounds down to KiB
is "memory: what never moves is exact" "$(awk '
    $1 ~ /^(MemTotal|SwapTotal|CommitLimit|VmallocTotal|Hugepagesize|HugePages_|Hugetlb|DirectMap)/ &&
        ($4 < $2 || $4 >= $2 + 1024 && $4 > $2 + 1024)' <<< "$compared")" ""
if [ "$frozen" ]; then
# Free pages wander between the zones' lists, which MemFree counts, and those of the CPUs, by megabytes
# at a time. Here the two are added; what is left may move no more than the rest.
lists_bytes() { awk -v page="$page" '$1 == "count:" { sum += $2 } END { print sum * page }' "$1/zoneinfo"; }
truth_lists=$(lists_bytes "$truth") before_lists=$(lists_bytes "$before")
lists=$(records zone zone .pcp_bytes | awk '{ sum += $1 } END { print sum }')
is "memory: the rest within what it moves by itself" "$(awk -v slack="$slack_bytes" -v t="$truth_lists" -v b="$before_lists" -v s="$lists" '
    $1 == "MemFree" || $1 == "MemAvailable" { $2 += t; $3 += b; $4 += s }
    { moved = $2 - $3; if (moved < 0) moved = -moved; off = $2 - $4; if (off < 0) off = -off }
    off > moved + slack { print $0, "off by", off, "allowed", moved + slack }' <<< "$compared")" ""
fi
is "memory: the counters add up" "$(awk '$1 == "Unaccounted" { print ($2 > -16 * 1048576 && $2 < 64 * 1048576) }' <<< "$memory")" 1

# The kernel raises watermarks for a while where kinds of memory begin to mix, by a block of pages at a time
# (boost_watermark(), mm/page_alloc.c), and min, low and high have that in them: it moves while a machine fills up.
unboosted=0
[ "$frozen" ] || ! grep -qw boost "$truth/zoneinfo" || unboosted=1
# FREE or not: node/zone, and free pages with those in the lists of the CPUs, or all that does not move
zone_table() {
    awk -v free="$1" -v unboosted="$unboosted" '
    $1 == "Node" { node = $2 + 0; zone = $4 }
    $1 == "pages" && $2 == "free" { v["free"] = $3 }
    $1 ~ /^(boost|min|low|high|spanned|present|managed)$/ && NF == 2 { v[$1] = $2 }
    $1 == "count:" && free { v["free"] += $2 }
    $1 == "start_pfn:" && free && v["present"] { print node "/" zone, v["free"] }
    $1 == "managed" && !free && v["present"] {
        b = unboosted * v["boost"]
        print node "/" zone, v["min"] - b, v["low"] - b, v["high"] - b, v["spanned"], v["present"], v["managed"] }' "$2"
}
same_lists "zone: watermarks and extent of each" "$(records zone zone 'select(.present_bytes > 0) |
    ((.boost_bytes // 0) * '"$unboosted"') as $b | [.min_bytes - $b, .low_bytes - $b, .high_bytes - $b, .spanned_bytes, .present_bytes, .managed_bytes] as $v |
    "\(.node)/\(.name) \($v | map(. / '"$page"') | join(" "))"')" "$(zone_table 0 "$truth/zoneinfo")"
if [ "$frozen" ]; then
is "zone: free memory of each within what it moves by itself" "$(join <(zone_table 1 "$truth/zoneinfo" | sort) <(zone_table 1 "$before/zoneinfo" | sort) |
    join - <(records zone zone '"\(.node)/\(.name) \((.free_bytes + .pcp_bytes) / '"$page"')"' | sort) |
    awk -v slack="$((slack_bytes / page))" '{ moved = $2 - $3; if (moved < 0) moved = -moved; off = $2 - $4; if (off < 0) off = -off }
        off > moved + slack')" ""
fi

# --- slab -----------------------------------------------------------------------------------------
# Every cache with its sizes; its counts where the machine crashed just after the truth.
if [ "$frozen" ]; then
check "slab: sizes of each cache equal, counts within what the cache moves by itself" \
    tests/lab/compare_slab_rounds.py "$all" "$cpus" "$before/slabinfo" \
    $(find "$scratch/out/lab/rounds" -name 'slabinfo.*' 2> /dev/null | sort -V) "$truth/slabinfo"
else
check "slab: every cache of /proc/slabinfo with its sizes" \
    tests/lab/compare_slabinfo.sh "$truth/slabinfo" "$all" 100000
fi
done_testing

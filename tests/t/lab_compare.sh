#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The comparisons of the lab see differences: slab sections with /proc/slabinfo and crash's kmem -s, a
# log with syslog and a serial console.
. "$(dirname "$0")/../lib.sh"
command -v jq > /dev/null || { skip "compare slab records" "no jq"; done_testing; }

cache() { # NAME OBJECT STRIDE ORDER PER_SLAB SLABS TOTAL ACTIVE ALLOCATED: a record
    printf '{"section":"slab","record":"cache","name":"%s","object_size_bytes":%d,"stride_bytes":%d,' "$1" "$2" "$3"
    printf '"order":%d,"objects_per_slab":%d,"slabs":%d,"objects_total":%d,' "$4" "$5" "$6" "$7"
    printf '"objects_active":%d,"objects_allocated":%d}\n' "$8" "$9"
}
cat > "$scratch/slabinfo" <<'END'
slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>
dentry             10773  10773    192   21    1 : tunables    0    0    0 : slabdata    513    513      0
kmalloc-4k            46     48   4096    8    8 : tunables    0    0    0 : slabdata      6      6      0
END
cat > "$scratch/kmem_s" <<'END'
CACHE             OBJSIZE  ALLOCATED     TOTAL  SLABS  SSIZE  NAME
ff1a66ea01925700      192      10700     10773    513     4k  dentry
ff1a66ea01925b00     4096         38        48      6    32k  kmalloc-4k
END
header='{"section":"header","record":"header","page_size_bytes":4096}'
{ echo "$header"; cache dentry 192 192 0 21 513 10773 10773 10700; cache kmalloc-4k 4096 4096 3 8 6 48 46 38; } > "$scratch/same"
sed 's/"slabs":6,/"slabs":7,/' "$scratch/same" > "$scratch/moved"
sed 's/"stride_bytes":192/"stride_bytes":200/' "$scratch/same" > "$scratch/resized"
sed '/"dentry"/d' "$scratch/same" > "$scratch/lost"
sed 's/"objects_allocated":38/"objects_allocated":39/' "$scratch/same" > "$scratch/freed"
: > "$scratch/nothing"

slabinfo() { tests/lab/compare_slabinfo.sh "$scratch/slabinfo" "$@" > "$scratch/out"; }
kmem_s() { tests/lab/compare_kmem_s.sh "$scratch/kmem_s" "$1" > "$scratch/out"; }
differs() { ! "$@"; }
check "slabinfo: equal" slabinfo "$scratch/same"
is "slabinfo: one line when equal" "$(cat "$scratch/out")" "2 caches, 0 with other counts, 0 with other sizes"
check "slabinfo: another count is seen" differs slabinfo "$scratch/moved"
check "slabinfo: and allowed if so many are" slabinfo "$scratch/moved" 1
check "slabinfo: another size never is" differs slabinfo "$scratch/resized" 9
check "slabinfo: nor a lost cache" differs slabinfo "$scratch/lost" 9
check "slabinfo: nor no section at all" differs slabinfo "$scratch/nothing" 9
check "kmem -s: equal" kmem_s "$scratch/same"
check "kmem -s: another total is seen" differs kmem_s "$scratch/moved"
check "kmem -s: another allocated is seen" differs kmem_s "$scratch/freed"
is "kmem -s: by name" "$(head -1 "$scratch/out")" "kmalloc-4k: allocated: crash 38, summary 39"

# --- slabs, within what they move by themselves --------------------------------------------------
slabs() { # FILE DENTRIES KMALLOC_SLABS: a slabinfo
    sed -e "s/^dentry *[0-9]*/dentry $2/" -e "s/^\(kmalloc-4k .*slabdata\) *6 *6/\1 $3 $3/" "$scratch/slabinfo" > "$1"
}
rounds() { tests/lab/compare_slab_rounds.py "$1" 2 "${@:2}" > "$scratch/out"; }
slabs "$scratch/r1" 10700 6; slabs "$scratch/r2" 10773 6; slabs "$scratch/r3" 10700 6; slabs "$scratch/r4" 10773 6
slabs "$scratch/rare" 10773 7
still=("$scratch/r2" "$scratch/r2" "$scratch/r2") moving=("$scratch/r1" "$scratch/r2" "$scratch/r3" "$scratch/r4")
sed 's/"objects_active":10773/"objects_active":10800/' "$scratch/same" > "$scratch/near"
# the rounds lie 73 apart, and two CPUs keep a slab of 21 and 240 objects each
sed 's/"objects_active":10773/"objects_active":10178/' "$scratch/same" > "$scratch/edge"
sed 's/"objects_active":10773/"objects_active":10177/' "$scratch/same" > "$scratch/far"
check "rounds: equal" rounds "$scratch/same" "${still[@]}"
check "rounds: a still cache that moved is seen" differs rounds "$scratch/moved" "${still[@]}"
check "rounds: and allowed for where rounds moved as many once" rounds "$scratch/moved" "$scratch/r1" "${still[@]}"
check "rounds: but not where every cache that moved did so often" differs rounds \
    <(sed 's/"objects_active":10773/"objects_active":10774/' "$scratch/moved") "$scratch/rare" "$scratch/r2" "$scratch/rare" "$scratch/r2"
check "rounds: a cache that moves may be near" rounds "$scratch/near" "${moving[@]}"
check "rounds: as far as rounds and slabs of CPUs allow" rounds "$scratch/edge" "${moving[@]}"
check "rounds: no further" differs rounds "$scratch/far" "${moving[@]}"
# of kmalloc-4k two CPUs keep a slab of 8 and 12 objects each; 48 where a page holds several of them
kmalloc() { sed "s/\"objects_active\":46/\"objects_active\":$1/; s/\(page_size_bytes\":\)4096/\1$2/" "$scratch/same" > "$scratch/kmalloc"; }
slabs "$scratch/r5" 10773 7; steps=("$scratch/r5" "$scratch/r2" "$scratch/r5" "$scratch/r2")
kmalloc 86 4096; check "rounds: as far as CPUs keep objects of a page" rounds "$scratch/kmalloc" "${steps[@]}"
kmalloc 87 4096; check "rounds: no further with those" differs rounds "$scratch/kmalloc" "${steps[@]}"
kmalloc 158 16384; check "rounds: or of less than a page of 16 KiB" rounds "$scratch/kmalloc" "${steps[@]}"
kmalloc 159 16384; check "rounds: no further there" differs rounds "$scratch/kmalloc" "${steps[@]}"
check "rounds: nor is it without a header" differs rounds <(sed 1d "$scratch/same") "${still[@]}"
check "rounds: another size never is right" differs rounds "$scratch/resized" "${moving[@]}"
check "rounds: nor a lost cache" differs rounds "$scratch/lost" "${moving[@]}"
check "rounds: nor no section at all" differs rounds "$scratch/nothing" "${moving[@]}"

# --- a log ------------------------------------------------------------------------------------------
cat > "$scratch/shown" <<'END'
[    0.100000] one
[    0.200000] two
[    0.300000] sysrq: Trigger a crash
[    0.400000] Kernel panic - not syncing: sysrq triggered crash
[    0.400000] Call Trace:
 of two lines
END
printf '<6>[    0.000000] zero\n<5>[    0.100000] one\n<4>[    0.200000] two\n' > "$scratch/syslog"
{ printf 'lab: up\r\n[    0.200000] two\r\n'; sed -n '3,$s/$/\r/p' "$scratch/shown" | sed 's|^ of|[    0.400000]  of|'; } > "$scratch/panicked"
{ cat "$scratch/panicked"; printf '[    0.000000] of the capture kernel\r\n'; } > "$scratch/console"
dmesg() { tests/lab/compare_dmesg.py "$1" "$scratch/syslog" "${2:-$scratch/console}"; }
check "log: equal, less what was overwritten" dmesg "$scratch/shown"
check "log: equal where no capture kernel follows" dmesg "$scratch/shown" "$scratch/panicked"
{ cat "$scratch/panicked"; printf 'vmcore-summary: reading\r\n[    9.000000] of the capture kernel\r\n'; } > "$scratch/slow"
check "log: equal where only a late line of the capture kernel follows" dmesg "$scratch/shown" "$scratch/slow"
check "log: another line of syslog is seen" differs dmesg <(sed s/two/too/ "$scratch/shown")
check "log: a lost line of syslog" differs dmesg <(sed /two/d "$scratch/shown")
check "log: another line of the console" differs dmesg <(sed s/Call/call/ "$scratch/shown")
check "log: a lost line at the end" differs dmesg <(sed '$d' "$scratch/shown")
check "log: a line that nobody wrote" differs dmesg <(cat "$scratch/shown"; echo '[    0.500000] more')
# one message of 30 lines; with stamps of 15 bytes 19 of them fit a buffer of 1024 bytes
long() { # LINES STAMP: of it
    for ((i = 1; i <= $1; i++)); do
        [ $i -gt 1 ] && stamp=$2 || stamp='[    0.250000] '
        printf '%s%02d %033d\n' "$stamp" "$i" 0
    done
}
{ sed '/sysrq:/,$d' "$scratch/shown"; long 30 ''; sed '/sysrq:/,$!d' "$scratch/shown"; } > "$scratch/longer"
cp "$scratch/syslog" "$scratch/short"
{ cat "$scratch/short"; long 20 '[    0.250000] '; } > "$scratch/syslog"
check "log: the end of a message longer than the kernel's buffer may be missing there" dmesg "$scratch/longer"
{ cat "$scratch/short"; long 10 '[    0.250000] '; } > "$scratch/syslog"
check "log: not more than the end" differs dmesg "$scratch/longer"
check "log: no log" differs dmesg "$scratch/nothing"
done_testing

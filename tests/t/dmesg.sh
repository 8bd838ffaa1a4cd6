#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `show --section dmesg` prints a vmcore's log as vmcore-dmesg of kexec-tools does, byte for byte, in
# both formats. The logs are made up here as the kernel would lay them out, wrapped several times.
. "$(dirname "$0")/../lib.sh"
RANDOM=4711
base=0xffffffff81000000
records=${RECORDS:-300}

# random_text MAX: $text, hexadecimal, $len bytes; printable for the most part, any byte at times
random_text() {
    local i byte
    len=$((RANDOM % $1)) text=
    for ((i = 0; i < len; i++)); do
        byte=$((RANDOM % 20 ? 32 + RANDOM % 95 : RANDOM % 256))
        printf -v byte %02x "$byte"
        text+=$byte
    done
}

# make_records MAX: fills texts[], lens[] and times[]
make_records() {
    local i ns=0
    texts=() lens=() times=()
    for ((i = 0; i < records; i++)); do
        random_text "$1"
        texts[i]=$text lens[i]=$len times[i]=$ns
        ns=$((ns + RANDOM * RANDOM * 900))
    done
}

# describe_prb: 2^7 descriptors, 2^12 bytes of text. Ids and positions begin where the kernel's do:
# as far below zero as the ring is large.
describe_prb() {
    local i size next at first=0 tail=0 begin=() end=() mask=$(((1 << 62) - 1))
    local data=4096 count=128 head=-4096
    for ((i = 0; i < records; i++)); do
        size=$(((8 + lens[i] + 7) / 8 * 8))
        begin[i]=$head next=$((head + size))
        # does not fit before the ring's end: it lies at its start
        [ $((next >> 12)) = $((head >> 12)) ] || next=$(((next & ~(data - 1)) + size))
        [ "${lens[i]}" != 0 ] || { begin[i]=3 next=3; }
        end[i]=$next
        [ "$next" = 3 ] || head=$next
    done
    for ((i = records - 1; i >= 0; i--)); do
        [ $((records - i)) -lt $count ] || break
        [ "${begin[i]}" = 3 ] || [ $((head - begin[i])) -le $data ] || break
        tail=$i
    done
    first=$((-count))
    sed '/^load/,$d' tests/data/vmcore/prb.txt
    cat << END
load 0x1000000 virt=$base
  u64 $((base + 16)) 0
  u64 7 $((base + 0x1000)) $((base + 0x2000)) $(((first + records - 1) & mask)) $(((first + tail) & mask)) 0
  u64 12 $((base + 0x6000)) 0 0 0
  at 0x7000
END
    for ((i = tail; i < records; i++)); do
        at=$(((first + i) & mask & (count - 1)))
        echo "  at $((0x1000 + at * 24))"
        echo "  u64 $((((first + i) & mask) | 1 << 62 + (i % 2))) ${begin[i]} ${end[i]}"
        echo "  at $((0x2000 + at * 88))"
        echo "  u64 $i ${times[i]}"
        echo "  u16 ${lens[i]}"
        echo "  u8 0 $(((i % 8) << 5))"
        echo "  u32 $i"
        [ "${begin[i]}" != 3 ] || continue
        at=$((begin[i] & (data - 1)))
        [ $((end[i] >> 12)) = $((begin[i] >> 12)) ] || at=0
        echo "  at $((0x6000 + at))"
        echo "  u64 $(((first + i) & mask))"
        echo "  hex ${texts[i]}"
    done
    echo "  at 0x7000"
}

# describe_records HEADER WRAPS: a buffer of 4096 bytes, the record header's size (16, or 20 with
# the caller); runs until the buffer has wrapped so many times and a record more.
describe_records() {
    local i idx=0 size wraps=0 first next out
    out=$(for ((i = 0; i < records; i++)); do
        size=$((($1 + lens[i] + 3) / 4 * 4))
        # room for the mark that the buffer wraps must be left
        if [ $((idx + size + $1)) -gt 4096 ]; then
            [ $wraps = "$2" ] && break
            echo "  at $((0x100 + idx))"
            echo "  zero $1"
            echo "wrap"
            idx=0 wraps=$((wraps + 1))
        fi
        echo "record $i $idx $size"
        idx=$((idx + size))
        echo "  at $((0x100 + idx - size))"
        echo "  u64 ${times[i]}"
        echo "  u16 $size ${lens[i]} 0"
        echo "  u8 0 $(((i % 8) << 5))"
        [ "$1" = 16 ] || echo "  u32 $i"
        echo "  hex ${texts[i]}"
        [ $wraps -lt "$2" ] || [ $idx -lt 2000 ] || break
    done)
    next=$(awk '$1 == "record" {n = $3 + $4} END {print n}' <<< "$out")
    # the oldest is the first record of the lap before that the newest has not overwritten
    first=$(awk -v next_idx="$next" '$1 == "wrap" {n = 0} $1 == "record" {lap[++n] = $3; total = n}
        $1 == "wrap" {for (i in all) delete all[i]; for (i = 1; i <= total; i++) all[i] = lap[i]; m = total}
        END {for (i = 1; i <= m; i++) if (all[i] >= next_idx + 40) {print all[i]; exit} print 0}' <<< "$out")
    sed '/^load/,$d' tests/data/vmcore/records.txt | sed "s/SIZE(printk_log)=.*/SIZE(printk_log)=$1/"
    echo "load 0x1000000 virt=$base"
    echo "  u64 $((base + 0x100))"
    echo "  u32 4096 $first 0 $next"
    echo "  at 0x1100"
    grep -v '^[rw]' <<< "$out"
}

# compare NAME FILTER: what vmcore-dmesg says of the described vmcore, through the filter, is said
compare() {
    "$BUILD/tools/mkvmcore" "$scratch/$1.txt" "$scratch/$1.vmcore" || return
    vmcore-dmesg "$scratch/$1.vmcore" | sed "$2" > "$scratch/$1.want"
    "$asan" capture --vmcore "$scratch/$1.vmcore" --output "$scratch/$1" --no-console --quiet
    "$asan" show --section dmesg "$scratch/$1" > "$scratch/$1.got"
    check "$1: vmcore-dmesg has something to say" [ "$(wc -l < "$scratch/$1.want")" -gt 20 ]
    check "$1: as vmcore-dmesg" cmp "$scratch/$1.want" "$scratch/$1.got"
}

make_records 120
describe_prb > "$scratch/ring-wrapped.txt"
compare ring-wrapped ''
records=30 make_records 100
records=30 describe_prb > "$scratch/ring-new.txt"
compare ring-new ''
make_records 120
describe_records 20 0 > "$scratch/records-new.txt"
compare records-new ''
# vmcore-dmesg prints the mark where the buffer wraps as a record of its own: an empty line at 0.
mark='/^\[    0\.000000\] $/d'
describe_records 20 2 > "$scratch/records-wrapped.txt"
compare records-wrapped "$mark"
describe_records 16 1 > "$scratch/records-without-caller.txt"
compare records-without-caller "$mark"
is "the caller is told" "$("$asan" show --json --section dmesg "$scratch/ring-new" | grep -c '"caller":"T')" 30
done_testing

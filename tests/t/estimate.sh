#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The estimate of a full dump's size against the file that makedumpfile writes, at all its levels, for a
# new vmcore and for those that the cache has (the large ones with ESTIMATE_ALL=1); and what Mode= makes
# of it. An estimate may be 10 % too small at most, and at most twice the file. The table goes to the
# test's log.
. "$(dirname "$0")/../lib.sh"
vmcore=$(tests/lab/vmcore.sh) || { check "a vmcore" false; done_testing; }

size_of() { # OPTION LEVEL VMCORE: bytes of makedumpfile's file
    rm -f "$scratch/dump"
    makedumpfile --message-level 0 "$1" -d "$2" "$3" "$scratch/dump" > /dev/null 2>&1 &&
        stat -c %s "$scratch/dump"
}
compare() { # VMCORE OPTION COMPRESSION FIELD LEVEL…: a row a level; fails if one is out of bounds
    local file=$1 option=$2 compression=$3 field=$4 level got want bad=0
    shift 4
    "$host" estimate --vmcore "$file" --compression "$compression" --json > "$scratch/levels" || return 1
    for level; do
        got=$(jq "select(.level == $level).$field" "$scratch/levels")
        want=$(size_of "$option" "$level" "$file") || return 1
        awk -v name="$(basename "$(dirname "$file")")" -v option="$option" -v level="$level" -v got="$got" -v want="$want" \
            'BEGIN { printf "%-24s %-4s level %2d: estimate %11d file %11d %+6.1f %%\n", name, option, level, got, want,
                     (got - want) * 100 / want }'
        [ $((got * 10)) -ge $((want * 9)) ] && [ "$got" -le $((want * 2)) ] || bad=1
    done
    return $bad
}
for file in "$vmcore" "$cache"/vmcores/bookworm-*/vmcore; do
    [ -s "$file" ] || continue
    [ -n "${ESTIMATE_ALL:-}" ] || [ "$(stat -c %s "$file")" -lt 2000000000 ] || continue
    [ "$file" != "$vmcore" ] || [ -z "${seen:-}" ] || continue
    seen=1 name=$(basename "$(dirname "$file")")
    # shellcheck disable=SC2046
    check "$name: lzo, every level" compare "$file" -l lzo bytes $(seq 0 31)
    check "$name: zlib" compare "$file" -c zlib bytes 0 1 8 16 31
    check "$name: ELF" compare "$file" -E none bytes_uncompressed 0 1 8 16 31
done

# --- the command ------------------------------------------------------------------------------------
check "the running machine, by one way or the other" "$host" estimate --level 31
is "32 levels" "$("$host" estimate --vmcore "$vmcore" --json | jq -s length)" 32
is "the same twice" "$("$host" estimate --vmcore "$vmcore" --json | md5sum)" \
    "$("$host" estimate --vmcore "$vmcore" --json | md5sum)"
# A running machine has in its memory what it has reserved for its capture kernel; no dump has that.
# shellcheck disable=SC2016
live() { # IOMEM: bytes of level 0, uncompressed, and of level 31, where that is /proc/iomem
    printf '%s\n' "$1" > "$scratch/iomem"
    unshare -m sh -c 'mount --bind "$1" /proc/iomem && "$2" --vmcore "$3" --json' sh "$scratch/iomem" "$BUILD/tools/estimate_live" "$vmcore" |
        jq -r 'select(.level == 0).bytes_uncompressed, select(.level == 31).bytes' | paste -sd ' '
}
if unshare -m true 2> /dev/null; then
    read -r all all31 < <(live "00100000-2fffffff : System RAM")
    read -r part part31 < <(live "00100000-2fffffff : System RAM
  01000000-01ffffff : Kernel code
  04000000-07ffffff : Crash kernel
  0c000000-0cffffff : Crash kernel")
    is "80 MiB for the capture kernel are not in the dump" $((all - part)) $((80 << 20))
    check "nor what they hold" [ "$part31" -lt "$all31" ]
    is "outside of the memory they take nothing from it" "$(live "ff00000000-ff3fffffff : Crash kernel")" "$all $all31"
    is "nor do ranges that are not to be seen" "$(live "00000000-00000000 : Crash kernel")" "$all $all31"
    is "a dump has none" "$("$host" estimate --vmcore "$vmcore" --level 0 --json | jq .bytes_uncompressed)" "$all"
else
    skip "the capture kernel's memory" "no mount namespaces here"
fi
"$host" estimate --vmcore "$vmcore" --target /proc/self/nothing 2> "$scratch/err"
is "a target that is not there is an error" $? 1
"$host" estimate --level 32 2> "$scratch/err"
is "a level that is not there is a wrong command line" $? 2
"$asan" estimate --vmcore "$vmcore" --level 31 > "$scratch/asan"
is "under the sanitizers too" $? 0

# --- the decision -----------------------------------------------------------------------------------
mkdir "$scratch/small" "$scratch/large"
mount -t tmpfs -o size=20m tmpfs "$scratch/small" && mount -t tmpfs -o size=200m tmpfs "$scratch/large"
trap 'umount "$scratch/small" "$scratch/large"; rm -rf "$scratch"' EXIT
decide() { # MODE DIRECTORY [OPTION…]: prints the exit status and the decision in the summary
    local mode=$1 dir=$2
    shift 2
    printf '[Dump]\nMode=%s\n' "$mode" > "$scratch/conf"
    "$static" capture --config "$scratch/conf" --vmcore "$vmcore" --output "$dir" --quiet "$@"
    echo "$? $(zcat "$dir/vmcore-summary.jsonl.gz" | jq -r 'select(.record == "policy").decision')"
}
is "alongside: the dump is written" "$(decide alongside "$scratch/small" --policy)" "0 dump"
is "instead: it is not" "$(decide instead "$scratch/large" --policy)" "10 skip"
is "auto, with room" "$(decide auto "$scratch/large" --policy)" "0 dump"
is "auto, without" "$(decide auto "$scratch/small" --policy)" "10 skip"
is "nobody asks: there is nothing to decide" "$(decide instead "$scratch/small")" "0 "
is "the dump goes elsewhere" "$(decide auto "$scratch/small" --policy --dump-target "$scratch/large")" "0 dump"
is "a larger level 0 does not fit" \
    "$(decide auto "$scratch/large" --policy --dump-level 0 --dump-compression none)" "10 skip"
# An old dump that the configuration lets go makes room for this one, but never for none. A tmpfs of this
# size has room for the dump and MinFree=, and not with the old one.
retain() { # OLD_MIB KEY=VALUE…: prints what decide does, and what of the old one is left
    local old=$1 dir=$scratch/kept status left
    shift
    mkdir "$dir" && mount -t tmpfs -o "size=$((wanted / 1024 + 4096))k" tmpfs "$dir" || return
    mkdir -m 700 "$dir/crash-20200101T000000Z"
    echo old > "$dir/crash-20200101T000000Z/vmcore-summary.jsonl.gz"
    head -c "${old}M" /dev/zero > "$dir/crash-20200101T000000Z/vmcore"
    { printf '[Dump]\nMode=auto\n[Capture]\nDirectory=%s\n[Retention]\n' "$dir"; printf '%s\n' "$@"; } > "$scratch/conf"
    "$static" capture --config "$scratch/conf" --vmcore "$vmcore" --policy --quiet
    status=$?
    left=gone
    [ ! -e "$dir/crash-20200101T000000Z/vmcore" ] || left=there
    echo "$status $(zcat "$dir"/crash-*[1-9]Z/vmcore-summary.jsonl.gz | jq -r 'select(.record == "policy").decision') $left"
    umount "$dir" && rmdir "$dir"
}
wanted=$(($("$host" estimate --vmcore "$vmcore" --level 31 --json | jq .bytes) + (64 << 20)))
is "auto, an old dump that may go" "$(retain 40 KeepMax=1 RemoveVmcore=yes)" "0 dump gone"
is "auto, one that goes for the sake of what is to stay free" "$(retain 40 KeepFree=95% RemoveVmcore=yes)" "0 dump gone"
is "auto, one that may not" "$(retain 40 KeepMax=1)" "10 skip there"
is "auto, no limit that it is beyond" "$(retain 40 KeepMax=2 RemoveVmcore=yes)" "10 skip there"
is "auto, one that would not make room enough, and stays" "$(retain 40 KeepMax=1 RemoveVmcore=yes 'MaxUse=' '[Dump]' MinFree=90M)" "10 skip there"

# What ext4 keeps for root is not free: half of this disk, on which a dump of root's would find its bytes.
mkdir "$scratch/reserve"
if truncate -s $((wanted * 7 / 5)) "$scratch/disk" && mkfs.ext4 -q -m 50 "$scratch/disk" &&
    mount -o loop "$scratch/disk" "$scratch/reserve" 2> "$scratch/mount"; then
    trap 'umount "$scratch/small" "$scratch/large" "$scratch/reserve"; rm -rf "$scratch"' EXIT
    check "its blocks would do" [ "$(($(stat -f -c '%f * %S' "$scratch/reserve")))" -gt "$wanted" ]
    is "but it has free what df shows" \
        "$("$host" estimate --vmcore "$vmcore" --level 31 --target "$scratch/reserve" --json | jq -c '[.free_bytes, .fits]')" \
        "[$(df -B1 --output=avail "$scratch/reserve" | tail -1),false]"
    is "auto, with room for root alone" "$(decide auto "$scratch/reserve" --policy)" "10 skip"
else
    skip "room that is root's" "cannot mount: $(cat "$scratch/mount")"
fi
check "the digest says why" grep -q "left out: about" "$scratch/large/vmcore-summary.txt"
printf '[Dump]\nMode=instead\n' > "$scratch/conf"
"$static" capture --config "$scratch/conf" --vmcore "$vmcore" --output '' --policy > "$scratch/out" 2>&1
is "without a summary that is kept there is no skipping" $? 0
"$static" capture --config "$scratch/conf" --vmcore "$vmcore" --output "$scratch/large" --section slab --policy --quiet
is "nor without the log in it" $? 0
printf '[Dump]\nMode=sometimes\nMinFree=lots\n' > "$scratch/conf"
"$static" capture --config "$scratch/conf" --vmcore "$vmcore" --output "$scratch/large" --policy > "$scratch/out" 2>&1
is "errors in the configuration: the defaults" $? 0
check "and the lines are named" grep -q "conf:2: " "$scratch/out"
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One machine's memory in every form in which people keep it gives the records of the plain vmcore.
# makedumpfile is the writer, an independent witness of each format. The five bits of its filter leave
# out zero, cache, private cache, user and free pages; none of them holds what the sections read, so
# that no record is lost and no read fails at any level.
. "$(dirname "$0")/../lib.sh"
vmcore=$(tests/lab/vmcore.sh) || { check "a vmcore" false; done_testing; }

records() { # FILE NAME [PROGRAM]: its records to $scratch/NAME, its whole summary to NAME.all
    "${3:-$host}" capture --vmcore "$1" --output "$scratch/out" --no-console --quiet 2> "$scratch/$2.err" &&
        zcat "$scratch/out/vmcore-summary.jsonl.gz" > "$scratch/$2.all" &&
        jq -c 'select(.section != "header" and .section != "trailer" and .record != "end")' \
            "$scratch/$2.all" > "$scratch/$2"
}
make_dump() { makedumpfile --message-level 0 "$@" > /dev/null 2> "$scratch/makedumpfile.err"; }
# Debian's Python, for its modules
recompress() { # NAME
    make_dump -c -d 31 "$vmcore" "$scratch/zlib.dump" &&
        /usr/bin/python3 tests/recompress_kdump.py "$1" "$scratch/zlib.dump" "$scratch/dump"
    set -- $?
    rm -f "$scratch/zlib.dump"
    return "$1"
}
kind() { jq -r 'select(.record == "header") | .core_kind' "$scratch/$1.all"; }
same() { # NAME KIND: as the plain vmcore, every section whole
    is "$1: the header says what it is" "$(kind "$1")" "$2"
    check "$1: the same records" cmp "$scratch/plain" "$scratch/$1"
    is "$1: every section is whole" "$(jq -r 'select(.record == "end" and .status != "ok") |
        "\(.section) \(.status) \(.reason)"' "$scratch/$1.all")" ""
    is "$1: no read failed" "$(jq -r 'select(.record == "end" and .faults > 0) | .section' "$scratch/$1.all")" ""
}
check "the plain vmcore reads" records "$vmcore" plain
check "and has records of every section" [ "$(jq -r .section "$scratch/plain" | sort -u | wc -l)" = 8 ]

# --- each form: NAME KIND OPTIONS ---------------------------------------------------------------
while read -r name kind options; do
    # without its library makedumpfile writes the pages as they are: then ours are compressed anew
    if makedumpfile -v | grep -q "^$name.*disabled"; then
        check "$name: zlib's pages compressed so" recompress "$name"
    else
        # shellcheck disable=SC2086
        check "$name: makedumpfile writes it" make_dump $options "$vmcore" "$scratch/dump"
    fi
    records "$scratch/dump" "$name"
    same "$name" "$kind"
    rm -f "$scratch/dump"
done <<'END'
lzo kdump -d 31 -l
zero-pages elf -E -d 1
cache elf -E -d 2
private-cache elf -E -d 4
user elf -E -d 8
free elf -E -d 16
zlib kdump -d 31 -c
snappy kdump -d 31 -p
zstd kdump -d 31 -z
uncompressed kdump -d 31
unfiltered kdump -d 1 -l
elf elf -E -d 31
END

# --- filtered is not damaged --------------------------------------------------------------------
# A page that the sections do need, the one with a cache's struct kmem_cache: its `size` and
# `object_size` lie side by side. makedumpfile never leaves it out; a filter with a rule of its own may.
sizes() { jq -r 'select(.record == "cache" and .name == "task_struct") |
    "\(.stride_bytes) \(.object_size_bytes)"' "$scratch/plain"; }
# shellcheck disable=SC2046
pattern=$(python3 -c 'import struct, sys; print(struct.pack("<II", *map(int, sys.argv[1:])).hex())' $(sizes))
punched() { # NAME filter|cut: the dump without that page, as it would be then
    cp "$scratch/elf.dump" "$scratch/dump"
    check "$1: the page is found" [ "$(python3 tests/punch_core.py "$scratch/dump" "$pattern" "$2")" -ge 1 ]
    records "$scratch/dump" "$1"
    is "$1: slab alone is not whole" "$(jq -r 'select(.record == "end" and .status != "ok") |
        "\(.section) \(.status)"' "$scratch/$1.all")" "slab partial"
    end=$(jq -c 'select(.section == "slab" and .record == "end")' "$scratch/$1.all")
    "$asan" show --section slab "$scratch/out/vmcore-summary.jsonl.gz" > "$scratch/$1.show"
    missing=$("$asan" show "$scratch/out/vmcore-summary.jsonl.gz" | sed -n '/^WHAT IS MISSING/,/^$/p')
}
make_dump -E -d 31 "$vmcore" "$scratch/elf.dump"
punched filtered filter
check "filtered: the section says so" jq -e '.filtered == .faults and (.reason |
    test("^pages filtered \\([0-9]+ reads?\\): "))' <<< "$end"
check "filtered: show says so" grep -q '^ *reason *pages filtered' "$scratch/filtered.show"
is "filtered: the digest says so, and raises no alarm" "$missing" "WHAT IS MISSING
    not damage: the dump's filter (makedumpfile) left out pages of slab"
punched cut cut
check "cut: the section does not speak of a filter" jq -e '.faults > 0 and (has("filtered") | not) and
    (.reason | test("filter") | not)' <<< "$end"
check "cut: the digest raises the alarm" grep -q '! section slab is not whole' <<< "$missing"
rm -f "$scratch/elf.dump" "$scratch/dump"

make_flat() { makedumpfile --message-level 0 -F "$@" "$vmcore" > "$scratch/dump" 2> "$scratch/makedumpfile.err"; }
check "makedumpfile writes flattened" make_flat -d 31 -l
records "$scratch/dump" flattened
same flattened kdump-flattened
is "flattened: nothing stays in TMPDIR" "$(mkdir "$scratch/tmp" && TMPDIR=$scratch/tmp records "$scratch/dump" again &&
    ls -A "$scratch/tmp")" ""
full() { ! TMPDIR=$scratch/none records "$scratch/dump" again; }
check "flattened: without a directory for it" full
check "says so" grep -q 'no temporary file in .*none (TMPDIR)' "$scratch/again.err"
head -c 3000000 "$scratch/dump" > "$scratch/cut"
ASAN_OPTIONS=detect_leaks=0 records "$scratch/cut" cut "$asan"
check "a flattened dump that was cut short is no crash" [ $? -le 1 ]

# --- what cannot be read is named ---------------------------------------------------------------
refused() { # NAME PROGRAM FILE PATTERN
    "$2" capture --vmcore "$3" --output "$scratch/refused" --no-console 2> "$scratch/err"
    check "$1: one line" [ "$(wc -l < "$scratch/err")" = 1 ]
    check "$1: says it" grep -qE "$4" "$scratch/err"
}
refused "flattened, static build" "$static" "$scratch/dump" 'flattened dump.*/usr/bin/vmcore-summary capture --vmcore'
make_dump -d 31 -l "$vmcore" "$scratch/lzo.dump"
refused "compressed, static build" "$static" "$scratch/lzo.dump" 'compressed dump.*/usr/bin/vmcore-summary capture --vmcore'
make_dump -d 31 -l --split "$vmcore" "$scratch/part1" "$scratch/part2"
refused "a part of a split" "$host" "$scratch/part1" 'makedumpfile --reassemble'
refused "the other part" "$host" "$scratch/part2" 'makedumpfile --reassemble'
check "the parts join" make_dump --reassemble "$scratch/part1" "$scratch/part2" "$scratch/joined"
records "$scratch/joined" joined
same joined kdump
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# compare_kmem_s.sh KMEM_S SUMMARY_JSONL
# Compares the slab section of a summary with what crash printed for `kmem -s` on the same dump: for
# each cache OBJSIZE, ALLOCATED, TOTAL, SLABS and SSIZE. Prints every cache that differs, then a line
# of totals; exit 1 if any does. Both read the same memory, so nothing may differ.
# If ALLOCATED is higher in crash: it passes over the partial slabs of a CPU that has no slab of its
# own, and so counts their free objects as allocated.
set -eu
[ $# = 2 ] || { echo "usage: compare_kmem_s.sh KMEM_S SUMMARY_JSONL" >&2; exit 2; }
join -a 1 -a 2 -t $'\t' -e missing -o 0,1.2,1.3,2.2,2.3 \
    <(awk 'NF == 7 && $6 ~ /^[0-9]+k$/ {
        print $7 "\t" $2 " " $4 " " $5 " " $6 "\t" $3 }' "$1" | sort) \
    <(jq -r 'select(.section == "slab" and .record == "cache") |
        "\(.name)\t\(.object_size_bytes) \(.objects_total) \(.slabs) \(4 * pow(2; .order))k\t" +
        "\(.objects_allocated)"' "$2" | sort) |
    awk -F '\t' '
        { caches++ }
        $2 != $4 { print $1 ": objsize, total, slabs, ssize: crash " $2 ", summary " $4; wrong++ }
        $3 != $5 { print $1 ": allocated: crash " $3 ", summary " $5; allocated++ }
        END {
            print caches + 0 " caches, " wrong + 0 " with other sizes or totals, " \
                  allocated + 0 " with other allocated"
            exit !caches || wrong || allocated
        }'

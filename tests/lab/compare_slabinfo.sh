#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# compare_slabinfo.sh SLABINFO SUMMARY_JSONL [ALLOWED]
# Compares the slab section of a summary with the /proc/slabinfo that the same machine had just
# before: for each cache active and total objects, stride, objects and pages a slab, slabs. Prints
# every cache that differs as `NAME: slabinfo … summary …`, then one line of totals. Between the two
# the machine went on living: counts (never sizes, never a cache's existence) may differ in up to
# ALLOWED caches, 0 unless given. Exit 1 if more do.
set -eu
[ $# -ge 2 ] || { echo "usage: compare_slabinfo.sh SLABINFO SUMMARY_JSONL [ALLOWED]" >&2; exit 2; }
join -a 1 -a 2 -t $'\t' -e missing -o 0,1.2,1.3,2.2,2.3 \
    <(awk '/^#|^slabinfo/ { next }
        { print $1 "\t" $4 " " $5 " " $6 "\t" $2 " " $3 " " $15 }' "$1" | sort) \
    <(jq -r 'select(.section == "slab" and .record == "cache") |
        "\(.name)\t\(.stride_bytes) \(.objects_per_slab) \(pow(2; .order))\t" +
        "\(.objects_active) \(.objects_total) \(.slabs)"' "$2" | sort) |
    awk -F '\t' -v allowed="${3:-0}" '
        { caches++ }
        $2 != $4 { print $1 ": stride, objects, pages a slab: slabinfo " $2 ", summary " $4; wrong++ }
        $2 == $4 && $3 != $5 { print $1 ": active, total, slabs: slabinfo " $3 ", summary " $5; moved++ }
        END {
            print caches + 0 " caches, " moved + 0 " with other counts, " wrong + 0 " with other sizes"
            exit !caches || wrong || moved > allowed
        }'

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# compare_zoneinfo.sh ZONEINFO SUMMARY_JSONL [MOVED_KB]
# Compares the zone section of a summary with the /proc/zoneinfo that the same machine had just
# before: watermarks, boost and sizes of each zone that has memory must be equal; free pages, with
# those on per-CPU lists, may differ by MOVED_KB, 8192 unless given. A zone's free blocks must hold
# its free pages, but for a few that a stopped CPU was just taking. Exit 1 otherwise.
set -eu
[ $# -ge 2 ] || { echo "usage: compare_zoneinfo.sh ZONEINFO SUMMARY_JSONL [MOVED_KB]" >&2; exit 2; }
page=$(jq 'select(.record == "header") | .page_size_bytes' "$2")
[ "$page" ] || { echo "the summary has no header" >&2; exit 1; }
# one line a zone: node/name, fixed numbers, free, on per-CPU lists; in pages
zones() {
    awk '
        function out() { if (present) print key "\t" fixed "\t" free "\t" pcp + 0 }
        $1 == "Node" { out(); sub(",", "", $2); key = $2 "/" $4; fixed = ""; pcp = present = 0 }
        $1 == "pages" && $2 == "free" { free = $3 }
        $1 ~ /^(boost|min|low|high|spanned|present|managed)$/ && NF == 2 { fixed = fixed " " $1 "=" $2 }
        $1 == "present" { present = $2 }
        $1 == "count:" { pcp += $2 }
        END { out() }' "$1" | sort
}
join -a 1 -a 2 -t $'\t' -e missing -o 0,1.2,1.3,1.4,2.2,2.3,2.4,2.5 <(zones "$1") \
    <(jq -r --argjson page "$page" 'select(.section == "zone" and .record == "zone") |
        def pages: . / $page | floor;
        "\(.node)/\(.name)\t boost=\(.boost_bytes | pages) min=\(.min_bytes | pages) " +
        "low=\(.low_bytes | pages) high=\(.high_bytes | pages) spanned=\(.spanned_bytes | pages) " +
        "present=\(.present_bytes | pages) managed=\(.managed_bytes | pages)\t" +
        "\(.free_bytes | pages)\t\(.pcp_bytes | pages)\t" +
        "\([.free_blocks | to_entries[] | .value * pow(2; .key)] | add)"' "$2" | sort) |
    awk -F '\t' -v moved="$((${3:-8192} * 1024 / page))" '
        function far(a, b, by) { return a - b > by || b - a > by }
        { zones++ }
        $2 != $5 { print $1 ": zoneinfo" $2 ", summary" $5; wrong++ }
        far($3 + $4, $6 + $7, moved) {
            print $1 ": free and per-CPU pages: zoneinfo " $3 " " $4 ", summary " $6 " " $7; wrong++
        }
        far($6, $8, 64) { print $1 ": free pages " $6 ", in blocks " $8; wrong++ }
        END { print zones + 0 " zones, " wrong + 0 " wrong"; exit !zones || wrong }'

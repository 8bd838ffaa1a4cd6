#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# compare_meminfo.sh MEMINFO SUMMARY_JSONL [MOVED_KB]
# Compares the memory section of a summary with the /proc/meminfo that the same machine had just
# before. Rows that do not change while nobody configures the machine must be equal; the others may
# differ by MOVED_KB, 8192 unless given (MemFree and MemAvailable by four times that: pages go to and
# from the CPUs' free lists, which they do not count; VmallocTotal by what jq rounds). Every row must be there, but for NFS_Unstable, which kernels
# since 5.8 print as a constant. The summary's parts must add up to MemTotal. Exit 1 otherwise.
set -eu
[ $# -ge 2 ] || { echo "usage: compare_meminfo.sh MEMINFO SUMMARY_JSONL [MOVED_KB]" >&2; exit 2; }
join -a 1 -t $'\t' -e missing -o 0,1.2,2.2 \
    <(awk '{ sub(/:$/, "", $1); print $1 "\t" $2 }' "$1" | sort) \
    <(jq -r 'select(.section == "memory" and .record == "total") |
        "\(.name)\t\(if has("bytes") then .bytes / 1024 | floor else .count end)"' "$2" | sort) |
    awk -F '\t' -v moved="${3:-8192}" '
        BEGIN { fixed = "^(MemTotal|SwapTotal|CommitLimit|VmallocChunk|HugePages_.*|" \
                        "Hugepagesize|Hugetlb|CmaTotal|HardwareCorrupted)$" }
        $1 == "NFS_Unstable" && $3 == "missing" { next }
        { rows++; diff = $2 > $3 ? $2 - $3 : $3 - $2 }
        { limit = $1 ~ fixed ? 0 : $1 ~ /^Mem/ ? 4 * moved : $1 == "VmallocTotal" ? 1 : moved }
        $3 == "missing" || diff > limit {
            print $1 ": meminfo " $2 ", summary " $3; wrong++; next
        }
        diff { print $1 ": meminfo " $2 ", summary " $3 " (moved)" }
        END { print rows + 0 " rows, " wrong + 0 " wrong"; exit !rows || wrong }'
jq -es '[.[] | select(.section == "memory")] |
    ([.[] | select(.record == "part") | .bytes] | add) ==
    (.[] | select(.record == "total" and .name == "MemTotal") | .bytes)' "$2" >/dev/null ||
    { echo "the parts do not add up to MemTotal"; exit 1; }

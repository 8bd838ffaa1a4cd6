# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# pack_summary JSONL OUT.gz: a gzip member for each section, as a capture writes them.
pack_summary() {
    local part
    part=$(mktemp -d)
    awk -v dir="$part" '{ match($0, /"section":"[^"]*"/)
        s = substr($0, RSTART, RLENGTH)
        if (s != last) { n++; last = s }
        print > (dir "/" sprintf("%03d", n)) }' "$1"
    for f in "$part"/*; do gzip -9nc "$f"; done > "$2"
    rm -rf "$part"
}

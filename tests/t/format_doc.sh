#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The code and FORMAT.md speak of the same fields, the page's examples work, and so do the manuals.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/summary.sh
. tests/summary.sh
page=src/summary/FORMAT.md
doc() { python3 tests/format_doc.py "$page" "$@"; }
mapfile -t sources < <(git ls-files 'src/extract/*.c' 'src/extract/**/*.c' 'src/capture/*.c' src/summary/writer.c | sort -u)
is "every field that the code emits is in $page" "$(doc emitted "${sources[@]}")" ""
is "every field of $page is emitted somewhere" "$(doc documented "${sources[@]}")" ""
for name in oom sysrq; do
    is "records and fields of $name.jsonl are where $page has them" "$(doc records < "tests/data/summary/$name.jsonl")" ""
done
# dumps that other tests have made
while read -r dump; do
    "$host" capture --vmcore "$dump" --output "$scratch/real" > "$scratch/said" 2>&1
    is "records of a capture are where $page has them" "$(zcat "$scratch/real/vmcore-summary.jsonl.gz" | doc records)" ""
done < <(find "$cache" -name vmcore -size +1M 2>/dev/null | sort | head -3)
# the check itself can fail
printf 'emit_u64(e, "never_heard_of", 1);\n' > "$scratch/x.c"
is "an undocumented field is seen" "$(doc emitted "$scratch/x.c")" never_heard_of
is "an undocumented record is seen" "$(echo '{"section":"slab","record":"nope"}' | doc records)" slab/nope
is "a field of another record is seen" "$(echo '{"section":"slab","record":"cache","pid":1}' | doc records)" slab/cache/pid

# --- the tables that show has, and the rules
fields=$(grep -oE '^ *\{"[a-z_]+", "|\}, *\{"[a-z_]+", "' src/report/columns.c | grep -oE '"[a-z_]+"' | tr -d '"' | sort -u)
for field in $fields; do
    grep -q "\`$field\`" "$page" || echo "$field"
done > "$scratch/unknown"
is "show's tables use fields of $page" "$(cat "$scratch/unknown")" ""
check "and there are some" test "$(wc -w <<< "$fields")" -gt 30

# --- the examples
mkdir "$scratch/example"
pack_summary tests/data/summary/oom.jsonl "$scratch/example/vmcore-summary.jsonl.gz"
count=0
while read -r example; do
    count=$((count + 1))
    (cd "$scratch/example" && bash -o pipefail -c "$example") > "$scratch/out" 2> "$scratch/err"
    is "example $count works" "$? $(cat "$scratch/err")" "0 "
    check "example $count says something" test -s "$scratch/out"
done < <(sed -n 's/^    \(z[a-z]* .*\)/\1/p' "$page")
is "there are examples" "$count" 7

# --- manuals
while read -r manual; do
    is "$manual is well-formed" "$(MANWIDTH=80 man -l --warnings "$manual" 2>&1 >/dev/null)" ""
done < <(git ls-files '*.[1-8]')
while read -r command; do
    manual=$(git ls-files | grep "/vmcore-summary-$command\.[18]$")
    check "there is a manual of $command" test -n "$manual"
    man -Tascii -l "$manual" 2>/dev/null | col -b > "$scratch/manual"
    for option in $("$host" "$command" --help | grep -oE -- '--[a-z][a-z-]*' | sort -u); do
        grep -q -- "$option" "$scratch/manual" || echo "$option"
    done > "$scratch/unknown"
    is "it has every option of --help" "$(cat "$scratch/unknown")" ""
done < <("$host" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }')
done_testing

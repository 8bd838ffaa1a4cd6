#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make check-kernels`: the whole crash of tests/t/crash.sh with every kernel that Debian's suites serve,
# under each workload, as a table. Not in `make check`: a row takes two to four minutes.
#
#   kernels.sh [SUITE…]      bullseye bookworm trixie trixie-backports sid, and with qemu-system-arm
#                            arm64-bookworm arm64-sid arm64-sid@max
#
# A section is `equal` where every comparison with the machine's own /proc passed; else the number that
# failed. What is compared exactly and what within which bound stands in tests/t/crash.sh.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit
BUILD=${BUILD:-build}
arm64=$(command -v qemu-system-aarch64 > /dev/null && echo arm64-bookworm arm64-sid arm64-sid@max)
suites=${*:-bullseye bookworm trixie trixie-backports sid $arm64}
logs=$BUILD/kernels
mkdir -p "$logs"
failed=0 passed=0

# verdict SECTION TAP: of one section's comparisons
verdict() {
    local ok bad
    ok=$(grep -c "^ok [0-9]* - $1:" "$2") bad=$(grep -c "^not ok [0-9]* - $1:" "$2")
    [ "$ok$bad" = 00 ] && echo - && return
    [ "$bad" = 0 ] && echo equal || echo "$bad wrong"
}

printf '%-34s %-6s' kernel crash
printf ' %-8s' dmesg oom memory zone slab task module
printf ' %8s %8s\n' 'time s' 'KiB'
for suite in $suites; do
    for scenario in oom slab; do
        tap=$logs/$suite-$scenario.tap
        CRASH_SUITE=$suite CRASH_SCENARIO=$scenario bash tests/t/crash.sh > "$tap" 2> "$logs/$suite-$scenario.log"
        passed=$((passed + $(grep -c '^ok' "$tap"))) failed=$((failed + $(grep -c '^not ok' "$tap")))
        summary=$(find "$BUILD/crash/out" -name vmcore-summary.jsonl.gz 2> /dev/null | head -1)
        if [ -z "$summary" ]; then
            printf '%-34s %-6s no summary: see %s\n' "$suite" "$scenario" "$logs/$suite-$scenario.log"
            continue
        fi
        printf '%-34s %-6s' "$(zcat "$summary" | jq -r 'select(.record == "header") | .release')${suite#"${suite%@*}"}" "$scenario"
        for section in dmesg oom memory zone slab task module; do
            printf ' %-8s' "$(verdict "$section" "$tap")"
        done
        printf ' %8.2f %8.1f\n' "$(zcat "$summary" | jq 'select(.record == "trailer") | .duration_us / 1e6')" \
            "$(stat -c %s "$summary" | awk '{ print $1 / 1024 }')"
        grep '^not ok' "$tap" | sed 's/^not ok [0-9]* - /    wrong: /'
    done
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

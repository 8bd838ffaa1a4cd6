#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make check-kernels`: the whole crash of tests/t/crash.sh with every kernel that Debian's suites serve,
# under each workload, as a table. Not in `make check`: a row takes two to four minutes.
#
#   kernels.sh [KERNEL…]     or KERNELS="…": a suite, whose newest kernel it is, or SUITE:SERIES, its newest
#                            of that series; bullseye bookworm trixie trixie-backports:6.18
#                            trixie-backports:6.19 trixie-backports sid arm64-bookworm arm64-sid
#                            arm64-sid@max arm64-sid-16k arm64-sid-16k@max, see tests/t/crash.sh
#
# WORKLOADS                "oom slab", those of tests/lab/guest/scenario-NAME.sh to crash under
#
# A section is `equal` where every comparison with what the machine said itself was exact, `bound` where
# some allowed for what moves between that and the crash, else the number that failed. What is compared
# exactly and what within which bound stands in tests/t/crash.sh. A series that its suite does not serve
# (any more) is no failure unless it was asked for by name.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/lab/lab.sh
. tests/lab/lab.sh
# shellcheck source=tests/lab/arm64_packages.sh
. tests/lab/arm64_packages.sh
BUILD=${BUILD:-build}
arm64='arm64-bookworm arm64-sid arm64-sid@max arm64-sid-16k arm64-sid-16k@max'
asked=${*:-${KERNELS:-}}
kernels=${asked:-bullseye bookworm trixie trixie-backports:6.18 trixie-backports:6.19 trixie-backports sid $arm64}
sections='dmesg oom memory zone slab task module'
logs=$BUILD/kernels
mkdir -p "$logs"
failed=0 passed=0 rows=0 absent=0

# verdict SECTION TAP: of one section's comparisons
verdict() {
    local ok bad
    ok=$(grep -c "^ok [0-9]* - $1:" "$2") bad=$(grep -c "^not ok [0-9]* - $1:" "$2")
    [ "$ok$bad" = 00 ] && echo - && return
    [ "$bad" = 0 ] || { echo "$bad wrong" && return; }
    grep -q "^ok [0-9]* - $1:.* within " "$2" && echo bound || echo equal
}

served() { # KERNEL
    case $1 in
    arm64-*) # its kernel is fetched by the test
        arm64_tools 2> "$logs/fetch.log"
        ;;
    *) lab_kernel "$1" > /dev/null 2> "$logs/fetch.log" ;;
    esac
}

row() { # KERNEL WORKLOAD: one line of the table, and the names of what failed
    local name=${1/:/-}-$2 tap keep section summary cpu=${1#"${1%@*}"}
    tap=$logs/$name.tap keep=$logs/$name
    CRASH_KEEP=$PWD/$keep CRASH_SUITE=$1 CRASH_SCENARIO=$2 bash tests/t/crash.sh > "$tap" 2> "$logs/$name.log" ||
        failed=$((failed + (1 - $(grep -c -m 1 '^not ok' "$tap")))) # ended early, without a word
    passed=$((passed + $(grep -c '^ok' "$tap"))) failed=$((failed + $(grep -c '^not ok' "$tap")))
    summary=$(find "$keep/out" -name vmcore-summary.jsonl.gz 2> /dev/null | head -1)
    if [ -z "$summary" ]; then
        printf '%-30s %-8s no summary: see %s\n' "$1" "$2" "$logs/$name.log"
        return
    fi
    printf '%-30s %-8s' "$(zcat "$summary" | jq -r 'select(.record == "header") | .release')$cpu" "$2"
    for section in $sections; do
        printf ' %-7s' "$(verdict "$section" "$tap")"
    done
    printf ' %7.2f %7.1f\n' "$(zcat "$summary" | jq 'select(.record == "trailer") | .duration_us / 1e6')" \
        "$(stat -c %s "$summary" | awk '{ print $1 / 1024 }')"
    grep '^not ok' "$tap" | sed 's/^not ok [0-9]* - /    wrong: /'
}

printf '%-30s %-8s' kernel workload
# shellcheck disable=SC2086
printf ' %-7s' $sections
printf ' %7s %7s\n' 'time s' KiB
for kernel in $kernels; do
    if ! served "$kernel"; then
        printf '%-30s not served: %s\n' "$kernel" "$(sed -n '$s/^ *[0-9]*s  *//; $p' "$logs/fetch.log")"
        absent=$((absent + 1))
        [ -n "$asked" ] || [ "${kernel#*:}" = "$kernel" ] || continue
        failed=$((failed + 1))
        continue
    fi
    for workload in ${WORKLOADS:-oom slab}; do
        rows=$((rows + 1))
        row "$kernel" "$workload"
    done
done
echo "$rows crashes, $absent kernels not served; $passed comparisons passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

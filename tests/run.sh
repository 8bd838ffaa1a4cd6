#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the tests and adds their results up: `run.sh unit|all [NAME…]`.
#
# Every test speaks TAP: unit tests through libcheck, tests/t/*.sh through tests/lib.sh, fuzz targets
# replay their corpus. A program that dies before its plan is done counts as a failure. The last
# line is `N passed, M failed, K skipped`.
set -u
cd "$(dirname "$0")/.." || exit 1
export BUILD=${BUILD:-build}
what=${1:-all}
[ $# -gt 0 ] && shift
log=$BUILD/test-logs
rm -rf "$log"; mkdir -p "$log"
passed=0 failed=0 skipped=0

# tally NAME TAPFILE STATUS: counts a TAP file; a wrong plan or a failing exit without a `not ok` is
# one more failure.
tally() {
    local ok notok skip plan
    skip=$(grep -cE '^ok .*# SKIP' "$2")
    ok=$(($(grep -c '^ok ' "$2") - skip))
    notok=$(grep -c '^not ok ' "$2")
    plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$2" | tail -1)
    if [ -z "$plan" ] || [ "$plan" != $((ok + notok + skip)) ] || { [ "$3" -ne 0 ] && [ "$notok" = 0 ]; }; then
        echo "FAIL $1: plan ${plan:-none}, saw $((ok + notok + skip)), exit $3 (see $log/$1.log)"
        tail -n 20 "$log/$1.log" | sed 's/^/    /'
        notok=$((notok + 1))
    fi
    grep '^not ok ' "$2" | sed "s|^|$1: |"
    [ "$notok" = 0 ] || tail -n 40 "$log/$1.log" | sed 's/^/    /'
    grep -E '^ok .*# SKIP' "$2" | sed "s|^ok |$1: skipped |"
    passed=$((passed + ok)) failed=$((failed + notok)) skipped=$((skipped + skip))
    printf '%-28s %4d passed %3d failed %3d skipped  %3ds\n' "$1" "$ok" "$notok" "$skip" "$SECONDS"
}

run_unit() {
    local t name
    for t in "$BUILD"/unit/test_*; do
        [ -x "$t" ] && [[ $t != *.d ]] || continue
        name=$(basename "$t"); SECONDS=0
        CK_TAP_LOG_FILE_NAME=$log/$name.tap CK_VERBOSITY=normal timeout 300 "$t" > "$log/$name.log" 2>&1
        tally "$name" "$log/$name.tap" $?
    done
    for t in "$BUILD"/fuzz/fuzz_*; do
        [ -x "$t" ] && [[ $t != *.d ]] || continue
        name=$(basename "$t"); SECONDS=0
        timeout 300 "$t" "tests/fuzz/corpus/${name#fuzz_}" > "$log/$name.tap" 2> "$log/$name.log"
        tally "$name" "$log/$name.tap" $?
    done
}

run_shell() {
    local t name
    for t in tests/t/*.sh; do
        [ -e "$t" ] || continue
        name=$(basename "$t" .sh); SECONDS=0
        [ $# = 0 ] || [[ " $* " = *" $name "* ]] || continue
        timeout 2400 bash "$t" > "$log/$name.tap" 2> "$log/$name.log"
        tally "$name" "$log/$name.tap" $?
    done
}

[ "$what" = shell ] || run_unit
[ "$what" = unit ] || run_shell "$@"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

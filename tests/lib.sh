# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What every test in tests/t/ sources: TAP output, a scratch directory, the programs under test.
# A test ends with `done_testing`. Diagnostics go to stderr.
set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
BUILD=${BUILD:-build}
asan=$top/$BUILD/asan/vmcore-summary
host=$top/$BUILD/vmcore-summary
static=$top/$BUILD/static/vmcore-summary
shared=$top/../shared
# Dumps, kernels and images outlive a run: outside the repository, for they are large.
cache=${VMCORE_SUMMARY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vmcore-summary}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export asan host static shared cache
tap_count=0 tap_failed=0

# check DESCRIPTION COMMAND…: passes if the command does.
check() {
    local what=$1
    shift
    tap_count=$((tap_count + 1))
    if "$@" >&2; then
        echo "ok $tap_count - $what"
    else
        echo "not ok $tap_count - $what"
        echo "# failed: $what: $*" >&2
        tap_failed=$((tap_failed + 1))
    fi
}

# is DESCRIPTION GOT WANT
is() {
    local what=$1 got=$2 want=$3
    [ "$got" = "$want" ] || printf '# got:  %q\n# want: %q\n' "$got" "$want" >&2
    check "$what" [ "$got" = "$want" ]
}

# skip DESCRIPTION REASON: only for what a fresh machine cannot have.
skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

done_testing() {
    echo "1..$tap_count"
    [ "$tap_failed" = 0 ]
    exit
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real vmcore whose memory lies: every section must come back, ASan and UBSan silent.
. "$(dirname "$0")/../lib.sh"
rounds=${HOSTILE_ROUNDS:-200} seed=${HOSTILE_SEED:-$(date +%j)} # another set of lies each day
vmcore=$("$top/tests/lab/vmcore.sh") || exit 1
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:max_allocation_size_mb=256
"$BUILD/tools/damage_core" "$vmcore" "$rounds" "$seed" > "$scratch/rounds"
grep '^not ok' "$scratch/rounds" >&2
is "$rounds rounds of damage are survived (seed $seed)" "$(grep -c '^ok' "$scratch/rounds")" "$rounds"

# cut SIZE: the real command on a dump that ends early
cut_short() {
    local out=$scratch/cut
    rm -rf "$out"
    head -c "$1" "$vmcore" > "$scratch/cut.vmcore"
    timeout 600 "$asan" capture --vmcore "$scratch/cut.vmcore" --output "$out" --no-console 2> "$scratch/err"
    local status=$?
    cat "$scratch/err" >&2
    ! grep -qE 'Sanitizer|runtime error' "$scratch/err" || return 1
    # 1 is right only where not even the program headers are there
    # and no section in which a read failed says that it is whole
    [ $status = 0 ] && [ -s "$out/vmcore-summary.jsonl.gz" ] && zcat "$out/vmcore-summary.jsonl.gz" |
        jq -es 'length > 0 and all(.record != "end" or .status != "ok" or (.faults // 0) == 0)' > /dev/null
}
total=$(stat -c %s "$vmcore")
for part in 1 5 20 50 90 99; do
    check "a dump cut after $part % leaves a summary" cut_short $((total * part / 100))
done

# Headers of compressed dumps that lie. libkdumpfile believes them; it dies of none that gets past our own look, not
# even without ASan, whose memory hides what it does to freed objects.
mkdir "$scratch/kdump"
check "$rounds damaged compressed dumps" tests/fuzz/kdump_seeds.py --damaged "$rounds" "$seed" "$scratch/kdump"
opened=0 refused=0 died=
for f in "$scratch"/kdump/*; do
    timeout 60 "$host" capture --vmcore "$f" --output "$scratch/out" --no-console --quiet 2> "$scratch/err"
    case $? in
    0) opened=$((opened + 1)) ;;
    1) refused=$((refused + 1)) ;;
    *) died="$died ${f##*/}" ;;
    esac
    ! grep -q 'ended by' "$scratch/err" || died="$died ${f##*/}"
done
is "none kills or hangs the program that opens it (seed $seed)" "$died" ""
# the damage is of both kinds: most fields do not matter
check "$opened were read, $refused refused" [ $((opened > rounds / 10 && refused > rounds / 10)) = 1 ]
done_testing

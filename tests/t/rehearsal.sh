#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `vmcore-summary test` on a dump: what it says is what a capture writes, its limit of memory holds, and it
# leaves nothing behind. A rehearsal on the running kernel is in live.sh.
. "$(dirname "$0")/../lib.sh"
vmcore=$(tests/lab/vmcore.sh) || { check "a vmcore" false; done_testing; }
# what captures is never the program with ASan, whose own memory no limit allows for
rehearse() { # [OPTION…]: exit status
    "$asan" test --vmcore "$vmcore" --program "$static" "$@" > "$scratch/said" 2> "$scratch/err"
    echo $?
}
sections() { awk '$1 == "SECTION" { on = 1; next } /^$/ { on = 0 } on { print $1, $2, $3 }' "$1"; }
leftovers() { find /tmp -maxdepth 1 -name 'vmcore-summary-test-*' -newer "$scratch/start" | wc -l; }
touch "$scratch/start"

is "a rehearsal" "$(rehearse --output "$scratch/kept")" 0
is "its verdict" "$(head -1 "$scratch/said")" "A crash like this would leave a complete summary."
is "nothing on stderr" "$(cat "$scratch/err")" ""
"$static" capture --vmcore "$vmcore" --output "$scratch/plain" 2> "$scratch/err"
zcat "$scratch/plain/vmcore-summary.jsonl.gz" |
    jq -r 'select(.record == "end" and .section != "trailer") | "\(.section) \(.status) \(.rows)"' > "$scratch/want"
is "sections are those of a capture" "$(sections "$scratch/said")" "$(cat "$scratch/want")"
check "with --output the summary is kept" test -s "$scratch/kept/vmcore-summary.jsonl.gz"
size=$(stat -c %s "$scratch/kept/vmcore-summary.jsonl.gz")
is "its size" "$(awk '$1 == "Size" { printf "%d", $2 * 1024 / 1000 }' "$scratch/said")" "$((size / 1000))"
is "its memory" "$(awk '$1 == "Memory" { printf "%d", $4 * 1024 }' "$scratch/said" | cut -c 1-2)" \
    "$(zcat "$scratch/kept/vmcore-summary.jsonl.gz" | jq 'select(.record == "trailer") | .peak_memory_bytes / 1024 | floor' | cut -c 1-2)"
check "where it would go" grep -q '^  Where   ' "$scratch/said"
is "without --output nothing is left" "$(rehearse) $(leftovers)" "0 0"

# The BTF of a kernel alone is more than 3 MiB: a limit that holds leaves what needs types out.
is "too little memory" "$(rehearse --memory 3M)" 1
is "is no complete summary" "$(head -1 "$scratch/said")" "A crash like this would leave a partial summary."
check "but has the log" grep -qE '^  dmesg +ok ' "$scratch/said"
check "and says what it is for" grep -q 'slab .*out of memory' "$scratch/said"
is "also as root with all capabilities, nothing is left" "$(leftovers)" 0
is "next to nothing" "$(rehearse --memory 4K)" 1
check "is an error, not a summary" grep -q 'vmcore-summary test: ' "$scratch/err"
is "and leaves nothing" "$(leftovers)" 0

# --- what cannot be rehearsed
is "no dump" "$(rehearse --vmcore "$scratch/none") $(cat "$scratch/err")" \
    "3 vmcore-summary test: $scratch/none: No such file or directory"
mkfifo "$scratch/fifo"
is "a FIFO" "$(rehearse --vmcore "$scratch/fifo")" 3
echo garbage > "$scratch/garbage"
is "a file that is no dump" "$(rehearse --vmcore "$scratch/garbage")" 1
is "a program that is not there" "$(rehearse --program "$scratch/none") $(cat "$scratch/err")" \
    "1 vmcore-summary test: $scratch/none: No such file or directory"
printf '#!/bin/sh\nkill -SEGV $$\n' > "$scratch/crashes" && chmod 755 "$scratch/crashes"
is "a program that crashes" "$(rehearse --program "$scratch/crashes") $(cat "$scratch/err")" \
    "1 vmcore-summary test: it was ended by SIGSEGV"
# a program that writes nonsense, and one that says nothing
# shellcheck disable=SC2016  # for that program
printf '#!/bin/sh\necho nonsense > "$3/vmcore-summary.jsonl.gz"\n' > "$scratch/nonsense" && chmod 755 "$scratch/nonsense"
is "a summary that is none" "$(rehearse --program "$scratch/nonsense")" 1
is "a program that writes nothing" "$(rehearse --program /bin/true) $(cat "$scratch/err")" \
    "1 vmcore-summary test: there would be no summary"
is "nothing is left of them" "$(leftovers)" 0
for wrong in "--memory x" "--memory 10%" "--wrong" "argument"; do
    # shellcheck disable=SC2086
    is "$wrong" "$(rehearse $wrong)" 2
done
done_testing

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A capture program that behaves as badly as told, for the tests of hooks.

# stand_in KIND FILE: FILE is DIR/bin/NAME; what it was given and found is then in DIR/{arguments,runs,
# stdin,oom_score_adj}. It writes into the directory that its third argument names. Of `verify` it does not
# play the program.
# shellcheck disable=SC2016  # the stand-in expands them
stand_in() {
    local body file=$2 summary='echo whole > "$3/vmcore-summary.jsonl.gz"'
    case $1 in
    good) body="$summary"'; echo text > "$3/vmcore-summary.txt"' ;;
    skip) body="$summary"'; echo text > "$3/vmcore-summary.txt"; exit 10' ;;
    skip_unsaved) body='exit 10' ;;
    choosy) body='[ $# = 3 ] || exit 2; '"$summary" ;; # knows no options of later versions
    failing) body='exit 3' ;;
    crashing) body='kill -SEGV $$' ;;
    hanging) body='echo part > "$3/.vmcore-summary.jsonl.gz.a1B2c3"; exec sleep 600' ;;
    stuck) body='exec sleep 600' ;;
    stubborn) body='trap "" TERM INT HUP; while :; do sleep 1; done' ;;
    full) body='echo "No space left on device" >&2; exit 0' ;;
    missing) rm "$file"; return ;;
    *) echo "no stand-in $1" >&2; return 1 ;;
    esac
    printf '%s\n' '#!/bin/sh' '[ "$1" != verify ] || exec "$asan" "$@"' 'dir=${0%/bin/*}' 'printf "%s\n" "$@" > "$dir/arguments"' 'echo >> "$dir/runs"' \
        'cat > "$dir/stdin"' 'cat /proc/self/oom_score_adj > "$dir/oom_score_adj"' "$body" > "$file"
    chmod +x "$file"
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The source is as .clang-format has it, shell scripts pass shellcheck, files and functions are small.
. "$(dirname "$0")/../lib.sh"
mapfile -t sources < <(git ls-files 'src/*.[ch]' 'src/**/*.[ch]' 'tests/**/*.[ch]' | sort -u)
check "clang-format would change nothing" clang-format --dry-run -Werror "${sources[@]}"
mapfile -t scripts < <(git ls-files | while read -r f; do
    head -c 64 "$f" 2>/dev/null | head -1 | grep -qE '^#!.*\b(ba)?sh\b' && echo "$f"; done)
check "shellcheck has nothing to say" shellcheck -x -e SC1091,SC2015,SC2154,SC2317 "${scripts[@]}"
is "no source file over 600 lines" \
    "$(git ls-files 'src/*.[ch]' 'src/**/*.[ch]' | sort -u | xargs wc -l | awk '$1 > 600 && $2 != "total"')" ""
is "no function over 100 lines" "$(git ls-files 'src/*.c' 'src/**/*.c' | sort -u | xargs awk '
    FNR == 1 {open = 0} /^[{]/ {open = FNR} /^[}]/ {if (open && FNR - open > 100) print FILENAME ":" open; open = 0}')" ""
is "kernel versions are never compared" \
    "$(git grep -nE 'KERNEL_VERSION|LINUX_VERSION|release *[<>]=|strverscmp' -- src)" ""
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# compare_modules.sh PROC_MODULES SUMMARY_JSONL
# Compares the module section of a summary with the /proc/modules that the same machine had, line by
# line and in order. Says nothing and exits 0 when they are equal; else shows a diff, exit 1.
# Modules must not have been loaded or removed between the two, and kptr_restrict must not hide
# addresses from whoever read the file (then only the addresses are left out of the comparison).
set -eu
[ $# = 2 ] || { echo "usage: compare_modules.sh PROC_MODULES SUMMARY_JSONL" >&2; exit 2; }
as_proc_modules() { # SUMMARY_JSONL: its records as /proc/modules prints them
    jq -r 'select(.section == "module" and .record == "module") |
        "\(.name) \(.bytes) \(.refcount) " +
        (if .users == [] then "-" else (.users | map(. + ",") | add) end) +
        " \(.state) \(.base)" +
        (if .taint == "" then "" else " (\(.taint))" end)' "$1"
}
hide=
grep -q ' 0x0000000000000000' "$1" && hide='s/ 0x[0-9a-f]*/ 0x0000000000000000/'
# a module without exit says so among its users; the summary does not carry it
diff <(sed 's/\[permanent\],// ; s/ \([0-9]*\)  / \1 - /' "$1") <(as_proc_modules "$2" | sed -e "$hide") >&2

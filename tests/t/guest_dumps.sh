#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A machine without kdump panics and stands still, and QEMU dumps that moment in each of its forms: by
# physical and by virtual addresses, as ELF and as kdump; each with the VMCOREINFO that -device
# vmcoreinfo adds and without. All of them give the same records, which are what the machine had said
# of itself just before.
#
# GUEST_DUMPS=DIR takes dumps that tests/lab/guest_memory.sh has made; those of a machine without the
# device are compared with each other.
. "$(dirname "$0")/../lib.sh"
. tests/lab/lab.sh
dumps=${GUEST_DUMPS:-$scratch/dumps}
make_dumps() { [ -s "$dumps/elf" ] || tests/lab/guest_memory.sh "$dumps" bookworm vmcoreinfo; }
check "a machine panics, QEMU dumps it" make_dumps
[ "$tap_failed" = 0 ] || done_testing

records() { # DUMP NAME [PROGRAM]: its records to $scratch/NAME, its whole summary to NAME.all
    "${3:-$host}" capture --vmcore "$1" --output "$scratch/out" --no-console --quiet 2> "$scratch/$2.err" &&
        zcat "$scratch/out/vmcore-summary.jsonl.gz" > "$scratch/$2.all" &&
        jq -c 'select(.section != "header" and .section != "trailer" and .record != "end")' \
            "$scratch/$2.all" > "$scratch/$2"
}
header() { jq -c 'select(.record == "header") | del(.core_bytes, .core_kind)' "$scratch/$1.all"; }
kind() { jq -r 'select(.record == "header") | .core_kind' "$scratch/$1.all"; }
not_ok() { jq -r 'select(.record == "end" and .status != "ok") | "\(.section) \(.status) \(.reason)"' "$scratch/$1.all" || echo "no summary"; }
same() { # NAME KIND: as the ELF dump, every section whole
    check "$1: nothing to complain about" [ ! -s "$scratch/$1.err" ]
    is "$1: the header says what it is" "$(kind "$1")" "$2"
    is "$1: and of which kernel" "$(header "$1")" "$(header elf)"
    check "$1: the same records" cmp "$scratch/elf" "$scratch/$1"
    is "$1: every section is whole" "$(not_ok "$1")" ""
}
check "elf: reads" records "$dumps/elf" elf
same elf elf

# --- what the machine had said --------------------------------------------------------------------
truth=$dumps/lab/truth
is "the release" "$(jq -r 'select(.record == "header") | .release' "$scratch/elf.all")" \
    "$(cut -d ' ' -f 3 "$truth/version")"
is "the panic" "$(jq -r 'select(.record == "crash") | .reason' "$scratch/elf")" sysrq
check "modules as /proc has them" tests/lab/compare_modules.sh "$truth/modules" "$scratch/elf"
check "tasks" tests/lab/compare_tasks.sh "$truth/tasks" "$scratch/elf.all" "$truth/status" "$truth/cgroups"
check "zones" tests/lab/compare_zoneinfo.sh "$truth/zoneinfo" "$scratch/elf.all"
check "memory" tests/lab/compare_meminfo.sh "$truth/meminfo" "$scratch/elf"

# --- each form --------------------------------------------------------------------------------------
forms=
for dump in "$dumps"/{paging,kdump-*}; do
    form=${dump##*/}
    forms+=" $form"
    kind=elf
    [ "$form" = paging ] || kind=kdump-flattened
    records "$dump" "$form"
    same "$form" $kind
done
check "paging and kdump-zlib are among them" grep -q ' paging.* kdump-zlib' <<< "$forms"

# --- without VMCOREINFO ---------------------------------------------------------------------------
if grep -aq VMCOREINFO <(head -c 1000000 "$dumps/elf"); then
    for form in elf paging kdump-zlib; do
        cp --sparse=always "$dumps/$form" "$scratch/dump" && chmod u+w "$scratch/dump"
        check "bare-$form: without VMCOREINFO" python3 tests/lab/hide_vmcoreinfo.py "$scratch/dump"
        records "$scratch/dump" "bare-$form"
        same "bare-$form" "$(kind $form)"
        # the library that reads kdumps takes more under ASan than a section may
        [ "$form" = paging ] || continue
        records "$scratch/dump" bare-asan "$asan"
        same bare-asan elf
    done
fi
# a memory that has no text at all
cp --sparse=always "$dumps/elf" "$scratch/dump" && chmod u+w "$scratch/dump"
sed -i 's/OSRELEASE=/OSRELEASES/g; s/VMCOREINFO/XMCOREINFO/g' "$scratch/dump"
check "no text: a summary all the same" records "$scratch/dump" none
is "no text: one line" "$(wc -l < "$scratch/none.err")" 1
check "no text: says it" grep -q 'without VMCOREINFO, and its memory has none either' "$scratch/none.err"
done_testing

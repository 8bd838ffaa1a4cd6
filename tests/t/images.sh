#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Symbols and types of a kernel without kallsyms in VMCOREINFO and of the newest ones, out of their flat
# images (sid or backports have the newest, by turns); `make check-images` reads every kernel that Debian serves.
. "$(dirname "$0")/../lib.sh"
export LC_ALL=C

kernel() ( # SUITE: the file of its kernel
    # shellcheck source=tests/lab/lab.sh
    . tests/lab/lab.sh && lab_vmlinuz "$(lab_kernel "$1")"
)
dump() { "$BUILD/tools/kernel_dump" "$scratch/core" "$scratch/symbols" "$scratch/btf" > "$scratch/counts"; }
missing() { awk '{ print $1, $3 }' "$1" | sort -u | comm -23 <(sort -u "$scratch/exports") - | head -3; }

for suite in bullseye sid trixie-backports; do
    image=$(kernel "$suite") && [ -s "$image" ] ||
        { skip "symbols and types of the kernel of $suite" "its package is not served"; continue; }
    check "$suite: the image is laid flat" \
        tests/lab/flat_image.py "$image" "$scratch/core" "$scratch/exports" "$scratch/elf.btf"
    check "$suite: symbols and types are found by scanning" dump
    is "$suite: the types are walked to their end" "$(sed -n 's/^cut //p' "$scratch/counts")" 0
    check "$suite: the image exports symbols" [ "$(wc -l < "$scratch/exports")" -gt 1000 ]
    is "$suite: every export is decoded, with its address" "$(missing "$scratch/symbols")" ""
    check "$suite: the BTF is the image's own section" cmp "$scratch/btf" "$scratch/elf.btf"
    check "$suite: every struct member lies where libbpf says" "$BUILD/tools/btf_oracle" "$scratch/btf"
    # the comparison can fail
    sed 's/^\(.*\) \(.\) init_uts_ns$/0\1 \2 init_uts_ns/' "$scratch/symbols" > "$scratch/wrong"
    is "$suite: an export at another address is seen" "$(missing "$scratch/wrong" | cut -d' ' -f2)" init_uts_ns
done
done_testing

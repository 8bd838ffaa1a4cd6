#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kallsyms and BTF of kernels that never ran: `images.sh [SUITE…]` fetches the kernel packages of these
# Debian suites, lays their images flat (flat_image.py), and reads them as if they were dumps. Prints a
# line a kernel and fails if one is not read whole:
#
#   symbols    decoded from kallsyms, found by scanning the image
#   exports    of the image's own __ksymtab that kallsyms must have, with the same address
#   wrong      of those: not there, or elsewhere; and, where System.map is real, of its symbols too
#   types      of the BTF, `cut` if the walk over them ended early, `differs` if it is not the .BTF
#              section byte by byte or not what libbpf reads
#
# All cloud kernels and the newest of each other flavour; IMAGES=newest for the newest of each series.
set -eu -o pipefail
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/lab.sh"
tools=$lab_top/${BUILD:-build}/tools
[ $# -gt 0 ] || set -- bullseye bookworm bookworm-backports trixie trixie-backports sid

# packages SUITE: names of the packages that hold a kernel image, the newest of a series first
packages() {
    # linux-image-VERSION depends on linux-binary-VERSION where that exists (7.x)
    lab_apt "$lab_cache/apt-$1" apt-cache search -n '^linux-(image|binary)-[0-9].*-amd64$' |
        awk '{ print $1 }' | grep -vE -- '-(dbg|unsigned)$|^linux-image-[0-9.]+-((cloud|rt)-)?amd64$' |
        sort -rV | awk -v newest="${IMAGES:-}" '
            { version = $1; sub(/^linux-[a-z]*-/, "", version); kind[version] = kind[version] || /^linux-binary/
              names[++n] = version }
            END { for (i = 1; i <= n; i++) {
                v = names[i]; if (seen[v]++) continue
                series = v; sub(/^[0-9]+\.[0-9]+/, "", series); series = substr(v, 1, length(v) - length(series))
                flavour = v ~ /-cloud-/ ? "cloud" : v ~ /-rt-/ ? "rt" : "generic"
                if (flavour != "cloud" && done[flavour]++) continue
                if (newest && done[series flavour]++) continue
                print (kind[v] ? "linux-binary-" : "linux-image-") v } }'
}

fetch() { # SUITE PACKAGE: prints a directory with its vmlinuz
    local dir=$lab_cache/images/$2 work
    if [ ! -s "$dir/vmlinuz" ]; then
        mkdir -p "$dir"
        work=$(mktemp -d -p "$dir")
        (cd "$work" && lab_apt "$lab_cache/apt-$1" apt-get download "$2" > log 2>&1 &&
            dpkg-deb --fsys-tarfile ./*.deb > tar && tar -xf tar --wildcards '*/vmlinuz*' '*/System.map-*' 2> /dev/null
            find . -name 'System.map-*' -size +64k -exec cp {} "$dir/System.map" ';'
            find . -name 'vmlinuz*' -size +64k -exec mv {} "$dir/vmlinuz" ';')
        rm -rf "$work"
        rmdir "$dir" 2> /dev/null || true # nothing came
    fi
    [ -s "$dir/vmlinuz" ] && echo "$dir"
}

# read_image NAME DIR: one line of the table; fails if the kernel is not read whole
read_image() {
    local work symbols=0 types=0 cut=- wrong=- btf=same
    work=$(mktemp -d)
    python3 "$lab_here/flat_image.py" "$2/vmlinuz" "$work/core" "$work/exports" "$work/elf.btf" >&2 &&
        "$tools/kernel_dump" "$work/core" "$work/symbols" "$work/btf" > "$work/counts" || cut=failed
    if [ $cut != failed ]; then
        read -r symbols types cut < <(awk '{ v[$1] = $2 } END { print v["symbols"], v["types"], v["cut"] ? "cut" : "whole" }' "$work/counts")
        awk '{ print $1, $3 }' "$work/symbols" | LC_ALL=C sort -u > "$work/decoded"
        LC_ALL=C sort -u "$work/exports" > "$work/wanted"
        wrong=$(LC_ALL=C comm -23 "$work/wanted" "$work/decoded" | wc -l)
        # a real System.map has more than kallsyms: every decoded symbol must be in it
        [ ! -s "$2/System.map" ] || wrong=$((wrong + $(awk '{ print $1, $3 }' "$2/System.map" | LC_ALL=C sort -u |
            LC_ALL=C comm -13 - "$work/decoded" | wc -l)))
        cmp -s "$work/btf" "$work/elf.btf" || btf=differs
        "$tools/btf_oracle" "$work/btf" > "$work/oracle" 2>&1 || { btf=differs; tail -3 "$work/oracle" >&2; }
    fi
    printf '%-44s %8s %8s %6s %8s %-6s %s\n' "$1" "$symbols" "$(wc -l < "$work/exports")" "$wrong" "$types" "$cut" "$btf"
    [ "$(wc -l < "$work/exports")" -gt 1000 ] && [ "$wrong $cut $btf" = "0 whole same" ]
    set -- $? "$work"
    rm -rf "$2"
    return "$1"
}

failed=0 count=0 absent=0
printf '%-44s %8s %8s %6s %8s %-6s %s\n' kernel symbols exports wrong types btf libbpf
for suite; do
    lab_apt_prepare "$suite" "$lab_cache/apt-$suite"
    for package in $(packages "$suite"); do
        dir=$(fetch "$suite" "$package") || { lab_say "$package is not served"; absent=$((absent + 1)); continue; }
        count=$((count + 1))
        read_image "${package#linux-*-}" "$dir" || failed=$((failed + 1))
    done
done
echo "$count kernels read, $failed of them not whole, $absent not served"
[ "$failed" = 0 ] && [ "$count" -gt 0 ]

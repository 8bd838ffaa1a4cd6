#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real vmcore without kallsyms and BTF gives the same records with a profile as with its own tables.
. "$(dirname "$0")/../lib.sh"
vmcore=$("$top/tests/lab/vmcore.sh") || exit 1
banner=$(cat "$(dirname "$vmcore")/lab/truth/version")
image=$(echo "$(cat "$(dirname "$vmcore")/kernel")"/boot/vmlinuz-*)
core=$scratch/core
# ASan keeps what was freed; with it the search for damaged tables would not fit into its limit
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1
cp --sparse=always "$vmcore" "$core"

capture() { # NAME VMCORE [OPTION…]: the records, without times, into NAME
    local name=$1 dump=$2 status
    shift 2
    "$asan" capture --vmcore "$dump" --output "$scratch/$name.d" --no-console --quiet "$@" 2> "$scratch/$name.err"
    status=$?
    cat "$scratch/$name.err" >&2
    zcat "$scratch/$name.d/vmcore-summary.jsonl.gz" > "$scratch/$name.all"
    jq -c 'select(.record != "end" and .section != "trailer")' "$scratch/$name.all" > "$scratch/$name"
    return $status
}
reason() { jq -r --arg s "$2" 'select(.record == "end" and .section == $s) | .reason' "$scratch/$1.all"; }
status() { jq -r --arg s "$2" 'select(.record == "end" and .section == $s) | .status' "$scratch/$1.all"; }
profile() { "$asan" profile "$@"; }

# The profile's addresses are those of the link: out of the kernel's file, not of the dump, whose
# KASLR moved them. The types are of the file as well.
check "the kernel's image is laid flat" \
    tests/lab/flat_image.py "$image" "$scratch/flat" "$scratch/exports" "$scratch/btf"
check "its symbols are listed" "$BUILD/tools/kernel_dump" "$scratch/flat" "$scratch/symbols" "$scratch/flat.btf"
check "a profile is made" profile --symbols "$scratch/symbols" --btf "$scratch/btf" --banner "$banner" --output "$scratch/profile"
check "it takes less than 32 KiB" [ "$(stat -c %s "$scratch/profile")" -lt 32768 ]
is "nothing else is left" "$(cd "$scratch" && echo profile*)" profile

check "captured by its own tables" capture whole "$vmcore"
check "captured by its own tables, beside a profile" capture beside "$vmcore" --profile "$scratch/profile"
check "a profile changes nothing then" cmp "$scratch/whole" "$scratch/beside"
is "and the summary names none" "$(jq 'select(.record == "trailer") | has("profile")' "$scratch/beside.all")" false
# The whole tables, or parts of them: the first types and the last go with what lies between, the
# strings, a run of names and all that stands behind it, the tokens that spell every name.
while read -r what tells; do
    what=${what//,/ }
    cp --sparse=always "$vmcore" "$core"
    # shellcheck disable=SC2086
    check "the dump loses its $what" "$BUILD/tools/wipe_core" "$core" $what
    check "without $what: captured" capture wiped "$core" --profile "$scratch/profile"
    check "without $what: the profile gives the same records" cmp "$scratch/whole" "$scratch/wiped"
    is "without $what: the summary says what came from the profile" \
        "$(jq -r 'select(.record == "trailer") | .profile // [] | sort | join(",")' "$scratch/wiped.all")" "$tells"
    check "without $what: the digest says it" grep -q 'taken from a kernel profile' "$scratch/wiped.d/vmcore-summary.txt"
done << 'LOST'
types:1-2 types
types:30-35 types
types:80-90 types
symbols:40-41 symbols
symbols:95-100 symbols
symbols:50-60,types:10-90 symbols,types
types types
symbols symbols
symbols,types symbols,types
LOST
# what is damaged and nobody fills in is left out, not made up
cp --sparse=always "$vmcore" "$scratch/cut"
check "the dump loses the last of its types" "$BUILD/tools/wipe_core" "$scratch/cut" types:30-100
check "then, without a profile: captured" capture cut "$scratch/cut" --profile /nonexistent
# shellcheck disable=SC2016  # the quotes are the kernel room's
is "a section without its types says so" "$(reason cut slab)" 'no `struct kmem_cache`'
rm -f "$scratch/cut"

check "without a profile: captured" capture without "$core" --profile /nonexistent
is "the slab section then tells what it lacks" "$(status without slab)" skipped
check "a profile that is not there is said" grep -q '/nonexistent: No such file' "$scratch/without.err"
is "the log is there all the same" "$(status without dmesg)" ok

# a profile of another kernel is refused by name
other() { # NAME SED: captures with a changed profile
    sed "$2" "$scratch/profile" > "$scratch/$1.profile"
    capture "$1" "$core" --profile "$scratch/$1.profile"
}
read -r _ _ release _ <<< "$banner"
check "another release: captured" other release 's/^release .*/release 6.1.0-99-test/'
check "another release: refused by name" grep -qF "profile of 6.1.0-99-test refused: the crashed kernel is $release" <<< "$(reason release slab)"
check "another build of the release: captured" other build 's/^version .*/version #9 SMP/'
check "another build of the release: refused by name" grep -qF "profile of $release, #9 SMP, refused" <<< "$(reason build slab)"
check "another build id: captured" other id '/^version/a build-id 00112233445566778899'
check "another build id: refused by name" grep -qF "build id 001122334455, refused" <<< "$(reason id slab)"
check "no profile at all: captured" other none '1s/.*/hello/'
check "no profile at all: said" grep -qF "the profile is not one" <<< "$(reason none slab)"
is "the oom section goes on" "$(status release oom)" "$(status whole oom)"
id=$(strings -n 12 "$vmcore" | sed -n 's/^BUILD-ID=//p' | head -1)
check "the build id alone: captured" other right "/^version/d; /^release/d; 1a build-id $id"
check "the build id alone is enough" cmp "$scratch/whole" "$scratch/right"

# making one
refused() { ! profile "$@" 2> "$scratch/err"; }
check "files that nobody names are refused" refused --symbols "$scratch/symbols" --output "$scratch/x"
check "and the options told that name them" grep -q -- --build-id "$scratch/err"
sed 's/^[0-9a-f]*/0000000000000000/' "$scratch/symbols" > "$scratch/hidden"
check "hidden addresses are refused" refused --symbols "$scratch/hidden" --build-id 00112233 --output "$scratch/x"
check "and why is told" grep -q kptr_restrict "$scratch/err"
grep -v ' [dDbBrRA] ' "$scratch/symbols" > "$scratch/functions"
check "functions alone are refused" refused --symbols "$scratch/functions" --build-id 00112233 --output "$scratch/x"
check "and what has more is told" grep -q 'functions alone.*System.map' "$scratch/err"
check "what is no BTF is refused" refused --btf "$scratch/symbols" --build-id 00112233 --output "$scratch/x"
check "a compressed image is refused" refused --vmlinux "$image" --output "$scratch/x"
check "and what unpacks it is told" grep -q extract-vmlinux "$scratch/err"
is "nothing was written" "$(cd "$scratch" && ls -d x x.new 2> /dev/null)" ""
is "standard output takes it too" \
    "$(profile --symbols "$scratch/symbols" --btf "$scratch/btf" --banner "$banner" --output - | md5sum)" \
    "$(md5sum < "$scratch/profile")"

# --- symbols of another build -----------------------------------------------------------------------
# As the kernel lists them without CONFIG_KALLSYMS_ALL: functions alone, moved by KASLR, out of its memory.
check "the functions that the crashed kernel lists" "$BUILD/tools/kernel_dump" "$vmcore" "$scratch/listed" "$scratch/listed.btf"
grep ' [tTwW] ' "$scratch/listed" > "$scratch/functions"
check "KASLR has moved them" [ "$(grep ' _stext$' "$scratch/functions")" != "$(grep ' _stext$' "$scratch/symbols")" ]
fits() { profile --functions "$scratch/functions" --symbols "$1" --btf "$scratch/btf" --banner "$banner" --output "$scratch/fit" 2> "$scratch/err"; }
misfit() { rm -f "$scratch/fit"; ! fits "$1" && [ ! -e "$scratch/fit" ]; }
check "symbols of the same build fit" fits "$scratch/symbols"
check "and give the same profile" cmp "$scratch/fit" "$scratch/profile"
# shellcheck source=tests/lab/lab.sh
. tests/lab/lab.sh
other=$(lab_kernel trixie)
check "another kernel's image" tests/lab/flat_image.py "$(lab_vmlinuz "$other")" "$scratch/other.flat" "$scratch/other.exports" "$scratch/other.btf"
check "its symbols" "$BUILD/tools/kernel_dump" "$scratch/other.flat" "$scratch/other" "$scratch/other.btf"
check "they are refused" misfit "$scratch/other"
check "it is said why" grep -qE '/other refused: of another build, in which [^ ]+ lies elsewhere' "$scratch/err"
# a build in which one function, three quarters on, has become 16 bytes longer
python3 - "$scratch/symbols" "$scratch/longer" << 'END'
import sys
lines = [l.split() for l in open(sys.argv[1])]
functions = sorted(int(l[0], 16) for l in lines if l[1] in "tT")
at = functions[len(functions) * 3 // 4]
with open(sys.argv[2], "w") as f:
    for addr, *rest in lines:
        f.write(" ".join((f"{int(addr, 16) + 16 * (int(addr, 16) > at):016x}", *rest)) + "\n")
END
check "a build that differs by one function is refused" misfit "$scratch/longer"
echo "ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package" > "$scratch/stub"
check "Debian's stub is refused" misfit "$scratch/stub"
# as on a machine whose kernel lists functions alone: its System.map is found by name
running() { # SYSTEM.MAP
    # shellcheck disable=SC2016
    unshare -m sh -c 'mount -t tmpfs none /boot && cp "$1" "/boot/System.map-$(uname -r)" &&
        mount --bind "$2" /proc/kallsyms && exec "$3" profile --output "$4"' sh "$1" "$scratch/functions" "$asan" \
        "$scratch/running" 2> "$scratch/err"
}
if unshare -m true 2> "$scratch/unshare" && unshare -m mount --bind "$scratch/functions" /proc/kallsyms; then
    check "a System.map of the running build is found by its name" running "$scratch/symbols"
    check "a profile of it" grep -q init_uts_ns "$scratch/running"
    rm -f "$scratch/running"
    running "$scratch/longer" || true
    check "one of another build, by the same name, is not taken" [ ! -e "$scratch/running" ]
    check "and is told of" grep -q "/boot/System.map-$(uname -r) refused: of another build" "$scratch/err"
else
    skip "a System.map found by its name" "no mount namespace"
fi
done_testing

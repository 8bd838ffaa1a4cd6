#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2030,SC2031  # the module has its variables in a subshell
# The profile on its way: dracut puts it into a capture image of the kernel that it is of, or has it
# made for that kernel, and what the image then captures of a dump without tables is whole.
. "$(dirname "$0")/../lib.sh"
. "$top/tests/lab/lab.sh"
vmcore=$("$top/tests/lab/vmcore.sh") || exit 1
kernel=$(cat "$(dirname "$vmcore")/kernel")
version=$(lab_kernel_version "$kernel")
banner=$(cat "$(dirname "$vmcore")/lab/truth/version")
export VMCORE_SUMMARY_CONF=$scratch/conf VMCORE_SUMMARY_PROGRAM=$scratch/program VMCORE_SUMMARY_BOOT=$scratch/boot
unpacked=$scratch/root

# What the module calls to make a profile: ours, told where this kernel's files lie, which the module
# expects of an installed kernel.
make_program() {
    cat << END
#!/bin/bash
echo "\$@" >> $scratch/calls
[ "\$1 \$2 \$3 \$4" = "profile --kernel $version --output" ] || exit 1
exec $host profile --symbols $scratch/symbols --btf $scratch/btf --banner '$banner' --output "\$5"
END
}
# image_of NAME: builds an image and unpacks it
image_of() {
    rm -rf "$unpacked" "$scratch/calls" "$scratch/image"
    mkdir "$unpacked"
    if ! lab_dracut_image "$kernel" "$scratch/image" 2> "$scratch/$1.log"; then
        tail -20 "$scratch/$1.log" >&2
        return 1
    fi
    (cd "$unpacked" && lsinitrd --unpack "$scratch/image")
}
# module NAME: what the module puts into an image by inst_simple and by itself, and what it warns of,
# without the minute that dracut takes for the rest
module() {
    rm -rf "$unpacked" "$scratch/calls"
    mkdir "$unpacked"
    (
        export VMCORE_SUMMARY_LIBDIR=$top/dracut-module
        initdir=$unpacked
        inst_simple() { command install -D -m 644 "$1" "$initdir${2:-$1}"; }
        dwarn() { echo "$*"; }
        . "$top/dracut-module/55vmcore-summary/module-setup.sh"
        kernel=$version
        vmcore_summary_profile
    ) > "$scratch/$1.log" 2>&1
}
config_says() { printf 'CONFIG_DEBUG_INFO_BTF=%s\nCONFIG_KALLSYMS_ALL=%s\n' "$1" "$2" > "$scratch/boot/config-$version"; }

# the image's own program and configuration, in it, on a dump that lost its tables
sections() { zcat "$1" | jq -c 'select(.record != "end" and .section != "trailer")'; }
captured_in_image() {
    cp --sparse=always "$scratch/core" "$unpacked/core" && mkdir -p "$unpacked/out" &&
        chroot "$unpacked" /usr/lib/vmcore-summary/vmcore-summary capture --vmcore /core --output /out --no-console --quiet &&
        sections "$unpacked/out/vmcore-summary.jsonl.gz" > "$scratch/got"
}

mkdir "$scratch/boot"
image=$(echo "$kernel"/boot/vmlinuz-*)
check "the kernel's image is laid flat" \
    tests/lab/flat_image.py "$image" "$scratch/flat" "$scratch/exports" "$scratch/btf"
check "its symbols are listed" "$BUILD/tools/kernel_dump" "$scratch/flat" "$scratch/symbols" "$scratch/flat.btf"
make_program > "$scratch/program" && chmod +x "$scratch/program"
check "a profile is made" "$scratch/program" profile --kernel "$version" --output "$scratch/profile"
cp --sparse=always "$vmcore" "$scratch/core"
check "a dump loses its tables" "$BUILD/tools/wipe_core" "$scratch/core" symbols types
check "with its own: captured" "$static" capture --vmcore "$vmcore" --output "$scratch/whole" --no-console --quiet
sections "$scratch/whole/vmcore-summary.jsonl.gz" > "$scratch/want"

# --- a kernel that lists functions alone: made with the image, for its kernel
echo > "$scratch/conf"
config_says y n
check "an image of a kernel without CONFIG_KALLSYMS_ALL" image_of made
is "the profile is made of the kernel that the image is for" "$(sed 's/ --output .*//' "$scratch/calls")" "profile --kernel $version"
check "and is in the image" cmp "$scratch/profile" "$unpacked/etc/vmcore-summary.profile"
check "the image captures the dump that lost its tables" captured_in_image
check "whole" cmp "$scratch/want" "$scratch/got"

# --- one that is configured
printf '[Capture]\nProfile=%s\n' "$scratch/profile" > "$scratch/conf"
config_says y y
check "an image with a configured profile" image_of configured
check "has it where its configuration says" cmp "$scratch/profile" "$unpacked$scratch/profile"
is "and nobody was asked for one" "$(cat "$scratch/calls" 2> /dev/null)" ""
check "the image captures with it" captured_in_image
check "whole, too" cmp "$scratch/want" "$scratch/got"

# --- which profile, by the module alone
installed() { (cd "$unpacked" && find . -type f); }
echo > "$scratch/conf"
check "a kernel that has its tables" module plain
is "gets no profile, and nobody is asked for one" "$(installed; cat "$scratch/calls" "$scratch/plain.log" 2> /dev/null)" ""
config_says n y
check "a kernel without BTF" module btf
is "gets one" "$(installed)" ./etc/vmcore-summary.profile
grep -v '^release' "$scratch/profile" | sed '1a build-id 00112233' > "$scratch/by-id"
printf '[Capture]\nProfile=%s\n' "$scratch/by-id" > "$scratch/conf"
check "a profile that names its kernel by build id" module id
is "is taken as it is" "$(installed)" ".$scratch/by-id"
sed 's/^release .*/release 6.1.0-other/' "$scratch/profile" > "$scratch/stale"
printf '[Capture]\nProfile=%s\n' "$scratch/stale" > "$scratch/conf"
config_says y y
check "another kernel's" module stale
is "is not taken" "$(installed)" ""
check "and dracut says why" grep -q "stale is not of $version" "$scratch/stale.log"
config_says n y
check "another kernel's, where one is needed" module replaced
check "is replaced" cmp "$scratch/profile" "$unpacked$scratch/stale"
echo > "$scratch/conf"
printf '#!/bin/sh\nexit 1\n' > "$scratch/program"
check "a kernel without BTF, and without debuginfo" module none
is "gets none" "$(installed)" ""
check "and dracut says so" grep -q "no profile of $version" "$scratch/none.log"
# the running kernel is asked itself
version=$(uname -r)
: > "$scratch/calls"
printf '#!/bin/sh\necho "$@" >> %s/calls\n' "$scratch" > "$scratch/program"
asked() { # BTF KALLSYMS
    VMCORE_SUMMARY_BTF=$1 VMCORE_SUMMARY_KALLSYMS=$2 module running
    sed 's/ --output.*//' "$scratch/calls" 2> /dev/null
}
is "the running kernel, with both" "$(asked /dev/null "$scratch/symbols")" ""
is "the running kernel, without BTF" "$(asked "$scratch/none" "$scratch/symbols")" "profile --kernel $version"
grep -v ' init_uts_ns$' "$scratch/symbols" > "$scratch/functions"
is "the running kernel, with functions alone" "$(asked /dev/null "$scratch/functions")" "profile --kernel $version"
done_testing

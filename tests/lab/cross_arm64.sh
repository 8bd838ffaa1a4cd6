#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make arm64`: the static program for arm64 in $BUILD/arm64/static, built by gcc-aarch64-linux-gnu
# against Debian's arm64 libraries, which are unpacked into the cache and not installed. The compiler is,
# by tests/deps.sh, where it is missing.
set -eu -o pipefail
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/lab/arm64_packages.sh
. "$lab_here/arm64_packages.sh"
cd "$lab_top"
arm64_compiler
sysroot=$lab_cache/sysroot-arm64
mkdir -p "$lab_cache"
(
    flock 9
    [ -e "$sysroot/.complete" ] && exit
    lab_say "fetching the arm64 libraries"
    arm64_unpack "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$sysroot" \
        libelf-dev zlib1g-dev libjansson-dev libinih-dev && touch "$sysroot/.complete"
) 9> "$lab_cache/.sysroot-arm64.lock"
# one name whoever asks, for in the files of dependencies it is a part of the targets
build=$(realpath -m "${BUILD:-build}")/arm64
exec make -s CC=aarch64-linux-gnu-gcc BUILD="$build" \
    CPPFLAGS="-isystem $sysroot/usr/include -isystem $sysroot/usr/include/aarch64-linux-gnu" \
    LDFLAGS="-L$sysroot/usr/lib/aarch64-linux-gnu" "$build/static/vmcore-summary"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs, on a Debian machine and as root, the packages that building and testing need and that
# are missing; with arguments, those named instead. Says nothing and does nothing when all are there,
# and never removes a package of the machine to make room for one.
set -eu
build='gcc make libc6-dev libelf-dev zlib1g-dev libjansson-dev libinih-dev libkdumpfile-dev'
tests='check libbpf-dev clang-format jq shellcheck busybox-static cpio e2fsprogs kmod xz-utils zstd lz4
       qemu-system-x86 kexec-tools makedumpfile dracut-core systemd curl ca-certificates
       apt-utils dpkg-dev git procps python3 python3-snappy python3-zstandard man-db groff-base bash-completion sqlite3
       systemd-journal-remote rpm dwarves'
missing=
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $build $tests
for p; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' ||
        missing="$missing $p"
done
[ -n "$missing" ] || exit 0
echo "installing:$missing"
[ "$(id -u)" = 0 ] || { echo "deps: must be root to install these" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-remove --no-install-recommends $missing >/dev/null ||
    { echo "deps: apt did not install$missing" >&2; exit 1; }

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154  # lab.sh sets lab_cache
# Debian's arm64 packages, unpacked without installing them. Source it after lab.sh.

# arm64_apt SUITE: prints the directory of an apt configuration that sees arm64 packages alone. The
# machine's own package state stays as it is.
arm64_apt() {
    local apt=$lab_cache/apt-arm64-$1
    if [ ! -e "$apt/.complete" ]; then
        lab_apt_prepare "$1" "$apt" || return
        : > "$apt/status"
        cat >> "$apt/apt.conf" <<-CONF
		APT::Architecture "arm64";
		APT::Architectures { "arm64"; };
		Dir::State::status "$apt/status";
		CONF
        lab_apt "$apt" apt-get update -qq >&2 && touch "$apt/.complete" || return
    fi
    echo "$apt"
}

# arm64_unpack SUITE DIR PACKAGE…: their files, without installing them
arm64_unpack() {
    local apt dir=$2
    apt=$(arm64_apt "$1") || return
    shift 2
    mkdir -p "$dir"
    (cd "$dir" && lab_apt "$apt" apt-get download "$@" >&2 &&
        for deb in ./*.deb; do dpkg-deb -x "$deb" . || exit; done && rm ./*.deb)
}

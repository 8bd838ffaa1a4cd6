# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A small Debian root of this machine's own packages, without a download: what dpkg says belongs to them is
# copied, their entries in dpkg's database too. Configuration files are as this machine has them.

# debian_root DIR PACKAGE…: makes DIR, of these packages and all that they depend on
# shellcheck disable=SC2016  # dpkg-query expands
debian_root() {
    local root=$1 d package packages
    shift
    # the names that begin a line; '<…>' are virtual, and some alternatives not installed
    packages=$(apt-cache depends --recurse --important --installed "$@" | grep -v '^[ <|]' | sort -u |
        xargs dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2> /dev/null | sed -n 's/^installed //p')
    [ "$packages" ] || return
    mkdir -p "$root"/{usr/{bin,sbin,lib,lib64},etc,proc,sys,dev,run,tmp,root,var/{lib/dpkg/info,lib/dpkg/updates,log,tmp}}
    for d in bin sbin lib lib64; do
        ln -s "usr/$d" "$root/$d"
    done
    # shellcheck disable=SC2086
    dpkg-query -L $packages | grep -v -e '^/usr/share/\(doc\|man\|info\|locale\|lintian\)/' -e '^/\.$' -e '^[^/]' | sort -u |
        while read -r d; do [ -e "$d" ] && echo ".$d"; done |
        tar -C / --no-recursion -cf - -T - | tar -C "$root" --keep-directory-symlink -xf - || return
    cp -a /etc/{passwd,group,shadow} "$root/etc/"
    : > "$root/etc/machine-id"
    ldconfig -r "$root"
    awk -v names="$packages" 'BEGIN { RS = ""; n = split(names, p, "\n"); for (i = 1; i <= n; i++) want[p[i]] = 1 }
        { split($0, line, "\n"); sub(/^Package: /, "", line[1]); if (line[1] in want) print $0 "\n" }' \
        /var/lib/dpkg/status > "$root/var/lib/dpkg/status"
    for package in $packages; do
        cp -a /var/lib/dpkg/info/"$package"{.*,:*} "$root/var/lib/dpkg/info/" 2> /dev/null
    done
    : > "$root/var/lib/dpkg/available"
}

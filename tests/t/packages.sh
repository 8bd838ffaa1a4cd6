#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make deb` and `make rpm`: the packages hold what `make install` installs; installed into a root, they work
# there; removed, nothing of ours is left and nothing of others was changed.
. "$(dirname "$0")/../lib.sh"
. tests/lab/debian_root.sh
make_quiet() { make -s -C "$top" BUILD="$BUILD" "$@"; }
# what a root holds, but for the package databases and logs
holds() {
    (cd "$1" && find . \( -path ./var/lib/dpkg -o -path ./var/lib/rpm -o -path ./var/log -o -path ./tmp \) -prune -o \
        \( -type f -printf '%m %p ' -exec md5sum {} \; -o ! -type f -printf '%m %p %l\n' \)) | cut -d ' ' -f 1-3 | sort
}
names() { sed -e 's|^\./|/|' -e 's|\.gz$||' | grep -v '^/usr/share/\(doc\|licenses\)/' | sort; }
# shellcheck disable=SC2016
in_root() { unshare -m "$BASH" -c 'mount --bind /proc "$1/proc" && mount --bind /dev "$1/dev" && chroot "$@"' in_root "$@"; }
enabled() { find "$1/etc/systemd/system" -name 'vmcore-summary-*' -type l -printf '%f '; }

make_quiet install DESTDIR="$scratch/stage"
want=$(cd "$scratch/stage" && find . -type f | names)

# --- what is in them ---------------------------------------------------------------------------------
rm -f "$BUILD"/*.deb "$BUILD"/*.rpm
check "make deb" make_quiet deb
check "make rpm" make_quiet rpm
deb=$(echo "$BUILD"/vmcore-summary_*.deb) rpm=$(echo "$BUILD"/vmcore-summary-*.rpm)
[ "$tap_failed" = 0 ] || done_testing
is "deb: what make install installs" "$(dpkg-deb --fsys-tarfile "$deb" | tar -tf - | grep -v '/$' | names)" "$want"
is "rpm: the same" "$(rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$rpm" | sed -n 's/^-[^ ]* //p' | names)" "$want"
version=$("$host" --version | cut -d ' ' -f 2)
is "deb: version" "$(dpkg-deb -f "$deb" Version)" "$version"
is "rpm: version" "$(rpm -qp --qf '%{VERSION}' "$rpm")" "$version"
etc=$(grep '^/etc/' <<< "$want")
is "deb: what is in /etc is the administrator's" "$(dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./conffiles)" "$etc"
is "rpm: likewise" "$(rpm -qpc "$rpm" | sort)" "$etc"
is "deb: the libraries of the host's program, found by dpkg-shlibdeps" \
    "$(dpkg-deb -f "$deb" Depends | grep -oE 'lib(c6|elf1|inih1|jansson4|kdumpfile[0-9]+)|zlib1g' | sort -u | wc -l)" 6
is "deb: all is root's" "$(dpkg-deb --fsys-tarfile "$deb" | tar -tvf - | awk '$2 != "root/root"')" ""
SOURCE_DATE_EPOCH=1700000000 make_quiet deb > /dev/null && sum=$(md5sum < "$deb") && sleep 1
SOURCE_DATE_EPOCH=1700000000 make_quiet deb > /dev/null
is "deb: the same source gives the same file" "$(md5sum < "$deb")" "$sum"
for script in conf/packaging/*/*; do
    ! head -1 "$script" | grep -q '^#!/bin/sh' || check "$script: POSIX sh" dash -n "$script"
done

# --- a Debian machine ----------------------------------------------------------------------------------
# shellcheck disable=SC2046
debian_root "$scratch/deb" dpkg dash coreutils grep sed systemd init-system-helpers perl-base \
    $(dpkg-deb -f "$deb" Depends | sed 's/([^)]*)//g; s/,/ /g')
mknod -m 666 "$scratch/deb/dev/null" c 1 3
journalctl --root="$scratch/deb" --update-catalog
cp -a "$scratch/deb" "$scratch/rpm"
dpkg_root() { DEBIAN_FRONTEND=noninteractive dpkg --root="$scratch/deb" "$@" > "$scratch/dpkg.log" 2>&1 || { cat "$scratch/dpkg.log" >&2; false; }; }
mkdir -p "$scratch/deb/var/crash/vmcore-summary" && : > "$scratch/deb/var/crash/vmcore-summary/keep"
echo "path /var/crash" > "$scratch/deb/etc/kdump.conf"
touch -d 2020-01-01 "$scratch/deb/etc/kdump.conf"
before=$(holds "$scratch/deb")
check "deb: is installed" dpkg_root -i "$deb"
is "deb: dpkg finds every file as it was packed" "$(dpkg --root="$scratch/deb" --verify vmcore-summary)" ""
is "deb: the program runs" "$(in_root "$scratch/deb" vmcore-summary --version)" "vmcore-summary $version"
is "deb: the capture image's too" "$(in_root "$scratch/deb" /usr/lib/vmcore-summary/vmcore-summary --version)" "vmcore-summary $version"
is "deb: harvest runs at boot" "$(enabled "$scratch/deb")" "vmcore-summary-harvest.service "
check "deb: the journal knows the message" grep -qa 52d767be -r "$scratch/deb/usr/lib/systemd/catalog/vmcore-summary.catalog"
rm "$scratch/deb/etc/systemd/system/multi-user.target.wants/vmcore-summary-harvest.service"
sed -i 's/^#Deadline=.*/Deadline=20s/' "$scratch/deb/etc/vmcore-summary.conf"
check "deb: is installed again over it" dpkg_root --force-confold -i "$deb"
check "deb: a changed configuration stays" grep -qx Deadline=20s "$scratch/deb/etc/vmcore-summary.conf"
is "deb: what was switched off stays off" "$(enabled "$scratch/deb")" ""
check "deb: is removed" dpkg_root -r vmcore-summary
is "deb: and leaves what is the administrator's" "$(cd "$scratch/deb" && find . -name '*vmcore-summary*' -type f | grep -v ./var/lib/ | names)" "$etc"
check "deb: is installed and purged" dpkg_root -i "$deb"
check "deb: purged" dpkg_root -P vmcore-summary
is "deb: nothing of ours is left, nothing else was changed" "$(diff <(echo "$before") <(holds "$scratch/deb"))" ""
is "deb: kdump.conf was not even touched" "$(date -r "$scratch/deb/etc/kdump.conf" +%Y)" 2020

# --- a machine of rpm -------------------------------------------------------------------------------------
# Debian's rpm installs into a root of its own database; the libraries are Debian's, unknown to it.
# It has the directories that dracut and its filesystem package have on such a machine.
rm -rf "$scratch/rpm/var/lib/dpkg"
mkdir -p "$scratch/rpm/usr/lib/dracut/modules.d" "$scratch/rpm"/usr/share/{licenses,man/man{1,5,7,8}}
mkdir -p "$scratch/rpm/var/crash/vmcore-summary" && : > "$scratch/rpm/var/crash/vmcore-summary/keep"
echo "path /var/crash" > "$scratch/rpm/etc/kdump.conf"
old() { touch -d 2020-01-01 "$scratch/rpm/etc/kdump.conf"; }
touched() { [ "$(date -r "$scratch/rpm/etc/kdump.conf" +%Y)" != 2020 ]; }
rpm_root() { rpm --root="$scratch/rpm" --dbpath=/var/lib/rpm "$@" > "$scratch/rpm.log" 2>&1 || { cat "$scratch/rpm.log" >&2; false; }; }
old
before=$(holds "$scratch/rpm")
check "rpm: is installed" rpm_root -i --nodeps "$rpm"
check "rpm: kdump builds its image anew" touched
check "rpm: finds every file as it was packed" rpm_root -V --nodeps vmcore-summary
is "rpm: the program runs" "$(in_root "$scratch/rpm" vmcore-summary --version)" "vmcore-summary $version"
is "rpm: the unit is as the machine's presets say, Debian's: all on" "$(enabled "$scratch/rpm")" "vmcore-summary-harvest.service "
echo "# changed" >> "$scratch/rpm/etc/vmcore-summary.conf"
check "rpm: is installed again over it" rpm_root -U --nodeps --replacepkgs "$rpm"
check "rpm: a changed configuration stays" grep -qx '# changed' "$scratch/rpm/etc/vmcore-summary.conf"
old
check "rpm: is removed" rpm_root -e vmcore-summary
check "rpm: kdump drops us from its image" touched
check "rpm: a changed configuration is kept aside" rm "$scratch/rpm/etc/vmcore-summary.conf.rpmsave"
is "rpm: nothing of ours is left, nothing else was changed" "$(diff <(echo "$before") <(holds "$scratch/rpm"))" ""

for tool in lintian rpmlint; do
    case $tool in rpmlint) file=$rpm ;; *) file=$deb ;; esac
    ! command -v $tool > /dev/null || $tool "$file" >&2 || true
done
done_testing

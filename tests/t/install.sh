#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make install` puts everything in its place, for any PREFIX, and `make uninstall` leaves nothing.
. "$(dirname "$0")/../lib.sh"

installed() { (cd "$1" && find . -type f -printf '%m %P\n' | sort -k 2); }
make_quiet() { make -s -C "$top" BUILD="$BUILD" "$@"; }

stage=$scratch/stage
check "make install" make_quiet install DESTDIR="$stage"
list=$(installed "$stage")
# what each kind of user needs
while read -r mode file; do
    check "$file ($mode)" grep -qx "$mode $file" <<< "$list"
done <<'FILES'
755 usr/bin/vmcore-summary
755 usr/lib/vmcore-summary/vmcore-summary
755 usr/lib/vmcore-summary/capture-lib.sh
755 usr/lib/vmcore-summary/mkimage
755 usr/lib/vmcore-summary/kdump-post
755 usr/lib/dracut/modules.d/55vmcore-summary/module-setup.sh
644 usr/lib/dracut/modules.d/55vmcore-summary/emergency.service
755 usr/lib/vmcore-summary/kdump-pre
755 usr/lib/vmcore-summary/kdump-emergency
755 usr/lib/vmcore-summary/kdump-collector
755 usr/lib/vmcore-summary/kdump-tools
644 usr/lib/systemd/system/kdump-tools-dump.service.d/vmcore-summary.conf
644 usr/lib/systemd/system/kdump-tools.service.d/vmcore-summary.conf
755 usr/lib/vmcore-summary/suse-pre
755 usr/lib/vmcore-summary/suse-post
755 usr/lib/vmcore-summary/kdump-utils.sh
755 etc/kdump/pre.d/50-vmcore-summary
755 etc/kdump/emergency.d/50-vmcore-summary
755 etc/kdump/post.d/50-vmcore-summary
644 etc/vmcore-summary.conf
644 usr/share/bash-completion/completions/vmcore-summary
644 usr/share/man/man8/vmcore-summary-mkimage.8
644 usr/share/man/man5/vmcore-summary.conf.5
644 usr/share/doc/vmcore-summary/LICENSE
FILES
# every page, unit and module file of the source is there: nothing is forgotten when one is added
while read -r file; do
    check "installed: $file" grep -q "/${file##*/}$" <<< "$list"
done < <(git ls-files | grep -E '\.[1-8]$|^systemd/.*\.(service|path|timer|catalog)$|^dracut-module/55')
is "the programs run" "$("$stage/usr/bin/vmcore-summary" --version; "$stage/usr/lib/vmcore-summary/vmcore-summary" --version)" \
    "$("$host" --version; "$static" --version)"

echo changed >> "$stage/etc/vmcore-summary.conf"
check "make install over it" make_quiet install DESTDIR="$stage"
check "a changed configuration stays" grep -qx changed "$stage/etc/vmcore-summary.conf"
make_quiet uninstall DESTDIR="$stage" > "$scratch/said"
is "uninstall keeps a changed configuration alone" "$(installed "$stage")" "644 etc/vmcore-summary.conf"
check "and says so" grep -q "was changed" "$scratch/said"

stage=$scratch/local
check "make install PREFIX=/opt/vs" make_quiet install DESTDIR="$stage" PREFIX=/opt/vs SYSCONFDIR=/opt/vs/etc
is "nothing outside of PREFIX" "$(cd "$stage" && find . -type f ! -path './opt/vs/*')" ""
is "no file names a program in /usr" \
    "$(grep -rlE '/usr/(lib/vmcore-summary|bin/vmcore-summary)' "$stage" --exclude-dir=man --exclude-dir=doc -I)" ""
check "make uninstall" make_quiet uninstall DESTDIR="$stage" PREFIX=/opt/vs SYSCONFDIR=/opt/vs/etc
is "uninstall leaves no file" "$(find "$stage" -type f -o -type l)" ""
is "and no directory of ours" "$(find "$stage" -name '*vmcore-summary*')" ""

# the completion offers what --help lists
PATH=$top/$BUILD:$PATH
. "$top/src/cli/vmcore-summary.bash"
complete_line() { # WORD…: what completes the last
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _vmcore_summary
    printf '%s\n' "${COMPREPLY[@]}"
}
for command in capture show list oom check; do
    check "completion knows $command" grep -qx "$command" <<< "$(complete_line vmcore-summary '')"
done
is "completion of a command's beginning" "$(complete_line vmcore-summary capt)" capture
check "completion of an option" grep -qx -- --output <<< "$(complete_line vmcore-summary capture --out)"
# check-kdump-tools and others leave the roots of whole machines in $BUILD
mkdir -p "$BUILD/test-root/etc/rc2.d"
check "a directory named .d in \$BUILD is no list of prerequisites" make_quiet -n all
rm -r "$BUILD/test-root"
done_testing

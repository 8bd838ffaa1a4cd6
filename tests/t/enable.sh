#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `vmcore-summary enable` and `disable` on made trees of each distribution: twice each, and afterwards the
# tree is as it was.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/trees.sh
. tests/trees.sh

# Names, kinds, modes, contents, targets of links: all but times.
snapshot() { # TREE
    (cd "$1" && find . -printf '%p %y %m %l\n' | sort && find . -type f -exec sha256sum {} + | sort)
}
# Files of others, which may not be changed nor replaced: contents, modes, inodes.
others() { # TREE
    (cd "$1" && find etc usr -type f ! -path '*vmcore-summary*' -printf '%p %m %i %s\n' | sort &&
        find etc usr -type f ! -path '*vmcore-summary*' -exec sha256sum {} + | sort)
}
call() { # COMMAND TREE [OPTION…]: exit status
    "$asan" "$1" --root "${@:2}" > "$scratch/said" 2> "$scratch/err"
    echo $?
}
hook() { "$asan" check --root "$1" --json | jq -r '.items[] | select(.item == "hook") | .state'; }

# round NAME TREE: enable and disable, each dry, once and again
round() {
    local name=$1 tree=$2 before enabled files
    before=$(snapshot "$tree") files=$(others "$tree")
    is "$name: enable --dry-run" "$(call enable "$tree" --dry-run) $(snapshot "$tree" | diff - <(echo "$before") | wc -l)" "0 0"
    check "$name: it says what it would do" grep -q '^would have ' "$scratch/said"
    cp "$scratch/said" "$scratch/dry"
    is "$name: enable" "$(call enable "$tree")" 0
    is "$name: it does what it said" "$(sed 's/^would have //' "$scratch/dry")" "$(cat "$scratch/said")"
    is "$name: nothing on stderr" "$(cat "$scratch/err")" ""
    is "$name: check sees the hook" "$(hook "$tree")" ok
    enabled=$(snapshot "$tree")
    check "$name: something changed" [ "$enabled" != "$before" ]
    is "$name: enable again" "$(call enable "$tree")" 0
    is "$name: which changes nothing" "$(snapshot "$tree")" "$enabled"
    check "$name: and says so" grep -q '^nothing has changed' "$scratch/said"
    is "$name: files of others are as they were" "$(others "$tree")" "$files"
    is "$name: disable --dry-run" "$(call disable "$tree" --dry-run) $(snapshot "$tree" | diff - <(echo "$enabled") | wc -l)" "0 0"
    is "$name: disable" "$(call disable "$tree")" 0
    is "$name: the tree is as it was" "$(snapshot "$tree")" "$before"
    is "$name: check sees no hook" "$(hook "$tree")" fail
    is "$name: disable again" "$(call disable "$tree")" 0
    is "$name: the tree is as it was" "$(snapshot "$tree")" "$before"
    check "$name: nothing has changed" grep -q '^nothing has changed' "$scratch/said"
}

fedora=$scratch/fedora
tree_fedora "$fedora"
round Fedora "$fedora"
mkdir "$fedora/etc/kdump/emergency.d"
round "kdump-utils 1.0.60" "$fedora"

# the time of kdump.conf is what has the image built anew
mtime() { stat -c %Y "$fedora/etc/kdump.conf"; }
touch -d @1700000000 "$fedora/etc/kdump.conf"
call enable "$fedora" --dry-run > "$scratch/status"
is "--dry-run does not touch it" "$(mtime)" 1700000000
call enable "$fedora" > "$scratch/status"
check "enable touches kdump.conf" [ "$(mtime)" -gt 1700000000 ]
touch -d @1700000000 "$fedora/etc/kdump.conf"
call enable "$fedora" > "$scratch/status"
is "once" "$(mtime)" 1700000000
is "the links lead to what is installed" \
    "$(readlink "$fedora"/etc/kdump/{pre,post,emergency}.d/50-vmcore-summary | sort -u | tr '\n' ' ')" \
    "/usr/lib/vmcore-summary/kdump-emergency /usr/lib/vmcore-summary/kdump-post "
call disable "$fedora" > "$scratch/status"
check "disable touches it" [ "$(mtime)" -gt 1700000000 ]
# an image from before the package came: files of a package are older than their installation
touch -d @1700000000 "$fedora/etc/kdump.conf"
call enable "$fedora" > "$scratch/status"
tree_image "$fedora/boot/initramfs-${release}kdump.img" usr/lib/nothing
touch -d @1700000001 "$fedora/boot/initramfs-${release}kdump.img"
touch -d @1600000000 "$fedora/etc/kdump.conf"
is "an image from before the hook" "$(call enable "$fedora")" 0
check "is to be built anew" [ "$(mtime)" -gt 1700000001 ]
# what kdump-utils does not look at: our configuration, and what our dracut module brings into the image
for changed in etc/vmcore-summary.conf etc/vmcore-summary.conf.d usr/lib/vmcore-summary/{vmcore-summary,capture-lib.sh,kdump-utils.sh}; do
    [ -e "$fedora/$changed" ] || case $changed in
    *.d) mkdir "$fedora/$changed" ;;
    *) put "$fedora/$changed" "" ;;
    esac
    touch -d @1700000000 "$fedora/etc/kdump.conf" "$fedora/$changed"
    touch "$fedora/boot/initramfs-${release}kdump.img"
    is "an image as new as $changed" "$(call enable "$fedora") $(mtime)" "0 1700000000"
    touch -d '+1 hour' "$fedora/$changed"
    is "$changed was changed after the image was built" "$(call enable "$fedora")" 0
    check "is to be built anew, with that $changed" [ "$(mtime)" -gt 1700000000 ]
    touch -d @1700000000 "$fedora/$changed"
done
rm -r "$fedora"/etc/vmcore-summary.conf{,.d} "$fedora"/usr/lib/vmcore-summary/{capture-lib,kdump-utils}.sh
call disable "$fedora" > "$scratch/status"
rm -r "${fedora:?}/boot"

# as a package installs it: files, of which disable takes the mode alone
for d in pre post emergency; do
    program "$fedora/etc/kdump/$d.d/50-vmcore-summary"
done
is "installed by a package: enabled from the start" "$(call enable "$fedora") $(grep -c 'there already' "$scratch/said")" "0 3"
before=$(snapshot "$fedora")
is "disable" "$(call disable "$fedora")" 0
is "kdump passes them over" "$(find "$fedora/etc/kdump" -name '50-*' -perm /111)/$(hook "$fedora")" /fail
is "disable again" "$(call disable "$fedora") $(grep -c 'not executable already' "$scratch/said")" "0 3"
is "enable" "$(call enable "$fedora")" 0
is "the tree is as it was" "$(snapshot "$fedora")" "$before"

# what is not ours stays
rm "$fedora"/etc/kdump/*.d/50-vmcore-summary
ln -s /opt/other "$fedora/etc/kdump/pre.d/50-vmcore-summary"
mkdir "$fedora/etc/kdump/post.d/50-vmcore-summary"
before=$(snapshot "$fedora")
call disable "$fedora" > "$scratch/status"
is "links and directories of others stay" "$(snapshot "$fedora")" "$before"
call enable "$fedora" > "$scratch/status"
is "also then" "$(readlink "$fedora/etc/kdump/pre.d/50-vmcore-summary")" /opt/other
check "and that is said" grep -q '^left /etc/kdump/pre.d/50-vmcore-summary alone: it is not ours' "$scratch/said"
rm -r "${fedora:?}"/etc/kdump/*.d/50-vmcore-summary

# links of the tree stay in it
mkdir -p "$scratch/outside"
rmdir "$fedora/etc/kdump/pre.d"
ln -s "$scratch/outside" "$fedora/etc/kdump/pre.d"
call enable "$fedora" > "$scratch/status"
is "nothing is written outside of the tree" "$(ls "$scratch/outside")" ""
rm "$fedora/etc/kdump/pre.d"
call disable "$fedora" > "$scratch/status"

# settings that only an administrator may change
rm -r "$fedora/etc/kdump"
is "RHEL 7" "$(call enable "$fedora")" 3
check "the lines to write" grep -qx '    kdump_post /usr/lib/vmcore-summary/kdump-post' "$scratch/said"
echo 'kdump_post /usr/lib/vmcore-summary/kdump-post' >> "$fedora/etc/kdump.conf"
is "once they are there" "$(call enable "$fedora")" 0
is "disable" "$(call disable "$fedora")" 3
check "the line to take out" grep -qx '    kdump_post /usr/lib/vmcore-summary/kdump-post' "$scratch/said"
mkdir -p "$fedora/etc/kdump/pre.d"
put "$fedora/etc/vmcore-summary.conf" "$(printf '[Dump]\nMode=auto')"
is "Mode=auto wants kdump_pre" "$(call enable "$fedora")" 3
check "the line for it" grep -qx '    kdump_pre /usr/lib/vmcore-summary/kdump-pre' "$scratch/said"

suse=$scratch/suse
tree_suse "$suse"
sed -i 's|^KDUMP_POSTSCRIPT=.*|KDUMP_POSTSCRIPT="/usr/bin/mine"|' "$suse/etc/sysconfig/kdump"
before=$(snapshot "$suse")
is "SUSE: enable" "$(call enable "$suse")" 3
check "the line" grep -qx '    KDUMP_PRESCRIPT=". /usr/lib/vmcore-summary/suse-pre"' "$scratch/said"
check "keeps what is there" grep -qx '    KDUMP_POSTSCRIPT="/usr/bin/mine; . /usr/lib/vmcore-summary/suse-post"' "$scratch/said"
sed -n 's/^    \(KDUMP_.*\)/\1/p' "$scratch/said" > "$scratch/lines"
is "SUSE: again" "$(call enable "$suse")" 3
is "SUSE: nothing is changed" "$(snapshot "$suse")" "$before"
sed -i '/SCRIPT=/d' "$suse/etc/sysconfig/kdump"
cat "$scratch/lines" >> "$suse/etc/sysconfig/kdump"
is "with these lines it is enabled" "$(call enable "$suse") $(hook "$suse")" "0 ok"
# mkdumprd looks at its own configuration alone
tree_image "$suse/var/lib/kdump/initrd" usr/lib/vmcore-summary/vmcore-summary
put "$suse/etc/vmcore-summary.conf" ""
put "$suse/usr/lib/vmcore-summary/suse-kdump.sh" ""
for changed in etc/sysconfig/kdump etc/vmcore-summary.conf usr/lib/vmcore-summary/{vmcore-summary,suse-kdump.sh}; do
    touch "$suse/var/lib/kdump/initrd"
    is "SUSE: an image as new as $changed" "$(call enable "$suse")" 0
    touch -d '+1 hour' "$suse/$changed"
    is "SUSE: $changed was changed after the image was built" "$(call enable "$suse")" 3
    check "SUSE: which is said, with that $changed" \
        grep -qx "/var/lib/kdump/initrd is older than /$changed: mkdumprd -f && systemctl restart kdump" "$scratch/said"
    touch -d @1700000000 "$suse/$changed"
done
is "SUSE: disable" "$(call disable "$suse")" 3
rm "$suse/usr/lib/vmcore-summary/suse-pre"
sed -i '/SCRIPT=/d' "$suse/etc/sysconfig/kdump"
is "SUSE: without our files" "$(call enable "$suse")" 1

debian=$scratch/debian
tree_debian "$debian"
round Debian "$debian"
mkdir "$debian/etc/systemd/system/kdump-tools.service.wants"
touch "$debian/etc/systemd/system/kdump-tools.service.wants/other.service"
round "Debian with wants of others" "$debian"
call enable "$debian" > "$scratch/status"
call disable "$debian" > "$scratch/status"
# as `make install` has it: drop-ins pull the unit in, it is on until it is masked
cp -r systemd/kdump-tools-dump.service.d systemd/kdump-tools.service.d "$debian/usr/lib/systemd/system/"
before=$(snapshot "$debian")
is "a drop-in: on from the start" "$(hook "$debian")" ok
is "enable" "$(call enable "$debian") $(snapshot "$debian" | diff - <(echo "$before") | wc -l)" "0 0"
is "disable masks it" "$(call disable "$debian") $(hook "$debian")" "0 fail"
is "as systemctl does" "$(systemctl --root="$debian" is-enabled vmcore-summary-kdump-tools.service)" masked
is "disable again" "$(call disable "$debian")" 0
check "changes nothing" grep -q '^nothing has changed' "$scratch/said"
is "enable" "$(call enable "$debian")" 0
is "the tree is as it was" "$(snapshot "$debian")" "$before"
rm -r "$debian/usr/lib/systemd"
is "without our unit" "$(call enable "$debian")" 1

own=$scratch/own
tree_common "$own"
before=$(snapshot "$own")
is "no kdump: enable" "$(call enable "$own")" 3
check "says how to make an image" grep -qx '    /usr/lib/vmcore-summary/mkimage' "$scratch/said"
is "no kdump: disable" "$(call disable "$own")" 0
is "nothing is changed" "$(snapshot "$own")" "$before"

# the command line
for command in enable disable; do
    is "$command --wrong" "$(call "$command" "$own" --wrong)" 2
    is "$command with an argument" "$(call "$command" "$own" now)" 2
    is "$command where nothing is" "$(call "$command" "$scratch/not-there")" 1
done
done_testing

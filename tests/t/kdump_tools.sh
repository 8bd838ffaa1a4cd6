#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Our units with those of kdump-tools, as Debian's packages have them and systemd reads them; and the script
# that they run, with a capture program that behaves as badly as told.
. "$(dirname "$0")/../lib.sh"
. tests/stand_in.sh
. tests/lab/lab.sh
unit=vmcore-summary-kdump-tools.service
script=$top/conf/kdump/kdump-tools

# --- the units ----------------------------------------------------------------------------------
package() { # SUITE: prints the path of its kdump-tools
    local dir=$cache/kdump-tools-deb/$1 apt=$cache/apt-$1
    mkdir -p "$dir"
    (
        flock 9
        [ -e "$(echo "$dir"/*.deb)" ] && exit
        lab_apt_prepare "$1" "$apt" && cd "$dir" && lab_apt "$apt" apt-get download kdump-tools >&2
    ) 9> "$dir.lock"
    echo "$dir"/*.deb
}
new_root() { # SUITE: $root with systemd's units, kdump-tools enabled as its postinst does, and ours
    root=$scratch/root-$1
    mkdir -p "$root"/{etc/systemd/system/basic.target.wants,usr/lib/systemd,usr/bin}
    for d in bin lib sbin; do
        mkdir -p "$root/usr/$d" && ln -s "usr/$d" "$root/$d"
    done
    cp -a /usr/lib/systemd/system "$root/usr/lib/systemd/"
    dpkg-deb --fsys-tarfile "$(package "$1")" | tar -C "$root" --keep-directory-symlink -xf - || return
    ln -s /lib/systemd/system/kdump-tools.service "$root/etc/systemd/system/basic.target.wants/"
    touch "$root/etc/default/kdump-tools"
    make -s -C "$top" BUILD="$BUILD" install DESTDIR="$root"
}
# verify UNIT…: what systemd says of them; nothing if all is well
verify() { SYSTEMD_LOG_LEVEL=warning systemd-analyze --root="$root" --man=no verify "$@" 2>&1; }
override() { # LINE…: of our unit's [Unit]
    local d=$root/etc/systemd/system/$unit.d
    rm -rf "$d"
    [ $# = 0 ] || { mkdir -p "$d" && printf '%s\n' '[Unit]' "$@" > "$d/test.conf"; }
}

for suite in bookworm trixie sid; do
    check "$suite: kdump-tools and our units in a root" new_root "$suite"
    is "$suite: no cycle, no mistake" "$(verify kdump-tools-dump.service kdump-tools.service $unit | grep -v '^$')" ""
    # systemd names a cycle only among what it starts, and only where it knows the order
    for puller in kdump-tools kdump-tools-dump; do
        override "After=$puller.service"
        check "$suite: $puller.service starts our unit, and waits for it" \
            grep -q "cycle.*\|dependency on $unit" <(verify "$puller.service" | grep -A3 cycle | grep "$unit")
    done
    override DefaultDependencies=yes
    check "$suite: with default dependencies there would be a cycle" grep -q 'ordering cycle' <(verify basic.target)
    override
    is "$suite: in the machine itself there is none" "$(verify basic.target multi-user.target 2>&1 | grep -i 'cycle')" ""
    is "$suite: kdump-tools needs nothing of ours" "$(grep -rhE '^(Requires|BindsTo|Requisite)' "$root"/usr/lib/systemd/system/kdump-tools*.d)" ""
done

# --- the script -----------------------------------------------------------------------------------
# machine KIND [SETTING…]: a fresh one, with the capture program KIND and kdump-tools' SETTINGs
# shellcheck disable=SC2016  # the stand-in expands them
machine() {
    local kind=$1
    shift
    m=$scratch/machine
    rm -rf "$m"
    mkdir -p "$m/bin" "$m/crash"
    export VMCORE_SUMMARY_LIB=$top/dracut-module/capture-lib.sh VMCORE_SUMMARY=$m/bin/vmcore-summary
    export VMCORE_SUMMARY_STATE=$m/run VMCORE_SUMMARY_CONF=$m/vmcore-summary.conf
    export VMCORE_SUMMARY_KDUMP_TOOLS_CONF=$m/kdump-tools capture_limit=10 hook_limit=20 reboot_limit=1 retry_pause=0.1
    export dir=$m/crash/vmcore-summary
    printf '%s\n' '[Capture]' "Directory=$dir" > "$m/vmcore-summary.conf"
    printf '%s\n' USE_KDUMP=1 "KDUMP_COREDIR=$m/crash" "$@" > "$m/kdump-tools"
    stand_in "$kind" "$m/bin/vmcore-summary"
    printf '#!/bin/sh\n%s\n' 'echo "$*" >> "${0%/bin/*}/reboots"' > "$m/bin/reboot"
    chmod +x "$m"/bin/*
}
run() { # ARGUMENT…: prints the exit status
    PATH=$m/bin:$PATH timeout 120 "$shell" "$script" "$@" > "$m/output" 2>&1 < /dev/null
    echo $?
}
summary() { echo "$dir"/crash-*; }
record() { sed 's/ *$//' "$1/vmcore-summary.dump" | grep -v '^$' | paste -sd ' '; }
rebooted() { paste -sd , "$m/reboots" 2> /dev/null; }
argument() { grep -A1 -x -e "$1" "$m/arguments" | tail -1; }

test_before() {
    local kind given want
    machine good
    is "$shell: exits 0" "$(run)" 0
    is "$shell: a summary" "$(cat "$(summary)/vmcore-summary.jsonl.gz")" whole
    is "$shell: none of kdump-tools' names: 2*, or 12 digits" "$(cd "$m/crash" && ls)" vmcore-summary
    is "$shell: where the dump goes" "$(argument --dump-target)" "$m/crash"
    is "$shell: no reboot" "$(rebooted)" ""
    is "$shell: the record until there is a dump" "$(record "$(summary)")" "vmcore: missing status: file:"
    for kind in skip_unsaved failing crashing; do
        machine $kind
        is "$shell: $kind: exits 0, the dump goes on" "$(run) $(rebooted)" "0 "
        is "$shell: $kind: leaves nothing behind" "$(find "$m/crash" -type f)" ""
    done
    machine skip
    run > /dev/null
    is "$shell: without the dump: reboots, twice if need be" "$(rebooted)" "-f,-f -f"
    is "$shell: without the dump: recorded" "$(record "$(summary)")" "vmcore: skipped status: file:"
    machine skip
    mkdir -p "$dir" && chattr +i "$dir" 2> /dev/null &&
        is "$shell: a target that cannot be written: the dump goes on" "$(run) $(rebooted)" "0 "
    chattr -i "$dir" 2> /dev/null
    machine good 'if then' # which ends kdump-tools, too
    is "$shell: a mistake in kdump-tools' configuration" "$(run) $(argument --dump-level)" "0 31"
    machine good
    rm "$m/kdump-tools"
    is "$shell: no configuration of kdump-tools" "$(run) $(argument --dump-target)" "0 /var/crash"
    is "$shell: without our library" "$(VMCORE_SUMMARY_LIB=/nowhere run)" 0
    while IFS='|' read -r given want; do
        machine good "$given"
        run > /dev/null
        is "$shell: ${given:-nothing set}: level, compression, target" "$(argument --dump-level) $(argument --dump-compression) \
$(argument --dump-target | sed "s|$m||")" "$want"
    done << 'SETTINGS'
|31 zlib /crash
MAKEDUMP_ARGS="-F -l -d 17"|17 lzo /crash
MAKEDUMP_ARGS="-d 1" KDUMP_COMPRESSION=lz4|1 lzo /crash
MAKEDUMP_ARGS="-d 1" KDUMP_COMPRESSION=xz|1 zlib /crash
SETTINGS
}

test_hanging() {
    local before=$SECONDS
    machine hanging
    capture_limit=2
    is "$shell: hanging: exits 0" "$(run)" 0
    check "$shell: hanging: in time" [ $((SECONDS - before)) -lt 15 ]
    is "$shell: hanging: what was finished is there" "$(cat "$(summary)/vmcore-summary.jsonl.gz")" part
}

# dump AGE_S FILE…: what kdump-tools leaves, AGE_S seconds later than now; sets $dump
dump() {
    local name
    name=$(date -d "@$(($(date +%s) + $1))" +%Y%m%d%H%M)
    shift
    dump=$m/crash/$name
    mkdir -p "$dump"
    for name; do
        echo "$name" > "$dump/$name"
    done
}
theirs() { find "$dump" -type f ! -name 'vmcore-summary*' -printf '%P\n' | sort | paste -sd ' '; } # files of kdump-tools

test_after() {
    local files want
    while IFS='|' read -r files want; do
        machine good
        run > /dev/null
        # shellcheck disable=SC2086
        dump 20 $files
        is "$shell: after: exits 0" "$(run --after)" 0
        is "$shell: after, with $files: the summary is with the dump" "$(find "$m/crash" -name '*.jsonl.gz')" \
            "$dump/vmcore-summary.jsonl.gz"
        is "$shell: after, with $files: the record" "$(record "$dump")" "$want"
        is "$shell: after, with $files: all is there" "$(theirs)" "$files"
    done << 'FILES'
dmesg.1 dump.1|vmcore: saved status: file: dump.1
dmesg.1 dump.1.gz|vmcore: saved status: file: dump.1.gz
dump-incomplete vmcore-incomplete|vmcore: incomplete status: file: vmcore-incomplete
dump-incomplete.lz4|vmcore: incomplete status: file: dump-incomplete.lz4
dmesg.1|vmcore: missing status: file:
dump-incomplete vmcore.1|vmcore: saved status: file: vmcore.1
FILES
    while read -r files want; do
        machine good
        run > /dev/null
        dump 20 dump.1
        cp "tests/fuzz/corpus/$files" "$dump/dump.1"
        run --after > /dev/null
        is "$shell: after, with the dump $files: the record" "$(record "$dump")" "vmcore: $want status: file: dump.1"
    done << 'FILES'
elf/flattened-kdump saved
elf/flattened-no-end incomplete
FILES
    for age in -86400 3600; do
        machine good
        run > /dev/null
        dump $age dump.1
        run --after > /dev/null
        is "$shell: after: the dump of another crash ($age s) is left alone" "$(ls "$dump")" dump.1
        is "$shell: after: and the summary stays" "$(cat "$(summary)/vmcore-summary.jsonl.gz")" whole
    done
    machine good
    run > /dev/null
    dump 20 dump.1 vmcore-summary.jsonl.gz
    run --after > /dev/null
    is "$shell: after: a summary that is there is not replaced" "$(cat "$dump/vmcore-summary.jsonl.gz")" vmcore-summary.jsonl.gz
    machine skip
    run > /dev/null
    dump 20 dump.1
    run --after > /dev/null
    is "$shell: after: a dump that was left out is not looked for" "$(ls "$dump")" dump.1
    machine good
    is "$shell: after, nothing there: exits 0" "$(run --after) $(cat "$m/output")" "0 "
}

# A dump that fills the disk leaves two parts, of makedumpfile and of `cp`, which had less room.
test_full() {
    local remove files want
    while IFS='|' read -r remove files want; do
        machine good
        echo "RemoveVmcore=$remove" >> "$m/vmcore-summary.conf"
        mount -t tmpfs -o size=512k none "$m/crash" 2> /dev/null ||
            { skip "$shell: a dump that fills the disk" "mount not allowed"; return; }
        run > /dev/null
        dump 20 dmesg.1
        head -c 1M /dev/zero > "$dump/dump-incomplete" 2> /dev/null
        : > "$dump/vmcore-incomplete"
        run --after > /dev/null
        is "$shell: a dump filled the disk: the record (RemoveVmcore=$remove)" "$(record "$dump")" "$want"
        is "$shell: what is there (RemoveVmcore=$remove)" "$(theirs)" "$files"
        is "$shell: and the summary (RemoveVmcore=$remove)" "$(cat "$dump/vmcore-summary.jsonl.gz")" whole
        umount "$m/crash"
    done << 'CASES'
no|dmesg.1 dump-incomplete vmcore-incomplete|vmcore: incomplete status: file: vmcore-incomplete
yes|dmesg.1|vmcore: incomplete status: file: removed: yes
CASES
    machine good
    echo RemoveVmcore=yes >> "$m/vmcore-summary.conf"
    run > /dev/null
    dump 20 dump-incomplete vmcore-incomplete
    run --after > /dev/null
    is "$shell: with room left both parts stay" "$(theirs)" "dump-incomplete vmcore-incomplete"
}

# --- a dump that goes elsewhere: stand-ins do here what is to be done there -------------------------------
# shellcheck disable=SC2016  # the stand-ins expand them
elsewhere() { # KIND SETTING…: a machine whose network is online at the second look
    local name
    machine "$@" HOSTTAG=ip
    there=$m/there
    mkdir -p "$there"
    printf '#!/bin/sh\n%s\n' 'echo "$*" >> "${0%/bin/*}/ssh"' \
        'for last; do :; done; SSH_CLIENT="127.0.0.1 1 22" exec sh -c "$last"' > "$m/bin/ssh"
    printf '#!/bin/sh\n%s\n' 'echo "    inet 127.0.0.1/8 scope host lo"; echo "    inet 10.9.8.7/24 scope global eth0"' > "$m/bin/ip"
    printf '#!/bin/sh\n%s\n' 'echo "$*" >> "${0%/bin/*}/systemctl"' \
        '[ "$(grep -c . "${0%/bin/*}/systemctl")" -ge 2 ] && echo ActiveState=active || printf "%s\n" ActiveState=inactive Job=7' > "$m/bin/systemctl"
    # NFS: what is mounted there is a directory here
    printf '#!/bin/sh\n%s\n' 'm=${0%/bin/*}; echo "$*" >> "$m/mount"; for last; do :; done' \
        'rmdir "$last" && ln -s "$m/there" "$last" && echo "1 2 0:9 / $last rw - nfs4 x rw" > "$m/mountinfo"' > "$m/bin/mount"
    printf '#!/bin/sh\n%s\n' 'm=${0%/bin/*}; echo "$*" >> "$m/umount"; : > "$m/mountinfo"' > "$m/bin/umount"
    : > "$m/mountinfo"
    export VMCORE_SUMMARY_MOUNTINFO=$m/mountinfo
    chmod +x "$m"/bin/*
}
arrived() { (cd "$there" && find . -type f | sort | paste -sd ' '); }
looks() { grep -c . "$m/systemctl"; }

went_down() { # HOW: when the dump is left out, which is recorded there
    local want=" " name
    [ $kind != skip ] || want="vmcore: skipped status: file: -f,-f -f"
    name=$(find "$there" -name vmcore-summary.dump)
    is "$shell: $1, $kind: the record there, and what is next" "${name:+$(record "$(dirname "$name")")} $(rebooted)" "$want"
}

test_elsewhere() {
    local kind name
    for kind in good skip; do
        elsewhere $kind SSH=root@host "KDUMP_COREDIR=$scratch/machine/there/dumps" SSH_KEY=/a/key
        is "$shell: ssh, $kind: exits 0" "$(run)" 0
        is "$shell: ssh, $kind: no estimate of a file system that is not ours" "$(argument --dump-target)" ""
        name=./dumps/vmcore-summary/10.9.8.7-$(basename "$(summary)")
        is "$shell: ssh, $kind: sent under kdump-tools' name of this machine" "$(arrived | cut -d ' ' -f 1-2 | tr ' ' '\n' | grep jsonl)" \
            "$name/vmcore-summary.jsonl.gz"
        is "$shell: ssh, $kind: whole" "$(cat "$there/$name/vmcore-summary.jsonl.gz")" whole
        check "$shell: ssh, $kind: kdump-tools' key, and never a question" grep -q -- "-i /a/key -o BatchMode=yes .* root@host" "$m/ssh"
        is "$shell: ssh, $kind: here, too" "$(cat "$(summary)/vmcore-summary.jsonl.gz")" whole
        went_down ssh
        check "$shell: ssh, $kind: says where" grep -q "sent to root@host:$there/dumps/vmcore-summary/10.9.8.7-crash-" "$m/output"
        is "$shell: ssh, $kind: when the network is there" "$(looks)" 2
        elsewhere $kind NFS=host:/export NFS_TIMEO=7
        is "$shell: NFS, $kind: exits 0" "$(run)" 0
        name=./vmcore-summary/10.9.8.7-$(basename "$(summary)")
        is "$shell: NFS, $kind: there" "$(cat "$there/$name/vmcore-summary.jsonl.gz")" whole
        is "$shell: NFS, $kind: mounted as kdump-tools does, and not left so" "$(cat "$m/mount" "$m/umount")" \
            "-t nfs -o nolock -o tcp -o soft -o timeo=7 -o retrans=3 host:/export $m/run/nfs
$m/run/nfs"
        went_down NFS
        check "$shell: NFS, $kind: says where" grep -q "sent to host:/export/vmcore-summary/10.9.8.7-crash-" "$m/output"
    done
    elsewhere good "KDUMP_COREDIR=$scratch/machine/crash"
    run > /dev/null
    is "$shell: a dump that stays here: no network is waited for" "$(ls "$m/systemctl" 2> /dev/null)" ""
    for kind in good skip; do
        elsewhere $kind SSH=root@host NFS=host:/export
        printf '#!/bin/sh\nexit 1\n' | tee "$m/bin/ssh" > "$m/bin/mount"
        is "$shell: nobody answers, $kind: exits 0" "$(run)" 0
        is "$shell: nobody answers, $kind: says so" "$(grep -o 'could not send the summary to .*' "$m/output" | sort -u | paste -sd ,)" \
            "could not send the summary to host:/export,could not send the summary to root@host"
        is "$shell: nobody answers, $kind: the summary is here" "$(cat "$(summary)/vmcore-summary.jsonl.gz")" whole
    done
    is "$shell: nobody answers, skip: reboots" "$(rebooted)" "-f,-f -f"
}
test_elsewhere_hanging() {
    local before=$SECONDS
    elsewhere skip SSH=root@host NFS=host:/export
    printf '#!/bin/sh\nexec sleep 600\n' | tee "$m/bin/ssh" "$m/bin/mount" > "$m/bin/systemctl"
    is "$shell: nothing ever answers: exits 0" "$(network_limit=2 ssh_limit=2 send_limit=10 run)" 0
    is "$shell: nothing ever answers: reboots" "$(rebooted)" "-f,-f -f"
    check "$shell: nothing ever answers: in time" [ $((SECONDS - before)) -lt 25 ]
}

for shell in dash bash; do
    test_before
    test_after
    test_full
    test_elsewhere
done
test_elsewhere_hanging
test_hanging
done_testing

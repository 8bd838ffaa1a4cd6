#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The kdump hooks against the contract of kdump-utils: what a hook gets (no arguments before the dump, the
# dump's status after it, NEWROOT in the environment, nothing on stdin, the image's own kdump.conf), when,
# and what it must never do (fail, hang, touch what is not ours). kdump.sh is played here; the capture
# program is a stand-in that behaves as badly as told. Under every shell that capture images have.
. "$(dirname "$0")/../lib.sh"
. tests/stand_in.sh
hook=$top/conf/kdump/vmcore-summary-kdump
export VMCORE_SUMMARY_LIB=$top/dracut-module/capture-lib.sh
export VMCORE_SUMMARY_KDUMP=$top/conf/kdump/kdump-utils.sh

# --- the image --------------------------------------------------------------------------------
# new_image: a fresh image with the dump target of the device /dev/target mounted at $target
new_image() {
    image=$scratch/image
    rm -rf "$image"
    mkdir -p "$image"/{bin,run,kdumproot/crash,sysroot,newroot/sysroot}
    target=$image/kdumproot/crash
    export VMCORE_SUMMARY=$image/bin/vmcore-summary VMCORE_SUMMARY_STATE=$image/run/vmcore-summary
    export VMCORE_SUMMARY_KDUMP_CONF=$image/kdump.conf VMCORE_SUMMARY_FSTAB=$image/fstab
    export VMCORE_SUMMARY_MOUNTINFO=$image/mountinfo VMCORE_SUMMARY_BOOTED=$image/booted
    export VMCORE_SUMMARY_CMDLINE=$image/cmdline VMCORE_SUMMARY_CONF=$image/vmcore-summary.conf
    echo "BOOT_IMAGE=/vmlinuz root=/dev/x quiet" > "$image/cmdline"
    export NEWROOT=$image/sysroot DRACUT_SYSTEMD=1
    export hook_limit=20 capture_limit=10
    printf 'ext4 /dev/target\npath /dumps\ncore_collector makedumpfile -l -d 31\n' > "$image/kdump.conf"
    : > "$image/fstab"
    printf '%s\n' "22 1 0:2 / / rw - rootfs rootfs rw" \
        "36 22 254:16 / $target rw,noatime shared:1 - ext4 /dev/target rw" > "$image/mountinfo"
    touch -d '1 hour ago' "$image/booted"
    old_dump=$target/dumps/127.0.0.1-2020-01-01-00:00:00
    mkdir -p "$old_dump"
    echo old > "$old_dump/vmcore"
    touch -d '2020-01-01' "$old_dump"
    # records its arguments; `mount` never runs for real
    printf '#!/bin/sh\necho "$*" >> "%s/mounts"\n%s\n' "$image" 'exit 0' > "$image/bin/mount"
    chmod +x "$image/bin/mount"
    program good
}

program() { stand_in "$1" "$VMCORE_SUMMARY"; } # KIND: the capture program of the image

# --- kdump.sh, as far as hooks see it -----------------------------------------------------------
# Each prints the exit status of its hook.
hook_as() { # FILE ARGUMENT…: the hook under $shell, with its output in $image/output
    local status file=$1
    shift
    # shellcheck disable=SC2086
    (cd / && PATH=$image/bin:$PATH timeout 120 $shell "$file" "$@") >> "$image/output" 2>&1 < /dev/null
    status=$?
    echo $status
}
pre() { hook_as "$hook"; }
kdump_pre() { hook_as "$top/conf/kdump/kdump-pre"; }
emergency() { hook_as "$top/conf/kdump/vmcore-summary-emergency"; }
runs() { wc -l < "$image/runs"; } # of the program
dump() { # [NAME [FILE]]: what makedumpfile leaves behind
    new_dump=$target/dumps/${1:-127.0.0.1-$(date +%Y-%m-%d-%H:%M:%S)}
    mkdir -p "$new_dump"
    echo new > "$new_dump/vmcore-incomplete"
    [ "${2:-vmcore}" = vmcore-incomplete ] || mv "$new_dump/vmcore-incomplete" "$new_dump/${2:-vmcore}"
}
post() { hook_as "$hook" "$1"; }

summaries() { (cd "$image" && find . -name 'vmcore-summary.jsonl.gz' | sort); }
one_summary_dir() { find "$target/dumps/vmcore-summary" -mindepth 1 -maxdepth 1 2> /dev/null; }
record() { tr -s ' \n' ' ' < "$1/vmcore-summary.dump" | sed 's/ $//'; } # DIRECTORY, in one line
others() { # everything on the target that is not ours, with contents
    (cd "$target" && find . -type f ! -path '*vmcore-summary*' -exec sha256sum {} + | sort)
}

# --- cases ------------------------------------------------------------------------------------
test_alongside() {
    local before made
    new_image
    before=$(others)
    is "$shell: pre exits 0" "$(pre)" 0
    made=$(one_summary_dir)
    check "$shell: pre writes below path, under a name that is no dump's" \
        grep -qE '/dumps/vmcore-summary/crash-[0-9]{8}T[0-9]{6}Z$' <<< "$made"
    is "$shell: into a directory for root alone" "$(stat -c %a "$made")" 700
    is "$shell: the program's arguments" "$(paste -sd ' ' "$image/arguments")" "capture --output $made"
    is "$shell: the program gets no input" "$(cat "$image/stdin")" ""
    is "$shell: the program dies before makedumpfile does" "$(cat "$image/oom_score_adj")" 1000
    is "$shell: pre touches nothing else" "$(others)" "$before"
    dump
    before=$(others)
    is "$shell: post exits 0" "$(post 0)" 0
    is "$shell: post moves the summary to the dump" "$(summaries)" "./${new_dump#"$image/"}/vmcore-summary.jsonl.gz"
    is "$shell: and the text" "$(cat "$new_dump/vmcore-summary.txt")" text
    is "$shell: and records the dump" "$(record "$new_dump")" "vmcore: saved status: 0 file: vmcore"
    is "$shell: nothing of ours stays behind" "$(ls "$target/dumps")" "$(printf '%s\n' "${new_dump##*/}" "${old_dump##*/}" | sort)"
    is "$shell: post touches nothing else" "$(others)" "$before"
}

test_dump_failed() {
    new_image
    pre > /dev/null
    dump "" vmcore-incomplete
    is "$shell: post after a failed dump exits 0" "$(post 1)" 0
    is "$shell: a failed dump is recorded" "$(record "$new_dump")" \
        "vmcore: incomplete status: 1 file: vmcore-incomplete"
    new_image
    pre > /dev/null
    is "$shell: post without any dump exits 0" "$(post 1)" 0
    is "$shell: without a dump the summary stays where it is" "$(record "$(one_summary_dir)")" \
        "vmcore: missing status: 1 file:"
    is "$shell: an older dump gets nothing" "$(ls "$old_dump")" vmcore
}

test_other_dumps() {
    new_image
    pre > /dev/null
    echo "quiet kdump_test_id=1700000000-12 x" > "$image/cmdline"
    dump kdump-test-1700000000-12
    mkdir "$target/dumps/127.0.0.1-2033-01-01-00:00:00"
    post 0 > /dev/null
    is "$shell: kdumpctl test's directory is found" "$(summaries)" \
        "./kdumproot/crash/dumps/kdump-test-1700000000-12/vmcore-summary.jsonl.gz"
    new_image
    pre > /dev/null
    dump
    echo theirs > "$new_dump/vmcore-summary.jsonl.gz"
    post 0 > /dev/null
    is "$shell: a file that is there is not replaced" "$(cat "$new_dump/vmcore-summary.jsonl.gz")" theirs
    is "$shell: and ours is not lost" "$(cat "$(one_summary_dir)/vmcore-summary.jsonl.gz")" whole
    new_image
    pre > /dev/null
    mkdir "$image/elsewhere"
    ln -s "$image/elsewhere" "$target/dumps/127.0.0.1-2030-01-01-00:00:00"
    post 0 > /dev/null
    is "$shell: a link is no dump" "$(ls "$image/elsewhere")" ""
}

# RHEL 7 has kdump_post alone: capture after the dump, straight beside it
test_kdump_post_only() {
    new_image
    dump
    is "$shell: kdump_post alone exits 0" "$(post 0)" 0
    is "$shell: kdump_post alone leaves the summary with the dump" "$(summaries)" \
        "./${new_dump#"$image/"}/vmcore-summary.jsonl.gz"
}

test_bad_programs() {
    local kind
    for kind in failing crashing full missing; do
        new_image
        program $kind
        is "$shell: pre exits 0 with a program $kind" "$(pre)" 0
        is "$shell: and leaves no empty directory ($kind)" "$(one_summary_dir)" ""
        dump
        is "$shell: post exits 0 with a program $kind" "$(post 0)" 0
        is "$shell: and has nothing to move ($kind)" "$(summaries)" ""
    done
    for kind in hanging stubborn; do
        new_image
        program $kind
        # the program's limit alone ends it within hook_as's time
        export capture_limit=2 hook_limit=600
        is "$shell: pre exits 0 with a program $kind" "$(pre)" 0
        is "$shell: the program is gone ($kind)" "$(pgrep -f "$VMCORE_SUMMARY")" ""
    done
    new_image
    program hanging
    export capture_limit=1
    pre > /dev/null
    is "$shell: what a killed program had written is kept" "$(cat "$(one_summary_dir)/vmcore-summary.jsonl.gz")" part
    new_image
    printf '[Capture]\n#Deadline=9h\nDeadline = 2min\n' > "$image/conf"
    # shellcheck disable=SC2016  # the inner shell expands
    is "$shell: the limit follows the configuration" "$(VMCORE_SUMMARY_CONF=$image/conf env -u capture_limit \
        $shell -c '. "$VMCORE_SUMMARY_LIB"; echo "$capture_limit"')" 150
    new_image
    is "$shell: without its library the hook exits 0" "$(VMCORE_SUMMARY_KDUMP=/nowhere pre)" 0
}

# The whole hook hangs, not only the program: a mount that never returns.
test_hanging_target() {
    new_image
    sed -i 's/ rw,noatime / ro,noatime /' "$image/mountinfo"
    printf '#!/bin/sh\necho $$ > "%s/hanging"\nexec sleep 600\n' "$image" > "$image/bin/mount"
    # the hook's limit alone ends it within hook_as's time
    export hook_limit=2 capture_limit=600
    is "$shell: pre exits 0 when the target hangs" "$(pre)" 0
    check "$shell: and says so" grep -q "stopped after 2 s" "$image/output"
    # it was out of reach of the hook, whose own time was up
    kill "$(cat "$image/hanging")" 2> /dev/null || true
}

# the program was told to write no file, for the reason that the hook has said
reason_is_said() { grep -qxF "vmcore-summary: $(sed -n '/^--no-target$/{n;p}' "$image/arguments")" "$image/output"; }

where() { # the mount point below which pre wrote, "" when it wrote to the console
    local written
    rm -f "$image/arguments"
    pre > /dev/null
    written=$(sed -n '/^--output$/{n;p}' "$image/arguments")
    written=${written%/vmcore-summary/*}
    echo "${written#"$image"/}"
}

test_targets() {
    new_image
    echo "ext4 UUID=1234-abcd" > "$image/kdump.conf"
    sed -i 's|/dev/target|/dev/disk/by-uuid/1234-abcd|' "$image/mountinfo"
    is "$shell: by UUID, default path" "$(where)" "kdumproot/crash/var/crash"
    new_image
    echo "btrfs /dev/vdz" > "$image/kdump.conf"
    echo "40 22 0:45 /@home $target rw - btrfs /dev/vdz rw,subvol=/@home" > "$image/mountinfo"
    is "$shell: btrfs by source, a subvolume" "$(where)" "kdumproot/crash/var/crash"
    new_image
    echo "nfs server:/export" > "$image/kdump.conf"
    echo "40 22 0:45 / $target rw - nfs4 server:/export rw,addr=::1" > "$image/mountinfo"
    is "$shell: NFS by source" "$(where)" "kdumproot/crash/var/crash"
    new_image
    echo "40 36 254:16 /dumps/inner $image/newroot rw - ext4 /dev/target rw" >> "$image/mountinfo"
    is "$shell: a bind mount of a directory is not the target" "$(where)" "kdumproot/crash/dumps"
    new_image
    mkdir -p "$image/a b"
    sed -i "s|$target|$image/a\\\\040b|" "$image/mountinfo"
    is "$shell: a blank in the mount point" "$(where)" "a b/dumps"
    # busybox's shell runs its own mount, whatever PATH says
    [ "$shell" != "busybox sh" ] || return
    new_image
    : > "$image/mountinfo"
    echo "/dev/target $target ext4 rw 0 2" > "$image/fstab"
    is "$shell: not mounted yet: by dracut's fstab" "$(where)" "kdumproot/crash/dumps"
    is "$shell: then it is mounted by that" "$(cat "$image/mounts")" "$target"
    new_image
    sed -i 's/ rw,noatime / ro,noatime /' "$image/mountinfo"
    where > /dev/null
    is "$shell: a read-only target is remounted" "$(cat "$image/mounts")" "-o remount,rw $target"
}

test_no_targets() {
    new_image
    echo "path /var/crash" > "$image/kdump.conf"
    echo "40 22 254:1 / $NEWROOT rw - ext4 /dev/root rw" > "$image/mountinfo"
    is "$shell: no target named: the root file system" "$(where)" "sysroot/var/crash"
    local remote
    for remote in "ssh root@host" "raw /dev/vdc" "net root@host"; do
        echo "$remote" > "$image/kdump.conf"
        is "$shell: ${remote%% *}: the console alone" "$(where)" ""
        is "$shell: ${remote%% *}: post exits 0" "$(post 0)" 0
    done
    new_image
    rm "$image/kdump.conf" "$image/mountinfo"
    is "$shell: no kdump.conf, no mountinfo: exits 0" "$(pre)" 0
    new_image
    rm -r "$target/dumps" && touch "$target/dumps"
    is "$shell: path is a file: exits 0" "$(pre)" 0
    check "$shell: and says so" grep -q "cannot write below" "$image/output"
    check "$shell: and has the digest say so" reason_is_said
}

test_by_number() {
    new_image
    mknod "$image/node" b 7 123 2> /dev/null || { skip "$shell: a device by its number" "mknod not allowed"; return; }
    echo "ext4 $image/node" > "$image/kdump.conf"
    echo "36 22 7:123 / $target rw - ext4 /dev/mapper/other-name rw" > "$image/mountinfo"
    is "$shell: a device by its number" "$(where)" "kdumproot/crash/var/crash"
}

test_full_disk() {
    new_image
    mount -t tmpfs -o size=16k,nr_inodes=4 none "$target" 2> /dev/null ||
        { skip "$shell: a full target" "mount not allowed"; return; }
    mkdir "$target/dumps"
    touch "$target/1" "$target/2"
    is "$shell: a full target: pre exits 0" "$(pre)" 0
    check "$shell: a full target: says so" grep -q "cannot write below" "$image/output"
    is "$shell: a full target: post exits 0" "$(post 1)" 0
    umount "$target"
}

# --- leaving the dump out -----------------------------------------------------------------------
test_policy() {
    local kind made
    new_image
    program skip
    is "$shell: kdump-pre: 1 leaves the dump out" "$(kdump_pre)" 1
    made=$(one_summary_dir)
    is "$shell: kdump-pre: the program's arguments" "$(paste -sd ' ' "$image/arguments")" \
        "capture --output $made --policy --dump-level 31 --dump-compression lzo --dump-target $target/dumps"
    is "$shell: kdump-pre: recorded" "$(record "$made")" "vmcore: skipped status: file:"
    new_image
    is "$shell: kdump-pre: 0 goes on" "$(kdump_pre)" 0
    made=$(one_summary_dir)
    is "$shell: pre.d after it exits 0" "$(pre)" 0
    is "$shell: and does not capture again" "$(runs)" 1
    dump
    is "$shell: post after it exits 0" "$(post 0)" 0
    is "$shell: and finds the summary of kdump-pre" "$(record "$new_dump")" "vmcore: saved status: 0 file: vmcore"
    is "$shell: kdump_post after post.d exits 0" "$(post 0)" 0
    is "$shell: and changes nothing" "$(runs) $(summaries)" "1 ./${new_dump#"$image/"}/vmcore-summary.jsonl.gz"
    for kind in failing crashing skip_unsaved missing; do
        new_image
        program $kind
        is "$shell: kdump-pre: 0 with a program $kind" "$(kdump_pre)" 0
    done
    new_image
    program choosy
    is "$shell: kdump-pre: 0 with a program that takes no such options" "$(kdump_pre)" 0
    is "$shell: and a summary all the same" "$(cat "$(one_summary_dir)/vmcore-summary.jsonl.gz")" whole
    new_image
    program skip
    rm -r "$target/dumps" && touch "$target/dumps"
    is "$shell: kdump-pre: 0 if the summary is on the console alone" "$(kdump_pre)" 0
    new_image
    program skip
    echo "raw /dev/vdc" > "$image/kdump.conf"
    is "$shell: kdump-pre: 0 for a raw target" "$(kdump_pre)" 0
    new_image
    echo "Mode=instead" > "$image/vmcore-summary.conf"
    pre > /dev/null
    check "$shell: pre.d alone says that it cannot leave the dump out" grep -q "nothing without kdump_pre" "$image/output"
    new_image
    is "$shell: kdump-pre: 0 without its library" "$(VMCORE_SUMMARY_KDUMP=/nowhere kdump_pre)" 0
}

# the test's own directory is there before any hook is called, and nothing follows the skip
test_policy_in_kdumpctl_test() {
    new_image
    program skip
    echo "kdump_test_id=7-7" > "$image/cmdline"
    mkdir -p "$target/dumps/kdump-test-7-7"
    kdump_pre > /dev/null
    is "$shell: kdump-pre: the summary lies in kdumpctl test's directory" "$(summaries)" \
        ./kdumproot/crash/dumps/kdump-test-7-7/vmcore-summary.jsonl.gz
}

test_collector_options() {
    local given want
    while IFS='|' read -r given want; do
        new_image
        printf 'ext4 /dev/target\npath /dumps\n%s\n' "${given:+core_collector $given}" > "$image/kdump.conf"
        kdump_pre > /dev/null
        is "$shell: level and compression of '$given'" "$(grep -A1 -x -e --dump-level -e --dump-compression \
            "$image/arguments" | grep -v '^--' | paste -sd ' ')" "$want"
    done << 'COLLECTORS'
|31 lzo
makedumpfile -l --message-level 7 -d 31|31 lzo
makedumpfile -c --message-level 1 -d31|31 zlib
/usr/sbin/makedumpfile -z -d 17 --num-threads=4|17 zstd
makedumpfile -pFd 1|1 snappy
makedumpfile -E -d 0|0 none
makedumpfile -F -l -d 11,31|31 lzo
makedumpfile -l|0 lzo
makedumpfile -x /usr/lib/-zc/vmlinux -d nonsense -K 12|0 none
/usr/lib/vmcore-summary/kdump-collector makedumpfile -z -d 31 # comment -l|31 zstd
cp --sparse=always|0 none
COLLECTORS
}

# --- the collector --------------------------------------------------------------------------------
collect() { # ARGUMENT…: its standard output in $image/stdout
    local status
    # shellcheck disable=SC2086
    PATH=$image/bin:$PATH timeout 120 $shell "$top/conf/kdump/kdump-collector" "$@" \
        > "$image/stdout" 2>> "$image/output" < /dev/null
    status=$?
    echo $status
}

# shellcheck disable=SC2016  # the stand-in expands them
test_collector() {
    local old_conf
    new_image
    printf '#!/bin/sh\nfor last; do :; done\necho "$*" > "${0%%/bin/*}/collected"\n%s\n' \
        'case $last in /proc/vmcore) printf "dump\\000bytes";; *) echo dump > "$last"; exit 5;; esac' > "$image/bin/makedumpfile"
    chmod +x "$image/bin/makedumpfile"
    cp "$image/bin/makedumpfile" "$scratch/makedumpfile"
    new_dump=$target/dumps/127.0.0.1-2031-01-01-00:00:00
    mkdir -p "$new_dump"
    is "$shell: the collector's status is makedumpfile's" \
        "$(collect makedumpfile -l -d 31 /proc/vmcore "$new_dump/vmcore-incomplete")" 5
    is "$shell: and its arguments" "$(cat "$image/collected")" "-l -d 31 /proc/vmcore $new_dump/vmcore-incomplete"
    is "$shell: the summary is in the very directory" "$(summaries)" "./${new_dump#"$image/"}/vmcore-summary.jsonl.gz"
    is "$shell: and the dump, too" "$(cat "$new_dump/vmcore-incomplete")" dump
    is "$shell: nothing on the standard output" "$(cat "$image/stdout")" ""
    post 1 > /dev/null
    is "$shell: post after it does not capture, but records" "$(runs) $(record "$new_dump")" \
        "1 vmcore: incomplete status: 1 file: vmcore-incomplete"

    # after pre.d: the summary is moved, before the dump has begun
    new_image
    cp "$scratch/makedumpfile" "$image/bin/"
    pre > /dev/null
    new_dump=$target/dumps/10.0.0.9-2031-01-01-00:00:00
    mkdir -p "$new_dump"
    collect makedumpfile -d 31 /proc/vmcore "$new_dump/vmcore-incomplete" > /dev/null
    is "$shell: after pre.d it moves the summary and makes none" "$(runs) $(summaries)" \
        "1 ./${new_dump#"$image/"}/vmcore-summary.jsonl.gz"

    # ssh and raw: the dump goes through the standard output
    for old_conf in "raw /dev/vdc" "ssh root@host"; do
        new_image
        cp "$scratch/makedumpfile" "$image/bin/"
        printf '#!/bin/sh\necho noise\nexit 1\n' > "$image/bin/ssh"
        chmod +x "$image/bin/ssh"
        echo "$old_conf" > "$image/kdump.conf"
        is "$shell: ${old_conf%% *}: the collector's status" "$(collect makedumpfile -F -d 31 /proc/vmcore)" 0
        is "$shell: ${old_conf%% *}: the dump alone is on the standard output" "$(od -c "$image/stdout")" \
            "$(printf 'dump\0bytes' | od -c)"
        check "$shell: ${old_conf%% *}: and a summary was made" [ -e "$image/arguments" ]
    done
    program hanging
    export capture_limit=2
    rm -r "$image/run"
    is "$shell: a program that hangs holds back no dump" "$(collect makedumpfile -F /proc/vmcore)" 0
    is "$shell: a collector that is not there" "$(collect "$image/bin/nothing" /proc/vmcore)" 127
    is "$shell: without our library the dump is made" \
        "$(VMCORE_SUMMARY_KDUMP=/nowhere collect makedumpfile -F /proc/vmcore) $(od -c "$image/stdout" | sum)" \
        "0 $(printf 'dump\0bytes' | od -c | sum)"
}

# an empty directory of kdump's must not vanish with a summary that could not be written
test_collector_keeps_directory() {
    new_image
    program failing
    new_dump=$target/dumps/127.0.0.1-2031-01-01-00:00:00
    mkdir -p "$new_dump"
    cp "$scratch/makedumpfile" "$image/bin/"
    collect makedumpfile /proc/vmcore "$new_dump/vmcore-incomplete" > /dev/null
    is "$shell: the dump's directory stays" "$(cat "$new_dump/vmcore-incomplete")" dump
}

# --- over ssh: a stand-in runs the commands, in $image/there ----------------------------------------
# shellcheck disable=SC2016
test_ssh() {
    local there
    new_image
    program skip
    there=$image/there
    mkdir "$there"
    printf 'ssh root@host\npath %s/dumps\nsshkey %s/key\n' "$there" "$image" > "$image/kdump.conf"
    touch "$image/key"
    printf '#!/bin/sh\n%s\n%s\n' 'echo "$*" >> "${0%/bin/*}/ssh"' \
        'for last; do :; done; SSH_CLIENT="10.9.8.7 1 22" exec sh -c "$last"' > "$image/bin/ssh"
    chmod +x "$image/bin/ssh"
    is "$shell: ssh: kdump-pre exits 1 for a summary that has arrived" "$(kdump_pre)" 1
    new_dump=$(echo "$there"/dumps/vmcore-summary/10.9.8.7-crash-*)
    is "$shell: ssh: it is there, whole" "$(cat "$new_dump/vmcore-summary.jsonl.gz" "$new_dump/vmcore-summary.txt")" \
        "$(printf 'whole\ntext')"
    is "$shell: ssh: recorded" "$(record "$new_dump")" "vmcore: skipped status: file:"
    check "$shell: ssh: with kdump's key, and never a question" \
        grep -q -- "-i $image/key -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=20 root@host" "$image/ssh"
    is "$shell: ssh: no estimate of a file system that is not ours" "$(grep -c dump-target "$image/arguments")" 0

    rm -r "$image/run" "$there/dumps"
    program good
    pre > /dev/null
    mkdir "$there/dumps/10.9.8.6-2031-01-01-00:00:00" "$there/dumps/10.9.8.7-2031-01-01-00:00:00"
    touch "$there/dumps/10.9.8.7-2031-01-01-00:00:00/vmcore.flat"
    is "$shell: ssh: post exits 0" "$(post 0)" 0
    is "$shell: ssh: the summary is with this machine's dump" "$(cd "$there" && find . -name '*.gz')" \
        "./dumps/10.9.8.7-2031-01-01-00:00:00/vmcore-summary.jsonl.gz"
    is "$shell: ssh: and the record" "$(record "$there/dumps/10.9.8.7-2031-01-01-00:00:00")" \
        "vmcore: saved status: 0 file: vmcore.flat"

    rm -r "$image/run"
    program skip
    printf '#!/bin/sh\nexit 255\n' > "$image/bin/ssh"
    is "$shell: ssh: nobody answers: the dump goes on" "$(kdump_pre)" 0
    is "$shell: ssh: post exits 0" "$(post 1)" 0
    rm -r "$image/run"
    printf '#!/bin/sh\nexec sleep 600\n' > "$image/bin/ssh"
    is "$shell: ssh: nobody ever answers: the dump goes on" "$(ssh_limit=2 kdump_pre)" 0
}

# --- when all else fails ---------------------------------------------------------------------------
test_emergency() {
    new_image
    : > "$image/mountinfo"
    is "$shell: emergency without a target exits 0" "$(emergency)" 0
    check "$shell: and has the digest say so" reason_is_said
    new_image
    pre > /dev/null
    is "$shell: emergency after pre.d exits 0" "$(emergency)" 0
    is "$shell: and does not capture again" "$(runs)" 1
    check "$shell: but says where the summary is" grep -q "the summary is in $target/dumps" "$image/output"
}

test_full_by_dump() {
    local remove status want
    for remove in no yes; do
        new_image
        echo "RemoveVmcore=$remove" > "$image/vmcore-summary.conf"
        mount -t tmpfs -o size=512k none "$target" 2> /dev/null ||
            { skip "$shell: a dump that fills the disk" "mount not allowed"; return; }
        pre > /dev/null
        dump "" vmcore-incomplete
        head -c 8192 /dev/zero > "$new_dump/vmcore-dmesg.txt"
        head -c 1M /dev/zero >> "$new_dump/vmcore-incomplete" 2> /dev/null
        want="vmcore: incomplete status: 1 file: vmcore-incomplete"
        [ $remove = no ] || want="vmcore: incomplete status: 1 file: removed: yes"
        post 1 > /dev/null
        is "$shell: a dump that filled the disk is recorded (RemoveVmcore=$remove)" "$(record "$new_dump")" "$want"
        is "$shell: and the summary lies with it (RemoveVmcore=$remove)" "$(cat "$new_dump/vmcore-summary.jsonl.gz")" whole
        is "$shell: nothing else is removed (RemoveVmcore=$remove)" "$(wc -c < "$new_dump/vmcore-dmesg.txt")" 8192
        umount "$target"
    done
    # kdump was told that all is well
    new_image
    pre > /dev/null
    dump
    cp tests/fuzz/corpus/elf/truncated "$new_dump/vmcore"
    post 0 > /dev/null
    is "$shell: a dump that is cut short, whatever its status" "$(record "$new_dump")" "vmcore: incomplete status: 0 file: vmcore"
    # not for want of space, or whole: it stays
    for status in "1 vmcore-incomplete" "0 vmcore"; do
        new_image
        echo "RemoveVmcore=yes" > "$image/vmcore-summary.conf"
        pre > /dev/null
        dump "" "${status#* }"
        post "${status% *}" > /dev/null
        is "$shell: with room left ${status#* } stays" "$(cat "$new_dump/${status#* }")" new
    done
}

for shell in dash bash "busybox sh"; do
    test_alongside
    test_dump_failed
    test_other_dumps
    test_kdump_post_only
    test_targets
    test_no_targets
    test_by_number
    test_full_disk
    test_policy
    test_policy_in_kdumpctl_test
    test_collector
    test_collector_keeps_directory
    # busybox's shell runs its own applets, whatever PATH says
    [ "$shell" = "busybox sh" ] || test_ssh
    test_emergency
    test_full_by_dump
done
shell=dash
test_collector_options
# these wait; once is enough, under the shell of dracut's images on Debian and on Fedora
shell=bash
test_bad_programs
test_hanging_target
shell=dash
test_hanging_target
done_testing

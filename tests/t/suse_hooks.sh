#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The scripts for SUSE's kdump against the contract of kdump-save: sourced by bash (`eval`, or the bare
# words before 2.1.1), its variables as they are before and after the dump, none of them changed but
# those that leave the dump out. kdump-save is played here, the capture program is a stand-in.
. "$(dirname "$0")/../lib.sh"
. tests/stand_in.sh
export VMCORE_SUMMARY_LIB=$top/dracut-module/capture-lib.sh VMCORE_SUMMARY_SUSE=$top/conf/suse/suse-kdump.sh
pre=". $top/conf/suse/suse-pre" post=". $top/conf/suse/suse-post"

new_image() {
    image=$scratch/image
    rm -rf "$image"
    mkdir -p "$image"/{bin,run,mnt/var/crash}
    base=$image/mnt/var/crash
    export VMCORE_SUMMARY=$image/bin/vmcore-summary VMCORE_SUMMARY_STATE=$image/run/vmcore-summary
    export VMCORE_SUMMARY_SUSE_MOUNT=$image/mnt VMCORE_SUMMARY_CONF=$image/vmcore-summary.conf
    export VMCORE_SUMMARY_KDUMP_CONF=$image/kdump.conf capture_limit=10 hook_limit=20 send_limit=5
    # as kdump-read-config.sh --print has it; kdump-save sources it and exports nothing
    printf "%s\n" "KDUMP_PROTO=${1:-file}" "KDUMP_SAVEDIR='${2:-/var/crash}'" "KDUMP_DUMPFORMAT='compressed'" \
        "KDUMP_DUMPLEVEL='31'" "KDUMP_KEEP_OLD_DUMPS='0'" "KDUMP_FREE_DISK_SIZE='64'" > "$image/kdump.conf"
    program good
}

set_conf() { echo "$1='$2'" >> "$image/kdump.conf"; }

program() { stand_in "$1" "$VMCORE_SUMMARY"; } # KIND: the capture program of the image

# save PRE POST VMCORE_STATUS [eval]: kdump-save as far as scripts see it. What it makes is at $dir.
# shellcheck disable=SC2016
save() {
    dir=$base/2031-01-01-00-00
    pre=$1 post=$2 said=$3 how=${4-eval} dir=$dir bash -c '
        error() { echo "error: $*"; }
        cleanup() { echo cleanup; }
        trap cleanup EXIT
        . "$VMCORE_SUMMARY_KDUMP_CONF"
        [ -z "$pre" ] || { $how $pre; [ $? = 0 ] || error pre; }
        DIR=$dir SOURCE=$dir.fifo
        echo "format=$KDUMP_DUMPFORMAT free=$KDUMP_FREE_DISK_SIZE"
        case $KDUMP_PROTO in
        file | nfs | cifs) umask 077; SAVE_COMMAND="exit 99" ;;
        *) SAVE_COMMAND='"'"'mkdir -p ${DIR} && cat ${SOURCE} > "${DIR}/${FILENAME}"'"'"' ;;
        esac
        mkdir -p "$DIR" && mkfifo "$SOURCE"
        FILENAME=README.txt
        [ "$KDUMP_DUMPFORMAT" = none ] || echo new > "$DIR/vmcore"
        [ "$said" != gone ] || { rm "$DIR/vmcore"; said="deleted (1 < KDUMP_FREE_DISK_SIZE 64)"; }
        VMCORE_STATUS=$said
        [ -z "$post" ] || { $how $post; [ $? = 0 ] || error post; }
        echo "filename=$FILENAME"
        rm -f "$SOURCE"
    ' > "$image/output" 2>&1 < /dev/null
}

shows() { grep -qxF -- "$1" "$image/output"; }
record() { tr -s ' \n' ' ' < "$1/vmcore-summary.dump" | sed 's/ $//'; }
summaries() { (cd "$image" && find . -name 'vmcore-summary.jsonl.gz'); }
runs() { wc -l < "$image/runs"; }
ok() { ! grep -q '^error' "$image/output" && shows cleanup; }

for how in eval ""; do
    name=${how:-bare words}
    new_image
    save "$pre" "$post" "saved successfully" "$how"
    check "$name: both scripts succeed" ok
    check "$name: nothing of kdump-save is changed" shows "format=compressed free=64"
    check "$name: nor after the dump" shows "filename=README.txt"
    is "$name: the summary is with the dump" "$(summaries)" ./mnt/var/crash/2031-01-01-00-00/vmcore-summary.jsonl.gz
    is "$name: the text, too" "$(cat "$dir/vmcore-summary.txt")" text
    is "$name: the record" "$(record "$dir")" "vmcore: saved status: saved successfully file: vmcore"
    is "$name: nothing else stays behind" "$(ls "$base")" 2031-01-01-00-00
    is "$name: the program's arguments" "$(sed 's/crash-.*/crash-TIME/' "$image/arguments" | paste -sd ' ')" \
        "capture --output $base/vmcore-summary/crash-TIME --policy --dump-target $base --dump-level 31 --dump-compression zlib"
    new_image
    program skip
    save "$pre" "$post" skipped "$how"
    check "$name: left out: by the format, and the log is not deleted for it" shows "format=none free=0"
    is "$name: left out: the record" "$(record "$dir")" "vmcore: skipped status: skipped file:"
done

new_image
program skip
save "$top/conf/suse/suse-pre" "" "saved successfully"
check "without the dot: succeeds, and the dump goes on" shows "format=compressed free=64"
check "without the dot: no error" ok
is "without the dot: the program is not asked" "$(grep -c -e --policy "$image/arguments")" 0

new_image
save "" "$post" "saved successfully"
is "the script after the dump alone: captures" "$(summaries)" ./mnt/var/crash/2031-01-01-00-00/vmcore-summary.jsonl.gz

new_image
set_conf KDUMP_DUMPFORMAT none
save "$pre" "$post" skipped
check "format none: the log is not deleted" shows "format=none free=0"
is "format none: the record" "$(record "$dir")" "vmcore: skipped status: skipped file:"
is "format none: nothing to decide" "$(grep -c -e --policy "$image/arguments")" 0

for format in ELF:none raw:none lzo:lzo snappy:snappy zstd:zstd; do
    new_image
    set_conf KDUMP_DUMPFORMAT "${format%:*}"
    set_conf KDUMP_DUMPLEVEL 17
    save "$pre" "" ""
    is "format ${format%:*}: estimated as" "$(sed -n '/--dump-level/,$p' "$image/arguments" | paste -sd ' ')" \
        "--dump-level $([ "${format%:*}" = raw ] && echo 0 || echo 17) --dump-compression ${format#*:}"
done

# those that kdump-save will delete have room in them that is not free yet
for keep in "0 asked" "1 -" "2 asked" "-1 -"; do
    new_image
    set_conf KDUMP_KEEP_OLD_DUMPS "${keep% *}"
    echo "Mode=auto" > "$image/vmcore-summary.conf"
    mkdir "$base/2030-01-01-00-00" "$base/2030-01-01-00:01" "$base/2030-01-01-00-00-not"
    save "$pre" "" ""
    is "two old dumps, KDUMP_KEEP_OLD_DUMPS=${keep% *}: asks for room" \
        "$(grep -q -e --policy "$image/arguments" && echo asked || echo -)" "${keep#* }"
done

new_image
save "$pre" "$post" "error while saving, return code: 1"
is "a dump that failed: the record" "$(record "$dir")" \
    "vmcore: incomplete status: error while saving, return code: 1 file: vmcore"
new_image
save "$pre" "cp tests/fuzz/corpus/elf/flattened-no-end \$DIR/vmcore; $post" "saved successfully"
is "a dump that is cut short whatever kdump-save says" "$(record "$dir")" \
    "vmcore: incomplete status: saved successfully file: vmcore"
new_image
echo "RemoveVmcore=yes" > "$image/vmcore-summary.conf"
save "$pre" "$post" "error while saving, return code: 1"
check "a dump that failed, with room left: it stays" [ -s "$dir/vmcore" ]
new_image
save "$pre" "$post" gone
is "a dump that kdump-save deleted: the record" "$(record "$dir")" \
    "vmcore: incomplete status: deleted (1 < KDUMP_FREE_DISK_SIZE 64) file: removed: yes"

for proto in nfs cifs; do
    new_image $proto $proto://server/export
    base=$image/mnt
    save "$pre" "$post" "saved successfully"
    is "$proto: the summary is with the dump" "$(summaries)" ./mnt/2031-01-01-00-00/vmcore-summary.jsonl.gz
done
for proto in ssh sftp ftp; do
    new_image $proto $proto://root@server/export
    program skip
    base=$image/there
    save "$pre" "$post" "saved successfully"
    check "$proto: both scripts succeed" ok
    check "$proto: the dump is not left out" shows "format=compressed free=64"
    is "$proto: the summary is sent as the dump is" "$(cat "$dir/vmcore-summary.jsonl.gz")" whole
    is "$proto: and the record" "$(record "$dir")" "vmcore: saved status: saved successfully file: vmcore"
done

for kind in skip_unsaved crashing stuck; do
    new_image
    program $kind
    [ $kind != hanging ] || export capture_limit=1
    save "$pre" "$post" "saved successfully"
    check "a program $kind: both scripts succeed" ok
    check "a program $kind: the dump goes on" shows "format=compressed free=64"
    is "a program $kind: nothing of ours is left" "$(find "$image/mnt" -name '*summary*')" ""
done
new_image
VMCORE_SUMMARY_SUSE=/nowhere save "$pre" "$post" "saved successfully"
check "without the library: both scripts succeed" ok
check "without the library: the dump goes on" shows "format=compressed free=64"

# the dracut module goes into SUSE's kdump images, and into no other by itself
module_check() { # ASSIGNMENT…: the module's check() under dracut's variables
    (set +u; unset IN_KDUMP VMCORE_SUMMARY_IMAGE; export VMCORE_SUMMARY_LIBDIR=$image/bin
        . "$top/dracut-module/55vmcore-summary/module-setup.sh"
        for v; do declare "$v"; done; check; echo $?)
}
new_image
is "module: in an image with --add kdump" "$(module_check add_dracutmodules=' kdump ')" 0
is "module: with --force-add kdump" "$(module_check force_add_dracutmodules='x kdump')" 0
is "module: in an image of kdump-utils" "$(module_check IN_KDUMP=1)" 0
is "module: not in other images" "$(module_check dracutmodules='' add_dracutmodules=' kdumpbase nokdump ')" 255
rm "$image/bin/vmcore-summary"
is "module: not without the program" "$(module_check add_dracutmodules=' kdump ')" 1
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Is this vmcore whole? Real dumps by makedumpfile and cp, in every form, whole and cut short in every way in
# which that happens: cut at each tenth of their length, a full disk, a size limit, a writer that is killed, a
# pipe whose writer dies unseen.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/summary.sh
. tests/summary.sh
vmcore=$(tests/lab/vmcore.sh) || { check "a vmcore" false; done_testing; }
dump=$scratch/dump

verdict() { "${program:-$asan}" verify "$1" > "$scratch/said" 2>&1; echo $?; }
# said FILE: what it says of it, without the name
said() { verdict "$1" > /dev/null; sed 's/^[^:]*: //' "$scratch/said"; }
make_dump() { rm -f "${@: -1}"; makedumpfile --message-level 0 "$@" > /dev/null 2> "$scratch/makedumpfile.err"; }
make_flat() { makedumpfile --message-level 0 -F "$@" "$vmcore" 2> /dev/null; }
whole() { # WHAT FILE
    is "$1: whole" "$(verdict "$2") $(said "$2")" "0 whole"
    is "$1: to the static program, too" "$(program=$static verdict "$2")" 0
}
cut_short() { is "$1: incomplete" "$(verdict "$2") $(said "$2" | grep -o '^incomplete: ')" "10 incomplete: "; }
# percent FILE: how much is there, as it says; nothing if it does not
percent() { said "$1" | sed -n 's/.*; <\?\([0-9]*\)[.0-9]* % of its memory.*/\1/p'; }

# tenths WHAT FILE: cut before its last byte, and at each tenth; the file is gone then
tenths() {
    local size k told=0 last=101 falling=1 got
    size=$(stat -c %s "$2")
    truncate -s $((size - 1)) "$2"
    # QEMU ends an ELF dump with a table of strings, which is no memory
    [ "$1" = "QEMU's elf" ] || [ "$1" = "QEMU's paging" ] || is "$1: without its last byte" "$(verdict "$2")" 10
    for k in 9 8 7 6 5 4 3 2 1; do
        truncate -s $((size * k / 10)) "$2"
        [ "$(verdict "$2")" != 10 ] || told=$((told + 1))
        got=$(percent "$2")
        [ "${got:-0}" -le "$last" ] || falling=0
        last=${got:-0}
    done
    is "$1: cut at each tenth: told" $told 9
    check "$1: the less there is, the less it says" [ $falling = 1 ]
    rm -f "$2"
}

# --- each form ------------------------------------------------------------------------------------
while read -r name options; do
    if makedumpfile -v | grep -q "^$name.*disabled"; then
        make_dump -c -d 31 "$vmcore" "$scratch/zlib.dump"
        check "$name: zlib's pages compressed so" /usr/bin/python3 tests/recompress_kdump.py "$name" "$scratch/zlib.dump" "$dump"
    else
        # shellcheck disable=SC2086
        check "$name: written" make_dump $options "$vmcore" "$dump"
    fi
    whole "$name" "$dump"
    tenths "$name" "$dump"
done <<'END'
zlib -d 31 -c
lzo -d 31 -l
snappy -d 31 -p
zstd -d 31 -z
uncompressed -d 31
unfiltered -d 0 -l
zero-pages -d 1 -l
elf -E -d 31
elf-level-1 -E -d 1
cyclic -d 31 -l --cyclic-buffer 8
elf-cyclic -E -d 31 --cyclic-buffer 8
threads -d 31 -l --num-threads 2
END
for options in "-d 31 -l" "-d 31 -E" "-d 31 -c --cyclic-buffer 8"; do
    # shellcheck disable=SC2086
    make_flat $options > "$dump"
    whole "flattened $options" "$dump"
    tenths "flattened $options" "$dump"
done
make_dump -d 31 -l --split "$vmcore" "$scratch/part1" "$scratch/part2"
whole "a part" "$scratch/part1"
whole "the other part" "$scratch/part2"
make_dump --reassemble "$scratch/part1" "$scratch/part2" "$dump"
whole "joined parts" "$dump"
tenths "a part" "$scratch/part1"
whole "the vmcore itself, which has holes" "$vmcore"
size=$(stat -c %s "$vmcore")
cp --sparse=always "$vmcore" "$scratch/copy"
between() { [ -n "$1" ] && [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }
for k in 9 6 3; do
    truncate -s $((size * k / 10)) "$scratch/copy"
    # the memory is all of it but for headers of some KiB
    got=$(percent "$scratch/copy")
    check "the vmcore cut at $k tenths: ${got:-nothing} % of it are there" between "$got" $((k * 10 - 1)) $((k * 10))
done
rm -f "$scratch/copy"

# --- QEMU's, of a machine that has no system
qemu_dumps() {
    printf 'dump-guest-memory %s\n' "$scratch/qemu-elf" "-p $scratch/qemu-paging" "-z $scratch/qemu-zlib" > "$scratch/monitor"
    echo quit >> "$scratch/monitor"
    timeout 120 qemu-system-x86_64 -m 64 -display none -net none -monitor stdio < "$scratch/monitor" > "$scratch/qemu.log" &&
        makedumpfile -R "$scratch/qemu-kdump" < "$scratch/qemu-zlib" > /dev/null 2>&1
}
check "QEMU dumps a machine" qemu_dumps
for form in elf paging zlib kdump; do
    whole "QEMU's $form" "$scratch/qemu-$form"
    chmod +w "$scratch/qemu-$form"
    tenths "QEMU's $form" "$scratch/qemu-$form"
done

# --- a disk that is too small -----------------------------------------------------------------------
make_dump -d 31 -l "$vmcore" "$dump"
full=$(stat -c %s "$dump")
small=$scratch/small
mkdir "$small"
# on_small MEBIBYTES COMMAND…: runs it on a file system of that size; its dump is $small/dump
on_small() {
    umount -l "$small" 2> /dev/null
    mount -t tmpfs -o "size=$1m" none "$small" || return
    shift
    "$@"
}
third=$((full / 3 / 1048576 + 1))
piped() { make_flat -d 31 -l | cat > "$small/dump" 2> /dev/null; }
copied() { cp --sparse=never "$vmcore" "$small/dump" 2> /dev/null; }
if [ "$(id -u)" = 0 ] && on_small 1 true; then
    on_small $third make_dump -d 31 -l "$vmcore" "$small/dump"
    cut_short "makedumpfile on a full disk" "$small/dump"
    check "it knows of makedumpfile's mark" grep -q 'ran out of space' "$scratch/said"
    # a dump a third as large, less the tables, which are whole, and at most a third of its pages
    got=$(percent "$small/dump")
    check "some of it is there: ${got:-nothing} %" between "$got" 5 60
    on_small $third make_dump -E -d 31 "$vmcore" "$small/dump"
    cut_short "makedumpfile -E on a full disk" "$small/dump"
    on_small $third piped
    cut_short "a pipe into a full disk" "$small/dump"
    on_small $third copied
    cut_short "cp onto a full disk" "$small/dump"
    on_small $((full / 1048576 + 2)) make_dump -d 31 -l "$vmcore" "$small/dump"
    whole "makedumpfile on a disk that it just fits on" "$small/dump"
    umount -l "$small"
else
    skip "a full disk" "only root can mount one"
fi
limited() { makedumpfile --message-level 0 -L $((full / 2)) "$@" 2> /dev/null; }
rm -f "$dump"
limited -d 31 -l "$vmcore" "$dump"
cut_short "makedumpfile -L" "$dump"
limited -F -d 31 -l "$vmcore" > "$dump"
cut_short "makedumpfile -L through a pipe" "$dump"

# --- a writer that dies ------------------------------------------------------------------------------
# killed_at BYTES OPTION…: makedumpfile is killed when its file has that many
killed_at() (
    exec 2> /dev/null
    bytes=$1
    shift
    rm -f "$dump"
    makedumpfile --message-level 0 "$@" "$vmcore" "$dump" > /dev/null &
    pid=$!
    until [ "$(stat -c %s "$dump" || echo 0)" -ge "$bytes" ] || ! kill -0 $pid; do :; done
    kill -9 $pid
    wait $pid
)
for options in "-c -d 31" "-c -d 1" "-E -d 31"; do
    for k in 1 5; do
        # shellcheck disable=SC2086
        killed_at $((full * k / 10)) $options
        cut_short "makedumpfile $options, killed when it had $((full * k / 10 / 1048576)) MiB" "$dump"
    done
done
(make_flat -d 31 -c || true) | head -c $((full / 2)) > "$dump"
cut_short "a pipe whose reader stops" "$dump"
# as kdump-tools has it, under a shell that sees the last program's status alone
# shellcheck disable=SC2016  # dash expands them
status=$(dash -c '(ulimit -t 1; exec makedumpfile --message-level 0 -F -c -d 1 "$1") 2> /dev/null | cat > "$2"; echo $?' sh \
    "$vmcore" "$dump")
is "a pipe whose writer is killed looks well" "$status" 0
cut_short "a pipe whose writer was killed" "$dump"
cp "$dump" "$scratch/killed"

# --- what comes of it: after the reboot of a machine with kdump-tools ----------------------------------
# after DUMP REMOVE [full]: kdump-tools left that dump under the name of a whole one, on a file system with room
# left or without; sets $crash
after() {
    local machine=$scratch/machine size=256
    crash=$machine/crash
    umount -l "$crash" 2> /dev/null
    rm -rf "$machine"
    mkdir -p "$crash"
    [ "${3:-}" != full ] || size=$(($(stat -c %s "$1") / 1048576 + 2))
    mount -t tmpfs -o "size=${size}m" none "$crash" || return
    export VMCORE_SUMMARY=$static VMCORE_SUMMARY_LIB=$top/dracut-module/capture-lib.sh VMCORE_SUMMARY_STATE=$machine/run
    export VMCORE_SUMMARY_CONF=$machine/conf VMCORE_SUMMARY_KDUMP_TOOLS_CONF=$machine/kdump-tools
    printf '[Capture]\nDirectory=%s\nRemoveVmcore=%s\n' "$crash/vmcore-summary" "$2" > "$machine/conf"
    echo "KDUMP_COREDIR=$crash" > "$machine/kdump-tools"
    mkdir -p "$crash/vmcore-summary/crash-20260102T030405Z" "$crash/202601020304"
    pack_summary tests/data/summary/oom.jsonl "$crash/vmcore-summary/crash-20260102T030405Z/vmcore-summary.jsonl.gz"
    printf '%-255s\n' "vmcore: missing" > "$crash/vmcore-summary/crash-20260102T030405Z/vmcore-summary.dump"
    touch -d '2026-01-02 03:04:05' "$crash/vmcore-summary/crash-20260102T030405Z/vmcore-summary.dump"
    cp "$1" "$crash/202601020304/dump.202601020304"
    [ "${3:-}" = "" ] || cat /dev/zero > "$crash/filler" 2> /dev/null
    dash conf/kdump/kdump-tools --after > "$machine/output" 2>&1
    crash=$crash/202601020304
}
state() { sed -n 's/ *$//; /./p' "$crash/vmcore-summary.dump" | paste -sd ' '; }
digest() { "$asan" show --no-pager "$crash" | sed -n '/^ *vmcore /,/^ *Summary/p' | tr -s ' \n' ' '; }
if [ "$(id -u)" = 0 ] && after "$scratch/killed" no; then
    is "after the reboot: recorded" "$(state)" "vmcore: incomplete status: file: dump.202601020304"
    check "the digest says so, and how much is there" grep -qE \
        'dump\.202601020304 \([0-9.]+ [KMG]iB, incomplete: the end mark is missing: .*; [0-9.]+ % of its memory is there, .* of ' <(digest)
    is "list says so" "$("$asan" list -j -D "$scratch/machine/crash" | jq -r '"\(.vmcore): \(.vmcore_reason)"')" \
        "incomplete: the end mark is missing: its writer or a pipe broke"
    python3 tests/journal_socket.py "$scratch/socket" 1 > "$scratch/entry" 2> "$scratch/ready" &
    until grep -qs ready "$scratch/ready"; do sleep 0.1; done
    "$asan" harvest -D "$scratch/machine/crash" --socket "$scratch/socket"
    wait $!
    is "the journal is told" "$(jq -r .VMCORE_SUMMARY_VMCORE "$scratch/entry")" incomplete
    check "and why, and how much is there" grep -q 'The vmcore is incomplete: .* % of its memory' <(jq -r .MESSAGE "$scratch/entry")
    make_dump -d 31 -l "$vmcore" "$dump"
    after "$dump" yes
    is "a whole one: recorded" "$(state)" "vmcore: saved status: file: dump.202601020304"
    check "the digest says no more" grep -qE 'dump\.202601020304 \([0-9.]+ [KMG]iB\) ' <(digest)
    after "$scratch/killed" yes
    is "RemoveVmcore=yes, with room left: it stays" "$(state)" "vmcore: incomplete status: file: dump.202601020304"
    after "$scratch/killed" no full
    is "a full disk: it stays" "$(state)" "vmcore: incomplete status: file: dump.202601020304"
    after "$scratch/killed" yes full
    is "RemoveVmcore=yes, a full disk: the useless half is removed" "$(state)" "vmcore: incomplete status: file: removed: yes"
    is "and only that" "$(ls "$crash")" $'vmcore-summary.dump\nvmcore-summary.jsonl.gz'
    after "$dump" yes full
    is "RemoveVmcore=yes, a full disk, a whole dump: it stays" "$(state)" "vmcore: saved status: file: dump.202601020304"
    umount -l "$scratch/machine/crash"
else
    skip "after the reboot" "only root can mount a file system"
fi

# --- what it cannot know -----------------------------------------------------------------------------
gzip -c < /etc/hostname > "$scratch/dump.gz"
is "a gzip file" "$(verdict "$scratch/dump.gz") $(said "$scratch/dump.gz")" "1 unknown: a file of a form that does not tell its length"
is "a program" "$(verdict /bin/sh) $(said /bin/sh)" "1 unknown: an ELF file that is not read"
is "a directory" "$(verdict "$scratch") $(said "$scratch")" "1 unknown: not a regular file"
: > "$scratch/empty"
is "an empty file" "$(verdict "$scratch/empty") $(said "$scratch/empty")" "10 incomplete: an empty file"
is "no file" "$(verdict "$scratch/none")" 1
check "it is named" grep -q 'verify: .*/none: No such file' "$scratch/said"
is "no name" "$("$asan" verify 2> /dev/null; echo $?)" 2
done_testing

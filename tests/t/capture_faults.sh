#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The capture command with dumps that are none, targets that take nothing, and kills at any moment.
# shellcheck disable=SC2016  # what in_namespace gets is expanded there
. "$(dirname "$0")/../lib.sh"
mkvmcore=$BUILD/tools/mkvmcore
data=tests/data/vmcore
out=$scratch/out
# nothing of this machine's configuration
echo > "$scratch/conf"
capture() { "$asan" capture --config "$scratch/conf" "$@"; }
records() { zcat < "$1" 2> /dev/null; }
ends() { records "$1" | grep -c '"record":"end"'; }
# ends of the sections NAME… are in FILE
has_ends() { # FILE NAME…
    local file=$1 name
    shift
    for name; do
        records "$file" | grep -q "^{\"section\":\"$name\",\"record\":\"end\"" || return 1
    done
}

# A log of 600 lines that compress badly: its section takes about 30 KiB.
log_description() {
    cat << 'END'
vmcoreinfo
OSRELEASE=5.4.0-test
PAGESIZE=4096
CRASHTIME=1700000000
SYMBOL(_stext)=ffffffff81000000
SYMBOL(log_buf)=ffffffff81000000
SYMBOL(log_buf_len)=ffffffff81000008
SYMBOL(log_first_idx)=ffffffff8100000c
SYMBOL(log_next_idx)=ffffffff81000010
SIZE(printk_log)=16
OFFSET(printk_log.ts_nsec)=0
OFFSET(printk_log.len)=8
OFFSET(printk_log.text_len)=10
OFFSET(printk_log.dict_len)=12
NUMBER(phys_base)=0
end
load 0x1000000 virt=0xffffffff81000000
  u64 0xffffffff81000100
  u32 65536 0 48000
  at 0x100
END
    for i in $(seq 600); do
        printf '  u64 %d000000\n  u16 80 64 0\n  u8 0 0xc0\n  string "%s"\n' "$i" \
            "$(echo "$i" | sha256sum | cut -c 1-64)"
    done
}
log_description > "$scratch/log.txt"
core=$scratch/vmcore
"$mkvmcore" "$scratch/log.txt" "$core" || exit 1

# --- dumps that are none: one line that says what it is, status 1, and no file
refused() { # WHAT FILE PATTERN
    rm -rf "$out"
    capture --vmcore "$2" --output "$out" > "$scratch/stdout" 2> "$scratch/err"
    is "$1: status" $? 1
    is "$1: one line" "$(wc -l < "$scratch/err")" 1
    check "$1: says so" grep -qE "$3" "$scratch/err"
    check "$1: writes nothing" [ ! -e "$out" ]
}
: > "$scratch/empty"
echo "just text" > "$scratch/text"
printf 'KDUMP   \0\0\0\0' > "$scratch/kdump"
for name in 32bit bigendian executable no-memory; do "$mkvmcore" "$data/$name.txt" "$scratch/$name" || exit 1; done
refused "empty file" "$scratch/empty" "empty: an empty file"
refused "directory" "$scratch" "a directory"
refused "text" "$scratch/text" "text: .*not an ELF vmcore"
refused "compressed dump" "$scratch/kdump" "kdump: a compressed dump, but "
refused "a header of 2^62 pages" tests/fuzz/corpus/elf/kdump-many-pages "a compressed dump, but its header has more pages"
refused "notes beyond the file" tests/fuzz/corpus/elf/kdump-note-outside "a compressed dump, but its notes lie outside"
refused "missing file" "$scratch/none" "none: No such file"
refused "32-bit core" "$scratch/32bit" "32bit: a 32-bit"
refused "foreign endian" "$scratch/bigendian" "bigendian: a big-endian"
refused "executable" "$scratch/executable" "not a core"
refused "core without memory" "$scratch/no-memory" "no-memory: "
refused "device" /dev/null "/dev/null: "

# --- a good one
rm -rf "$out"
(umask 0 && capture --vmcore "$core" --output "$out/a/b" 2> "$scratch/err")
is "a dump is captured" $? 0
file=$out/a/b/vmcore-summary.jsonl.gz
check "it says where" grep -qE "^vmcore-summary: wrote $file \([0-9]+ KiB, [0-9]+ sections, [0-9.]+ s\)$" "$scratch/err"
is "no other line" "$(wc -l < "$scratch/err")" 1
is "files are private" "$(stat -c '%a %n' "$out/a/b"/* | sed 's|/.*/||')" \
    "$(printf '600 vmcore-summary.jsonl.gz\n600 vmcore-summary.txt')"
is "so are directories" "$(stat -c %a "$out" "$out/a" "$out/a/b" | tr '\n' ' ')" "700 700 700 "
is "no temporary file is left" "$(find "$out" -name '.*')" ""
check "every line is JSON" jq -e . <(records "$file")
is "the header is first" "$(records "$file" | head -1 | jq -r '.section + " " + .record')" "header header"
is "the trailer is last" "$(records "$file" | tail -1 | jq -r '.section + " " + .record')" "trailer end"
is "the log is whole" "$(records "$file" | grep -c '"section":"dmesg","record":"line"')" 600
is "what cannot be known is skipped with its reason" \
    "$(records "$file" | jq -r 'select(.section == "slab" and .record == "end") | .status, (.reason | startswith("no "))' | tr '\n' ' ')" "skipped true "
capture --vmcore "$core" --output "$out/q" --quiet 2> "$scratch/err"
is "--quiet says nothing" "$(cat "$scratch/err")" ""
capture --vmcore "$core" --output "$out/v" --verbose --section dmesg --section header 2> "$scratch/err"
is "--section chooses" "$(records "$out/v/vmcore-summary.jsonl.gz" | jq -r 'select(.record == "end").section' | tr '\n' ' ')" "header dmesg trailer "
is "--verbose tells each" "$(sed -n 's/^vmcore-summary: \([a-z]*\): \([a-z]*\).*/\1 \2/p' "$scratch/err" | tail -1)" "dmesg ok"
capture --vmcore "$core" --output "$out/c" 2>&- 1>&-
is "closed descriptors harm nothing" "$? $(ends "$out/c/vmcore-summary.jsonl.gz")" "0 $(ends "$file")"

# --- command line and configuration
for bad in "--section nosuch" "--deadline soon" "--nosuch" "extra" "--vmcore"; do
    # shellcheck disable=SC2086
    capture $bad > "$scratch/stdout" 2> "$scratch/err"
    is "status of $bad" $? 2
done
check "--help documents the exit status" grep -q '^Exit status:' <("$asan" capture --help)
printf '[Capture]\nDeadline=never\nSections=dmesg nosuch\nDirectory=%s\n' "$scratch/dir" > "$scratch/conf"
capture --vmcore "$core" 2> "$scratch/err"
is "a wrong configuration stops nothing" $? 0
check "it is told with its line" grep -q "conf:2: Deadline: 'never' is not a duration" "$scratch/err"
check "so is an unknown section" grep -q "unknown section 'nosuch' in the configuration" "$scratch/err"
capture --vmcore "$core" --quiet 2>> "$scratch/err"
is "each capture has a directory, by the time of the crash" "$(cd "$scratch/dir" && printf '%s ' *)" \
    "crash-20231114T221320Z crash-20231114T221320Z-1 "
is "which is private" "$(stat -c %a "$scratch/dir" "$scratch/dir"/*Z | tr '\n' ' ')" "700 700 "
echo > "$scratch/conf"

# --- machines that this build does not know
sed '1i machine 243' "$scratch/log.txt" > "$scratch/riscv.txt"
"$mkvmcore" "$scratch/riscv.txt" "$scratch/riscv" || exit 1
capture --vmcore "$scratch/riscv" --output "$out/riscv" 2> "$scratch/err"
is "an unknown machine is no failure" $? 0
is "it has a header" "$(records "$out/riscv/vmcore-summary.jsonl.gz" | jq -r 'select(.record == "header") | .arch, .release' | tr '\n' ' ')" "elf-machine-243 5.4.0-test "
is "and why there is no more" "$(records "$out/riscv/vmcore-summary.jsonl.gz" | jq -r 'select(.section == "dmesg") | .status, .reason')" \
    "$(printf 'skipped\nmachine 243 is not known to this build')"

# --- symbolic links
echo precious > "$scratch/victim"
mkdir "$out/links"
ln -s "$scratch/victim" "$out/links/vmcore-summary.jsonl.gz"
ln -s "$scratch/victim" "$out/links/vmcore-summary.txt"
capture --vmcore "$core" --output "$out/links" --quiet
is "links in place of our files are replaced" "$(cat "$scratch/victim"; find "$out/links" -type l)" precious
mkdir -p "$scratch/dir2" "$scratch/elsewhere"
ln -s "$scratch/elsewhere" "$scratch/dir2/crash-20231114T221320Z"
echo "[Capture]
Directory=$scratch/dir2" > "$scratch/conf"
capture --vmcore "$core" --quiet
is "a link in place of our directory is passed by" "$(ls -A "$scratch/elsewhere"; ls "$scratch/dir2")" \
    "$(printf 'crash-20231114T221320Z\ncrash-20231114T221320Z-1')"
ln -s "$scratch/elsewhere" "$scratch/dir3"
echo "[Capture]
Directory=$scratch/dir3" > "$scratch/conf"
capture --vmcore "$core" --quiet 2> "$scratch/err"
is "a link in place of the configured directory is refused" "$? $(ls -A "$scratch/elsewhere")" "0 "
check "and said" grep -q "dir3: a symbolic link" "$scratch/err"
echo > "$scratch/conf"

# --- targets that take nothing: said, the digest shown, status 0 unless --strict
lost() { # WHAT DIRECTORY PATTERN [COMMAND BEFORE]
    capture --vmcore "$core" --output "$2" 2> "$scratch/err"
    is "$1: status" $? 0
    check "$1: said" grep -qE "^vmcore-summary capture: $3" "$scratch/err"
    check "$1: the digest is shown" grep -q 'kernel 5.4.0-test' "$scratch/err"
    capture --vmcore "$core" --output "$2" --strict 2> "$scratch/err"
    is "$1: status with --strict" $? 1
}
: > "$scratch/plain"
lost "a file in the way" "$scratch/plain" "$scratch/plain: .*Not a directory"
lost "no such place" /proc/nosuch/x "/proc/nosuch/x: No such file"
lost "no target" "" "no directory"
mkdir -p "$out/taken/vmcore-summary.jsonl.gz"
lost "its name is taken" "$out/taken" "$out/taken: cannot rename to vmcore-summary.jsonl.gz: Is a directory; 0 of [1-9][0-9]* sections are saved"
# run again by the child that has a mount namespace of its own
if [ "$(id -u)" = 0 ]; then namespace=(unshare -m); else namespace=(unshare -rm); fi
if "${namespace[@]}" mount -t tmpfs none "$scratch/elsewhere" 2> "$scratch/mount"; then
    in_namespace() {
        export -f capture lost check is records ends has_ends
        export scratch core asan
        "${namespace[@]}" bash -c "set -u; tap_count=$tap_count tap_failed=$tap_failed
            $1
            echo \$tap_count \$tap_failed > $scratch/tap"
        read -r tap_count tap_failed < "$scratch/tap"
    }
    in_namespace 'mount -t tmpfs -o ro none $scratch/elsewhere
        lost "read-only target" $scratch/elsewhere "$scratch/elsewhere: .*Read-only file system"
        lost "directory on a read-only target" $scratch/elsewhere/new "$scratch/elsewhere/new: Read-only file system"'
    in_namespace 'mount -t tmpfs -o size=4k none $scratch/elsewhere
        head -c 4096 /dev/zero > $scratch/elsewhere/full
        lost "full target" $scratch/elsewhere "$scratch/elsewhere: cannot write: No space left on device; 0 of"
        is "full target: nothing is left" "$(ls -A $scratch/elsewhere)" full'
    in_namespace 'mount -t tmpfs -o size=16k none $scratch/elsewhere
        lost "target that fills" $scratch/elsewhere "$scratch/elsewhere: cannot write: No space left on device; 1 of"
        is "target that fills: what was finished is there" "$(ls -A $scratch/elsewhere)" vmcore-summary.jsonl.gz
        is "and whole" "$(gzip -t $scratch/elsewhere/*.gz && ends $scratch/elsewhere/*.gz)" 1'
    pages=$(($(stat -c %s "$file") / 4096 + 1))
    in_namespace 'mount -t tmpfs -o size='$((pages * 4))'k none $scratch/elsewhere
        capture --vmcore $core --output $scratch/elsewhere --strict 2> $scratch/err
        is "no room for the digest: status" $? 0
        check "it is said" grep -q "vmcore-summary.txt cannot be written" $scratch/err
        is "the summary is there alone" "$(ls -A $scratch/elsewhere)" vmcore-summary.jsonl.gz'
else
    skip "full and read-only targets" "cannot mount: $(cat "$scratch/mount")"
fi

# --- the console
: > "$scratch/console"
capture --vmcore "$core" --output "$out/console" --console="$scratch/console" --quiet 2> "$scratch/err"
check "the digest goes to the console" cmp "$scratch/console" "$out/console/vmcore-summary.txt"
is "and nowhere else" "$(cat "$scratch/err")" ""
: > "$scratch/console"
capture --vmcore "$core" --output "$out/console" --quiet 2> "$scratch/err"
is "not when a saved dump is read" "$(cat "$scratch/console" "$scratch/err")" ""
capture --vmcore "$core" --no-target $'it is \e[1mgone' 2> "$scratch/err"
is "a hook's reason for no file is in the digest, safe for a terminal" "$? $(grep -c '^  Summary   not saved: it is \\x1b\[1mgone$' "$scratch/err")" "0 1"
check "and told" grep -q 'gone; the summary is not saved, its digest follows$' "$scratch/err"
mkfifo "$scratch/fifo"
# far longer than the digest may take: what hangs is told from what is slow
timeout 300 "$asan" capture --config "$scratch/conf" --vmcore "$core" --output "$out/fifo" --console="$scratch/fifo" 2> "$scratch/err"
is "a console that hangs costs no summary" "$? $(ends "$out/fifo/vmcore-summary.jsonl.gz")" "0 $(ends "$file")"
check "and its time is limited" grep -q 'fifo: the digest was not done in 7 s' "$scratch/err"

# --- the other places of the digest: the kernel's log and pstore, files in their stead
sinks() { # KEY=VALUE…: a capture with this configuration and empty devices
    : > "$scratch/kmsg"
    : > "$scratch/pmsg"
    { echo '[Capture]'; printf '%s\n' "$@"; } > "$scratch/conf"
    timeout 300 "$asan" capture --config "$scratch/conf" --vmcore "$core" --output "$out/sinks" --verbose \
        --section dmesg 2> "$scratch/err" > "$scratch/stdout"
    echo $?
}
digest_lines() { sed "/^\$/d; s/^/<$1>vmcore-summary: /" "$out/sinks/vmcore-summary.txt"; }
is "digest in the kernel's log and pstore" "$(sinks Console=no "Kmsg=$scratch/kmsg" "Pmsg=$scratch/pmsg")" 0
is "a record a line, which no console shows" "$(cat "$scratch/kmsg")" "$(digest_lines 7)"
check "pstore has the text" cmp "$scratch/pmsg" "$out/sinks/vmcore-summary.txt"
is "--verbose tells what took it" "$(sed -n 's/^vmcore-summary: the digest is in //p' "$scratch/err" | paste -sd ' ')" \
    "vmcore-summary.txt $scratch/pmsg $scratch/kmsg"
sinks "Console=$scratch/console" "Kmsg=$scratch/kmsg" > "$scratch/stdout"
is "what the console has shown the log does not print again" "$(cut -c 1-3 "$scratch/kmsg" | sort -u)" "<7>"
is "a console that is not there" "$(sinks "Console=$scratch/none" "Kmsg=$scratch/kmsg" "Pmsg=$scratch/none")" 0
is "is told, and pstore" "$(grep -c "^vmcore-summary capture: $scratch/none: no digest: No such file" "$scratch/err")" 2
is "then the kernel prints it" "$(cat "$scratch/kmsg")" "$(digest_lines 3)"
is "a pstore and a log that hang" "$(sinks "Kmsg=$scratch/fifo" "Pmsg=$scratch/fifo")" 0
is "are told" "$(grep -o 'fifo: the digest was not done in [27] s' "$scratch/err" | paste -sd ' ')" \
    "fifo: the digest was not done in 7 s fifo: the digest was not done in 2 s"
check "and cost no text" grep -q 'kernel 5.4.0-test' "$out/sinks/vmcore-summary.txt"
is "no target, no console: the log has it" "$(rm -rf "$out/sinks"; : > "$out/sinks"
    sinks Console=no "Kmsg=$scratch/kmsg"; grep -c 'vmcore-summary: .*kernel 5.4.0-test' "$scratch/kmsg"; rm "$out/sinks")" \
    "$(printf '0\n1')"
check "and it is said why" grep -q 'sinks: .*Not a directory; the summary is not saved' "$scratch/err"
echo > "$scratch/conf"

# --- deadlines
capture --vmcore "$core" --output "$out/late" --deadline 1ms --strict 2> "$scratch/err"
is "the deadline holds" "$? $(records "$out/late/vmcore-summary.jsonl.gz" | jq -r 'select(.record == "trailer").complete')" "1 false"
check "sections that it cost say so" grep -q '"status":"timeout","reason":".*deadline' <(records "$out/late/vmcore-summary.jsonl.gz")

# --- SIGKILL at any moment: each section that had ended is there, and nobody lives on
killed_at() { # MILLISECONDS
    local dir=$out/killed pid f
    rm -rf "$dir"
    : > "$scratch/err" # killed before it opens this, the last one's words would stay
    "$asan" capture --config "$scratch/conf" --vmcore "$core" --output "$dir" --verbose 2> "$scratch/err" &
    pid=$!
    sleep "$(printf '0.%03d' "$1")"
    kill -9 $pid 2> /dev/null
    wait $pid 2> /dev/null
    # its children end with it, but not in the same instant
    for _ in $(seq 3000); do pgrep -f -- "--output $dir" > /dev/null || break; sleep 0.02; done
    ! pgrep -f -- "--output $dir" || return 1
    for f in "$dir"/.vmcore-summary.jsonl.gz.?????? "$dir"/vmcore-summary.jsonl.gz; do
        # shellcheck disable=SC2046
        [ -e "$f" ] && { has_ends "$f" $(sed -n 's/^vmcore-summary: \([a-z]*\): .*/\1/p' "$scratch/err"); return; }
    done
    # none yet: then no section may have been told as finished
    ! grep -q '^vmcore-summary: [a-z]*: ' "$scratch/err"
}
lost_after=''
for ms in $(seq 5 9 320); do killed_at "$ms" >&2 || lost_after="$lost_after $ms"; done
is "killed after 5 to 320 ms, every finished section is kept" "$lost_after" ""
# --- old summaries: KeepMax= holds, and what must not go stays
keep=$scratch/keep/base
printf '[Capture]\nDirectory=%s\n[Retention]\nKeepMax=2\n' "$keep" > "$scratch/keep.conf"
capture_keep() { # SECONDS [OPTION…]: a crash at that time
    sed "s/^CRASHTIME=.*/CRASHTIME=$1/" "$scratch/log.txt" > "$scratch/keep.txt"
    shift
    "$mkvmcore" "$scratch/keep.txt" "$scratch/keep.core" &&
        "$asan" capture --config "$scratch/keep.conf" --quiet --no-console --vmcore "$scratch/keep.core" "$@"
}
kept() { find "$keep" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | paste -sd ' '; }
for i in 1 2 3 4; do
    check "crash $i" capture_keep $((1700000000 + i))
done
is "the two latest are kept" "$(kept)" "crash-20231114T221323Z crash-20231114T221324Z"
: > "$keep/crash-20231114T221323Z/vmcore"
check "a crash when the clock stands at 1970, as a hook has it captured" \
    capture_keep 5 --output "$keep/crash-19700101T000005Z"
is "stays, and a vmcore keeps its summary, which counts for nothing" "$(kept)" \
    "crash-19700101T000005Z crash-20231114T221323Z crash-20231114T221324Z"
check "into a directory of another name" capture_keep 1700000009 --output "$keep/mine"
is "removes nothing" "$(kept | wc -w)" 4
echo RemoveVmcore=yes >> "$scratch/keep.conf"
check "with RemoveVmcore=yes" capture_keep 1700000005
is "the only vmcore stays" "$(kept)" "crash-20231114T221323Z crash-20231114T221324Z crash-20231114T221325Z mine"
: > "$keep/crash-20231114T221325Z/vmcore"
check "with a newer one" capture_keep 1700000006
is "a vmcore goes with its summary" "$(kept)" "crash-20231114T221324Z crash-20231114T221325Z crash-20231114T221326Z mine"
check "with one to come" capture_keep 1700000007 --policy
is "they count as ever" "$(kept)" "crash-20231114T221326Z crash-20231114T221327Z mine"
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016  # expanded in the namespace
# A dump of 3.10's time: no BTF, no kallsyms that anybody names, a log of `struct log` records. What
# the log tells comes out without anything; the rest with a profile, made of the kernel's own ELF
# file and its DWARF. The kernel is tests/data/old_kernel/kernel.c, compiled and linked like one.
. "$(dirname "$0")/../lib.sh"
vmlinux=$scratch/vmlinux

compile() { # OUTPUT CFLAG…
    local output=$1
    shift
    "${CC:-gcc}" -O1 -w -c -fno-pic -mcmodel=kernel -fno-asynchronous-unwind-tables "$@" \
        tests/data/old_kernel/kernel.c -o "$scratch/kernel.o" &&
        "${CC:-gcc}" -nostdlib -static -no-pie -Wl,--build-id=none,-e,_stext,-Ttext-segment=0xffffffff81000000 \
            -o "$output" "$scratch/kernel.o"
}
address() { nm "$vmlinux" | awk -v name="$1" '$3 == name {print $1}'; }

# VMCOREINFO as kernel/kexec.c and arch/x86/kernel/machine_kexec_64.c of v3.10 write it: no phys_base,
# which the image's segment tells, and no build id.
describe() {
    local name
    cat << 'END'
vmcoreinfo
OSRELEASE=3.10.0-test
PAGESIZE=4096
SIZE(log)=16
OFFSET(log.ts_nsec)=0
OFFSET(log.len)=8
OFFSET(log.text_len)=10
OFFSET(log.dict_len)=12
SYMBOL(swapper_pg_dir)=ffffffff81008000
CRASHTIME=1600000000
END
    for name in _stext init_uts_ns log_buf log_buf_len log_first_idx log_next_idx; do
        echo "SYMBOL($name)=$(address $name)"
    done
    printf 'end\nload 0x1000000 virt=0xffffffff81000000 memsz=0x10000000\n  at %d\n' $((0x$(address __start_notes) - 0xffffffff81000000))
    od -An -v -tx1 -w64 "$scratch/memory" | sed 's/ //g; s/^/  hex /'
    echo "  at 0x10000"
}

capture() { # NAME [OPTION…]
    local name=$1
    shift
    "$asan" capture --vmcore "$scratch/vmcore" --output "$scratch/$name.d" --no-console --quiet "$@" &&
        zcat "$scratch/$name.d/vmcore-summary.jsonl.gz" > "$scratch/$name"
}
of() { jq -r "select(.section == \"$2\") | $3" "$scratch/$1"; }
ends() { jq -r 'select(.record == "end") | .section + " " + .status' "$scratch/$1"; }

check "a kernel is compiled" compile "$vmlinux" -g
check "its memory is laid flat" objcopy -O binary "$vmlinux" "$scratch/memory"
describe > "$scratch/vmcore.txt"
check "its vmcore is made" "$BUILD/tools/mkvmcore" "$scratch/vmcore.txt" "$scratch/vmcore"

# --- from VMCOREINFO alone
check "captured without a profile" capture bare --profile /nonexistent
is "what the log tells is there, the rest is left out" "$(ends bare | xargs)" \
    "header ok dmesg ok oom ok crash ok memory skipped zone skipped slab skipped task skipped module skipped trailer ok"
is "every section left out says why" \
    "$(jq -r 'select(.record == "end" and .status == "skipped") | .reason' "$scratch/bare" | grep -vc .)" 0
is "the header" "$(of bare header 'select(.record == "header") | "\(.release) \(.version) \(.nodename)"')" \
    "3.10.0-test #1 SMP Mon Oct 19 16:18:59 UTC 2020 old.example"
vmcore-dmesg "$scratch/vmcore" > "$scratch/want"
"$asan" show --section dmesg "$scratch/bare.d" > "$scratch/got"
is "vmcore-dmesg has something to say" "$(wc -l < "$scratch/want")" 12
check "the log is as vmcore-dmesg has it" cmp "$scratch/want" "$scratch/got"
is "the crash" "$(of bare crash 'select(.record == "crash") | "\(.reason) \(.panic) \(.cpu) \(.pid) \(.comm) \(.uptime_s) \(.load1)"')" \
    "sysrq sysrq triggered crash 0 4711 bash 7300 null"
is "the OOM kill" "$(of bare oom 'select(.record == "event" or .record == "victim") | "\(.record) \(.trigger_comm // .comm) \(.selected_pid // .pid) \(.outcome // .anon_rss_bytes)"')" \
    "event mysqld 1234 killed
victim mysqld 1234 368640000"
is "its candidates" "$(of bare oom 'select(.record == "candidate") | .pid' | xargs)" "1234 77"

# --- with a profile of its ELF file, whose DWARF pahole(1) makes BTF of
profile() { "$asan" profile "$@"; }
refused() { ! profile "$@" --output "$scratch/x" 2> "$scratch/err"; }
check "a profile is made of DWARF" profile --vmlinux "$vmlinux" --output "$scratch/profile"
is "whose it is, and nothing is left over in the temporary directory" \
    "$(sed -n '2,4p' "$scratch/profile"; ls -d /tmp/vmcore-summary-btf.* 2> /dev/null)" \
    "release 3.10.0-test
version #1 SMP Mon Oct 19 16:18:59 UTC 2020
build-id deadbeef0405060708090a0b0c0d0e0f10111213"
# as the System V ABI lays the declarations out, and as the linker placed the variables
want_types() {
    cat << 'END'
type kmem_cache 88
member kmem_cache cpu_slab 0 8 0 0 0 0 0
member kmem_cache flags 8 8 0 0 0 0 0
member kmem_cache size 24 4 0 0 0 0 1
member kmem_cache object_size 28 4 0 0 0 0 1
member kmem_cache offset 32 4 0 0 0 0 1
member kmem_cache oo.x 40 8 0 0 0 0 0
member kmem_cache refcount 48 4 0 0 0 0 1
member kmem_cache name 56 8 0 0 0 0 0
member kmem_cache list 64 16 0 0 0 0 0
member kmem_cache node 80 8 0 0 8 1 0
member kmem_cache_node nr_partial 8 8 0 0 0 0 0
member kmem_cache_node partial 16 16 0 0 0 0 0
member kmem_cache_node nr_slabs 32 8 0 0 0 0 1
member kmem_cache_node total_objects 40 8 0 0 0 0 1
END
}
is "the types" "$(grep -E '^(type|member|enumerator) ' "$scratch/profile" | sort)" "$(want_types | sort)"
is "the symbols" "$(grep -E '^(symbol|fixed) ' "$scratch/profile" | sort)" \
    "$(for name in avenrun init_uts_ns nr_threads saved_command_line slab_caches tainted_mask; do
        echo "symbol $name $((0x$(address $name) - 0x$(address _stext)))"; done)"
nm "$vmlinux" > "$scratch/System.map"
check "and of a System.map beside it" profile --vmlinux "$vmlinux" --symbols "$scratch/System.map" --output "$scratch/profile.map"
check "it is the same" cmp "$scratch/profile" "$scratch/profile.map"
check "the file gets BTF" pahole --btf_encode_detached="$scratch/btf" "$vmlinux"
check "as newer kernels have it" objcopy --add-section .BTF="$scratch/btf" "$vmlinux" "$scratch/with-btf"
PATH=/nonexistent check "pahole is not asked then" profile --vmlinux "$scratch/with-btf" --output "$scratch/profile.btf"
check "and the profile is the same" cmp "$scratch/profile" "$scratch/profile.btf"
PATH=/nonexistent check "without BTF and pahole: refused" refused --vmlinux "$vmlinux"
check "and what is missing is told" grep -q 'has no BTF, and pahole.*No such file' "$scratch/err"
check "the kernel without DWARF" compile "$scratch/bare-vmlinux"
check "is refused" refused --vmlinux "$scratch/bare-vmlinux"
check "and named" grep -q "pahole makes no BTF of $scratch/bare-vmlinux" "$scratch/err"
is "nothing was written" "$(ls "$scratch/x" "$scratch/x.new" 2> /dev/null)" ""

# by its release, from where debuginfo packages put it: in a namespace of ours, /usr/lib/debug
check "a kernel that is not installed: refused" refused --kernel 3.10.0-none
check "and what is missing is told" grep -q 'no vmlinux of 3.10.0-none: is its debuginfo installed' "$scratch/err"
check "another kernel than that of the file: refused" refused --kernel 3.10.0-none --vmlinux "$vmlinux"
check "and told" grep -q 'the files are of 3.10.0-test, not of 3.10.0-none' "$scratch/err"
made=
[ -d /usr/lib/debug ] || { mkdir /usr/lib/debug 2> /dev/null && made=1; }
alone=(unshare -m)
[ "$(id -u)" = 0 ] || alone=(unshare -rm)
if "${alone[@]}" mount -t tmpfs none /usr/lib/debug 2> /dev/null; then
    installed() {
        export asan vmlinux scratch
        "${alone[@]}" bash -c 'mount -t tmpfs none /usr/lib/debug && mkdir /usr/lib/debug/boot &&
            cp "$vmlinux" /usr/lib/debug/boot/vmlinux-3.10.0-test &&
            "$asan" profile --kernel 3.10.0-test --output "$scratch/profile.installed"'
    }
    check "of an installed kernel that does not run" installed
    check "the profile is the same" cmp "$scratch/profile" "$scratch/profile.installed"
else
    skip "of an installed kernel that does not run" "no mounts in a namespace here"
fi
[ -z "$made" ] || rmdir /usr/lib/debug

check "captured with the profile" capture with --profile "$scratch/profile"
is "more sections follow" "$(ends with | xargs)" \
    "header ok dmesg ok oom ok crash ok memory skipped zone skipped slab partial task skipped module skipped trailer ok"
is "the state of the machine" "$(of with crash 'select(.record == "crash") | "\(.reason) \(.load1) \(.load5) \(.load15) \(.tasks) \(.taint) \(.cmdline)"')" \
    "sysrq 1.50 0.00 2000.00 321 PWO root=/dev/vda1 quiet"
is "the slabs" "$(of with slab 'select(.record == "cache") | "\(.name) \(.object_size_bytes) \(.slabs) \(.objects_total) \(.bytes)"')" \
    "dentry 192 1000 21000 4096000
task_struct 4528 5 35 163840"
is "why one section is left out" "$(of with task 'select(.record == "end") | .reason')" "no symbol \`init_task\`"
is "the summary says what came from the profile" \
    "$(jq -r 'select(.record == "trailer") | .profile | sort | join(" ")' "$scratch/with")" "symbols types"
is "the log is the same" "$(of with dmesg .text)" "$(of bare dmesg .text)"

# the version is all that tells two builds apart here
sed 's/^version .*/version #2 SMP/' "$scratch/profile" > "$scratch/other"
check "captured with another build's" capture other --profile "$scratch/other"
check "which is refused by name" grep -qF "profile of 3.10.0-test, #2 SMP, refused" <<< "$(of other slab 'select(.record == "end") | .reason')"
done_testing

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The lab: what demo.sh, vmcore.sh, bench.sh and the whole-crash test share. It fetches a Debian cloud
# kernel, builds initramfs images and runs a machine in QEMU (software emulation) that crashes, boots
# its capture kernel, and comes back.
#
# Source it; every function returns non-zero on failure and says why on stderr.
lab_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lab_here=$lab_top/tests/lab
lab_cache=${VMCORE_SUMMARY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vmcore-summary}
lab_started=$SECONDS

# lab_say TEXT…: one line of progress, with the seconds since the start.
lab_say() { printf '%4ds  %s\n' $((SECONDS - lab_started)) "$*" >&2; }

# --- the kernel -------------------------------------------------------------------------------
# lab_apt_sources SUITE: the machine's own apt sources that serve its Debian release, with the release's
# name replaced by SUITE. Mirrors, proxies and keys stay the machine's.
lab_apt_sources() {
    local suite=$1 own f
    own=$(. /etc/os-release && echo "$VERSION_CODENAME")
    for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$f" ] && awk -v own="$own" -v suite="$suite" '
            $1 == "deb" { for (i = 2; i < NF; i++) if ($i == own || index($i, own "-") == 1) {
                sub("^" own, suite, $i); print; break } }' "$f"
    done > "$2/sources.list"
    for f in /etc/apt/sources.list.d/*.sources; do
        [ -f "$f" ] && awk -v own="$own" -v suite="$suite" '
            BEGIN { RS = ""; FS = "\n" }
            { mine = 0
              for (i = 1; i <= NF; i++) if ($i ~ /^Suites:/) {
                  n = split($i, word, " "); $i = "Suites:"
                  for (j = 2; j <= n; j++) if (word[j] == own || index(word[j], own "-") == 1) {
                      sub("^" own, suite, word[j]); $i = $i " " word[j]; mine = 1 } }
              if (mine) { for (i = 1; i <= NF; i++) if ($i !~ /^#/) print $i; print "" } }' "$f"
    done > "$2/sources.list.d/lab.sources"
}

# lab_apt DIR ARGUMENT…: apt-get with lists, cache and sources of its own in DIR, so that neither the
# machine's package state nor its sources change.
lab_apt() {
    local dir=$1 tool=$2
    shift 2
    "$tool" -q -c "$dir/apt.conf" "$@"
}

lab_apt_conf() { # DIR
    cat <<-CONF
	Dir::State::Lists "$1/lists";
	Dir::Cache "$1";
	Dir::Etc::SourceList "$1/sources.list";
	Dir::Etc::SourceParts "$1/sources.list.d";
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Retries "3";
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	CONF
}

lab_apt_prepare() { # SUITE DIR
    mkdir -p "$2"/{lists/partial,archives/partial,sources.list.d}
    lab_apt_sources "$1" "$2"
    lab_apt_conf "$2" > "$2/apt.conf"
    lab_apt "$2" apt-get update -qq >&2 || lab_say "apt: not every source of suite $1 answered"
}

# lab_kernel_package SUITE SERIES: the newest cloud kernel that the suite serves, of all or of one series
# (6.18). From 6.19 on modules are a package of their own; of older releases backports keep the kernel but
# not those: such a kernel cannot be started.
lab_kernel_package() {
    local apt=$lab_cache/apt-$1 package
    if [ -z "$2" ]; then
        lab_apt "$apt" apt-cache depends --important linux-image-cloud-amd64 |
            sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -1
        return
    fi
    for package in $(lab_apt "$apt" apt-cache search -n "^linux-image-${2//./\\.}\\.[0-9].*-cloud-amd64\$" |
        awk '{ print $1 }' | sort -rV); do
        if lab_apt "$apt" apt-cache depends --important "$package" | grep -q 'Depends: <linux-modules-'; then
            lab_say "$package: its modules are no longer served"
        else
            echo "$package"
            return
        fi
    done
}

lab_kernel_fetch() { # SUITE SERIES DIR: unpacks the newest cloud kernel of the suite, or of its series, into DIR
    local suite=$1 series=$2 dir=$3 apt=$lab_cache/apt-$1 package parts
    lab_apt_prepare "$suite" "$apt" || return
    package=$(lab_kernel_package "$suite" "$series")
    [ -n "$package" ] || { lab_say "no cloud kernel $series with its modules in suite $suite"; return 1; }
    # from 6.19 on the kernel and its modules are packages of their own
    parts=$(lab_apt "$apt" apt-cache depends --important "$package" |
        sed -n 's/^ *Depends: \(linux-\(base\|binary\|modules\)-.*\)/\1/p')
    rm -rf "$dir" && mkdir -p "$dir"
    # shellcheck disable=SC2086
    (cd "$dir" && lab_apt "$apt" apt-get download $package $parts >&2 &&
        for deb in ./*.deb; do dpkg-deb -x "$deb" . || exit; done && rm ./*.deb) || return
    [ -d "$dir/lib" ] || ln -s usr/lib "$dir/lib"
    [ -d "$dir/boot" ] || { mkdir "$dir/boot" &&
        cp "$dir"/lib/modules/*/vmlinuz "$dir/boot/vmlinuz-$(ls "$dir/lib/modules")"; } || return
    depmod -b "$dir" "$(ls "$dir/lib/modules")" && touch "$dir/.complete"
}

# lab_kernel [SUITE[:SERIES]]: prints a directory with boot/vmlinuz-VERSION and lib/modules/VERSION of the
# newest kernel of the suite, or of the newest of a series (trixie-backports:6.18), fetched into the cache
# when it is not there.
lab_kernel() {
    local suite=${1:-bookworm} dir
    dir=$lab_cache/kernels/${suite/:/-}
    mkdir -p "$lab_cache/kernels"
    (
        flock 9
        [ -e "$dir/.complete" ] && exit
        lab_say "fetching the Debian cloud kernel ($suite)"
        lab_kernel_fetch "${suite%%:*}" "$(cut -s -d : -f 2 <<< "$suite")" "$dir"
    ) 9> "$lab_cache/kernels/.lock" || return
    echo "$dir"
}

lab_kernel_version() { ls "$1/lib/modules"; }
lab_vmlinuz() { echo "$1"/boot/vmlinuz-*; }

# lab_debuginfo KERNEL: prints the path of its vmlinux with debuginfo; fetched only when
# BENCH_DEBUGINFO=fetch, for it is large.
lab_debuginfo() {
    local version apt dir=$1/debug file
    version=$(lab_kernel_version "$1")
    for file in "${VMLINUX:-}" "$dir/vmlinux" "/usr/lib/debug/boot/vmlinux-$version"; do
        [ -f "$file" ] && echo "$file" && return
    done
    [ "${BENCH_DEBUGINFO:-}" = fetch ] || return
    apt=$lab_cache/apt-$(basename "$1")
    lab_say "fetching the debuginfo of $version"
    rm -rf "$dir" && mkdir -p "$dir"
    (cd "$dir" && lab_apt "$apt" apt-get download "linux-image-$version-dbg" >&2 &&
        dpkg-deb --fsys-tarfile ./*.deb | tar -xO "./usr/lib/debug/boot/vmlinux-$version" > vmlinux && rm ./*.deb) ||
        return
    echo "$dir/vmlinux"
}

# --- initramfs images -------------------------------------------------------------------------
# lab_root DIR KERNEL MODULE…: a busybox root with the kernel's modules in the order to load them, and
# guest/start.sh, which loads them.
lab_root() {
    local root=$1 kernel=$2 module applet
    shift 2
    mkdir -p "$root"/{bin,sbin,proc,sys,dev,run,tmp,etc,root,lab,modules,boot,var/crash}
    cp "$(command -v busybox)" "$root/bin/busybox"
    cp "$lab_here/guest/start.sh" "$root/lab/"
    for applet in $(busybox --list); do
        [ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"
    done
    for module; do
        modprobe -S "$(lab_kernel_version "$kernel")" -d "$kernel" --show-depends "$module" ||
            lab_say "no module $module: built in, or not needed"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' > "$root/modules/files"
    while read -r module; do
        case $module in # busybox loads plain ones only
        *.xz) xz -dc "$module" > "$root/modules/$(basename "$module" .xz)" && basename "$module" .xz ;;
        *.zst) zstd -qdc "$module" > "$root/modules/$(basename "$module" .zst)" && basename "$module" .zst ;;
        *) cp "$module" "$root/modules/" && basename "$module" ;;
        esac
    done < "$root/modules/files" > "$root/modules/order"
}

# lab_program ROOT PROGRAM…: copies programs with the libraries they need.
lab_program() {
    local root=$1 program library
    shift
    for program; do
        program=$(command -v "$program") || { lab_say "no program $program"; return 1; }
        # in place of busybox's link, not through it
        cp --remove-destination "$program" "$root/bin/" || return
        # a static program has no libraries
        for library in $(ldd "$program" 2>/dev/null | grep -o '/[^ ]*'); do
            mkdir -p "$root$(dirname "$library")" && cp -nL "$library" "$root$library" || return
        done
    done
}

lab_pack() { (cd "$1" && find . | cpio -o -H newc --quiet | gzip -1) > "$2"; } # ROOT IMAGE

# lab_first_files ROOT KERNEL SCENARIO CAPTURE_IMAGE: what of the image below is no program
lab_first_files() {
    cp "$(lab_vmlinuz "$2")" "$1/boot/vmlinuz" &&
        cp "$4" "$1/boot/capture.img" &&
        cp "$lab_here/guest/init.sh" "$1/init" &&
        cp "$lab_here/guest/after.sh" "$lab_here/guest/truth.sh" "$1/lab/" &&
        cp "$lab_here/guest/scenario-$3.sh" "$1/lab/scenario.sh"
}

# lab_first_image KERNEL SCENARIO CAPTURE_IMAGE IMAGE [PROGRAM…]: the initramfs of the machine that
# crashes. It loads CAPTURE_IMAGE for the crash and runs the scenario; on the next boot it runs
# guest/after.sh. PROGRAMs go to its /bin.
lab_first_image() {
    local kernel=$1 scenario=$2 capture=$3 image=$4 root status=0
    shift 4
    root=$(mktemp -d) || return
    lab_root "$root" "$kernel" virtio_pci virtio_blk ext4 &&
        lab_program "$root" kexec "$@" &&
        lab_first_files "$root" "$kernel" "$scenario" "$capture" &&
        lab_pack "$root" "$image" || status=1
    rm -rf "$root"
    return $status
}

# lab_vmcore_image KERNEL IMAGE: the image of a capture kernel that saves the whole /proc/vmcore.
lab_vmcore_image() {
    local root status=0
    root=$(mktemp -d) || return
    lab_root "$root" "$1" virtio_pci virtio_blk ext4 &&
        lab_program "$root" vmcore-dmesg &&
        cp "$lab_here/guest/save-vmcore.sh" "$root/init" &&
        lab_pack "$root" "$2" || status=1
    rm -rf "$root"
    return $status
}

# lab_dracut_image KERNEL IMAGE [MKIMAGE_OPTION…]: the capture image that we ship, built by Debian's
# dracut with our module as `make install` lays it out.
lab_dracut_image() {
    local kernel=$1 image=$2 stage status=0
    shift 2
    stage=$(mktemp -d) || return
    make -s -C "$lab_top" install DESTDIR="$stage" BUILD="${BUILD:-build}" >&2 &&
        mkdir -p "$stage/dracut/modules.d" &&
        ln -s /usr/lib/dracut/[!m]* "$stage/dracut/" &&
        ln -s /usr/lib/dracut/modules.d/* "$stage/usr/lib/dracut/modules.d/"* "$stage/dracut/modules.d/" &&
        dracutbasedir=$stage/dracut VMCORE_SUMMARY_LIBDIR=$stage/usr/lib/vmcore-summary \
            "$stage/usr/lib/vmcore-summary/mkimage" \
            --kmoddir "$kernel/lib/modules/$(lab_kernel_version "$kernel")" \
            --drivers "virtio_pci virtio_blk ext4" --mount "/dev/vda ext4 rw" --dir /vmcore-summary "$@" \
            "$(lab_kernel_version "$kernel")" "$image" >&2 || status=1
    rm -rf "$stage"
    return $status
}

# --- the machine ------------------------------------------------------------------------------
lab_disk() { # FILE MB [DIR]: an ext4 disk, empty or with the files of DIR
    rm -f "$1"
    truncate -s "$2M" "$1" && mkfs.ext4 -q -F -E lazy_itable_init=0 ${3:+-d "$3"} "$1"
}

# lab_boot KERNEL INITRD DISK CONSOLE MEM_MB [ARGUMENT…]: runs the machine until it powers off, at most
# LAB_TIMEOUT seconds (600). The console goes to the file CONSOLE; ARGUMENTs to the kernel's command line.
lab_boot() {
    local kernel=$1 initrd=$2 disk=$3 console=$4 mem=$5
    shift 5
    timeout "${LAB_TIMEOUT:-600}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m "$mem" \
        -display none -monitor none -serial "file:$console" -net none \
        -kernel "$(lab_vmlinuz "$kernel")" -initrd "$initrd" \
        -append "console=ttyS0 crashkernel=${LAB_CRASHKERNEL:-256M} panic=10 rdinit=/init $*" \
        -drive "file=$disk,format=raw,if=virtio,cache=unsafe,discard=unmap,detect-zeroes=unmap" < /dev/null
}

# lab_from_disk DISK DIR: copies all files of an ext4 disk into DIR, without mounting it.
lab_from_disk() {
    mkdir -p "$2" && debugfs -R "rdump / $2" "$1" > /dev/null 2>&1
    rm -rf "$2/lost+found"
}

# vmcore-summary: see README.md. `make help` lists the targets.
VERSION := 0.1.0

CC        ?= gcc
PREFIX    ?= /usr
SYSCONFDIR ?= /etc
DESTDIR   ?=
STRIP     ?= $(if $(filter %-gcc,$(CC)),$(CC:gcc=strip),strip)
CFLAGS    ?= -O2 -g
BUILD     ?= build

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wvla -Wformat=2 \
            -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wpointer-arith -Wimplicit-fallthrough \
            -Wenum-conversion
ALL_CPPFLAGS := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DVERSION='"$(VERSION)"' -Isrc -MMD -MP $(CPPFLAGS)
BASE_CFLAGS  := -std=gnu11 -fno-common -fno-math-errno $(WARNINGS)

# Two builds of one source: the host's, dynamic; the capture image's, static and small.
HOST_CFLAGS    := $(BASE_CFLAGS) -fPIE -fstack-protector-strong $(CFLAGS)
HOST_LDFLAGS   := -pie -Wl,-z,relro,-z,now $(LDFLAGS)
# clang's LTO wants a linker plugin that Debian keeps in a package of its own.
LTO := $(if $(findstring clang,$(CC)),,-flto=auto)
# The capture kernel's memory is small, and so is its image: unwind tables would be dead weight.
STATIC_CFLAGS  := $(BASE_CFLAGS) -ffunction-sections -fdata-sections -fstack-protector-strong \
                  -fno-asynchronous-unwind-tables $(CFLAGS) -Os $(LTO)
STATIC_LDFLAGS := -static -Wl,--gc-sections -Wl,-z,noseparate-code $(LDFLAGS)
TEST_CFLAGS    := $(BASE_CFLAGS) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
                  -fno-omit-frame-pointer
TEST_LDFLAGS   := -fsanitize=address,undefined
LIBS           := -lelf -ljansson -linih -lz
HOST_LIBS      := -lkdumpfile
# What the capture image does without: its dump is /proc/vmcore.
HOST_ONLY      := src/core/kdump.c src/core/flattened.c src/core/vmcoreinfo_scan.c src/kernel/identify.c \
                  src/cli/cmd_check.c src/cli/cmd_enable.c src/cli/cmd_test.c src/cli/hook_setup.c \
                  src/cli/kdump_setup.c src/cli/loaded_image.c src/cli/machine.c src/cli/readiness.c \
                  src/cli/ready_image.c src/cli/ready_target.c src/cli/rehearsal.c src/cli/tool.c

SOURCES := $(sort $(wildcard src/*/*.c src/*/*/*.c))
MAIN    := src/cli/main.c
LIB_SOURCES := $(filter-out $(MAIN),$(SOURCES))
UNIT_TESTS  := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
FUZZERS     := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
TOOLS       := $(patsubst tests/tools/%.c,%,$(sort $(wildcard tests/tools/*.c)))

# A line a step; V=1 shows the commands.
ifneq ($(V),1)
Q := @
say = $(if $(findstring s,$(firstword -$(MAKEFLAGS))),,@printf "  %-5s %s\n" "$(1)" "$@")
endif

objects = $(patsubst src/%.c,$(BUILD)/$(1)/obj/%.o,$(2))

.PHONY: all arm64 deb rpm help check-kernels check-images check-witness check-kdump-tools check-kdump-utils check-pmsg check unit demo bench install uninstall clean format deps check-format fuzz
all: $(BUILD)/vmcore-summary $(BUILD)/static/vmcore-summary

help:
	@sed -n 's/^## //p' Makefile
## all        build/vmcore-summary (host) and build/static/vmcore-summary (capture image)
## arm64      build/arm64/static/vmcore-summary, by gcc-aarch64-linux-gnu, which it installs
## check      install what the tests need, build with ASan and UBSan, run every test
## unit       the unit tests alone, without QEMU
## demo       crash a real kernel in QEMU by OOM and show the summary that the machine wrote
## bench      capture against makedumpfile, vmcore-dmesg and crash on one vmcore; MEM="1024 4096 8192"
## check-kernels  a whole crash with each kernel that Debian's suites serve, as a table (slow);
##            KERNELS="bullseye trixie-backports:6.18" and WORKLOADS="oom slab" choose
## check-images   symbols and types of each kernel image that Debian's suites serve, as a table (slow)
## check-witness  a summary against crash and drgn on the same dump, row by row (fetches debuginfo)
## check-kdump-tools  whole crashes with Debian 12's own kdump-tools: with the dump, without, on a full disk, over ssh and NFS
##            (some twenty minutes; fetches the machines by debootstrap)
## check-kdump-utils  KDUMP_UTILS=DIR, a checkout of kdump-utils (Fedora, RHEL): its own capture images, and three
##            crashes with them (slow; fetches the machine by debootstrap)
## check-pmsg  the digest in pstore over a reboot, with a small kernel that is built of Debian's source
##            (ten minutes for that, once; then one)
## fuzz       every fuzz target under libFuzzer for FUZZ_SECONDS each (clang)
## install    DESTDIR= PREFIX=; uninstall takes the same
## deb        build/vmcore-summary_VERSION_ARCH.deb, with dpkg-dev
## rpm        build/vmcore-summary-VERSION-1.ARCH.rpm, with rpmbuild
## format     apply .clang-format

# --- programs ---------------------------------------------------------------------------------
$(BUILD)/vmcore-summary: $(call objects,host,$(SOURCES))
	$(call say,LINK)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $^ $(LIBS) $(HOST_LIBS)

$(BUILD)/static/vmcore-summary: $(call objects,static,$(filter-out $(HOST_ONLY),$(SOURCES)))
	$(call say,LINK)
	$(Q)$(CC) $(STATIC_CFLAGS) $(STATIC_LDFLAGS) -o $@.debug $^ $(LIBS)
	$(call say,STRIP)
	$(Q)$(STRIP) -o $@ $@.debug

$(BUILD)/asan/vmcore-summary: $(call objects,asan,$(SOURCES))
	$(call say,LINK)
	$(Q)$(CC) $(TEST_CFLAGS) $(TEST_LDFLAGS) -o $@ $^ $(LIBS) $(HOST_LIBS)

$(BUILD)/host/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(CC) $(ALL_CPPFLAGS) $(HOST_CFLAGS) -c -o $@ $<

$(BUILD)/static/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(CC) $(ALL_CPPFLAGS) -DSTATIC_BUILD=1 $(STATIC_CFLAGS) -c -o $@ $<

$(BUILD)/asan/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(CC) $(ALL_CPPFLAGS) $(TEST_CFLAGS) -c -o $@ $<

# --- tests ------------------------------------------------------------------------------------
$(BUILD)/asan/libvmcore-summary.a: $(call objects,asan,$(LIB_SOURCES))
	$(call say,AR  )
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/asan/libvmcore-summary.a
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_CPPFLAGS) -Itests $(TEST_CFLAGS) $(TEST_LDFLAGS) -o $@ $< \
		$(BUILD)/asan/libvmcore-summary.a $(LIBS) $(HOST_LIBS) -lcheck -lsubunit -lm -lrt -lpthread

# Fuzz targets replay their stored corpus with any compiler; `make fuzz` builds them for libFuzzer.
$(BUILD)/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(BUILD)/asan/libvmcore-summary.a
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_CPPFLAGS) -Itests $(TEST_CFLAGS) $(TEST_LDFLAGS) -o $@ $< tests/fuzz/replay.c \
		$(BUILD)/asan/libvmcore-summary.a $(LIBS) $(HOST_LIBS)

# libbpf is the witness for our BTF reader and links into nothing else; both have a struct btf.
$(BUILD)/tools/btf_oracle: tests/tools/oracle/ours.c
$(BUILD)/tools/btf_oracle: private TOOL_SOURCES := tests/tools/oracle/ours.c
$(BUILD)/tools/btf_oracle: private TOOL_LIBS := -lbpf

$(BUILD)/tools/trim_core: private TOOL_LIBS := -Wl,--wrap=image_read

$(BUILD)/tools/damage_core: private TOOL_LIBS := -Wl,--wrap=image_read

$(BUILD)/tools/estimate_live: private TOOL_LIBS := -Wl,--wrap=image_is_live

$(BUILD)/tools/%: tests/tools/%.c $(BUILD)/asan/libvmcore-summary.a
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_CPPFLAGS) -Itests $(TEST_CFLAGS) $(TEST_LDFLAGS) -o $@ $< $(TOOL_SOURCES) \
		$(BUILD)/asan/libvmcore-summary.a $(LIBS) $(HOST_LIBS) $(TOOL_LIBS)

arm64:
	@BUILD=$(BUILD) tests/lab/cross_arm64.sh

test-programs: $(BUILD)/asan/vmcore-summary $(UNIT_TESTS:%=$(BUILD)/unit/%) \
	$(FUZZERS:%=$(BUILD)/fuzz/%) $(TOOLS:%=$(BUILD)/tools/%)
.PHONY: test-programs

# --- fuzzing: `make fuzz FUZZ_SECONDS=60`, needs clang and its runtime ----------------------------
FUZZ_SECONDS ?= 30
FUZZ_CFLAGS  := $(BASE_CFLAGS) -O1 -g -fsanitize=fuzzer-no-link,address,undefined

$(BUILD)/libfuzzer/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)clang $(ALL_CPPFLAGS) $(FUZZ_CFLAGS) -c -o $@ $<

$(BUILD)/libfuzzer/fuzz_%: tests/fuzz/fuzz_%.c $(call objects,libfuzzer,$(LIB_SOURCES))
	$(call say,CC  )
	$(Q)clang $(ALL_CPPFLAGS) -Itests $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $(filter %.c %.o,$^) $(LIBS) $(HOST_LIBS)

fuzz: $(FUZZERS:%=$(BUILD)/libfuzzer/%)
	@for f in $(FUZZERS:fuzz_%=%); do \
		mkdir -p $(BUILD)/libfuzzer/corpus/$$f; \
		echo "fuzz_$$f for $(FUZZ_SECONDS) s"; \
		$(BUILD)/libfuzzer/fuzz_$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 \
			-artifact_prefix=$(BUILD)/libfuzzer/ $(BUILD)/libfuzzer/corpus/$$f \
			tests/fuzz/corpus/$$f > $(BUILD)/libfuzzer/$$f.log 2>&1 || \
			{ tail -40 $(BUILD)/libfuzzer/$$f.log; exit 1; }; \
		grep -E 'number_of_executed|cov:' $(BUILD)/libfuzzer/$$f.log | tail -2; \
	done

deps:
	@tests/deps.sh

# Units, SUSE's bare words and the like take no path with a blank; all but the tests does.
check-path:
	$(if $(word 2,$(CURDIR)),$(error the tests need a checkout in a path without blanks, not "$(CURDIR)"))
.PHONY: check-path

check: check-path deps
	$(MAKE) all test-programs
	@BUILD=$(BUILD) tests/run.sh all

unit: test-programs
	@BUILD=$(BUILD) tests/run.sh unit

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

# --- installation -----------------------------------------------------------------------------
# What is installed, as MODE:SOURCE:DESTINATION; `uninstall` removes the destinations. Text files get
# the paths of PREFIX in place of /usr/bin and /usr/lib/vmcore-summary.
LIBDIR    = $(PREFIX)/lib/vmcore-summary
DRACUTDIR = $(PREFIX)/lib/dracut/modules.d/55vmcore-summary
UNITDIR   = $(PREFIX)/lib/systemd/system
DOCDIR    = $(PREFIX)/share/doc/vmcore-summary
MANUALS  := $(sort $(wildcard src/*/*.[1-8] conf/*.[1-8] conf/*/*.[1-8] systemd/*.[1-8] dracut-module/*.[1-8]))
DOCS     := $(wildcard README.md LICENSE src/summary/FORMAT.md src/kernel/PROFILE.md)
MODULE_SCRIPTS := $(wildcard dracut-module/55vmcore-summary/*.sh)
PROGRAMS = 755:$(BUILD)/vmcore-summary:$(PREFIX)/bin/vmcore-summary \
	755:$(BUILD)/static/vmcore-summary:$(LIBDIR)/vmcore-summary
TEXTS = 755:dracut-module/capture-lib.sh:$(LIBDIR)/capture-lib.sh \
	755:dracut-module/mkimage:$(LIBDIR)/mkimage \
	755:conf/kdump/vmcore-summary-kdump:$(LIBDIR)/kdump-post \
	755:conf/kdump/kdump-utils.sh:$(LIBDIR)/kdump-utils.sh \
	755:conf/kdump/kdump-pre:$(LIBDIR)/kdump-pre \
	$(foreach f,$(wildcard conf/suse/suse-*),755:$f:$(LIBDIR)/$(notdir $f)) \
	755:conf/kdump/kdump-collector:$(LIBDIR)/kdump-collector \
	755:conf/kdump/kdump-tools:$(LIBDIR)/kdump-tools \
	755:conf/kdump/vmcore-summary-kdump:$(SYSCONFDIR)/kdump/pre.d/50-vmcore-summary \
	755:conf/kdump/vmcore-summary-kdump:$(SYSCONFDIR)/kdump/post.d/50-vmcore-summary \
	755:conf/kdump/vmcore-summary-emergency:$(LIBDIR)/kdump-emergency \
	755:conf/kdump/vmcore-summary-emergency:$(SYSCONFDIR)/kdump/emergency.d/50-vmcore-summary \
	644:src/cli/vmcore-summary.bash:$(PREFIX)/share/bash-completion/completions/vmcore-summary \
	$(foreach f,$(MODULE_SCRIPTS),755:$f:$(DRACUTDIR)/$(notdir $f)) \
	$(foreach f,$(filter-out $(MODULE_SCRIPTS),$(wildcard dracut-module/55vmcore-summary/*)),644:$f:$(DRACUTDIR)/$(notdir $f)) \
	$(foreach f,$(wildcard systemd/*.service systemd/*.path systemd/*.timer),644:$f:$(UNITDIR)/$(notdir $f)) \
	$(foreach f,$(wildcard systemd/*.d/*.conf),644:$f:$(UNITDIR)/$(f:systemd/%=%)) \
	$(foreach f,$(wildcard systemd/*.catalog),644:$f:$(PREFIX)/lib/systemd/catalog/$(notdir $f)) \
	$(foreach f,$(MANUALS),644:$f:$(PREFIX)/share/man/man$(subst .,,$(suffix $f))/$(notdir $f)) \
	$(foreach f,$(DOCS),644:$f:$(DOCDIR)/$(notdir $f))
CONFIG = $(wildcard conf/vmcore-summary.conf)

install: all
	@set -e; for entry in $(PROGRAMS); do \
		IFS=:; set -- $$entry; install -D -m $$1 $$2 "$(DESTDIR)$$3"; done
	@set -e; for entry in $(TEXTS); do \
		IFS=:; set -- $$entry; install -D -m $$1 /dev/null "$(DESTDIR)$$3"; \
		sed -e 's|/usr/lib/vmcore-summary|$(LIBDIR)|g' -e 's|/usr/bin/vmcore-summary|$(PREFIX)/bin/vmcore-summary|g' \
			$$2 > "$(DESTDIR)$$3"; done
	@# a configuration that the administrator changed stays as it is
	@for f in $(CONFIG); do to="$(DESTDIR)$(SYSCONFDIR)/$${f##*/}"; \
		[ -e "$$to" ] || install -D -m 644 $$f "$$to"; done

uninstall:
	@for entry in $(PROGRAMS) $(TEXTS); do rm -f "$(DESTDIR)$${entry##*:}"; done
	@for f in $(CONFIG); do to="$(DESTDIR)$(SYSCONFDIR)/$${f##*/}"; \
		if cmp -s $$f "$$to"; then rm "$$to"; elif [ -e "$$to" ]; then echo "$$to was changed: it stays"; fi; done
	@for d in $(LIBDIR) $(DRACUTDIR) $(DOCDIR) $(patsubst systemd/%,$(UNITDIR)/%,$(wildcard systemd/*.d)); do \
		[ ! -d "$(DESTDIR)$$d" ] || rmdir --ignore-fail-on-non-empty "$(DESTDIR)$$d"; done

deb: all
	@conf/packaging/deb/build $(VERSION) $(BUILD)

rpm: all
	@conf/packaging/rpm/build $(VERSION) $(BUILD)

# --- the whole thing in QEMU --------------------------------------------------------------------
demo: deps
	$(MAKE) all
	@BUILD=$(BUILD) tests/lab/demo.sh

check-kernels: deps all
	@BUILD=$(BUILD) tests/lab/kernels.sh

check-images: deps test-programs
	@BUILD=$(BUILD) tests/lab/images.sh

check-witness: deps all
	@tests/deps.sh crash python3-drgn
	@BUILD=$(BUILD) tests/lab/witness.sh

check-kdump-tools: deps all
	@tests/deps.sh debootstrap openssh-client iproute2
	@BUILD=$(BUILD) tests/lab/kdump_tools.sh

check-kdump-utils: deps all
	@tests/deps.sh debootstrap
	@BUILD=$(BUILD) KDUMP_UTILS=$(KDUMP_UTILS) tests/lab/kdump_utils.sh

check-pmsg: deps all
	@BUILD=$(BUILD) tests/lab/pmsg.sh

bench: deps
	$(MAKE) all
	@BUILD=$(BUILD) tests/lab/bench.sh $(MEM)

clean:
	rm -rf $(BUILD)

# Of what was compiled; what the labs leave in $(BUILD) has whole machines, with directories of such names.
COMPILED := $(wildcard $(addprefix $(BUILD)/,host static asan libfuzzer unit fuzz tools))
-include $(if $(COMPILED),$(shell find $(COMPILED) -name '*.d'))

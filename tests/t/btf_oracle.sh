#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Our BTF reader against libbpf's, member by member, on the BTF of the running kernel.
. "$(dirname "$0")/../lib.sh"
if [ -r /sys/kernel/btf/vmlinux ]; then
    check "every struct member lies where libbpf says" "$BUILD/tools/btf_oracle" /sys/kernel/btf/vmlinux
else
    skip "every struct member lies where libbpf says" "the running kernel offers no BTF"
fi
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The comparisons of the slab section with /proc/slabinfo and with crash's kmem -s see differences.
. "$(dirname "$0")/../lib.sh"
command -v jq > /dev/null || { skip "compare slab records" "no jq"; done_testing; }

cache() { # NAME OBJECT STRIDE ORDER PER_SLAB SLABS TOTAL ACTIVE ALLOCATED: a record
    printf '{"section":"slab","record":"cache","name":"%s","object_size_bytes":%d,"stride_bytes":%d,' "$1" "$2" "$3"
    printf '"order":%d,"objects_per_slab":%d,"slabs":%d,"objects_total":%d,' "$4" "$5" "$6" "$7"
    printf '"objects_active":%d,"objects_allocated":%d}\n' "$8" "$9"
}
cat > "$scratch/slabinfo" <<'END'
slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>
dentry             10773  10773    192   21    1 : tunables    0    0    0 : slabdata    513    513      0
kmalloc-4k            46     48   4096    8    8 : tunables    0    0    0 : slabdata      6      6      0
END
cat > "$scratch/kmem_s" <<'END'
CACHE             OBJSIZE  ALLOCATED     TOTAL  SLABS  SSIZE  NAME
ff1a66ea01925700      192      10700     10773    513     4k  dentry
ff1a66ea01925b00     4096         38        48      6    32k  kmalloc-4k
END
{ cache dentry 192 192 0 21 513 10773 10773 10700; cache kmalloc-4k 4096 4096 3 8 6 48 46 38; } > "$scratch/same"
sed 's/"slabs":6,/"slabs":7,/' "$scratch/same" > "$scratch/moved"
sed 's/"stride_bytes":192/"stride_bytes":200/' "$scratch/same" > "$scratch/resized"
sed 1d "$scratch/same" > "$scratch/lost"
sed 's/"objects_allocated":38/"objects_allocated":39/' "$scratch/same" > "$scratch/freed"
: > "$scratch/nothing"

slabinfo() { tests/lab/compare_slabinfo.sh "$scratch/slabinfo" "$@" > "$scratch/out"; }
kmem_s() { tests/lab/compare_kmem_s.sh "$scratch/kmem_s" "$1" > "$scratch/out"; }
differs() { ! "$@"; }
check "slabinfo: equal" slabinfo "$scratch/same"
is "slabinfo: one line when equal" "$(cat "$scratch/out")" "2 caches, 0 with other counts, 0 with other sizes"
check "slabinfo: another count is seen" differs slabinfo "$scratch/moved"
check "slabinfo: and allowed if so many are" slabinfo "$scratch/moved" 1
check "slabinfo: another size never is" differs slabinfo "$scratch/resized" 9
check "slabinfo: nor a lost cache" differs slabinfo "$scratch/lost" 9
check "slabinfo: nor no section at all" differs slabinfo "$scratch/nothing" 9
check "kmem -s: equal" kmem_s "$scratch/same"
check "kmem -s: another total is seen" differs kmem_s "$scratch/moved"
check "kmem -s: another allocated is seen" differs kmem_s "$scratch/freed"
is "kmem -s: by name" "$(head -1 "$scratch/out")" "kmalloc-4k: allocated: crash 38, summary 39"
done_testing

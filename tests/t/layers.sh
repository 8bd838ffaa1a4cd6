#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A room includes only headers of its own and of the rooms above it in this list (src/README.md).
. "$(dirname "$0")/../lib.sh"
rooms=(util core arch kernel extract summary capture report cli)
rank() { # ROOM: its place in the list, nothing for an unknown one
    local i
    for i in "${!rooms[@]}"; do [ "${rooms[$i]}" = "$1" ] && echo "$i"; done
}
violations() { # lines FILE: HEADER that look down
    local f inc room
    while IFS=: read -r f _ inc; do
        room=${f#src/}; room=${room%%/*}
        inc=${inc#*\"}; inc=${inc%%\"*}
        [ -n "$(rank "${inc%%/*}")" ] || { echo "$f: $inc is in no room"; continue; }
        [ "$(rank "${inc%%/*}")" -le "$(rank "$room")" ] || echo "$f: $inc"
    done < <(grep -n '#include "' src -r --include='*.[ch]')
}
found=$(violations)
is "no room includes a header of a room below it" "$found" ""
is "every folder of src is a room of the list" \
    "$(cd src && for d in */; do [ -n "$(rank "${d%/}")" ] || echo "$d"; done)" ""
extractor_includes=$(grep -nE '#include "extract/' src/extract/*.c |
    grep -vE '"extract/(emit|extract|(memory|oomlog|paniclog)/[a-z_]*)\.h"' || true)
is "no extractor includes another" "$extractor_includes" ""
# the check itself can fail
mkdir "$scratch/src" && mkdir "$scratch/src/core" && echo '#include "cli/x.h"' > "$scratch/src/core/a.c"
is "a wrong include is seen" "$(cd "$scratch" && violations)" "src/core/a.c: cli/x.h"
done_testing

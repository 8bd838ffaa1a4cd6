#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# On a machine of dracut_root.sh, for each round that /lab/rounds names, a line each. `before` runs before kdump
# is started: it keeps what the last crash left and configures the round; `after` crashes the machine. When there
# is no round any more it powers off. /lab/rounds.sh says what is peculiar to one kdump:
#   configure ROUND    sets up what the round is about
#   dumps_of ROUND     prints the directory of its dumps
#   image              prints the capture image
#   crash ROUND        does not come back
#   at_end             keeps what is to be kept when all is over
cd /lab || exit
exec > /dev/console 2>&1
. /lab/rounds.sh

before() {
    [ ! -s crashed ] || {
        read -r round < crashed
        dumps=$(dumps_of "$round")
        cp -r "$dumps" "out/$round/crash"
        vmcore-summary list --json -D "$dumps" > "out/$round/list.json"
        vmcore-summary show --no-pager -D "$dumps" > "out/$round/show"
    }
    : > crashed
    read -r round < rounds || return 0
    sed -i 1d rounds
    echo "$round" > crashed
    mkdir -p "out/$round"
    configure "$round"
}

after() {
    [ -s crashed ] || {
        at_end
        echo "lab: done"
        journalctl --sync
        exec systemctl poweroff
    }
    read -r round < crashed
    journalctl -b -o cat -u kdump.service > "out/$round/kdump"
    vmcore-summary estimate --json > "out/$round/estimate.json"
    cp "$(image)" "out/$round/image"
    journalctl --sync
    sync
    echo "lab: crash, $round"
    echo 1 > /proc/sys/kernel/sysrq
    crash "$round"
    echo "lab: still here"
    systemctl poweroff
}

"$1"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Run by lab.service in the machine of tests/t/systemd.sh: writes down what became of the units.
# shellcheck disable=SC2094  # the unit harvest and the file of that name
cd /lab || exit
id=52d767be0094425d9727dea1a36cc57f
harvest=vmcore-summary-harvest.service baseline=vmcore-summary-baseline.service
crashes() { journalctl --sync; journalctl -q -o cat MESSAGE_ID=$id | wc -l; }
echo "lab: the machine is up"
systemctl show "$harvest" > harvest
cp /run/motd.d/vmcore-summary motd
journalctl -q -x MESSAGE_ID=$id > catalog
systemctl restart $harvest
echo "$? $(crashes)" > again
systemctl show vmcore-summary-baseline.timer > timer
systemctl start $baseline
systemctl show $baseline > baseline
systemctl restart $harvest
echo "$? $(crashes)" > after
uname -r > release

mount -t tmpfs none /var/crash
systemctl restart $harvest
systemctl show $harvest > empty
umount /var/crash
# what the unit cannot have, by its own words
mkdir -p /run/systemd/system/$baseline.d
for option in PrivateDevices ProtectKernelTunables; do
    printf '[Service]\n%s=yes\n' $option > /run/systemd/system/$baseline.d/lab.conf
    systemctl daemon-reload
    systemctl start $baseline
    systemctl show $baseline > "$option"
done
journalctl -q -o json > journal.json
echo "lab: done"
touch ./done
sync

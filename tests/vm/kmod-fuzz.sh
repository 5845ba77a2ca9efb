#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: random requests; run-script.sh looks at the kernel's log.
#
#   kmod-fuzz.sh COUNT     of each kind
modprobe pcilens || exit 2
start=$(cut -d. -f1 /proc/uptime)
timeout 900 kmod-fuzz "$1" >/tmp/fuzz 2>&1
code=$?
cat /tmp/fuzz
[ $code = 0 ] || { echo "FAIL $1 random calls of each kind (code $code)"; exit 1; }
sed -n "s/^\([0-9]*\) x \(.*\)/ok \1 random calls: \2/p" /tmp/fuzz
echo "# $1 of each in $(($(cut -d. -f1 /proc/uptime) - start)) s"
sleep 1
rmmod pcilens || exit 1
echo "ok the module can be removed after that"

# Nobody but root.
modprobe pcilens
for try in "setpriv --reuid 1000 --regid 1000 --clear-groups" "setpriv --bounding-set -sys_rawio --inh-caps -sys_rawio"; do
	if $try sh -c 'exec 3<>/dev/pcilens' 2>/tmp/refused; then
		echo "FAIL $try: opens the node"
	elif grep -qE 'ermission denied|not permitted' /tmp/refused; then
		echo "ok $try: is refused the node"
	else
		echo "FAIL $try: $(cat /tmp/refused)"
	fi
done
chmod 666 /dev/pcilens
if setpriv --reuid 1000 --regid 1000 --clear-groups sh -c 'exec 3<>/dev/pcilens' 2>/tmp/refused; then
	echo "FAIL without CAP_SYS_RAWIO the node's mode does not matter"
else
	echo "ok without CAP_SYS_RAWIO the node's mode does not matter: $(cat /tmp/refused)"
fi

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
refused() {	# refused WHO SENTENCE
	if kmod-fuzz open-as "$1" >/tmp/open && grep -qE 'ermission denied|not permitted' /tmp/open; then
		echo "ok $2"
	else
		echo "FAIL $2: $(cat /tmp/open)"
	fi
}
refused user "a user may not open the node"
refused root "nor root without CAP_SYS_RAWIO"
chmod 666 /dev/pcilens
refused user "nor a user where the node's mode allows it"

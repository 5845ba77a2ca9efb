#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: what the module does not emulate, by kmod_forms and, in userspace, by kmod-user.
failed=0
check() {
	name=$1
	shift
	if "$@"; then
		echo "ok $name"
	else
		echo "FAIL $name"
		failed=1
	fi
}

modprobe pcilens || exit 2
: >/tmp/runtime
kmod-edu --shadow >/tmp/runtime 2>&1 &
runtime=$!
until grep -q plugged /tmp/runtime; do usleep 50000; done
modprobe kmod_forms refuse=1
rmmod kmod_forms
dmesg | grep 'kmod_forms: WRONG' && failed=1
forms=$(dmesg | sed -n 's/.*kmod_forms: refused \([1-9][0-9]*\)$/\1/p')
check "every refused form leaves the driver, its registers and the BAR whole" \
	test "$(dmesg | grep -c 'kmod_forms: passed over')" = "$forms"
check "the log names each: function, BAR, offset, place, code" \
	test "$(dmesg | grep -cE 'pcilens: function [0-9]+ BAR0\+0x10[0-9a-f]+: form_refused_[0-9]+.* not emulated; passed over: ([0-9a-f]{2} ?)+$')" = "$forms"
device=$(echo /sys/bus/pci/devices/1*:00:04.0)
for form in movups movdqa vmovdqu cmpxchg16b; do
	kmod-user "$device/resource0" $form >/tmp/user 2>&1
	check "a userspace driver gets SIGBUS for $form" test $? = 135
	check "and the log says so" sh -c 'dmesg | tail -n 3 | grep -q "kmod-user.* touches BAR0 with an instruction that is not emulated"'
done
kill "$runtime"
wait "$runtime"
check "each is counted" grep -q " refused $((forms + 4)) " /tmp/runtime
cat /tmp/runtime
exit $failed

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: a BAR that is plain memory shared with the runtime, by every mapping that Linux has,
# through resource0, and after the function has gone.
failed=0
check() {
	name=$1
	shift
	if "$@"; then
		echo "ok $name"
	else
		echo "FAIL $name"
		failed=1
		dmesg | grep kmod_forms | tail -n 8
		tail -n 3 /tmp/runtime /tmp/user 2>/dev/null
	fi
}

modprobe pcilens || exit 2
: >/tmp/runtime
kmod-edu --direct >/tmp/runtime 2>&1 &
runtime=$!
until grep -q plugged /tmp/runtime; do usleep 50000; done
modprobe kmod_forms direct=1
check "through every mapping the runtime sees what a driver writes, and the driver its answer" \
	test "$(dmesg | grep -c 'kmod_forms: direct .*: right')" = 22
check "none of them is a cookie" sh -c "! dmesg | grep 'kmod_forms: WRONG'"
device=$(echo /sys/bus/pci/devices/1*:00:04.0)
echo 1 >"$device/enable"
kmod-user "$device/resource0" direct >/tmp/user 2>&1
check "a userspace driver shares it too" grep -q 'direct right' /tmp/user
check "rmmod is refused while a driver has it mapped" sh -c '! rmmod pcilens 2>/dev/null'
kmod-user "$device/resource0" stay >/tmp/user 2>&1 &
user=$!
until grep -q 'direct right' /tmp/user; do usleep 50000; done
kill "$runtime"
wait "$runtime"
check "its pages live on without the function" kill -0 "$user"
kill -9 "$user"
check "no access was recorded" grep -q ' reads 0 writes 0 ' /tmp/runtime
check "the function is gone" sh -c '! ls /sys/bus/pci/devices | grep -q ^1'
rmmod kmod_forms
check "a driver that still has it mapped reaches memory" sh -c "dmesg | grep -q 'kept mapping reads 1'"
sleep 1
check "and when it lets go, the memory is freed" sh -c '! grep lens_ /proc/vmallocinfo'
check "rmmod" rmmod pcilens
exit $failed

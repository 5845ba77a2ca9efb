#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: a userspace driver through sysfs' resource0, and lspci's view.

failed=0
check() {
	name=$1
	shift
	if "$@"; then
		echo "ok $name"
	else
		echo "FAIL $name"
		failed=1
		cat /tmp/user
		tail -n 5 /tmp/runtime
	fi
}

modprobe pcilens
# A runtime of its own, and its function enabled.
plug() {
	: >/tmp/runtime
	kmod-edu "$@" >/tmp/runtime 2>&1 &
	runtime=$!
	until grep -q plugged /tmp/runtime; do usleep 50000; done
	device=$(echo /sys/bus/pci/devices/1*:00:04.0)
	echo 1 >"$device/enable"
}
# The userspace driver, until its first access is held.
hold() {
	kmod-user "$device/resource0" >/tmp/user 2>&1 &
	user=$!
	until grep -q held /tmp/runtime; do usleep 50000; done
}

plug --ascending 0x1000
kmod-user "$device/resource0" >/tmp/user 2>&1
check "reads are answered" grep -q 'id 0x10000ed' /tmp/user
check "writes arrive" grep -q 'alive 0xedcba987' /tmp/user
check "reads wait for the writes before them" grep -q 'factorial 720' /tmp/user
tail -n 1 /tmp/user
kill "$runtime"
wait "$runtime"
check "writes through a second mapping are in order" grep -q 'ascending 10000 out of order 0' /tmp/runtime

plug --read 0:4
hold
kill -9 "$user"
wait "$user" 2>/dev/null
check "a held userspace driver can be killed" test $? = 137
check "and its answer is refused" sh -c 'for i in $(seq 80); do
	grep -q "answer refused: Stale" /tmp/runtime && exit; usleep 100000; done; false'
kill "$runtime"
wait "$runtime"

plug --read 0:600
hold
kill -9 "$runtime"
wait "$user"
check "a held userspace driver reads all-ones when the runtime dies" grep -q 'id 0xffffffff' /tmp/user
# What follows is SIGBUS: sysfs takes the mapping of a removed device away.
usleep 300000
check "rmmod" rmmod pcilens
check "log is clean" sh -c "! dmesg | grep -E 'BUG|WARNING|Oops|blocked for more|stall|lockup|Call Trace'"
exit $failed

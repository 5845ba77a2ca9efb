#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: two functions at once, then starts and kills, and what they leave.
#
#   kmod-restart.sh [ROUNDS]

rounds=${1:-20}
failed=0
check() {
	name=$1
	shift
	if "$@"; then
		echo "ok $name"
	else
		echo "FAIL $name"
		failed=1
		dmesg | tail -n 15
	fi
}

modprobe pcilens
modprobe pcilens_edu
kmod-edu >/tmp/one 2>&1 & one=$!
kmod-edu >/tmp/two 2>&1 & two=$!
until grep -q plugged /tmp/one && grep -q plugged /tmp/two; do usleep 50000; done
check "two functions are bound" test "$(dmesg | grep -c 'there and back are the same')" = 2
if command -v lspci >/dev/null; then
	lspci -vvv -d 1234:11e8 | head -n 40
fi
for bound in /sys/bus/pci/drivers/pcilens_edu/1*; do
	check "DMA of ${bound##*/}" test "$(cat "$bound/dma")" = "ok 256"
done
# Unbound, bound, removed, found again: by the kernel's own files.
device=$(basename "$(echo /sys/bus/pci/drivers/pcilens_edu/1*:04.0 | cut -d' ' -f1)")
echo "$device" >/sys/bus/pci/drivers/pcilens_edu/unbind
echo "$device" >/sys/bus/pci/drivers/pcilens_edu/bind
check "unbind and bind" test "$(cat "/sys/bus/pci/drivers/pcilens_edu/$device/dma")" = "ok 256"
echo 1 >"/sys/bus/pci/devices/$device/remove"
echo 1 >/sys/bus/pci/rescan
check "remove and rescan" test "$(cat "/sys/bus/pci/drivers/pcilens_edu/$device/dma")" = "ok 256"
kill -9 $one
kill $two
wait
i=0
while [ $i -lt "$rounds" ]; do
	kmod-edu >/tmp/one 2>&1 & one=$!
	until grep -q plugged /tmp/one; do usleep 20000; done
	[ $((i % 2)) = 0 ] && kill -9 $one || kill $one
	wait
	i=$((i + 1))
done 2>/dev/null
sleep 1
check "$rounds restarts: nothing is left in /proc/iomem" sh -c '! grep -q pcilens /proc/iomem'
check "nor a bus" sh -c '! ls /sys/bus/pci/devices | grep -q ^1'
check "nor memory" sh -c '! grep -E "lens_|pcilens" /proc/vmallocinfo | grep -v "load_module\|move_module\|execmem"'
check "rmmod" sh -c 'rmmod pcilens_edu && rmmod pcilens'
check "log is clean" sh -c "! dmesg | grep -E 'BUG|WARNING|Oops|blocked for more|stall|lockup|Call Trace'"
exit $failed

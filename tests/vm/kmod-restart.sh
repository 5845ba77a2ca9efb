#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: several functions at once, then starts and kills, and what they leave.
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

mount -t debugfs none /sys/kernel/debug 2>/dev/null
modprobe pcilens
modprobe pcilens_edu
: >/tmp/one
: >/tmp/two
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

# Two functions of one device and one of another, all bound; killed and ended in turn.
restart() {
	: >/tmp/one
	: >/tmp/two
	: >/tmp/three
	kmod-edu --bus 7 --function 1 >/tmp/one 2>&1 & one=$!
	until grep -q plugged /tmp/one; do usleep 20000; done
	kmod-edu --bus 7 >/tmp/two 2>&1 & two=$!
	kmod-edu >/tmp/three 2>&1 & three=$!
	until grep -q plugged /tmp/two && grep -q plugged /tmp/three; do usleep 20000; done
	bound=$(echo /sys/bus/pci/drivers/pcilens_edu/1* | wc -w)
	[ "$bound" = 3 ] || all_bound=$bound
	if [ $((i % 2)) = 0 ]; then kill -9 $one $three; kill $two; else kill $one $three; kill -9 $two; fi
	wait
}

kilobytes() {
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}

# What is in use when all that is only kept for speed has been given back.
settle() {
	# A module's pages get other rights, for which the kernel first frees the address ranges that it
	# has kept.
	rmmod pcilens_edu
	modprobe pcilens_edu
	sleep 2
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	# With slub_debug=U: the objects that each place in the kernel has allocated and not freed. Not
	# those of lookups, of this look itself, and of address ranges, which the kernel frees by the
	# dozen: /proc/vmallocinfo has them.
	for cache in /sys/kernel/debug/slab/*; do
		[ ! -e "$cache/alloc_traces" ] || awk -v cache="${cache##*/}" '
			/^ *[0-9]/ { held[$2] += $1 } END { for (place in held) print cache "/" place, held[place] }' \
			"$cache/alloc_traces"
	done | grep -v -e ^dentry/ -e inode -e ^vmap_area/ -e /debugfs_ >"/tmp/objects.$1"
	for cache in /sys/kernel/slab/*/shrink; do echo 1 >"$cache"; done 2>/dev/null
	sleep 1
	awk 'NR > 2 { print $1, $2 }' /proc/slabinfo >"/tmp/slab.$1"
	cat /proc/iomem >"/tmp/iomem.$1"
	grep -E "lens_|pcilens" /proc/vmallocinfo | grep -v "load_module\|move_module\|execmem" >"/tmp/vmalloc.$1"
	for what in Slab Percpu VmallocUsed MemAvailable; do
		eval "${what}_$1=\$(kilobytes $what)"
	done
}

all_bound=3
{
	settle first # looking has a cost of its own, once
	for i in 0 1 2 3 4 5; do restart; done
	settle before
	i=0
	while [ $i -lt "$rounds" ]; do
		restart
		i=$((i + 1))
	done
	settle after
} 2>/dev/null
check "three functions were bound each time, two of them of one device" test "$all_bound" = 3
# shellcheck disable=SC2154 # settle() sets them
echo "# $rounds restarts of three functions: Slab $Slab_before to $Slab_after kB, Percpu $Percpu_before to $Percpu_after kB, VmallocUsed $VmallocUsed_before to $VmallocUsed_after kB, MemAvailable $MemAvailable_before to $MemAvailable_after kB"
check "$rounds restarts leave /proc/iomem as it was" cmp /tmp/iomem.before /tmp/iomem.after
check "nothing of ours is in it" sh -c '! grep -q pcilens /proc/iomem'
check "nor a bus" sh -c '! ls /sys/bus/pci/devices | grep -q ^1'
check "nor memory in /proc/vmallocinfo" sh -c '! grep . /tmp/vmalloc.after'
grown() {
	awk -v least="$2" 'NR == FNR { was[$1] = $2; next }
		$2 - was[$1] >= least { printf "%s +%d ", $1, $2 - was[$1] }' "/tmp/$1.before" "/tmp/$1.after"
}
check "the kernel tells who allocated what" test -s /tmp/objects.before
# Each round has two buses and three functions.
grown=$(grown objects $((2 * rounds)))
check "no place in the kernel keeps an object of each bus or function ($grown)" test -z "$grown"
# An object left behind by each restart would be three a round. What CPUs keep for themselves is
# counted as used: as many objects as a page has.
grown=$(grown slab $((rounds > 50 ? rounds : 512)))
check "no cache in /proc/slabinfo has grown by an object a restart ($grown)" test -z "$grown"
check "Slab has not grown by 4 kB a restart" test $((Slab_after - Slab_before)) -lt $((512 + 4 * rounds))
check "Percpu memory has not grown" test $((Percpu_after - Percpu_before)) -lt 64
# A pool of 16 MB from each round would be twice that and more.
check "the pools and rings are given back" test $((MemAvailable_before - MemAvailable_after)) -lt 65536
check "rmmod" sh -c 'rmmod pcilens_edu && rmmod pcilens'
check "log is clean" sh -c "! dmesg | grep -E 'BUG|WARNING|Oops|blocked for more|stall|lockup|Call Trace'"
exit $failed

#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: Debian's unmodified nvme.ko on the controller, as a user of a disk would find it. Each
# line is "ok ...", "FAIL ..." or "# ...", and what went wrong.
#
#   nvme-guest.sh pci | disk [MiB] | format | hold

out=/tmp/output
check() {	# check SENTENCE COMMAND ...
	name=$1
	shift
	if "$@" >$out 2>&1; then
		echo "ok $name"
	else
		echo "FAIL $name"
		tail -n 25 $out
		dmesg | tail -n 6
	fi
}

bdf() { basename /sys/bus/pci/devices/1????:*; }
disk=/dev/nvme0n1
live() {	# the controller is up and the disk can be read
	tries=100
	until [ "$(cat /sys/class/nvme/nvme0/state 2>/dev/null)" = live ] && [ -b $disk ] &&
		dd if=$disk of=/dev/null bs=4k count=16 iflag=direct 2>/dev/null; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { cat /sys/class/nvme/nvme0/state; return 1; }
		usleep 100000
	done
}

# ---- the function on its bus --------------------------------------------------------------------
decoded() {
	lspci -vvv -s "$(bdf)" >/tmp/lspci 2>&1
	cat /tmp/lspci
	for wanted in 'Class 0108: Device 1234:4e56|Non-Volatile memory controller' \
		'Region 0: Memory at .*64-bit, non-prefetchable.*size=16K' \
		'Capabilities: .* Power Management version 3' 'Status: D0 ' \
		'MSI-X: Enable\+ Count=65 Masked-' 'Vector table: BAR=0 offset=00002000' \
		'PBA: BAR=0 offset=00003000' 'Express \(v2\) Endpoint, MSI 00' 'FLReset\+' \
		'DevSta:' 'LnkSta:' 'DevCap2:' 'Device Serial Number' \
		'Kernel driver in use: nvme'; do
		grep -qE "$wanted" /tmp/lspci || { echo "no line has $wanted"; return 1; }
	done
	! grep -qE '<unassigned>|<ignored>|<access denied>|\?\?|unknown' /tmp/lspci
}
level_reset() {
	grep -q flr "/sys/bus/pci/devices/$(bdf)/reset_method" &&
		echo flr >"/sys/bus/pci/devices/$(bdf)/reset_method" &&
		echo 1 >"/sys/bus/pci/devices/$(bdf)/reset" && live
}
remove_rescan() {
	echo 1 >"/sys/bus/pci/devices/$(bdf)/remove"
	[ ! -e $disk ] && [ ! -e "/sys/bus/pci/devices/$(bdf)" ] || return 1
	echo 1 >/sys/bus/pci/rescan
	live
}
unbind_bind() {
	which=$(bdf)
	echo "$which" >/sys/bus/pci/drivers/nvme/unbind
	[ ! -e $disk ] || return 1
	echo "$which" >/sys/bus/pci/drivers/nvme/bind
	live
}
controller_reset() { echo 1 >/sys/class/nvme/nvme0/reset_controller && live; }

pci() {
	check "nvme.ko brings the controller up" live
	check "lspci decodes all of it" decoded
	check "after a function level reset by sysfs the driver is back" level_reset
	check "after remove and rescan too" remove_rescan
	check "after unbind and bind too" unbind_bind
	check "after a reset by the driver's own file too" controller_reset
}

# ---- a disk -------------------------------------------------------------------------------------
vectors() {
	grep nvme0q /proc/interrupts
	[ "$(grep -c nvme0q /proc/interrupts)" = $(($(nproc) + 1)) ]
}
made() { modprobe -a crc32c_generic ext4 && mkfs.ext4 -q -F $disk && mkdir -p /mnt/disk && mount -t ext4 $disk /mnt/disk; }
copied() {
	(cd /usr && find lib bin -type f -size -2000k | head -n 400 | cpio -o -H newc 2>/dev/null) >/tmp/tree.cpio
	(cd /mnt/disk && cpio -id </tmp/tree.cpio 2>/dev/null)
	(cd /usr && cpio -t </tmp/tree.cpio 2>/dev/null | xargs sha256sum) >/tmp/sums
	du -sm /mnt/disk
	[ "$(wc -l </tmp/sums)" -gt 50 ] && umount /mnt/disk
}
same() {
	echo 3 >/proc/sys/vm/drop_caches
	mount -t ext4 -o ro $disk /mnt/disk && (cd /mnt/disk && sha256sum -c /tmp/sums >/tmp/compared 2>&1)
	code=$?
	grep -v ': OK' /tmp/compared | head
	umount /mnt/disk
	return $code
}
verified() {
	fio --name=verify --filename=$disk --ioengine=libaio --iodepth=16 --direct=1 --size="$1M" \
		--minimal --verify=crc32c --verify_fatal=1 --numjobs=1 --randseed=7 "$2" "$3" "$4"
}
rate() {	# rate NAME OPTION ...: for a person
	fio --name=rate --filename=$disk --ioengine=libaio --direct=1 --minimal --time_based \
		--runtime=2 --size=16M --norandommap --randrepeat=1 "$@" >$out 2>&1
	awk -F';' '$1 == 3 { printf "# '"$*"': %d reads, %d writes a second\n", $8, $49 }' $out
}
disk() {
	check "an I/O queue for each CPU, with a vector each" vectors
	check "mkfs.ext4 and mount" made
	check "a tree is copied, umount" copied
	check "e2fsck finds nothing" e2fsck -fn $disk
	check "each file has the same sha256 after another mount" same
	check "fio: random writes of mixed sizes at depth 16, all verified" \
		verified "${1:-4}" --rw=randwrite --bsrange=512-64k --blockalign=512
	check "fio: random reads among writes, all verified" \
		verified "${1:-4}" --rw=randrw --bs=4k --rwmixread=30
	rate --rw=randwrite --bs=4k --iodepth=16
}

# ---- nvme-cli -----------------------------------------------------------------------------------
says() {	# says WANTED COMMAND ...
	wanted=$1
	shift
	"$@" >/tmp/said 2>&1 || { cat /tmp/said; return 1; }
	cat /tmp/said
	grep -qE "$wanted" /tmp/said
}
formatted() {
	nvme format $disk --lbaf="$1" --force --timeout=20000 && sleep 0.3 && live &&
		[ "$(cat /sys/block/nvme0n1/queue/logical_block_size)" = "$2" ] &&
		! dd if=$disk bs=64k count=16 iflag=direct 2>/dev/null | tr -d '\0' | grep -q .
}
format() {
	check "nvme id-ctrl" says 'mn +: pcilens' nvme id-ctrl /dev/nvme0
	check "nvme id-ns" says 'lbaf +0 .*lbads:9 .*in use' nvme id-ns $disk
	check "nvme smart-log" says 'critical_warning.*: 0' nvme smart-log /dev/nvme0
	check "nvme error-log" says 'Entry' nvme error-log /dev/nvme0
	check "nvme get-feature: number of queues" says '(NQ|Number of Queues|feature:0x0?7)' \
		nvme get-feature /dev/nvme0 -f 7
	check "nvme list" says 'nvme0n1' nvme list
	check "nvme format to blocks of 4096 bytes, all of it zeros" formatted 1 4096
	check "and back to 512" formatted 0 512
	check "nvme reset" nvme reset /dev/nvme0
	check "the disk is there after it" live
}

[ $# = 0 ] || "$@"

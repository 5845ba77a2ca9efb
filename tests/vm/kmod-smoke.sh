#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: the module, kmod-edu as the runtime, the edu driver. Each line
# that it prints is "ok ..." or "FAIL ..."; the exit code is 1 with a FAIL.
#
#   kmod-smoke.sh [HOLD_SECONDS]

hold=${1:-65}
log=/tmp/runtime
failed=0

check() {	# check NAME COMMAND...
	name=$1
	shift
	if "$@"; then
		echo "ok $name"
	else
		echo "FAIL $name"
		failed=1
		tail -n 15 $log | sed 's/^/    /'
		dmesg | tail -n 8 | sed 's/^/    /'
	fi
}

start() {	# start OPTIONS...: the runtime; what it does is looked for after "start"
	echo "kmod-smoke: start $*" >/dev/kmsg
	: >$log # what the last one said is none of this one's
	kmod-edu "$@" >$log 2>&1 &
	runtime=$!
}

stop() {
	kill "$runtime" 2>/dev/null
	wait "$runtime" 2>/dev/null
}

wait_for() {	# wait_for TEXT SECONDS: in what the runtime prints
	tries=$(($2 * 10))
	until grep -q "$1" $log; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 100000
	done
}

since_start() {
	dmesg | awk '/kmod-smoke: start/ { text = "" } { text = text $0 "\n" } END { printf "%s", text }'
}

logged() {	# logged TEXT: in the kernel's log, within 5 s
	tries=50
	until since_start | grep -q "$1"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 100000
	done
}

clean() {
	! dmesg | grep -E 'BUG|WARNING|Oops|blocked for more|stall|lockup|Call Trace'
}

gone() {	# no function of ours is left; a probe that waits for an interrupt takes its time
	tries=100
	# shellcheck disable=SC2010 # names of PCI functions
	while ls /sys/bus/pci/devices | grep -q '^1[0-9a-f]*:00:04.0'; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 100000
	done
}

not() {
	! "$@"
}

modprobe pcilens
check "module loads" test -c /dev/pcilens
modprobe pcilens_edu

start
check "plug returns" wait_for '^plugged 1' 10
check "probe computes the factorial" logged '10! = 3628800'
check "probe's DMA comes back the same" logged '2048 bytes of DMA there and back are the same'
cd /sys/bus/pci/drivers/pcilens_edu/1*/ || exit 1
echo 5 >factorial
check "factorial through sysfs" test "$(cat factorial)" = 120
check "DMA through sysfs" test "$(cat dma)" = "ok 256"
check "interrupts arrive at the driver" grep -q pcilens_edu /proc/interrupts
check "function level reset" sh -c 'echo 1 >reset'
check "the reset is an event" wait_for 'reset 1' 3
cd /
stop
check "closing removes the function" gone
check "log is clean" clean

start --msi
check "MSI: probe" wait_for '^plugged 1' 10
check "MSI: factorial and DMA" logged 'there and back are the same'
cd /sys/bus/pci/drivers/pcilens_edu/1*/ || exit 1
mask() {	# mask 0|1: MSI's mask bit, by hand
	printf "\\00$1" | dd of=config bs=1 seek=96 conv=notrunc 2>/dev/null
}
pending() {	# pending 0|1: whether MSI's pending bit is that
	[ "$(dd if=config bs=1 skip=100 count=1 2>/dev/null | od -An -tu1 | tr -d ' ')" = "$1" ]
}
check "MSI: nothing is pending" pending 0
mask 1
echo 6 >factorial &
usleep 500000
check "MSI: a masked one is pending" pending 1
check "MSI: and does not come" kill -0 $!
mask 0
check "MSI: it comes when it is unmasked" wait $!
check "MSI: and is not pending any more" pending 0
check "MSI: the driver goes on" test "$(cat factorial)" = 720
cd /
stop

start --intx
check "INTx: probe" wait_for '^plugged 1' 10
check "INTx: factorial and DMA" logged 'there and back are the same'
check "INTx: the line is ours" grep -q 'pcilens.*pcilens_edu' /proc/interrupts
stop

# Who waits for the held driver's locks is no hung task, however soon the kernel calls it one.
echo 1 >/proc/sys/kernel/hung_task_timeout_secs
start --read "0x0:$hold"
check "held at the read of ID" wait_for 'held read 0x0' 10
(echo 1 >"$(echo /sys/bus/pci/devices/1*)/reset") &
resetter=$!
check "the hold names the driver's function" grep -q 'at pcilens_edu:edu_' $log
check "the rest of the system lives" sh -c 'for i in 1 2 3; do dd if=/dev/zero of=/tmp/x bs=1M count=8 2>/dev/null; sync; done'
check "a reset waits for the driver's lock" grep -q 'State:.*D' /proc/$resetter/status
check "released after $hold s" wait_for 'released read' $((hold + 10))
check "probe goes on" wait_for '^plugged 1' 10
check "and succeeds" logged 'there and back are the same'
check "the reset goes on" wait $resetter
check "log is clean after $hold s" clean
echo 120 >/proc/sys/kernel/hung_task_timeout_secs
stop

start --write "0x8:$hold"
check "held at the write of FACTORIAL" wait_for 'held write 0x8' 10
check "released after $hold s" wait_for 'released write' $((hold + 10))
check "probe goes on" wait_for '^plugged 1' 10
check "and succeeds" logged 'there and back are the same'
check "log is clean after $hold s" clean
stop

start --change 0x0:0xdeadbeef
check "changed value" wait_for '^plugged 1' 10
check "the driver got the changed value" logged 'id 0xdeadbeef is not that of an edu device'
stop

start --places
check "there is room for 4096 policies" wait_for '^places 4096: No space' 20
check "a full table can be emptied" wait_for '^places taken back' 20
stop
check "its function is gone" gone

start --sync-writes --stacks
check "synchronous writes and stacks" wait_for '^plugged 1' 20
check "probe succeeds" logged 'there and back are the same'
check "stacks reach probe" grep -q '    pcilens_edu:edu_probe' $log
stop

start --read 0x0:600
wait_for 'held read' 10
kill -9 "$runtime"
wait "$runtime" 2>/dev/null
check "kill -9 in a hold: the function is gone" gone
check "kill -9 in a hold: the driver read all-ones" logged 'id 0xffffffff is not that'
check "log is clean" clean

start
wait_for '^plugged 1' 10
kill -9 "$runtime"
wait "$runtime" 2>/dev/null
check "kill -9 when bound: the function is gone" gone
check "log is clean" clean

start
wait_for '^plugged 1' 10
check "rmmod in use is refused" not rmmod pcilens 2>/dev/null
stop
check "rmmod of the driver" rmmod pcilens_edu
check "rmmod" rmmod pcilens
check "log is clean" clean
exit $failed

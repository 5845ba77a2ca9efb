#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: access forms and rates, by kmod_bench and kmod-edu.
#
#   kmod-bench.sh [COUNT]

count=${1:-100000}
log=/tmp/runtime

start() {
	: >$log # what the last one wrote is not to be found
	kmod-edu "$@" >$log 2>&1 &
	runtime=$!
	until grep -q plugged $log; do usleep 50000; done
}

stop() {
	kill "$runtime"
	wait "$runtime" 2>/dev/null
	sed "s/^/    $1: /" $log | grep -v plugged
}

bench() {	# bench CPU PARAMETERS...
	mask=$1
	shift
	taskset "$mask" modprobe kmod_bench "$@"
	dmesg | grep kmod_bench: | tail -n 1 | sed 's/.*kmod_bench: //'
	rmmod kmod_bench
}

modprobe pcilens
start --shadow
modprobe kmod_forms; dmesg | grep kmod_forms:
bench 1 what=trap count="$count"
stop shadow

echo "posted writes, runtime on the other CPU"
start --cpu 1 --spin 200000 --ascending 0x200
bench 1 what=write count="$count"
stop write

echo "posted writes, slow reader, small ring"
start --ring 64 --slow 100 --ascending 0x200
bench 1 what=write count=$((count / 20))
stop slow

echo "synchronous reads, runtime spinning on the other CPU"
start --cpu 1 --spin 200000
bench 1 what=read count="$count"
bench 1 what=atomic count=$((count / 2))
stop read

echo "synchronous reads, runtime sleeping on the other CPU"
start --cpu 1
bench 1 what=read count=$((count / 10))
stop sleep

echo "synchronous reads, one CPU for both"
start --cpu 0
bench 1 what=read count=$((count / 10))
stop same

echo "atomic hold, cap 2 s, answer after 1 and after 5 s"
start --cpu 1 --atomic-ms 2000 --read 0:1
bench 1 what=hold
stop hold1
start --cpu 1 --atomic-ms 2000 --read 0:5
bench 1 what=hold
sleep 5
stop hold5

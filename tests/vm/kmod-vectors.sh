#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: interrupts in each state that a vector may have, by kmod_bench, also while its
# driver has the kernel's mutex of its vectors.
failed=0
check() {
	name=$1
	shift
	if "$@"; then
		echo "ok $name"
	else
		echo "FAIL $name"
		failed=1
		tail -n 8 /tmp/runtime | sed 's/^/    /'
		dmesg | tail -n 12 | sed 's/^/    /'
	fi
}

modprobe pcilens || exit 2
for kind in plain-msi msi msi-x; do
	echo "kmod-vectors: $kind" >/dev/kmsg
	: >/tmp/runtime
	case $kind in
	plain-msi) kmod-edu --plain-msi --vector-hold 3 >/tmp/runtime 2>&1 & ;;
	msi) kmod-edu --msi --vector-hold 3 >/tmp/runtime 2>&1 & ;;
	*) kmod-edu >/tmp/runtime 2>&1 & ;;
	esac
	runtime=$!
	until grep -q plugged /tmp/runtime; do usleep 50000; done
	modprobe kmod_bench what=vectors
	rmmod kmod_bench
	since=$(dmesg | awk '/kmod-vectors: / { text = "" } { text = text $0 "\n" } END { printf "%s", text }')
	kill "$runtime"
	wait "$runtime"
	cpus=$(nproc)
	for when in requested "taken again" "with the kernel's mutex" moved "enabled again"; do
		case $when in
		requested | "taken again") times=1 ;;
		moved) times=$((2 * cpus)) ;;
		*) times=2 ;;
		esac
		check "$kind: an interrupt arrives, $when" test \
			"$(echo "$since" | grep -c "kmod_bench: vector $when: right")" = $times
	done
	check "$kind: its handler read what it should" sh -c "echo '$(echo "$since" | tail -n 3)' | grep -q 'vectors wrong 0'"
	[ $kind != msi-x ] || continue
	check "$kind: sending does not wait for the held write that disables it" test \
		"$(grep -c 'sent while MSI is being disabled: ok, result . kind 2, at once' /tmp/runtime)" = 2
	check "$kind: it has gone on before that write is answered" test \
		"$(grep -c 'the sender has gone on' /tmp/runtime)" = 2
done
check "interrupts that nobody has requested are lost" test "$(dmesg | grep -c 'APIC error')" = 0
exit $failed

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: copies between user memory and the BAR, by kmod_forms.
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
modprobe kmod_forms copy=1
rmmod kmod_forms
for place in "a page that is there" "a page that is there, page faults off" \
	"a page that comes when touched" "a page that comes when touched, page faults off" \
	"the end of what is mapped" "nothing" "a read-only page"; do
	check "each copy between a BAR and $place does what it does on memory" \
		sh -c "dmesg | grep -q 'kmod_forms: copies at $place: wrong 0'"
done
check "one value, copy_from_kernel_nofault() and others of the kernel's too" \
	sh -c "dmesg | grep -q 'kmod_forms: copies done' && ! dmesg | grep 'kmod_forms: WRONG'"
check "what is no copy of user memory is refused, and said so" test \
	"$(dmesg | grep -c 'pcilens: run_mistakes.*: the access was skipped, error -14')" = \
	"$(if grep -qw smap /proc/cpuinfo; then echo 2; else echo 1; fi)"
echo "the CPU has: $(grep -owE 'erms|fsrm|rep_good|smap' /proc/cpuinfo | sort -u | tr '\n' ' ')"
kill "$runtime"
wait "$runtime"
cat /tmp/runtime
exit $failed

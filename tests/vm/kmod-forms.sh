#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: every instruction form on the BAR and on ordinary memory, by kmod_bench.
modprobe pcilens || exit 2
kmod-edu --shadow >/tmp/runtime 2>&1 &
until grep -q plugged /tmp/runtime; do usleep 50000; done
modprobe kmod_bench what=forms
dmesg | grep 'kmod_bench: WRONG'
if dmesg | grep -q 'kmod_bench: forms [1-9][0-9]* wrong 0'; then
	echo "ok every form does on a BAR what the CPU does on memory"
else
	echo "FAIL every form does on a BAR what the CPU does on memory"
	exit 1
fi

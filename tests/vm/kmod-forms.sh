#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: every access form on the BAR and on ordinary memory, through every kind of mapping,
# by kmod_forms.
failed=0
modprobe pcilens || exit 2
: >/tmp/runtime
kmod-edu --shadow >/tmp/runtime 2>&1 &
runtime=$!
until grep -q plugged /tmp/runtime; do usleep 50000; done
modprobe kmod_forms
dmesg | grep 'kmod_forms: WRONG' && failed=1
for mapping in ioremap ioremap_wc ioremap_wt ioremap_uc ioremap_cache ioremap_prot ioremap_encrypted \
	memremap_wb memremap_wt memremap_wc io_mapping pci_iomap pci_iomap_wc pci_iomap_range \
	pci_ioremap_bar pci_ioremap_wc_bar devm_ioremap devm_ioremap_uc devm_ioremap_wc \
	devm_ioremap_resource devm_memremap pcim_iomap; do
	forms=$(dmesg | sed -n "s/.*kmod_forms: $mapping: forms \([1-9][0-9]*\) wrong 0$/\1/p")
	if [ -n "$forms" ]; then
		echo "ok through $mapping: $forms forms and the kernel's copies do on a BAR what they do on memory"
	else
		echo "FAIL through $mapping: every form does on a BAR what the CPU does on memory"
		failed=1
	fi
done
kill "$runtime"
wait "$runtime"
cat /tmp/runtime
exit $failed

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: random requests; run-script.sh looks at the kernel's log.
modprobe pcilens || exit 2
timeout 200 kmod-fuzz "$@" || exit 1
sleep 1
rmmod pcilens || exit 1
echo "ok $* requests"

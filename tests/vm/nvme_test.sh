#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian's unmodified nvme.ko on our controller: resets and hotplug, a file system, fio, nvme-cli; then
# a runtime that is killed, and a guest that dies, under fio.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
#   PCILENS_SOAK     MiB that fio writes and verifies (4)
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"

here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
devices=(--device 'nvme,size=64M' --driver nvme --module ext4 --module crc32c_generic
  --file "$here/nvme-guest.sh:/root/nvme-guest.sh")
for program in lspci mkfs.ext4 e2fsck fio nvme; do
  devices+=(--program "$(PATH=$PATH:/sbin:/usr/sbin type -P "$program")")
done
in_guest() { cases "sh /root/nvme-guest.sh $1" "${2:-90}"; }

check "a guest boots with nvme.ko on the controller" start nvme --no-hold
((failures == 0)) || exit 1
in_guest pci
in_guest "disk ${PCILENS_SOAK:-4}" $((120 + ${PCILENS_SOAK:-4} * 10))
in_guest format
check "the kernel's log is clean" clean

# ---- a guest that dies at full rate --------------------------------------------------------------
load='fio --name=load --filename=/dev/nvme0n1 --ioengine=libaio --iodepth=16 --direct=1 --rw=randwrite
  --bs=4k --time_based --runtime=600 --size=16M'
panicked() {
  guest "(${load//$'\n'/} >/dev/null 2>&1 &) ; sleep 2; (sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 & true" || true
  for ((i = 0; i < 100; i++)); do
    console info || true
    has 'Kernel panic' && return
    sleep 0.2
  done
  return 1
}
check "a guest that panics under fio is said to have" panicked
stop
# What the guest had published lies in the spool without a hole, so it does in the trace. 15: a gap.
whole() {
  sqlite3 "$trace" "SELECT count(*), max(seq) - min(seq) + 1, sum(kind = 15) FROM event" >"$work/output"
  IFS='|' read -r rows span gaps <"$work/output"
  ((rows > 20000 && rows == span && gaps == 0))
}
check "the trace on the host holds every event, without a gap" whole
sed 's/^/# events, from first to last, gaps: /' "$work/output"
wrong() { "$pcilens" query "$trace" "$1" >"$work/output" 2>&1; }
unanswered() { wrong 'dma and not status SC' && not has '^ *[0-9]'; }
check "no DMA of a real driver went where nothing is mapped" unanswered
replayed() { "$pcilens" replay "$trace" >"$work/output" 2>&1; }
check "all of it replays on the host without a divergence" replayed
exit $((failures > 0))

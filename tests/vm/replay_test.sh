#!/bin/bash
# SPDX-License-Identifier: MIT
# pcilens replay --through kmod: recordings of real drivers, made again on the PCI bus of a guest.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"

replay() {
  # shellcheck disable=SC2086
  timeout 300 "$pcilens" replay "$@" --through kmod ${PCILENS_KERNEL:+--kernel $PCILENS_KERNEL} \
    >"$work/output" 2>&1 </dev/null
}
# on_bus COUNT: the last replay made at least so many accesses there.
on_bus() { (($(sed -n 's/^\([0-9]*\) of them made on the PCI bus.*/\1/p' "$work/output") >= $1)); }
# What sqlite3 says of the trace: accesses of the driver to a BAR that somebody claimed.
to_a_bar() {
  sqlite3 "$trace" 'SELECT count(*) FROM event WHERE kind IN (2, 3) AND origin = 0 AND answered_by != 4'
}

# ---- edu, held, changed and poked meanwhile -----------------------------------------------------
held_and_poked() {
  start edu || return 1
  console 'wait stop 60s' 'break write FACTORIAL' run 'wait stop 60s' 'edit 5' 'write LIVENESS 0x1234' \
    'read LIVENESS' 'force DMA_COUNT 7' 'delete all' run || return 1
  for ((i = 0; i < 40; i++)); do
    guest 'cat /sys/bus/pci/drivers/pcilens_edu/1*/dma' && has '^ok' && break
    sleep 0.5
  done
  stop
  has '^ok'
}
check "a driver is recorded that was held, while somebody edited, poked and forced" held_and_poked
same_as_recorded() {
  replay "$trace" --times "$1" && has "^0 divergences${2-}" && on_bus "$(($(to_a_bar) - 1))"
}
check "its accesses, made on the bus again, get the answers that were recorded, three times" \
  same_as_recorded 3 ' in 3 runs'
bent() {
  cp "$trace" "$work/bent.trace"
  # The last read of FACTORIAL (BAR0+8), as if the device had answered otherwise; and a config read
  # of the enumeration (the vendor's id) of another card.
  sqlite3 "$work/bent.trace" 'UPDATE event SET value = value + 1 WHERE seq =
    (SELECT max(seq) FROM event WHERE kind = 2 AND bar = 0 AND offset = 8 AND origin = 0)' \
    'UPDATE event SET value = 0x11112222 WHERE seq =
    (SELECT min(seq) FROM event WHERE kind = 0 AND offset = 0 AND size = 4)'
  replay "$work/bent.trace" --list 2
  (($? == 1)) && has '^2 divergences' && on_bus 40
}
check "what differs is found" bent
check "another answer is told by its register" has '#[0-9]+ .*FACTORIAL'
check "config of the enumeration is compared at the link, and its difference marked so" \
  has '#[0-9]+ .*  identity'

# ---- nvme.ko on two CPUs, beside a driver whose first access comes after it has MSI-X on ---------
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
traffic() {
  start nvme --no-hold --device nvme --driver nvme --driver "$here/kmod-bench" || return 1
  for ((i = 0; i < 60; i++)); do
    guest 'test -b /dev/nvme0n1' && break
    sleep 0.5
  done
  guest 'dd if=/dev/urandom of=/tmp/x bs=64k count=16 2>/dev/null
    for i in 1 2; do
      taskset $i dd if=/tmp/x of=/dev/nvme0n1 bs=64k seek=$((i * 100)) conv=fsync 2>/dev/null &
    done
    wait
    rmmod kmod_bench; modprobe kmod_bench what=interrupt count=20
    echo 3 >/proc/sys/vm/drop_caches
    for i in 1 2; do dd if=/dev/nvme0n1 bs=64k skip=$((i * 100)) count=16 2>/dev/null | cmp - /tmp/x || exit 1; done
    echo moved' 60
  local moved=$?
  # Another device in the place of edu's, in the middle of what its driver does: it answers nothing.
  console 'fault edu0:read LIVENESS => replug skip 10 times 1' || return 1
  guest 'rmmod kmod_bench; modprobe kmod_bench what=pair count=50; echo moved' || return 1
  stop
  ((moved == 0)) && has 'moved'
}
check "nvme.ko writes and reads on two CPUs, another driver takes interrupts" traffic
functions() { sqlite3 "$trace" 'SELECT count(DISTINCT function) FROM event WHERE kind = 6 AND origin = 1'; }
check "both functions have sent interrupts" test "$(functions)" = 2
replaced() { sqlite3 "$trace" 'SELECT count(*) FROM event WHERE kind = 14 AND offset = 8'; }
check "and one of them was replaced" test "$(replaced)" = 1
check "the recording replays on the bus without a divergence" same_as_recorded 1

exit $((failures > 0))

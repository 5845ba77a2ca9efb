#!/bin/bash
# SPDX-License-Identifier: MIT
# Drivers that are broken in the ways that drivers are: what pcilens vm says of them, and its exit
# code.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"
bad=$PWD/tests/vm/bad-driver
pcilens_vm=$PWD/vm

# vm OPTION ...: a guest with edu for a script; leaves $code behind.
vm() {
  code=0
  # shellcheck disable=SC2086
  timeout 300 "$pcilens" vm ${PCILENS_KERNEL:+--kernel $PCILENS_KERNEL} --device edu "$@" \
    >"$work/output" 2>&1 </dev/null || code=$?
  echo "exit code $code" >>"$work/output"
}
# broken HOW OPTION ...: the same with a driver that is broken so.
broken() {
  local how=$1
  shift
  vm --driver "$bad" --append "bad_driver.does=$how" "$@"
}

# ---- a driver that takes the kernel with it -----------------------------------------------------
dead='the guest is dead: Kernel panic - not syncing: this driver was told to panic'
# Four times: who hears first that the connection has ended and not why would say that.
panicked() {
  local i
  for ((i = 0; i < 4; i++)); do
    broken panic -e run -e 'wait end 20s' -e info
    ((code == 2)) && has "$dead" && ! has 'attach again' || return
  done
}
check "a driver's panic is said at once, and ends the script with exit code 2" panicked

# ---- one whose mistakes the kernel survives ------------------------------------------------------
oops='kernel: BUG: kernel NULL pointer dereference, .* in bad_probe\+0x[0-9a-f]+ \[bad_driver\]'
rm -f "$work/oops.trace"
broken oops --trace "$work/oops.trace" -e run -e 'wait end 2s'
check "an oops is told at once, with its place" has "$oops"
in_trace() {
  "$pcilens" check "$work/oops.trace" -e 'never finding kernel' -e 'must read ID' >"$work/output" 2>&1
  (($? == 1)) && has '^FAILED +never finding kernel' && has '^1 held, 1 failed'
}
check "and it is in the trace, for assertions" in_trace

# ---- one that leaves memory mapped ---------------------------------------------------------------
leaks() {
  start leak --no-hold --driver "$bad,does=leak" || return
  guest 'until [ -e /sys/bus/pci/drivers/bad_driver/1* ]; do sleep 0.1; done' || return
  console mappings && has '^0x[0-9a-f]+ +1024 +from the device +#[0-9]+ .* bad_(leak|probe)' || return
  guest 'rmmod bad_driver'
  stop
  "$pcilens" check "$trace" -e 'never finding dma-leak' \
    -e 'must dma_unmap with the same iova after each dma_map' >"$work/output" 2>&1
  (($? == 1)) && has '^0 held, 2 failed' && has 'mapped from the device.*bad_(leak|probe)'
}
check "what a driver has not unmapped when it lets go is a finding, with who mapped it" leaks

# ---- one that does not come to drive anything ------------------------------------------------------
# A module for a kernel with other options: refused by its version magic.
mkdir "$work/for-another"
built=$("$pcilens_vm/module.sh" "$("$pcilens_vm/kernel.sh" "${PCILENS_KERNEL-}")" "$bad" "$work/built")
LC_ALL=C sed '/vermagic=/s/ SMP / MMP /' "$built" >"$work/for-another/bad_driver.ko"
refused() {
  vm --driver "$work/for-another/bad_driver.ko" -e 'wait stop 100s'
  ((code == 1)) && has '^driver: bad_driver could not be loaded: modprobe: .*format' &&
    has "the kernel says: bad_driver: version magic '[^']* MMP [^']*' should be '[^']* SMP "
}
check "a module of another kernel is refused with modprobe's and the kernel's words, exit code 1" refused
unmatched() {
  vm --driver nvme -e 'wait bound 100s'
  ((code == 2)) && has '^driver: nvme is loaded and has bound to no function: .*1234:11e8, class 00ff00'
}
check "a driver that takes no function is said so, with the function's ids and class" unmatched
failing() {
  vm --driver "$bad,does=fail" -e 'wait bound 100s'
  ((code == 2)) && has 'the kernel says: .*probe.* failed with error -5'
}
check "a parameter behind --driver reaches the module, and a probe that fails is told" failing
works() {
  echo '[    1.0] Kernel panic - not syncing: of an earlier guest' >"$work/kernel.log"
  vm --driver "$bad" --log "$work/kernel.log" -e run -e 'wait bound 100s' -e info
  ((code == 0)) && not has 'earlier guest' && has '^bound: bad_driver 10000:00:00.0' && has '^driver +bad_driver 10000:00:00.0'
}
check "a script waits until its driver has bound, and info tells which has what" works

exit $((failures > 0))

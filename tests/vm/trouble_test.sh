#!/bin/bash
# SPDX-License-Identifier: MIT
# Drivers that are broken in the ways that drivers are: what pcilens vm says of them, and its exit
# code.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"
bad=$PWD/tests/vm/bad-driver

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

exit $((failures > 0))

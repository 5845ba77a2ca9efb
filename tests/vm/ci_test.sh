#!/bin/bash
# SPDX-License-Identifier: MIT
# The script of docs/ci.md works as it stands: a driver is tested without its hardware.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
source "$(dirname "${BASH_SOURCE[0]}")/../checks/common.sh"

root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
pcilens=$(realpath "${PCILENS:-build/release/bin/pcilens}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk '/^```/ { inside = $0 == "```sh" && !seen++; next } inside' "$root/docs/ci.md" >"$work/test.sh"
[[ -z ${PCILENS_KERNEL-} ]] || sed -i "s/^pcilens vm /&--kernel $PCILENS_KERNEL /" "$work/test.sh"
PATH=${pcilens%/*}:$PATH

# check "SENTENCE" COMMAND ...
check() {
  local name=$1
  shift
  if "$@"; then
    ok "$name"
  else
    sed 's/^/    /' "$work/output"
    not_ok "$name"
  fi
}
ends_with() {
  local wanted=$1 code=0
  (cd "$work" && rm -f results.xml && exec sh ./test.sh) >"$work/output" 2>&1 </dev/null || code=$?
  echo "exit code $code" >>"$work/output"
  ((code == wanted))
}
all_held() { ends_with 0 && grep -q '^7 held, 0 failed' "$work/output"; }
junit_has() { grep -q "<testsuites .*tests=\"7\" failures=\"$1\"" "$work/results.xml"; }
# A device that answers the first factorial with no interrupt: its driver gives up after 5 s.
loses_an_interrupt() {
  sed -i 's/^break .*/fault irq => drop times 1\nbreak write STATUS == 0/' "$work/test.sh"
  ends_with 1 && grep -q '^FAILED  every factorial ends in time' "$work/output"
}

check "the script of docs/ci.md holds for the driver of edu" all_held
check "its JUnit file has seven tests" junit_has 0
check "a lost interrupt fails the assertion about it, and the script" loses_an_interrupt
check "and the JUnit file tells the CI system" junit_has 1
# The driver's interrupt is lost for ever, and the script's wait runs out.
times_out() {
  sed -i 's/^wait stop 120s$/wait stop 2s/' "$work/test.sh"
  ends_with 1 && grep -q 'bring-up.pcilens:[0-9]*: wait: still running after 2' "$work/output"
}
check "a driver that hangs makes the script's wait run out, and the script fails" times_out
check "and the JUnit file is there all the same" grep -q '<testsuites .*tests="7" failures="[1-9]' "$work/results.xml"
exit $((failures > 0))

#!/bin/bash
# SPDX-License-Identifier: MIT
# Accesses that cannot wait: an interrupt handler that reads the device, on two CPUs, at full speed
# and under a stop; and what a second costs.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
#   PCILENS_COUNT    interrupts (300)
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"

count=${PCILENS_COUNT:-300}
driver=$(realpath "$(dirname "${BASH_SOURCE[0]}")")/kmod-bench
check "a guest boots with a driver that does nothing yet" start stress --no-hold --driver "$driver"
((failures == 0)) || exit 1

# bench SECONDS PARAMETER ...: the driver does what its parameters say; its last line is kept.
bench() {
  local limit=$1
  shift
  guest "rmmod kmod_bench 2>/dev/null; modprobe kmod_bench $* && dmesg | grep kmod_bench: | tail -n 1" "$limit"
}
check "$count interrupts, each handler reads the device, a thread reads it too" \
  bench 300 what=interrupt count="$count"
sed -n 's/.*kmod_bench: /# /p' "$work/output"
check "none is lost" has "interrupts $count lost 0"
check "no handler got a wrong answer" has 'wrong 0, '
check "nor did the thread" has 'wrong 0.?$'
# For a person: what a second carries, all recorded. Say a larger PCILENS_RATE for figures to keep.
for what in trap write read; do
  bench 60 what=$what count="${PCILENS_RATE:-2000}" || true
  sed -n 's/.*kmod_bench: /# /p' "$work/output"
done
check "every write is seen by the read after it" bench 120 what=pair count=300
guest 'dmesg | grep kmod_bench:' || true
check "none reads an old value" has 'stale 0'
check "the kernel's log is clean" clean

# ---- a read that cannot wait meets a stop --------------------------------------------------------
console 'break read LIVENESS' || true
guest 'rmmod kmod_bench; (modprobe kmod_bench what=past >/dev/null 2>&1 &)' || true
console 'wait stop 30s' || true
check "a thread is held at its read" has 'read of LIVENESS held'
passed() {
  for ((i = 0; i < 20; i++)); do
    guest 'dmesg | grep kmod_bench: | tail -n 1' && has 'past the stop' && break
    sleep 0.5
  done
  has 'past the stop 0xffffedcb after [6-9][0-9][0-9] ms'
}
check "an atomic read is answered by the device meanwhile, before the kernel's cap" passed
console 'expect stopped' || true
check "the first one is held still" has 'read of LIVENESS held'
console 'delete all' run 'wait 1s' || true
released() { guest 'dmesg | grep kmod_bench: | tail -n 1; rmmod kmod_bench' && has 'the held read got 0x'; }
check "and goes on when it is let go" released
check "the kernel's log is clean" clean
stop
marked() { "$pcilens" query "$trace" 'answered_by passed_stop' >"$work/output" 2>&1; has 'write.*LIVENESS' && has 'read.*LIVENESS'; }
check "the trace marks what passed the stop, and the write before it" marked
replayed() { "$pcilens" replay "$trace" >"$work/output" 2>&1; }
check "all of it replays without a divergence" replayed
exit $((failures > 0))

#!/bin/bash
# SPDX-License-Identifier: MIT
# A real Linux driver, held, changed, watched and left alone: pcilens vm with edu.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
#   PCILENS_HOLD     seconds that the driver is held in probe (10)
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"

hold=${PCILENS_HOLD:-10}
at_read_of_id() { has 'read of ID held' && has 'first access'; }

# ---- held in probe -----------------------------------------------------------------------------
check "a guest boots with the driver held at its first access" start edu
((failures == 0)) || exit 1
console 'wait stop 60s' 'expect stopped' where || true
cp "$work/output" "$work/stop"
check "it is the driver's read of ID" at_read_of_id
check "the stack reaches the driver's probe" has 'edu_probe'
check "the accessing instruction is shown" has 'mov '
check "and the lock that the held driver keeps from others" has "holds the device's lock \\(really_probe\\)"
check "a shell in the guest answers meanwhile" guest 'ls /sys/bus/pci/devices'
check "the function is on the kernel's bus" has '^1[0-9a-f]{4}:'
# shellcheck disable=SC2016 # the guest expands it
dropped() {
  guest 'for s in /proc/[0-9]*/status; do grep -q "^Name:.pcilens" $s && tr "\n\t" "  " <$s && echo; done' || true
  has 'Uid: 1000 1000 1000 1000 Gid: 1000 1000 1000 1000 .*CapPrm: 0+ CapEff: 0+ .*NoNewPrivs: 1 '
}
check "the runtime has given up root, for good" dropped

console 'break write FACTORIAL' run 'wait stop 60s' 'expect stopped' registers || true
check "a breakpoint holds the driver at a register write" has 'write of FACTORIAL held'
since=$SECONDS
busy() {
  while ((SECONDS - since < hold)); do
    guest 'dd if=/dev/zero of=/tmp/x bs=1M count=4 2>/dev/null && sync && ls /proc | head -n 3' || return 1
    sleep 5
  done
}
check "the rest of the guest lives while the driver is held for $hold s" busy
check "the kernel's log is clean after that" clean
console where || true
in_its_source() {
  local place
  place=$(grep -oE 'pcilens_edu\.c:[0-9]+' "$work/output" | head -n 1)
  sed -n "${place##*:}p" "$PCILENS_SOURCE/devices/edu/linux/pcilens_edu.c" | grep -q FACTORIAL
}
check "the stack names the line of the driver's source that writes it" in_its_source
check "the stop says how long it lasts, and that timeouts run on" has 'held for [1-9][0-9]* s; the kernel'
console 'expect stopped' 'edit 5' run 'wait 3s' || console 'info' || true
probed() {
  for ((i = 0; i < 20; i++)); do
    guest 'cat /sys/bus/pci/drivers/pcilens_edu/1*/factorial' && has '^120' && return
    sleep 0.5
  done
  return 1
}
check "the driver works with the value that was changed in flight" probed

# ---- answers, and the trace on the host ---------------------------------------------------------
console 'delete all' || true
guest 'cd /sys/bus/pci/drivers/pcilens_edu/1*/ && echo 6 >factorial && cat factorial' || true
check "reads are answered by the device" has '^720'
console 'transactions write FACTORIAL last 5' || true
check "the trace on the host shows it" has 'FACTORIAL +0x00000006'
moved() { guest 'cat /sys/bus/pci/drivers/pcilens_edu/1*/dma' && has '^ok'; }
check "DMA moves bytes there and back" moved
found_nothing() {
  sqlite3 "$trace" 'SELECT text FROM finding' >"$work/output"
  ! [[ -s $work/output ]]
}
check "and nothing was found wrong" found_nothing
check "the kernel's log is clean" clean

# ---- a runtime that dies ------------------------------------------------------------------------
console 'break read FACTORIAL' || true
guest 'cd /sys/bus/pci/drivers/pcilens_edu/1*/ && ( (echo 7 >factorial; cat factorial; echo $? >/tmp/written) >/dev/null 2>&1 & )' || true
console 'wait stop 30s' || true
check "a driver is held in a read again" has 'read of FACTORIAL held'
killed() { guest 'kill -9 $(pidof pcilens); sleep 2; ls /sys/bus/pci/devices' && not has '^1[0-9a-f]{4}:'; }
check "kill -9 of the runtime removes its function from the bus" killed
check "nothing hangs: the driver's call came back" guest 'test -e /tmp/written'
told() {
  for ((i = 0; i < 20; i++)); do
    console info || true
    has "the guest's runtime was killed by signal 9" && return
    sleep 0.2
  done
  return 1
}
check "the host says that the runtime is gone" told
check "the kernel's log is clean after that" clean
stop
check "nothing of the guest is left" not pgrep -f "$session"
transactions() { "$pcilens" query "$trace" 'mem_write' >"$work/output" 2>&1; has FACTORIAL; }
check "the trace that the host kept can be queried" transactions

# ---- replay -------------------------------------------------------------------------------------
replayed() {
  start replay --no-hold || return 1
  for ((i = 0; i < 60; i++)); do
    guest 'cat /sys/bus/pci/drivers/pcilens_edu/1*/dma' && has '^ok' && break
    sleep 0.5
  done
  stop
  for ((i = 0; i < 20; i++)); do
    "$pcilens" replay "$trace" >"$work/output" 2>&1 || return
  done
}
check "a recording of the VM replays on the host twenty times without a divergence" replayed

# ---- a guest that dies --------------------------------------------------------------------------
panicked() {
  start panic || return 1
  console 'wait stop 60s' || return 1
  guest 'echo c >/proc/sysrq-trigger' || true
  for ((i = 0; i < 50; i++)); do
    console info || true
    has 'Kernel panic' && break
    sleep 0.2
  done
  console 'transactions last 5' info
  has 'Kernel panic' && has "$trace"
}
check "a panic is said in one sentence, and the trace is kept" panicked
stop
first_read() { "$pcilens" query "$trace" mem_read >"$work/output" 2>&1; has 'read +ID'; }
check "the trace of a dead guest can be queried" first_read

exit $((failures > 0))

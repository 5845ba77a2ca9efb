#!/bin/bash
# SPDX-License-Identifier: MIT
# A real Linux driver, held, changed, watched and left alone: pcilens vm with edu.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
#   PCILENS_HOLD     seconds that the driver is held in probe (65)
# shellcheck disable=SC2317 # check calls the functions
source "$(dirname "${BASH_SOURCE[0]}")/../checks/common.sh"

pcilens=${PCILENS:-build/release/bin/pcilens}
hold=${PCILENS_HOLD:-65}
work=$(mktemp -d)
export XDG_RUNTIME_DIR=$work
machine=''
end() {
  [[ -z $machine ]] || kill "$machine" 2>/dev/null || true
  [[ -z $machine ]] || wait "$machine" 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT

# check "SENTENCE" COMMAND ...: what the last commands said is shown where it fails.
check() {
  local name=$1
  shift
  if "$@"; then
    ok "$name"
  else
    sed 's/^/    /' "$work/output" 2>/dev/null | tail -n 30
    not_ok "$name"
  fi
}
has() { grep -qE -- "$1" "$work/output"; }
not() { ! "$@"; }

# start NAME [OPTION ...]: boots; the session is at $work/NAME, its trace in $work/NAME.trace.
start() {
  session=$work/$1.sock trace=$work/$1.trace log=$work/$1.log
  shell_socket=$work/$1.shell
  shift
  # shellcheck disable=SC2086
  "$pcilens" vm ${PCILENS_KERNEL:+--kernel $PCILENS_KERNEL} --device edu --serve "$session" \
    --shell "$shell_socket" --trace "$trace" --log "$log" "$@" >"$work/vm" 2>&1 </dev/null &
  machine=$!
  for ((i = 0; i < 1200; i++)); do
    [[ ! -S $session ]] || return 0
    kill -0 "$machine" 2>/dev/null || break
    sleep 0.1
  done
  cp "$work/vm" "$work/output"
  cat "$log" >>"$work/output" 2>/dev/null || true
  return 1
}
stop() {
  kill "$machine" 2>/dev/null || true
  wait "$machine" 2>/dev/null || true
  machine=''
}

# console COMMAND ...: each is a line of the console.
console() {
  local arguments=() command
  for command in "$@"; do arguments+=(-e "$command"); done
  timeout 60 "$pcilens" attach "$session" "${arguments[@]}" >"$work/output" 2>&1
}

# guest COMMAND: runs it in the guest's shell; fails as the command does, or with no answer in 10 s.
guest() {
  timeout 30 python3 - "$shell_socket" "$1" >"$work/output" 2>&1 <<'PYTHON'
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
# The shell ends with each connection and starts again a second later; until it shows its prompt,
# what is sent is lost.
text, until = b"", time.monotonic() + 10
s.settimeout(0.5)
while b"# " not in text:
    if time.monotonic() > until:
        sys.exit("the guest's shell does not answer")
    s.sendall(b"\n")
    try:
        text += s.recv(65536)
    except TimeoutError:
        pass
s.settimeout(10)
s.sendall(("echo begin''ning; " + sys.argv[2] + "; echo end''ing $?.\n").encode())
text = ""
while "ending " not in text or not text.partition("ending ")[2].count("."):
    text += s.recv(65536).decode(errors="replace").replace("\r", "")
body, _, code = text.partition("beginning\n")[2].rpartition("ending ")
print(body)
sys.exit(int(code.partition(".")[0]))
PYTHON
}
complaints='BUG|WARNING|Oops|blocked for more|stall|lockup|Call Trace|general protection'
clean() { guest dmesg && not has "$complaints"; }
at_read_of_id() { has 'read of ID held' && has 'first access'; }

# ---- held in probe -----------------------------------------------------------------------------
check "a guest boots with the driver held at its first access" start edu || exit 1
console 'wait stop 60s' 'expect stopped' where || true
cp "$work/output" "$work/stop"
check "it is the driver's read of ID" at_read_of_id
check "the stack reaches the driver's probe" has 'edu_probe'
check "the accessing instruction is shown" has 'mov '
check "a shell in the guest answers meanwhile" guest 'ls /sys/bus/pci/devices'
check "the function is on the kernel's bus" has '^1[0-9a-f]{4}:'

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
check "the kernel's log is clean" clean

# ---- a runtime that dies ------------------------------------------------------------------------
console 'break read FACTORIAL' || true
guest 'cd /sys/bus/pci/drivers/pcilens_edu/1*/ && ( (echo 7 >factorial; cat factorial; echo $? >/tmp/written) >/dev/null 2>&1 & )' || true
console 'wait stop 30s' || true
check "a driver is held in a read again" has 'read of FACTORIAL held'
killed() { guest 'kill -9 $(pidof pcilens); sleep 2; ls /sys/bus/pci/devices' && not has '^1[0-9a-f]{4}:'; }
check "kill -9 of the runtime removes its function from the bus" killed
check "nothing hangs: the driver's call came back" guest 'test -e /tmp/written'
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
  "$pcilens" replay "$trace" >"$work/output" 2>&1
}
check "a recording of the VM replays on the host without a divergence" replayed

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

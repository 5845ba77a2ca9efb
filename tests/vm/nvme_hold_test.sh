#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian's nvme.ko held: in its probe at CC.EN, where it may sleep, and at a doorbell, which it writes
# under a spinlock. Where it stands is what /proc/kallsyms and objdump say.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
#   PCILENS_HOLD     seconds that the driver is held in its probe (65)
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"

here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
hold=${PCILENS_HOLD:-65}
devices=(--device 'nvme,size=16M' --driver nvme --file "$here/nvme-guest.sh:/root/nvme-guest.sh")
check "a guest boots with nvme.ko held at its first access" start hold
((failures == 0)) || exit 1

# ---- a value changed in flight -------------------------------------------------------------------
# MQES, bits 15:0 of CAP: 31 for 2047, so that no queue has more than 32 entries.
console 'wait stop 20s' || true
console 'break read CAP after once' run 'wait stop 20s' || true
check "the driver is held in its read of CAP" has 'read of CAP.* held'
console 'edit 0x0f01001f' || true

# ---- held where it may sleep ---------------------------------------------------------------------
console 'break CC.EN 0->1' run 'wait stop 60s' || true
check "the driver is held where it switches the controller on" has 'write of CC held'
console where || true
cp "$work/output" "$work/where"
sed 's/^/# /' "$work/where" | head -n 20
alive() {
  local since=$SECONDS
  while ((SECONDS - since < hold)); do
    guest 'cat /proc/loadavg && ls /sys/bus/pci/devices' || return 1
    sleep 2
  done
  console 'expect stopped'
}
check "it is held for $hold s, and the guest lives" alive
check "the kernel's log is clean" clean

# The instruction and the stack as the trace has them.
frames() {
  sqlite3 -separator ' ' "$trace" "SELECT site.symbol, site.displacement, site.module, hex(site.code)
    FROM event e JOIN stack USING (seq), json_each(stack.sites) frame JOIN site ON site.id = frame.value
    WHERE e.seq = (SELECT max(seq) FROM event WHERE kind = 3 AND offset = 0x14) ORDER BY frame.key"
}
frames >"$work/frames"
read -r symbol displacement module code <"$work/frames" || true
module_file() {
  local found
  found=$(find -L "$("$here/../../vm/kernel.sh" "${PCILENS_KERNEL:-default}")/modules" -name 'nvme.ko*' | head -n 1)
  case $found in
    *.xz) xz -dc "$found" >"$work/nvme.ko" ;;
    *) cp "$found" "$work/nvme.ko" ;;
  esac
}
# objdump's line at that place of that function, whose section begins at 0.
instruction() {
  local start
  module_file || return 1
  start=$(nm "$work/nvme.ko" | sed -n "s/^0*\([0-9a-f]*\) [tT] $symbol\$/\1/p" | head -n 1)
  objdump -d -M intel -j .text "$work/nvme.ko" |
    sed -n "s/^ *$(printf %x $((0x${start:-0} + displacement))):\t//p" | head -n 1
}
IFS=$'\t' read -r bytes line < <(instruction) || true
bytes=$(tr -d ' ' <<<"$bytes" | tr '[:lower:]' '[:upper:]')
echo "# objdump: $symbol+$displacement [$module]: $bytes $line; as it ran: $code" | tee "$work/output"
check "objdump has a write of 4 bytes there" grep -qE 'mov +DWORD PTR \[r.*\],e' <<<"$line"
same_bytes() { [[ -n $bytes && $code == "$bytes"* ]]; }
check "and its bytes are those that the kernel ran" same_bytes
# Letters and blanks may differ.
plain() { tr -d ' \t' | tr '[:upper:]' '[:lower:]'; }
same_text() { plain <"$work/where" | grep -qF "$(plain <<<"${line%% #*}")"; }
cp "$work/where" "$work/output"
check "the disassembly shown is objdump's" same_text
in_kallsyms() {
  local name from count=0
  guest 'cat /proc/kallsyms' 60 || return 1
  cp "$work/output" "$work/kallsyms"
  while read -r name _ from _; do
    # A module's symbols have its name behind them, the kernel's have none.
    case $from in
      '' | kernel) from='' ;;
      *) from="[[:space:]]\[$from\]" ;;
    esac
    grep -qE "^[0-9a-f]+ . $name$from\$" "$work/kallsyms" || {
      echo "$name $from is not in kallsyms" >"$work/output"
      return 1
    }
    count=$((count + 1))
  done <"$work/frames"
  ((count >= 4))
}
check "each frame of the stack is a symbol of /proc/kallsyms" in_kallsyms
check "the stack goes from the driver's code to the worker that runs it" grep -qE 'kthread|ret_from_fork|async_run|local_pci_probe|process_one_work' "$work/frames"
console 'delete all' run || true
check "the driver goes on and brings the controller up" guest 'sh /root/nvme-guest.sh live' 30
check "with the queues that the changed CAP allows" guest '[ "$(cat /sys/class/nvme/nvme0/sqsize)" = 31 ]'

# ---- a doorbell, under a spinlock ----------------------------------------------------------------
write_one() {
  guest "rm -f /tmp/written; (dd if=/dev/urandom of=/tmp/block bs=4k count=1 2>/dev/null; dd if=/tmp/block of=/dev/nvme0n1 bs=4k oflag=direct 2>/dev/null; touch /tmp/written) >/dev/null 2>&1 & true" || true
  console 'wait stop 20s' || true
}
written() {
  guest 'for i in $(seq 100); do [ -e /tmp/written ] && break; usleep 100000; done
    dd if=/dev/nvme0n1 bs=4k count=1 iflag=direct 2>/dev/null | cmp - /tmp/block' 30
}
console 'break write SQ[1..64].TDBL once' || true
write_one
check "a breakpoint stops at a doorbell" has 'write of SQ.*TDBL.* held'
console where || true
check "in the driver's submission, under its lock" has 'nvme_(queue_rq|submit|write_sq_db|sq_copy|commit)'
sleep 2
paused() { console info && has paused && ! has 'write of SQ.*held'; }
check "the write has passed after a bounded hold, and the link is paused" paused
check "the kernel's log is clean" clean
console run || true
check "the block is written when the link runs" written

console 'break write SQ[1..64].TDBL once posted' || true
write_one
check "with \"posted\" it stops there and the driver goes on" has 'posted: the driver has gone on'
sleep 3
still() { console 'expect stopped' info && guest 'cat /proc/loadavg'; }
check "for as long as one likes, beyond what a spinlock allows" still
check "nothing is written meanwhile" guest '[ ! -e /tmp/written ]'
console run || true
check "the block is written when it is let go" written
check "the kernel's log is clean" clean
stop
passed() {
  sqlite3 "$trace" "SELECT text FROM note WHERE text LIKE '%passes the stop%'" >"$work/output"
  (($(wc -l <"$work/output") == 1))
}
check "the trace says which one had to pass, and why" passed
replayed() { "$pcilens" replay "$trace" >"$work/output" 2>&1; }
check "all of it replays without a divergence" replayed
exit $((failures > 0))

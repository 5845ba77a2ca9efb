#!/bin/bash
# SPDX-License-Identifier: MIT
# Order and exactness at full speed: writes and reads in turn, registers that a read clears, posted
# writes against a runtime that stands still now and then; and DMA where the driver allows none.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
#   PCILENS_SOAK     set: 100,000 pairs and 1,000,000 posted writes, in place of 2,000 and 60,000
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"

here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
root=$(realpath "$here/../..")
pairs=2000 posted=60000
[[ -z ${PCILENS_SOAK-} ]] || pairs=100000 posted=1000000

made() {
  ${CXX:-c++} -std=c++20 -O1 -fPIC -shared -fvisibility=hidden -fvisibility-inlines-hidden -fno-gnu-unique \
    -I"$root" -o "$work/counter.so" "$here/counter.cpp" \
    "${PCILENS_BUILD:-$root/build/release}/core/libpcilens_device.a" >"$work/output" 2>&1
}
check "the counter device builds" made
devices=(--device edu --device "$work/counter.so" --driver "$here/kmod-bench"
  --driver "$root/devices/edu/linux")
check "a guest boots" start rates --no-hold
((failures == 0)) || exit 1

# bench SECONDS PARAMETER ...: the driver does what its parameters say; its last lines are kept.
bench() {
  local limit=$1
  shift
  guest "rmmod kmod_bench 2>/dev/null; dmesg -c >/dev/null; modprobe kmod_bench $* && dmesg | grep kmod_bench:" "$limit"
}
check "$pairs writes, each with a read after it" bench 600 what=pair count=$pairs
sed -n "s/.*kmod_bench: /# /p" "$work/output" | tail -n 1
check "none reads an old value" has 'stale 0$'
# Meanwhile edu's own driver makes its device work: both functions have accesses at a time.
counted() {
  guest "rmmod kmod_bench 2>/dev/null; dmesg -c >/dev/null
    (while [ ! -e /tmp/counted ]; do cat /sys/bus/pci/drivers/pcilens_edu/1*/dma; done >/dev/null) &
    modprobe kmod_bench what=counter count=$pairs; touch /tmp/counted; wait; dmesg | grep kmod_bench:" 600
}
check "a register that a read clears, from two threads, beside another function" counted
sed -n "s/.*kmod_bench: /# /p" "$work/output" | tail -n 1
check "each count is given out once" has ': right'

check "an instruction that is not emulated" bench 20 what=refused
check "is passed over, and the driver goes on" has 'refused, and the driver goes on: right'

# ---- posted writes, and a reader that stands still ------------------------------------------------
slow='(while [ ! -e /tmp/written ]; do kill -STOP $(pidof pcilens); usleep 300000
  kill -CONT $(pidof pcilens); usleep 200000; done) & '
posted() {
  guest "rm -f /tmp/written; rmmod kmod_bench; dmesg -c >/dev/null; $slow
    modprobe kmod_bench what=write count=$posted; touch /tmp/written; wait; dmesg | grep kmod_bench:" 600
}
check "$posted posted writes at full speed, the runtime stopped for 300 ms again and again" posted
sed -n "s/.*kmod_bench: /# /p" "$work/output" | tail -n 1
check "the kernel's log is clean" clean

# ---- DMA where the driver allows none -------------------------------------------------------------
# The driver waits 5 s for an interrupt that is lost, with a mapping in each direction.
console 'fault edu0:irq => drop times 1' || true
guest 'rmmod kmod_bench; (cat /sys/bus/pci/drivers/pcilens_edu/1*/dma >/tmp/dma 2>&1; echo $? >/tmp/ended) &
  sleep 1' || true
# kind 7: a mapping
mapped() { sqlite3 "$trace" 'SELECT offset FROM event WHERE kind = 7 ORDER BY seq' >"$work/output" && (($(wc -l <"$work/output") >= 4)); }
check "the driver has mapped a buffer for each direction" mapped
mapfile -t iovas < <(tail -n 2 "$work/output")
out=${iovas[0]:-0} in=${iovas[1]:-0}
# copy FROM TO COMMAND: by hand; 1 copies memory to the device, 3 the device's buffer to memory.
copy() { console "write edu0:DMA_SRC $1" "write edu0:DMA_DST $2" 'write edu0:DMA_COUNT 64' "write edu0:DMA_CMD $3" 'wait stop 300ms' || true; }
buffer=0x40000
copy "$in" $buffer 1
copy $buffer "$out" 3
copy 0x5000 $buffer 1
copy 0x1100000 $buffer 1
copy $buffer 0xfffffc0 3
copy "$((out + 256 - 32))" $buffer 1
guest 'for i in $(seq 80); do [ -e /tmp/ended ] && break; usleep 100000; done; cat /tmp/dma /tmp/ended' 20 || true
copy "$out" $buffer 1
check "the kernel's log is clean" clean
stop
# found STATUS KIND PATTERN: a DMA of that kind (4 read, 5 write) with that status has such a finding.
found() {
  sqlite3 "$trace" "SELECT printf('IOVA 0x%x: ', e.offset) || f.text FROM finding f JOIN event e USING (seq)
    WHERE f.rule = 'dma' AND e.kind = $2 AND e.status = $1" >"$work/output"
  has "$3"
}
check "a read of what is mapped from the device is aborted" found 4 4 'against the direction of .*mapped from the device at #[0-9]+ by edu_dma\)'
check "a write of what is mapped to the device too" found 4 5 'against the direction of .*mapped to the device at #'
check "below, above and beside the pool nothing answers" found 1 4 'IOVA 0x5000: nothing is mapped there'
check "nor behind it" found 1 4 'IOVA 0x1100000: nothing is mapped there'
check "nor at the end of what the device can reach" found 1 5 'IOVA 0xfffffc0: nothing is mapped there'
check "nor past the end of a mapping" found 1 4 'not all of it lies in'
check "nor where something was mapped" found 1 4 'unmapped at #[0-9]+; it was .* by edu_dma\)'

refused() {
  sqlite3 "$trace" "SELECT text FROM finding WHERE rule = 'refused-instruction'" >"$work/output"
  (($(wc -l <"$work/output") == 1)) && has '^BAR0\+0x200: an instruction that is not emulated touched it: c12303; it was passed over'
}
check "the instruction that was passed over is a finding" refused

# Each mapping has the driver's stack: a name of the driver's own in it, and under it the system call's.
stacked() {
  sqlite3 "$trace" "SELECT group_concat(site.symbol, ' < ') FROM event e JOIN stack USING (seq), json_each(stack.sites) frame
    JOIN site ON site.id = frame.value WHERE e.kind = 7 GROUP BY e.seq" >"$work/output"
  (($(grep -cE '(^| < )edu_dma < (edu_probe|dma_show)' "$work/output") == $(sqlite3 "$trace" 'SELECT count(*) FROM event WHERE kind = 7')))
}
check "each mapping has the driver's call stack" stacked

# ---- what the trace has ---------------------------------------------------------------------------
in_order() {
  sqlite3 "$trace" "SELECT count(*), min(value), max(value), sum(value <= before)
    FROM (SELECT value, lag(value, 1, -1) OVER (ORDER BY seq) AS before
          FROM event WHERE kind = 3 AND function = 0 AND offset = 0x200)" >"$work/output"
  grep -qx "$posted|0|$((posted - 1))|0" "$work/output"
}
check "all $posted posted writes are in the trace, in their order" in_order
# The kernel's times count up in its order. 0 to 3: config and memory accesses.
one_order() {
  sqlite3 "$trace" "SELECT count(DISTINCT function), sum(t_ns < before)
    FROM (SELECT function, t_ns, lag(t_ns, 1, 0) OVER (ORDER BY seq) AS before
          FROM event WHERE kind <= 3 AND origin = 0)" >"$work/output"
  grep -qx '2|0' "$work/output"
}
check "the accesses of both functions are in the one order in which they were made" one_order
exit $((failures > 0))

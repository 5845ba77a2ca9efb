#!/bin/bash
# SPDX-License-Identifier: MIT
# Stops at random places, while fio works on nvme.ko's disk at depth 16 and the handler of a test
# driver's interrupt reads its device: nobody may see a wrong byte.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
#   PCILENS_STOPS    how many (12)
#   PCILENS_SOAK     set: holds of 0.1 to 30 s, two in three below 1 s, one in twelve above 10 s, in
#                    place of 1 s at most; ./test soak has 1,000 of them: an hour
#   PCILENS_SEED     of the dice (1)
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"

here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
stops=${PCILENS_STOPS:-12}
RANDOM=${PCILENS_SEED:-1}
longest=10 # tenths of a second
[[ -z ${PCILENS_SOAK-} ]] || longest=300

devices=(--device 'nvme,size=16M' --device edu --driver nvme --driver "$here/kmod-bench"
  --file "$here/nvme-guest.sh:/root/nvme-guest.sh" --program "$(type -P fio)")
check "a guest boots with nvme.ko and a driver that reads in its interrupt handler" start torture --no-hold
((failures == 0)) || exit 1
check "nvme.ko is there" guest 'sh /root/nvme-guest.sh live' 30

fio='fio --name=t --filename=/dev/nvme0n1 --ioengine=libaio --iodepth=16 --direct=1 --rw=randrw --bs=4k
  --size=4M --verify=crc32c --verify_fatal=1'
guest "rmmod kmod_bench; dmesg -C
  (while [ ! -e /tmp/enough ]; do ${fio//$'\n'/} >/tmp/fio 2>&1 || { mv /tmp/fio /tmp/bad; break; }; echo >>/tmp/rounds; done;
   touch /tmp/fio-ended) >/dev/null 2>&1 &
  (modprobe kmod_bench what=torture seconds=1000000; touch /tmp/bench-ended) >/dev/null 2>&1 & true" || true

places=('nvme0:write SQ[1..64].TDBL' 'nvme0:write CQ[1..64].HDBL' 'nvme0:dma_read' 'nvme0:dma_write' 'nvme0:irq'
  'edu0:read IRQ_STATUS' 'edu0:write IRQ_ACK' 'edu0:read ID' 'edu0:write IRQ_RAISE' 'edu0:irq' 'edu0:write BAR0+0x200')
pokes=('read edu0:ID' 'read nvme0:CSTS' 'write edu0:LIVENESS 0x1234' 'read nvme0:CAP' 'read edu0:LIVENESS')
reached=0
for ((n = 0; n < stops; n++)); do
  place=${places[RANDOM % ${#places[@]}]} poke=${pokes[RANDOM % ${#pokes[@]}]}
  after=''
  ((RANDOM % 2)) && after=after
  came=yes
  if console "break $place $after once" 'wait stop 20s' 'expect stopped'; then
    reached=$((reached + 1))
  else
    came=''
    sed 's/^/#   /' "$work/output"
    echo "# no stop at $place $after"
  fi
  tenths=$(awk -v dice="$RANDOM" -v longest="$longest" 'BEGIN { print int(longest ^ ((dice / 32767) ^ 2.5)) }')
  sleep "$((tenths / 10)).$((tenths % 10))"
  # The value that the driver sent, once more: an edit that must change nothing.
  if [[ $place == *'read ID' && -n $after && -n $came ]]; then console 'edit 0x010000ed' || true; fi
  console "$poke" || true
  console 'delete all' run || true
  sleep "0.$((RANDOM % 5))"
  ((n % 100 != 99)) || echo "# $reached of $((n + 1)) stops came, after $SECONDS s"
done
((reached * 2 >= stops)) && ok "$reached of $stops random stops came" || not_ok "$reached of $stops random stops came"
console 'delete all' run || true
ended() { guest 'touch /tmp/enough; echo 0 >/sys/module/kmod_bench/parameters/seconds; for i in $(seq 1200); do [ -e /tmp/bench-ended ] && [ -e /tmp/fio-ended ] && break
  usleep 100000; done; [ -e /tmp/bench-ended ] && [ -e /tmp/fio-ended ]' 150; }
check "fio and the test driver come to their ends" ended
intact() { guest 'wc -l /tmp/rounds; [ ! -e /tmp/bad ] || { tail /tmp/bad; false; }'; }
check "all that fio read was what it had written" intact
sed 's/^/# rounds of fio: /' "$work/output" | head -n 1
guest 'dmesg | grep kmod_bench:' || true
sed -n 's/.*kmod_bench: /# /p' "$work/output"
check "no interrupt is lost" has 'lost 0'
check "no handler and no thread read a wrong value" has 'wrong 0, .*wrong 0$'
counted=$(sed -n 's/.*CPU \([0-9]*\) counted to \([0-9]*\).*/\1 \2/p' "$work/output")
check "the kernel's log is clean" clean
resets() { guest 'dmesg | grep -E "nvme.*(timeout|reset)"'; }
if ((longest <= 100)); then check "the driver had to reset nothing" not resets; fi
stop
# Each CPU's count is in the trace, from 1 on, one by one. 3: a memory write.
in_order() {
  sqlite3 "$trace" "SELECT value >> 24, count(*), max(value & 0xffffff), sum((value & 0xffffff) <= before)
    FROM (SELECT value, lag(value & 0xffffff, 1, 0) OVER (PARTITION BY value >> 24 ORDER BY seq) AS before
          FROM event WHERE kind = 3 AND bar = 0 AND offset = 0x200)
    GROUP BY value >> 24" >"$work/output"
  local cpu to
  while read -r cpu to; do grep -qx "$cpu|$to|$to|0" "$work/output" || return 1; done <<<"$counted"
}
check "the trace has each CPU's writes, none lost and none out of order" in_order
sqlite3 -separator ' ' "$trace" 'SELECT rule, count(*) FROM finding GROUP BY rule' | sed 's/^/# findings: /'
replayed() { "$pcilens" replay "$trace" >"$work/output" 2>&1; }
check "all of it replays without a divergence" replayed
exit $((failures > 0))

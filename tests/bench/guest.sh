#!/bin/bash
# SPDX-License-Identifier: MIT
# What real drivers' accesses cost in a guest, the runtime being pcilens in that guest:
#
#   PCILENS=build/release/bin/pcilens tests/bench/guest.sh [ROUNDS]
#
# prints a table in Markdown: medians of ROUNDS (5), the lowest and the highest beside, and each figure
# beside a floor or a peer of the same run: the empty trap, no breakpoint, QEMU's own NVMe controller
# in the same guest under the same fio.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
#   PCILENS_COUNT    accesses in each round (50000)
# shellcheck disable=SC2154 # session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/../vm/session.sh"
set +e

rounds=${1:-5} count=${PCILENS_COUNT:-50000}
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")

# QEMU with its own controller as well.
mkdir "$work/bin"
truncate -s 64M "$work/peer"
cat >"$work/bin/qemu-system-x86_64" <<WRAPPER
#!/bin/bash
exec $(type -P qemu-system-x86_64) "\$@" -drive if=none,id=peer,file=$work/peer,format=raw,cache=unsafe \
  -device nvme,drive=peer,serial=peer
WRAPPER
chmod +x "$work/bin/qemu-system-x86_64"
export PATH=$work/bin:$PATH

declare -A seen # by name: the figures of all rounds
add() { seen[$1]+=" $2"; }

# rate NAME MASK KIND: accesses a second and, in ns, what half of them and all but one of 1,000 stay
# below. MASK: the CPUs of the driver.
rate() {
  guest "rmmod kmod_bench 2>/dev/null; dmesg -c >/dev/null
    taskset $2 modprobe kmod_bench what=$3 count=$count latencies=1; dmesg | grep kmod_bench:" 120
  add "$1" "$(sed -n 's/.*us: \([0-9]*\) a second.*/\1/p' "$work/output")"
  add "$1 p50" "$(sed -n 's/.* p50 \([0-9]*\) ns.*/\1/p' "$work/output")"
  add "$1 p99.9" "$(sed -n 's/.* p99.9 \([0-9]*\) ns.*/\1/p' "$work/output")"
}
pin() { # pin MASK: all of pcilens' threads
  guest "for t in /proc/\$(pidof pcilens | tr ' ' '\n' | sort -n | head -n 1)/task/*; do taskset -p $1 \${t##*/} >/dev/null; done"
}
# io NAME DISK OPTION ...: commands a second
io() {
  local name=$1 disk=$2
  shift 2
  guest "fio --name=rate --filename=$disk --ioengine=libaio --direct=1 --minimal --time_based \
    --runtime=2 --size=16M --norandommap --randrepeat=1 $* | awk -F';' '{ print \$8 + \$49 }'" 30
  add "$name" "$(grep -m 1 -xE '[0-9]+' "$work/output")"
}
breakpoints() { # breakpoints N: where the measured accesses are not
  local i
  for ((i = 0; i < $1; i++)); do echo "break edu0:BAR0+$((0x1000 + 4 * i))"; done >"$work/breakpoints"
  timeout 60 "$pcilens" attach "$session" -x "$work/breakpoints" >"$work/output" 2>&1
}

devices=(--device edu --device 'nvme,size=16M' --driver nvme --driver "$root/tests/vm/kmod-bench"
  --program "$(type -P fio)")
start bench --no-hold || {
  cat "$work/output"
  exit 2
}
# Which of the two disks is ours.
guest 'for i in $(seq 100); do [ -b /dev/nvme0n1 ] && [ -b /dev/nvme1n1 ] && break; usleep 100000; done
  for n in 0 1; do grep -q pcilens /sys/class/nvme/nvme$n/model && echo "ours $n"; done; nproc; uname -r' 30
ours=$(sed -n 's/^ours //p' "$work/output")
kernel=$(grep -m 1 -xE '[0-9]+\.[0-9]+\..*' "$work/output")
disk=/dev/nvme${ours}n1 peer=/dev/nvme$((1 - ours))n1
for ((round = 0; round < rounds; round++)); do
  echo "round $((round + 1)) of $rounds" >&2
  pin 2
  rate trap 1 trap
  rate write 1 write
  rate read 1 read
  pin 1
  rate 'write, one CPU' 1 write
  rate 'read, one CPU' 1 read
  pin 2
  breakpoints 1
  rate 'write, 1 breakpoint' 1 write
  rate 'read, 1 breakpoint' 1 read
  breakpoints 1000
  rate 'write, 1,000 breakpoints' 1 write
  rate 'read, 1,000 breakpoints' 1 read
  console 'delete all' 'break write edu0:BAR0+0x200 == 0xffffffff'
  rate 'write, watched' 1 write
  console 'delete all'
  pin 3
  for where in ours peer; do
    of=$disk
    [[ $where == ours ]] || of=$peer
    for kind in randwrite randread; do
      for depth in 1 16; do io "$kind $depth $where" "$of" --rw=$kind --bs=4k --iodepth=$depth; done
    done
    io "write $where" "$of" --rw=write --bs=128k --iodepth=4
    io "read $where" "$of" --rw=read --bs=128k --iodepth=4
  done
done
stop
start stacks --no-hold --stacks
for ((round = 0; round < rounds; round++)); do
  pin 2
  rate 'write, stacks' 1 write
  rate 'read, stacks' 1 read
done
stop

# ---- the table ------------------------------------------------------------------------------------
sorted() { tr ' ' '\n' <<<"${seen[$1]-}" | grep . | sort -n; }
median() { sorted "$1" | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : 0 }'; }
spread() { echo "$(sorted "$1" | head -n 1) to $(sorted "$1" | tail -n 1)"; }
beside() { awk -v a="$(median "$1")" -v b="$(median "$2")" 'BEGIN { if (b) printf "%.2f", a / b }'; }
us() { awk -v ns="$(median "$1")" 'BEGIN { printf "%.1f", ns / 1000 }'; }
# line TEXT NAME [BESIDE WHAT]
line() { echo "| $1 | $(median "$2") | $(spread "$2") | $(us "$2 p50") us, $(us "$2 p99.9") us | ${3:+$(beside "$2" "$3") x $4} |"; }
echo "kernel $kernel, $(nproc) CPUs, load $(cut -d' ' -f1 /proc/loadavg), $rounds rounds of $count"
echo
echo '| accesses a second | median | lowest to highest | p50, p99.9 | beside |'
echo '|---|---|---|---|---|'
line 'the empty trap' trap
line 'posted writes, runtime on the other CPU' write trap 'the empty trap'
line 'the same, 1 breakpoint elsewhere' 'write, 1 breakpoint' write 'without'
line 'the same, 1,000 breakpoints elsewhere' 'write, 1,000 breakpoints' write 'without'
line 'the same, a call stack with each' 'write, stacks' write 'without'
line 'posted writes, one CPU for both' 'write, one CPU' trap 'the empty trap'
line 'reads that the device answers, runtime on the other CPU' read trap 'the empty trap'
line 'the same, 1 breakpoint elsewhere' 'read, 1 breakpoint' read 'without'
line 'the same, 1,000 breakpoints elsewhere' 'read, 1,000 breakpoints' read 'without'
line 'the same, a call stack with each' 'read, stacks' read 'without'
line 'reads, one CPU for both' 'read, one CPU' trap 'the empty trap'
line 'writes at a breakpoint whose condition does not hold' 'write, watched' read 'a read'
echo
echo "| fio, commands a second | median | lowest to highest | QEMU's controller | beside |"
echo '|---|---|---|---|---|'
io_line() { echo "| $1 | $(median "$2 ours") | $(spread "$2 ours") | $(median "$2 peer") | $(beside "$2 ours" "$2 peer") x QEMU's |"; }
io_line '4k random writes, depth 1' 'randwrite 1'
io_line '4k random writes, depth 16' 'randwrite 16'
io_line '4k random reads, depth 1' 'randread 1'
io_line '4k random reads, depth 16' 'randread 16'
io_line '128k writes, depth 4' write
io_line '128k reads, depth 4' read

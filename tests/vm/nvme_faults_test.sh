#!/bin/bash
# SPDX-License-Identifier: MIT
# nvme.ko under the fault rules of the link: what the driver did about each. The rules are those of
# traces/nvme-faults, which people may run too. Then runtimes that die, and start again.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"

here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
rules=$(realpath "$here/../../traces/nvme-faults")
devices=(--device 'nvme,size=16M' --driver nvme_core --module nvme
  --file "$here/nvme-guest.sh:/root/nvme-guest.sh")
for program in fio nvme; do
  devices+=(--program "$(PATH=$PATH:/sbin:/usr/sbin type -P "$program")")
done
check "a guest boots with the controller" start faults --no-hold
((failures == 0)) || exit 1
# One second in place of 30 until the driver does something about a lost command.
check "nvme.ko brings it up" guest 'cd /sys/module/nvme_core/parameters && echo 1 >io_timeout &&
  echo 2 >admin_timeout && modprobe nvme && sh /root/nvme-guest.sh live' 30

# fault NAME "SENTENCE" PATTERN COMMAND: with the rules of NAME, COMMAND does what it says in the guest;
# then the kernel's log has PATTERN (after a "!": has it not) and each rule has acted.
fault() {
  local rule=$1 wanted=$3 does=$4
  console 'delete all' || true
  met() {
    console "source $rules/$rule.pcilens" || return
    guest "echo 'begin of $rule' >/dev/kmsg; $does; code=\$?; sleep 0.2
      dmesg | sed -n '/begin of $rule/,\$p'; [ \$code = 0 ]" 40 || return
    cp "$work/output" "$work/said"
    console faults || return
    cat "$work/said" >>"$work/output"
    grep -qE '^ *[0-9]+  .*  +[1-9][0-9]*  ' "$work/output" || return
    if [[ $wanted == !* ]]; then
      ! grep -qE "${wanted:1}" "$work/said"
    else
      grep -qE "$wanted" "$work/said"
    fi
  }
  check "$rule: $2" met
}
# Which bytes do not matter, that they are the right ones does.
guest 'dd if=/dev/urandom of=/tmp/data bs=64k count=1 2>/dev/null
  dd if=/tmp/data of=/dev/nvme0n1 bs=64k oflag=direct 2>/dev/null' || true
after() { # after NAME "SENTENCE" COMMAND
  console 'delete all' || true
  check "$1: $2" guest "$3" 30
}
source "$here/nvme-fault-cases.sh"
console 'delete all' || true
check "the kernel's log is clean" clean

# ---- runtimes that die, and start again ----------------------------------------------------------
# In the guest, without this host: what the module does when its runtime is gone.
serve='pcilens serve --host kmod --user user --device 'nvme,size=16M' --socket /tmp/served'
attached() { echo "pcilens attach /tmp/served -e '$1'"; }
kill_it='kill -9 $(pidof pcilens); for i in $(seq 100); do
    ls /sys/bus/pci/devices | grep -q ^1....: || break; usleep 100000; done
  ! ls /sys/bus/pci/devices | grep ^1....:'
ended='for i in $(seq 100); do [ -e /tmp/ended ] && break; usleep 100000; done; cat /tmp/ended'
start_again="rm -f /tmp/ended /tmp/served; ($serve --no-hold >/tmp/serve 2>&1 &); sh /root/nvme-guest.sh live"
check "rmmod is refused while a runtime has the module" guest '! rmmod pcilens && lsmod | grep pcilens'
check "a runtime is killed" guest "$kill_it" 20
check "another one takes its place and the driver binds" guest "$start_again" 30
under_load() {
  guest "(fio --name=load --filename=/dev/nvme0n1 --ioengine=libaio --iodepth=16 --direct=1 \
      --rw=randwrite --bs=4k --time_based --runtime=600 --size=8M >/tmp/fio 2>&1; echo \$? >/tmp/ended) &
    sleep 2; ($kill_it) && $ended" 40 && has '^[1-9]'
}
check "killed under fio: fio gets errors and ends, the disk is gone" under_load
check "started again it is a disk again" guest "$start_again" 30
in_a_hold() {
  guest "$(attached 'break dma_read and size == 64')
    (dd if=/dev/nvme0n1 of=/dev/null bs=4k count=1 iflag=direct; echo \$? >/tmp/ended) >/dev/null 2>&1 &
    $(attached 'wait stop 20s') && ($kill_it) && $ended" 40 && has '^[1-9]'
}
check "killed while it holds the fetch of a command: the reader gets an error" in_a_hold
in_probe() {
  guest "rm -f /tmp/served; ($serve >/tmp/serve 2>&1 &) ; for i in \$(seq 100); do [ -S /tmp/served ] && break
      usleep 100000; done; $(attached 'wait stop 20s') && $(attached 'where') && ($kill_it)" 40 && has nvme
}
check "killed while it holds the driver in probe: nothing hangs" in_probe
check "and a last one is a disk again" guest "$start_again" 30
check "the kernel's log is clean" clean
exit $((failures > 0))

#!/bin/bash
# SPDX-License-Identifier: MIT
# Records the traces of nvme-faults/ again: Debian's nvme.ko on our controller, in a guest of its own for
# each rule, from its probe to what it did about the fault. And healthy.trace, where nothing went wrong.
#
#   PCILENS=build/release/bin/pcilens traces/record.sh [NAME ...]     all unless given
# shellcheck disable=SC2034,SC2317,SC2154 # the cases call fault; session.sh sets the variables
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
tests=$(realpath "$here/../tests/vm")
source "$tests/session.sh"

wanted=("$@")
devices=(--device 'nvme,size=1M' --driver nvme_core --module nvme
  --file "$tests/nvme-guest.sh:/root/nvme-guest.sh")

# fault NAME SENTENCE PATTERN COMMAND
fault() {
  local name=$1 command=$4
  ((${#wanted[@]} == 0)) || [[ " ${wanted[*]} " == *" $name "* ]] || return 0
  start "$name" --no-hold || {
    cat "$work/output"
    exit 1
  }
  guest 'cd /sys/module/nvme_core/parameters && echo 1 >io_timeout && echo 2 >admin_timeout &&
    modprobe nvme && sh /root/nvme-guest.sh live && yes pcilens | dd of=/tmp/data bs=64k count=1 iflag=fullblock &&
    dd if=/tmp/data of=/dev/nvme0n1 bs=64k oflag=direct' 30
  [[ $name == healthy ]] || console "source $here/nvme-faults/$name.pcilens"
  guest "$command" 40 || cat "$work/output"
  stop
  # One file that any SQLite client reads, also where it may not write.
  sqlite3 "$trace" 'PRAGMA journal_mode=DELETE; VACUUM' >/dev/null
  cp "$trace" "$here/nvme-faults/$name.trace"
  echo "$name: $(sqlite3 "$trace" 'SELECT count(*) FROM event') transactions"
}
after() { :; }
source "$tests/nvme-fault-cases.sh"
fault healthy '' '' "$read_back"

#!/bin/bash
# SPDX-License-Identifier: MIT
# The recordings that ship in traces/: what their assertions say of them, and their replay.
# shellcheck disable=SC2154 # common.sh and run set the variables
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/common.sh"

folder=$PCILENS_SOURCE/traces/nvme-faults

# What a rule cost, and what the driver did about it: to be seen in its recording, and in no healthy one.
tells_of_its_fault() {
  run check "$folder/$1.trace" -x "$folder/$1.asserts"
  exits 0 && out_has ' 0 failed' || return
  run check "$folder/healthy.trace" -x "$folder/$1.asserts"
  exits 1
}
# The handler of Linux' driver only looks into memory: all that shows is that the rule acted.
repeats() {
  run check "$folder/repeated-interrupt.trace" -x "$folder/repeated-interrupt.asserts"
  exits 0 &&
    (($(sqlite3 "$folder/repeated-interrupt.trace" "SELECT count(*) FROM note WHERE text LIKE 'sent 3 more times by fault%'") > 0))
}
healthy() {
  run check "$folder/healthy.trace" -x "$folder/healthy.asserts"
  exits 0 && out_has '^4 held, 0 failed'
}
no_divergence() {
  run replay "$folder/$1.trace"
  exits 0 && out_has '^0 divergences'
}
every_rule_has_one() {
  local rule
  for rule in "$folder"/*.pcilens; do
    [[ -s ${rule%.pcilens}.trace && -s ${rule%.pcilens}.asserts ]] || return
  done
}

check "every rule of traces/nvme-faults has a recording and assertions" every_rule_has_one
check "without a fault the driver enables the controller once, and every command is answered" healthy
for rule in "$folder"/*.pcilens; do
  name=$(basename "$rule" .pcilens)
  if [[ $name == repeated-interrupt ]]; then
    check "$name: the interrupts come again, and nothing else happens" repeats
  else
    check "$name: the recording tells of the fault, and of what the driver did about it" tells_of_its_fault "$name"
  fi
done
for trace in "$folder"/*.trace; do
  name=$(basename "$trace" .trace)
  check "$name: the recording replays without a divergence" no_divergence "$name"
done
exit $((failures > 0))

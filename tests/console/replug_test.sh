#!/bin/bash
# SPDX-License-Identifier: MIT
# A rule that replaces the device in the middle of its driver's work, and the replay of that.
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/common.sh"

replugs() {
  run console --device edu --trace "$work/replug.trace" -e 'fault write FACTORIAL => replug times 1' -e run -e 'wait end' \
    -e 'transactions last 60' -e 'read ID'
  out_has 'is gone: fault 1' && out_has 'is plugged in' && err_has 'COMMAND.MEM'
}

# The fresh one is not set up: it claims no address until COMMAND.MEM is set.
answers_again() {
  run console --device edu --trace "$work/again.trace" -e 'fault write FACTORIAL => replug times 1' -e run -e 'wait end' \
    -e 'write config+0x4:2 2' -e 'read ID'
  exits 0 && out_has '0x010000ed'
}

replays() {
  local name
  for name in replug again; do
    run replay "$work/$name.trace" --times 5
    exits 0 && out_has '^0 divergences in 5 runs' || return
  done
}

check "a rule replugs the device, and the fresh one is not set up" replugs
check "it answers again once memory decoding is on" answers_again
check "both recordings replay with zero divergences" replays
exit $((failures > 0))

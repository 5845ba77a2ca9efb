#!/bin/bash
# SPDX-License-Identifier: MIT
# What pcilens new prints works as printed, also with a pcilens that is installed nowhere.
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/common.sh"

cd "$work"
"$PCILENS" new mycard --here . >printed
# Each indented line is a command. Nothing on standard input is a script that ends at once.
commands() {
  local line
  while read -r line; do
    echo "$line"
    timeout 300 bash -c "$line" </dev/null || return
  done < <(sed -n 's/^  //p' printed)
}
check "each command that new prints works as printed" commands
check "the new device's own test passes" ctest --test-dir mycard/build
exit $((failures > 0))

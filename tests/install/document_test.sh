#!/bin/bash
# SPDX-License-Identifier: MIT
# docs/writing-a-device.md says that its very text is compiled: here it is, and run.
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/common.sh"

# Each fenced block whose first line names a file becomes that file.
awk -v folder="$work" '
  /^```/ && file { close(file); file = ""; next }
  /^```[a-z]+ [A-Za-z_.]+$/ { file = folder "/" $2; next }
  file { print > file }' "$PCILENS_SOURCE/docs/writing-a-device.md"

library=$(find "$PCILENS_BUILD" -name libpcilens_device.a | head -n 1)
compile() {
  c++ -std=c++20 -Wall -Wextra -shared -fPIC -fvisibility=hidden -I"$PCILENS_SOURCE" -I"$work" \
    "$work/eggtimer.cpp" "$library" -o "$work/eggtimer.so"
}
rings() {
  timeout 60 "$PCILENS" console --device "$work/eggtimer.so" --no-hold -e 'wait end' -e info &&
    grep -q 'the driver has finished' "$work/out"
}
replays() {
  timeout 60 "$PCILENS" console --device "$work/eggtimer.so" --trace "$work/t" --no-hold -e 'wait end' &&
    timeout 60 "$PCILENS" replay "$work/t" --device "$work/eggtimer.so"
}
check "the text of docs/writing-a-device.md compiles" compile
check "its driver hears the timer ring" rings
check "a recording of it replays without a divergence" replays
exit $((failures > 0))

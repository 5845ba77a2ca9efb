#!/bin/bash
# SPDX-License-Identifier: MIT
# clang-tidy with the committed .clang-tidy over core/ and devices/, one test a file. A file whose text, headers and
# settings are those of an earlier clean run is not looked at again.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

command -v clang-tidy-19 >/dev/null || { echo "clang-tidy-19 is not there" && exit 77; }
commands=${PCILENS_BUILD:-build/release}/compile_commands.json
[[ -e $commands ]] || { echo "$commands is not there: configure first" && exit 1; }
work=${PCILENS_BUILD:-build/release}/tidy
mkdir -p "$work/clean"
# An option that only GCC has.
sed 's/ -fno-gnu-unique//g' "$commands" >"$work/compile_commands.json"

headers=$(tracked 'core/*.hpp' 'devices/*.hpp' | xargs cat .clang-tidy | sha256sum)
tidy() {
  local file=$1 key
  key=$work/clean/$( (echo "$headers" && cat "$file") | sha256sum | cut -c1-32)
  if [[ -e $key ]] || clang-tidy-19 -p "$work" --quiet "$file" >"$work/$$.$BASHPID" 2>/dev/null; then
    touch "$key"
    echo "ok - $file"
  else
    # One write, so that two files' findings do not mix.
    printf '%s\nnot ok - %s\n' "$(cat "$work/$$.$BASHPID")" "$file"
  fi
  rm -f "$work/$$.$BASHPID"
}
export -f tidy
export work headers
tracked 'core/*.cpp' 'devices/*.cpp' | xargs -P "$(nproc)" -I{} bash -c 'tidy {}' | tee "$work/log"
! grep -q '^not ok' "$work/log"

#!/bin/bash
# SPDX-License-Identifier: MIT
# Every script of the tree through shellcheck, its warnings and errors. SC2187 only says that busybox
# is checked as dash; SC2317 does not see a function that is called by name.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

command -v shellcheck >/dev/null || { echo "shellcheck is not there" && exit 77; }
mapfile -t scripts < <(git grep -lIE '^#!.*\b(ba|da)?sh$|^# shellcheck shell=' -- . ':!*.md')
for script in "${scripts[@]}"; do
  if output=$(shellcheck -x -S warning -e SC2187,SC2317 -P "$(dirname "$script")" "$script"); then
    ok "$script"
  else
    printf '%s\n' "$output"
    not_ok "$script"
  fi
done
exit $((failures > 0))

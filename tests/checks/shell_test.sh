#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck over every script of the tree. SC2187 only says that busybox is checked as
# dash; SC2317 does not see calls by name (check "sentence" function).
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

command -v shellcheck >/dev/null || { echo "shellcheck is not there" && exit 77; }
mapfile -t scripts < <(git grep -lIE '^#!.*\b(ba|da)?sh$|^# shellcheck shell=' -- . ':!*.md')
for script in "${scripts[@]}"; do
  if output=$(shellcheck -x -e SC2187,SC2317 -P "$(dirname "$script")" "$script"); then
    ok "$script"
  else
    printf '%s\n' "$output"
    not_ok "$script"
  fi
done
exit $((failures > 0))

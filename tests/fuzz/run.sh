#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs a libFuzzer program a fixed number of times, always the same way:
#
#   run.sh PROGRAM CORPUS RUNS
#
# CORPUS may be missing; it is only read. What fails is kept in fuzz-failures/ of the current folder,
# with how to run it again.
set -euo pipefail

program=$1 corpus=$2 runs=$3
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
seeds=("$new")
[[ ! -d $corpus ]] || seeds+=("$corpus")
mkdir -p fuzz-failures
log=$new/.log

if "$program" -runs="$runs" -seed=1 -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
  -artifact_prefix="$PWD/fuzz-failures/$(basename "$program")-" "${seeds[@]}" >"$log" 2>&1; then
  grep -E '^stat::(number_of_executed_units|average_exec_per_sec)' "$log"
else
  tail -n 60 "$log"
  echo "again: $program FILE, with the file named above"
  exit 1
fi

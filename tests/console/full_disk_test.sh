#!/bin/bash
# SPDX-License-Identifier: MIT
# A disk that fills up while a session records: one sentence, exit code 2, and what was recorded
# stays readable by sqlite3. Wants root, for a tmpfs of its own.
# shellcheck disable=SC2154 # common.sh sets the variables
# shellcheck disable=SC2317 # check calls the functions
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/common.sh"
[[ $(id -u) == 0 ]] || { echo "needs root, to mount a small tmpfs" && exit 77; }
disk=$work/disk
mkdir "$disk"
mount -t tmpfs -o size=2m none "$disk" 2>/dev/null || { echo "cannot mount a tmpfs here" && exit 77; }
trap 'umount -l "$disk"; rm -rf "$work"' EXIT
trace=$disk/run.trace

rows() { sqlite3 -readonly "$trace" 'SELECT count(*) FROM event WHERE kind = 2 AND origin = 2' 2>/dev/null; }

# The trace has the first ten within 30 seconds.
has_ten() {
  for ((i = 0; i < 300; i++)); do
    (($(rows || echo 0) >= 10)) && return
    sleep 0.1
  done
  echo "only $(rows) reads"
  return 1
}

# Ten reads, a full disk, ten more.
fills_up() {
  mkfifo "$work/lines"
  timeout 60 "$PCILENS" console --device edu --no-driver --trace "$trace" -x - <"$work/lines" >"$work/out" 2>"$work/err" &
  local session=$! i
  exec 9>"$work/lines"
  for ((i = 0; i < 10; i++)); do echo "write config+0x4:2 2" >&9; echo 'read ID' >&9; done
  has_ten || return
  dd if=/dev/zero of="$disk/filler" bs=4k status=none 2>/dev/null
  for ((i = 0; i < 2000; i++)); do echo 'read ID' >&9; done
  exec 9>&-
  wait "$session"
  code=$?
  cat "$work/err"
  exits 2 || return
  [[ $(wc -l <"$work/err") == 1 ]] || { echo "not one line" && return 1; }
  err_has "^pcilens: $trace: database or disk is full; .*make room" || return
}

readable() {
  local found
  [[ $(sqlite3 "$trace" 'PRAGMA integrity_check') == ok ]] || return
  found=$(rows)
  ((found >= 10)) || { echo "only $found reads" && return 1; }
}

brings_in() {
  rm "$disk/filler"
  mount -o remount,size=64m "$disk"
  run console --device edu --no-driver --trace "$trace" -e 'write config+0x4:2 2' -e 'read ID'
  exits 0 || return
  [[ $(rows) == 2011 ]] || { echo "$(rows) reads" && return 1; }
}

check "a disk that fills up while a session records ends it with code 2 and one sentence" fills_up
check "sqlite3 reads what was recorded before the disk was full" readable
check "the next session on that trace brings the rest in" brings_in
exit "$((failures != 0))"

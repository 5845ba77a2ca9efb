#!/bin/bash
# SPDX-License-Identifier: MIT
# No room for a guest's files on the host: what is said, and that nothing half-made stays. A disk that
# fills up under the trace is tests/console/full_disk_test.sh. Wants root, for a small disk of its own.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"
[[ $(id -u) == 0 ]] || { echo "needs root, to mount a small tmpfs" && exit 77; }
unshare -m true 2>/dev/null || { echo "cannot mount a tmpfs here" && exit 77; }
pcilens=$(realpath "$pcilens")

# In a mount namespace of its own, so that nobody else's /tmp is small; a tree that lies there stays.
# shellcheck disable=SC2016 # the other shell expands it
small='mount --bind "$1" /mnt && mount -t tmpfs -o size=4m none /tmp && mkdir -p "$1" && mount --bind /mnt "$1" &&
  shift && "$@"
code=$?
ls -A /tmp
exit $code'
no_room_for_the_guest() {
  local code=0
  unshare -m bash -c "$small" - "$(realpath "${PCILENS_SOURCE:-.}")" timeout 60 "$pcilens" vm --device edu -e info \
    >"$work/output" 2>&1 </dev/null || code=$?
  echo "exit code $code" >>"$work/output"
  ((code == 2)) && has '^vm: the disk of /tmp/.* is full; make room there and start again, nothing is lost$' &&
    has '^pcilens: initramfs.sh .* did not succeed' && not has '^pcilens-vm-'
}
check "a full /tmp is told in a sentence, and nothing is left there" no_room_for_the_guest

exit $((failures > 0))

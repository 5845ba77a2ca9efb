#!/bin/bash
# SPDX-License-Identifier: MIT
# How pcilens vm ends while it boots, what it leaves behind, and the shell that it offers until then.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"

# ends SIGNAL WORDS: sends it as soon as the program has said the words; it has to end by that signal
# within a second, and whatever is of its own within another.
ends() {
  local pid i code=0 began folder
  # shellcheck disable=SC2086
  "$pcilens" vm ${PCILENS_KERNEL:+--kernel $PCILENS_KERNEL} --device edu --serve "$work/ends.sock" \
    --shell "$work/ends.shell" --trace "$work/ends.trace" --overwrite >"$work/output" 2>&1 </dev/null &
  pid=$!
  for ((i = 0; i < 600; i++)); do
    ! grep -q "$2" "$work/output" 2>/dev/null || break
    sleep 0.05
  done
  # In the midst of that.
  sleep 0.3
  folder=$(pgrep -aP "$pid" | grep -o '/tmp/pcilens-vm-[A-Za-z0-9]*' | head -n 1)
  began=$EPOCHREALTIME
  kill -"$1" "$pid"
  wait "$pid" || code=$?
  echo "exit code $code after $(((${EPOCHREALTIME/./} - ${began/./}) / 1000)) ms" >>"$work/output"
  ((code == 128 + $(kill -l "$1") && ${EPOCHREALTIME/./} - ${began/./} < 1000000)) || return
  sleep 1
  { ls "$work"/ends.s* && return 1; } >>"$work/output" 2>&1
  { pgrep -af "$work/ends" && return 1; } >>"$work/output"
  echo "its folder was ${folder:?}" >>"$work/output"
  [[ ! -e $folder && ! -e /dev/shm/${folder##*/} ]]
}
check "Ctrl-C ends it while the guest boots, and nothing is left" ends INT 'starting the guest'
check "SIGTERM does" ends TERM 'starting the guest'
check "Ctrl-C ends it while the guest's files are packed" ends INT 'modules:'

start shell
# Connections one so soon behind the other, each with a line sent at once.
second_line() {
  python3 - "$shell_socket" >"$work/output" 2>&1 <<'PYTHON'
import socket, sys, time
def say(line, want, seconds):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(line)
    s.settimeout(0.5)
    text, until = b"", time.monotonic() + seconds
    while want not in text and time.monotonic() < until:
        try:
            text += s.recv(65536)
        except TimeoutError:
            pass
    s.close()
    print(text)
    return want in text
for n, delay in enumerate([0, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12, 0.5, 1.0, 1.1]):
    time.sleep(delay)
    if not say(b"echo li''ne%d.\n" % n, b"line%d." % n, 8):
        sys.exit("lost: line %d, %g s behind the one before" % (n, delay))
PYTHON
}
check "what is typed on each further connection to the shell arrives" second_line
stop
check "the shell's socket goes with the guest" not test -e "$shell_socket"
exit $((failures > 0))

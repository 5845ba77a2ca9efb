# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # for those who source this
# What tests with a guest that runs pcilens share: start one, talk to its console and to a shell in
# it, check what they said.
source "$(dirname "${BASH_SOURCE[0]}")/../checks/common.sh"

pcilens=${PCILENS:-build/release/bin/pcilens}
work=$(mktemp -d)
export XDG_RUNTIME_DIR=$work
machine=''
end() {
  [[ -z $machine ]] || kill "$machine" 2>/dev/null || true
  [[ -z $machine ]] || wait "$machine" 2>/dev/null || true
  # For who looks for the reason: the guest's logs and the traces.
  [[ -z ${PCILENS_KEEP-} ]] || cp "$work"/*.log "$work"/*.trace* "$PCILENS_KEEP" || true
  rm -rf "$work"
}
trap end EXIT

# check "SENTENCE" COMMAND ...: what the last commands said is shown where it fails.
check() {
  local name=$1
  shift
  if "$@"; then
    ok "$name"
  else
    sed 's/^/    /' "$work/output" 2>/dev/null | tail -n 30
    not_ok "$name"
  fi
}
has() { grep -qE -- "$1" "$work/output"; }
not() { ! "$@"; }

# start NAME [OPTION ...]: boots with what is in `devices`; the session is at $work/NAME.sock, its
# trace in $work/NAME.trace.
devices=(--device edu)
start() {
  session=$work/$1.sock trace=$work/$1.trace log=$work/$1.log
  shell_socket=$work/$1.shell
  shift
  # shellcheck disable=SC2086
  "$pcilens" vm ${PCILENS_KERNEL:+--kernel $PCILENS_KERNEL} "${devices[@]}" --serve "$session" \
    --shell "$shell_socket" --trace "$trace" --log "$log" "$@" >"$work/vm" 2>&1 </dev/null &
  machine=$!
  for ((i = 0; i < 1200; i++)); do
    [[ ! -S $session ]] || return 0
    kill -0 "$machine" 2>/dev/null || break
    sleep 0.1
  done
  cp "$work/vm" "$work/output"
  cat "$log" >>"$work/output" 2>/dev/null || true
  return 1
}
stop() {
  kill "$machine" 2>/dev/null || true
  wait "$machine" 2>/dev/null || true
  machine=''
}

# console COMMAND ...: each is a line of the console.
console() {
  local arguments=() command
  for command in "$@"; do arguments+=(-e "$command"); done
  timeout 60 "$pcilens" attach "$session" "${arguments[@]}" >"$work/output" 2>&1
}

# guest COMMAND [SECONDS]: runs it in the guest's shell; fails as the command does, or with no
# answer in that time (10).
guest() {
  timeout $((20 + ${2:-10})) python3 - "$shell_socket" "$1" "${2:-10}" >"$work/output" 2>&1 <<'PYTHON'
import re, socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
# The shell ends with each connection and starts again; what it says until its prompt is no answer.
text, until = b"", time.monotonic() + 10
s.settimeout(0.5)
while b"# " not in text:
    if time.monotonic() > until:
        sys.exit("the guest's shell does not answer")
    s.sendall(b"\n")
    try:
        text += s.recv(65536)
    except TimeoutError:
        pass
s.settimeout(float(sys.argv[3]))
s.sendall(("echo begin''ning; " + sys.argv[2] + "; echo end''ing $?.\n").encode())
text = ""
while "ending " not in text or not text.partition("ending ")[2].count("."):
    text += s.recv(65536).decode(errors="replace").replace("\r", "")
body, _, code = text.partition("beginning\n")[2].rpartition("ending ")
# The shell prompts for each further line of the command.
print(re.sub(r"(?m)^(?:\S* # |> )+", "", body))
sys.exit(int(code.partition(".")[0]))
PYTHON
}
# A script in the guest prints a line for each of its cases, "ok ..." or "FAIL ...": they become ours,
# and what else it said is shown where one failed.
# cases COMMAND [SECONDS]
cases() {
  local code=0 line
  guest "$1" "${2:-60}" || code=$?
  sed -n 's/^ok /ok - /p; s/^# /# /p' "$work/output"
  if ((code != 0)) || grep -q '^FAIL ' "$work/output"; then
    sed 's/^/    /' "$work/output" | tail -n 60
  fi
  while read -r line; do not_ok "${line#FAIL }"; done < <(grep '^FAIL ' "$work/output")
  ((code == 0)) || not_ok "$1 comes to its end in the guest (code $code)"
}
clean() { guest dmesg && not grep -qEf vm/complaints "$work/output"; }

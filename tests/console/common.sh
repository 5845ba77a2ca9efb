# SPDX-License-Identifier: MIT
# For the console's tests: each check prints one TAP line, with the output of what failed.
set -uo pipefail
: "${PCILENS:?the program under test}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state XDG_RUNTIME_DIR=$work/run
unset NO_COLOR
mkdir -m 700 "$work/run"
failures=0

# check SENTENCE COMMAND ...
check() {
  local sentence=$1
  shift
  if "$@" >"$work/check.out" 2>&1; then
    echo "ok - $sentence"
  else
    sed 's/^/  /' "$work/check.out"
    echo "not ok - $sentence"
    failures=$((failures + 1))
  fi
}

# console LINE ...: runs the lines as a script on edu; leaves $out, $err and $code behind.
console() {
  printf '%s\n' "$@" >"$work/script"
  timeout 60 "$PCILENS" console --device edu --trace "$work/trace.$RANDOM$RANDOM" -x "$work/script" >"$work/out" 2>"$work/err" </dev/null
  code=$?
  cat "$work/out" "$work/err"
  echo "exit code $code"
}

# run ARGUMENT ...: the program with its output in the same places.
run() {
  timeout 60 "$PCILENS" "$@" >"$work/out" 2>"$work/err" </dev/null
  code=$?
  cat "$work/out" "$work/err"
  echo "exit code $code"
}

out_has() { grep -qE -- "$1" "$work/out" || { echo "no /$1/ in the output" && return 1; }; }
err_has() { grep -qE -- "$1" "$work/err" || { echo "no /$1/ among the errors" && return 1; }; }
exits() { ((code == $1)) || { echo "exit code $code, expected $1" && return 1; }; }

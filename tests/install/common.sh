# SPDX-License-Identifier: MIT
# For the tests of what is installed: a folder that goes with the test, and a TAP line for each check.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# check SENTENCE COMMAND ...: the command's output is shown if it fails.
check() {
  local sentence=$1
  shift
  if "$@" >"$work/out" 2>&1; then
    echo "ok - $sentence"
  else
    sed 's/^/  /' "$work/out"
    echo "not ok - $sentence"
    failures=$((failures + 1))
  fi
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the checks share: each looks at the files that git knows, and prints what is wrong and where.
set -eu
shopt -s lastpipe # so that the end of a pipe can count
cd "${PCILENS_SOURCE:-$(dirname "${BASH_SOURCE[0]}")/../..}"
git rev-parse --is-inside-work-tree >/dev/null 2>&1 || {
  echo "not a git repository: the checks go by the files that git knows"
  exit 77
}

failures=0
# not_ok SENTENCE / ok SENTENCE: one TAP line, counted by ./test.
ok() { echo "ok - $*"; }
not_ok() {
  echo "not ok - $*"
  failures=$((failures + 1))
}
# none SENTENCE: what stands on stdin, if anything, breaks the rule that the sentence states.
none() {
  local found
  found=$(cat)
  if [[ -z $found ]]; then
    ok "$1"
  else
    printf '%s\n' "$found" | sed 's/^/  /'
    not_ok "$1"
  fi
}
# includes FILE ...: prints FILE:LINE:WHAT for each #include.
includes() {
  (($#)) || return 0
  grep -nHoE '^ *# *include *[<"][^>"]+' "$@" | sed -E 's/:( *# *include *[<"])/: /' || true
}
# tracked PATTERN ...: the files that git knows and that are still there.
tracked() { git ls-files --cached -- "$@" | while read -r f; do [[ ! -e $f ]] || echo "$f"; done; }

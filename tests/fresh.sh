#!/bin/bash
# SPDX-License-Identifier: MIT
# Proves ./run and ./test on a machine with nothing but git and apt: a root made with debootstrap, a
# clone of what is committed here, and a user with sudo who types the two commands.
#
#   fresh.sh bookworm|trixie [TEST_ARGUMENT ...]
#
# apt in there uses this machine's mirror and apt settings. FRESH_KEEP=1 keeps the root; FRESH_ROOT
# names a root from an earlier run, which is then used again as it is.
set -euo pipefail
source_tree=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
suite=$1
shift

ok() { echo "ok - $suite: $*"; }
not_ok() {
  echo "not ok - $suite: $*"
  failures=$((failures + 1))
}
failures=0

# The mounts below vanish with the namespace, however this ends.
if [[ -z ${FRESH_NAMESPACE-} ]]; then
  export FRESH_NAMESPACE=1
  exec unshare --mount --propagation private --pid --fork --kill-child "$0" "$suite" "$@"
fi

bare=${FRESH_ROOT:-$(mktemp -d "${TMPDIR:-/var/tmp}/pcilens-$suite.XXXXXX")}
# shellcheck disable=SC2317 # called by the trap
cleanup() {
  [[ -z ${FRESH_KEEP-}${FRESH_ROOT-} ]] || { echo "the root is kept: $bare" && return; }
  umount -R "$bare/proc" "$bare/dev" 2>/dev/null || true
  rm -rf --one-file-system "$bare"
}
trap cleanup EXIT

# ---- the root ---------------------------------------------------------------------------------
# "URI CODENAME" of each Debian archive that this machine's apt knows.
archives() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 2>/dev/null |
    grep -E ' (bookworm|trixie)(-updates|-security)?$' | sort -u
}
chmod 755 "$bare"
if [[ ! -e $bare/etc/debian_version ]]; then
  mirror=$(archives | awk '$2 !~ /-/ { print $1; exit }')
  echo "making a bare $suite root in $bare"
  debootstrap --variant=minbase --include=git,ca-certificates,sudo "$suite" "$bare" ${mirror:+"$mirror"} \
    >"$bare.log" 2>&1 || { tail -n 20 "$bare.log" && not_ok "debootstrap makes a root" && exit 1; }
  rm -f "$bare.log"
  if [[ -n $mirror ]]; then
    archives | sed -E "s/^(.*) (bookworm|trixie)/deb \1 $suite/; s/\$/ main/" | sort -u >"$bare/etc/apt/sources.list"
  fi
  # Proxies and the like, but nothing else of this machine's habits.
  grep -lE 'Acquire::(http|https|Check|Retries)|Proxy' /etc/apt/apt.conf.d/* 2>/dev/null |
    xargs -r cp -t "$bare/etc/apt/apt.conf.d"
  chroot "$bare" useradd -m -s /bin/bash newcomer
  echo 'newcomer ALL=(ALL) NOPASSWD: ALL' >"$bare/etc/sudoers.d/newcomer"
fi
cp -L /etc/resolv.conf /etc/hosts "$bare/etc/"
mount -t proc proc "$bare/proc"
mount --rbind /dev "$bare/dev"
home=$bare/home/newcomer
rm -rf "$home/pcilens"
git clone --quiet "$source_tree" "$home/pcilens"
chroot "$bare" chown -R newcomer: /home/newcomer

# inside COMMAND: as the newcomer, in the clone, with no terminal.
inside() {
  chroot "$bare" su newcomer -c "cd ~/pcilens && unset CI && $1" </dev/null
}

# ---- what goes wrong --------------------------------------------------------------------------
out=$bare/tmp/out err=$bare/tmp/err
# refused SENTENCE WORDS COMMAND: exit code 2, and one line on stderr that has WORDS in it.
refused() {
  local status=0
  inside "$3" >"$out" 2>"$err" || status=$?
  sed 's/^/  /' "$err"
  if ((status == 2)) && grep -q "$2" "$err" && (($(grep -cv 'installing' "$err") == 1)); then
    ok "$1"
  else
    not_ok "$1 (exit code $status)"
  fi
}
if [[ ! -e $bare/usr/bin/ninja ]]; then
  mv "$bare/etc/apt/sources.list" "$bare/etc/apt/sources.list.kept"
  : >"$bare/etc/apt/sources.list"
  refused "an apt without the packages is told in one sentence" 'apt could not install' './run devices'
  mv "$bare/etc/apt/sources.list.kept" "$bare/etc/apt/sources.list"
  mv "$bare/usr/bin/sudo" "$bare/usr/bin/sudo.kept"
  refused "a user who may not install is told what root has to do" 'apt-get install' './run devices'
  mv "$bare/usr/bin/sudo.kept" "$bare/usr/bin/sudo"
fi

# ---- the two commands -------------------------------------------------------------------------
started=$SECONDS
if inside './run devices' >"$out" && grep -q edu "$out"; then
  sed 's/^/  /' "$out"
  ok "./run installs, builds and starts pcilens ($((SECONDS - started)) s)"
else
  not_ok "./run installs, builds and starts pcilens"
  exit 1
fi

start=$(date +%s%N)
if inside './run devices' >"$out" 2>"$err" && [[ ! -s $err ]]; then
  took=$((($(date +%s%N) - start) / 1000000))
  if ((took < 1000)); then
    ok "the second start takes $took ms and says nothing of its own"
  else
    not_ok "the second start takes $took ms"
  fi
else
  cat "$err"
  not_ok "the second start does none of it again"
fi

started=$SECONDS
if inside "./test $*" >"$out" && tail -n 1 "$out" | grep -qE '^[1-9][0-9]* passed, 0 failed(, [0-9]+ skipped)?$'; then
  sed 's/^/  /' "$out"
  ok "./test $* passes: $(tail -n 1 "$out") ($((SECONDS - started)) s)"
else
  # Not as TAP lines of our own.
  sed 's/^/  /' "$out"
  not_ok "./test $* passes"
fi
exit $((failures > 0))

#!/bin/bash
# SPDX-License-Identifier: MIT
# The module by itself, with a runtime in C in the place of pcilens (kmod-edu.c): scripts, each
# in a guest of its own.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
#   PCILENS_HOLD     seconds of the long holds (5)
#   PCILENS_REQUESTS random calls of each kind (1000), PCILENS_RESTARTS restarts (8)
source "$(dirname "${BASH_SOURCE[0]}")/../checks/common.sh"

root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
hold=${PCILENS_HOLD:-5}

kernel=$("$root/vm/kernel.sh" "${PCILENS_KERNEL:-default}")
for program in kmod-edu kmod-fuzz kmod-user; do
  ${CC:-cc} -O2 -Wall -pthread -I"$root/kmod/uapi" -o "$work/$program" "$root/tests/vm/$program.c"
done
modules=()
for source in kmod devices/edu/linux tests/vm/kmod-bench tests/vm/kmod-forms; do
  # W=1 and a module of our own: what the compiler has to say about it is a failure.
  "$root/vm/module.sh" "$kernel" "$root/$source" "$work/modules" >"$work/made" 2>"$work/log" || {
    cat "$work/log"
    not_ok "$source builds for $(cat "$kernel/release")"
    exit 1
  }
  mapfile -t -O "${#modules[@]}" modules <"$work/made"
  none "$source builds without a warning" < <(grep -i warning "$work/log")
done

# What the kernel's own tools say of the interface and of the code.
kernel_doc=$(find "$kernel/" -path '*/linux-kbuild-*/scripts/kernel-doc' -print -quit)
if [[ -n $kernel_doc ]] && command -v perl >/dev/null; then
  none "kernel-doc finds all of the interface described" \
    < <(perl "$kernel_doc" -none -Werror "$root/kmod/uapi/pcilens.h" 2>&1)
else
  echo "ok - kernel-doc finds all of the interface described # SKIP it is not in this kernel's packages"
fi
if command -v sparse >/dev/null; then
  "$root/vm/module.sh" "$kernel" "$root/kmod" "$work/sparse" -- C=2 >/dev/null 2>"$work/log" || true
  none "sparse has nothing to say" < <(grep -E '(warning|error):' "$work/log")
else
  echo "ok - sparse has nothing to say # SKIP it is not installed"
fi

# in_guest SCRIPT SECONDS [ARGUMENT ...]: its "ok" and "FAIL" lines become ours; a kernel that
# complains is a failure as well. $append: for the kernel's command line, $cpu: for QEMU's CPU.
append='' cpu=''
in_guest() {
  local script=$1 limit=$2 code=0 options=() module program name="$1${append:+, $append}${cpu:+, $cpu}"
  shift 2
  for module in "${modules[@]}"; do options+=(--module "$module"); done
  for program in kmod-edu kmod-fuzz kmod-user; do
    options+=(--binary "$work/$program:/usr/bin/$program")
  done
  options+=(--binary setpriv)
  "$root/vm/run-script.sh" "$kernel" "$root/tests/vm/$script.sh" --timeout "$limit" \
    ${append:+--append "$append"} ${cpu:+--cpu "$cpu"} "${options[@]}" -- "$@" \
    >"$work/output" 2>"$work/log" || code=$?
  sed -n "s/^ok /ok - $name: /p" "$work/output"
  while read -r line; do not_ok "$name: ${line#FAIL }"; done < <(grep '^FAIL ' "$work/output")
  if ((code == 0)); then
    ok "$name: the kernel does not complain"
  else
    cat "$work/output" "$work/log"
    not_ok "$name: the guest ends well (exit code $code)"
  fi
}
in_guest kmod-smoke $((240 + 4 * hold)) "$hold"
append=slub_debug=U # who allocated each object
in_guest kmod-restart $((240 + 8 * ${PCILENS_RESTARTS:-8})) ${PCILENS_RESTARTS:-8}
append=''
in_guest kmod-fuzz $((120 + ${PCILENS_REQUESTS:-1000} / 10)) ${PCILENS_REQUESTS:-1000}
in_guest kmod-user 120
in_guest kmod-vectors 240
in_guest kmod-forms 240
in_guest kmod-direct 120
in_guest kmod-refused 120
# The kernel's copies are made of other instructions on other CPUs.
in_guest kmod-copies 120
cpu=erms=on
in_guest kmod-copies 120
cpu='' append=clearcpuid=rep_good
in_guest kmod-copies 120
append=''
exit $((failures > 0))

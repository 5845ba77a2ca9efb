#!/bin/bash
# SPDX-License-Identifier: MIT
# The kernel's own checkpatch.pl, --strict, over all kernel code of the tree. Debian has it in the
# kernel's source only (package linux-source, 140 MB): unpacked once, what it needs and nothing else.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rule="checkpatch --strict has nothing to say of kernel code"
source=$(find /usr/src -maxdepth 1 -name 'linux-source-*.tar.xz' | sort -V | tail -n 1)
[[ -n $source ]] || {
  echo "ok - $rule # SKIP the package linux-source is not installed"
  exit 77
}
tools=$(realpath -m "${PCILENS_BUILD:-build/release}")/checkpatch/$(basename "$source" .tar.xz)
if [[ ! $tools/checkpatch.pl -nt $source ]]; then
  rm -rf "$tools"
  mkdir -p "$tools"
  tar -xJf "$source" -C "$tools" --strip-components=2 --touch --occurrence --wildcards \
    'linux-source-*/scripts/spelling.txt' 'linux-source-*/scripts/const_structs.checkpatch' \
    'linux-source-*/scripts/checkpatch.pl'
fi

mapfile -t files < <(tracked {kmod,'devices/*/linux','tests/vm/kmod-*'}/'*.'{c,h,S} | sed "s|^|$PWD/|")
# It keeps a list of names where it is started.
cd "$tools"
perl checkpatch.pl --no-tree --strict --terse --quiet --show-types -f "${files[@]}" >found 2>&1 ||
  echo "its exit code is $?" >>found
sed -e "s|^$OLDPWD/||" -e '/^total:/d' found | none "$rule (${#files[@]} files, $(basename "$tools"))"
exit $((failures > 0))

#!/bin/bash
# SPDX-License-Identifier: MIT
# Whether clang-format would change anything. The kernel's C has the kernel's own style.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mapfile -t files < <(tracked {core,devices,inspector-ui,tests}/'*.cpp' {core,devices,inspector-ui,tests}/'*.hpp')
command -v clang-format-19 >/dev/null || { echo "clang-format-19 is not there" && exit 77; }
for file in "${files[@]}"; do
  clang-format-19 --dry-run --Werror "$file" >/dev/null 2>&1 || echo "$file: run clang-format-19 -i on it"
done | none "clang-format has nothing to change"
exit $((failures > 0))

#!/bin/bash
# SPDX-License-Identifier: MIT
# What every file of the tree has to keep to.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mapfile -t sources < <(tracked '*.cpp' '*.hpp' '*.c' '*.h' '*.S' '*.sh' run test)
wc -l "${sources[@]}" | awk '$1 > 800 && $2 != "total" { print $2 ": " $1 " lines; split it in two" }' |
  none "no source file is longer than 800 lines"

# The brackets keep this file from matching itself.
git grep -nIE '/wor[k]/|/tmp/tea[m]|[.]librar[y]/|/mnt/sandboxin[g]|/home/[a-z]+/' -- . ':!tests/data' |
  none "no file names a path of somebody's machine"

mapfile -t kernel < <(tracked 'kmod/*.c' 'kmod/*.h' 'kmod/*.S' 'devices/*/linux/*.c' 'devices/*/linux/*.h')
for file in "${kernel[@]}"; do
  head -n 1 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0' || echo "$file: the first line names no GPL-2.0"
done | none "kernel code says that it is GPL-2.0"

for file in "${sources[@]}"; do
  [[ ! -s $file || -z $(tail -c 1 "$file") ]] || echo "$file: no newline at the end"
done | none "every source ends with a newline"

git grep -nIE '[[:blank:]]+$' -- '*.cpp' '*.hpp' '*.c' '*.h' '*.S' '*.sh' '*.cmake' '*CMakeLists.txt' run test |
  none "no line ends in blanks"

mapfile -t headers < <(tracked 'core/*.hpp' 'devices/*.hpp' 'inspector-ui/*.hpp')
grep -L '^#pragma once' "${headers[@]}" | none "every header has #pragma once"
exit $((failures > 0))

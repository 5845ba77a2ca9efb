#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs pcilens into an empty prefix, builds devices against it as a user would, and runs them.
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/common.sh"

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
prefix=$work/prefix

has_files() {
  local file missing=0
  for file in bin/pcilens lib/libpcilens_device.a lib/cmake/pcilens/pcilensConfig.cmake \
    include/pcilens/core/function/device.hpp share/pcilens/vm/run-script.sh share/pcilens/kmod/Kbuild; do
    compgen -G "$prefix/$file" >/dev/null || { echo "$file is not there" && missing=1; }
  done
  return "$missing"
}

# Each header by itself, with nothing but the prefix to include from.
headers_compile() {
  (cd "$prefix/include/pcilens" && find . -name '*.hpp' -print0 | xargs -0 -P "$(nproc)" -I{} sh -c \
    'echo "#include \"{}\"" | c++ -std=c++20 -fsyntax-only -Wall -Wextra -Werror -I. -x c++ -')
}

build_devices() {
  cmake -S "$here/mycard" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release &&
    cmake --build "$work/build"
}

# What the standard library's templates leave behind is the same in every program.
exports_only_entries() {
  local symbols
  symbols=$(nm -D --defined-only "$work/build/mycard.so" | awk '{ print $3 }' | grep -vE '^_Z[A-Z]*St' | sort | xargs)
  echo "it exports: $symbols"
  [[ $symbols == "pcilens_device_abi pcilens_device_entry" ]]
}

run() { (cd "$work/build" && timeout 60 "$prefix/bin/pcilens" "$@" </dev/null); }

lists_device() { run devices ./mycard.so | grep mycard; }

# The driver writes 1 to ADD and reads COUNTER, which begins at 41.
runs_device() {
  run console --device ./mycard.so --trace "$work/run.trace" --no-hold -e 'wait end' || return
  run query "$work/run.trace" 'read COUNTER' --json && grep -qE '"value": *42\b' "$work/out"
}

# refused WORDS ARGUMENT ...: one sentence, exit code 2.
refused() {
  local words=$1 status=0
  shift
  run "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
  cat "$work/stdout" "$work/stderr"
  echo "exit code $status"
  ((status == 2)) && (($(wc -l <"$work/stderr") == 1)) && grep -q "$words" "$work/stderr"
}

new_device() {
  cd "$work"
  "$prefix/bin/pcilens" new newcard &&
    cmake -S newcard -B newcard/build -G Ninja -DCMAKE_PREFIX_PATH="$prefix" &&
    cmake --build newcard/build && "$prefix/bin/pcilens" devices newcard/build/newcard.so | grep newcard
}

# attached COMMAND ...: console commands on what new_device_reloads serves.
attached() {
  local arguments=() line
  for line in "$@"; do arguments+=(-e "$line"); done
  timeout 60 "$prefix/bin/pcilens" attach "$work/reload.sock" "${arguments[@]}" </dev/null
}

# 21 is written to INPUT; a model that is changed to triple it gives 63, and the breakpoint set
# before stops the new driver.
new_device_reloads() {
  cd "$work"
  local plug_in=newcard/build/newcard.so server status=0
  "$prefix/bin/pcilens" serve --device "$plug_in" --watch --no-hold --socket "$work/reload.sock" \
    >"$work/serve.out" 2>&1 </dev/null &
  server=$!
  reloads || status=$?
  kill "$server" && wait "$server" || true
  cat "$work/serve.out"
  return "$status"
}
reloads() {
  local n
  for ((n = 0; n < 100; ++n)); do
    [[ ! -S $work/reload.sock ]] || break
    sleep 0.1
  done
  attached 'wait end' 'expect OUTPUT=42' 'break read OUTPUT after' || return
  sed -i 's/ \* 2)/ * 3)/' newcard/newcard.cpp && echo 'a linker has begun' >"$plug_in" || return
  cmake --build newcard/build || return
  # Until the new one is loaded, the old one's driver has ended without a stop.
  for ((n = 0; n < 100; ++n)); do
    ! attached 'wait stop' >/dev/null 2>&1 || break
    sleep 0.2
  done
  attached 'wait stop' 'expect OUTPUT=63' 'breakpoints' | grep 'read OUTPUT after *1'
}

# The registers come from an SVD file; the example driver compares their reset values, and ctest
# runs it.
new_device_of_registers() {
  cd "$work"
  "$prefix/bin/pcilens" new newuart --registers "$PCILENS_SOURCE/tests/unit/registers/uart.svd,peripheral=UART0" &&
    cmake -S newuart -B newuart/build -G Ninja -DCMAKE_PREFIX_PATH="$prefix" &&
    cmake --build newuart/build && ctest --test-dir newuart/build --output-on-failure
}

moved_prefix() {
  mv "$prefix" "$work/elsewhere" && prefix=$work/elsewhere && rm -rf "$work/build" && build_devices && lists_device
}

check "cmake --install fills an empty prefix" cmake --install "$PCILENS_BUILD" --prefix "$prefix"
check "the prefix has the program, its files, and what a device is built with" has_files
check "each installed header compiles by itself" headers_compile
check "a device outside the tree builds with find_package(pcilens)" build_devices
check "it exports its two entries and nothing else of its own" exports_only_entries
check "pcilens devices shows it" lists_device
check "its example driver runs on it" runs_device
check "a plug-in of another ABI is refused in one sentence" refused "foreign.so" devices ./foreign.so
check "a plug-in compiled with -D_GLIBCXX_DEBUG is refused in one sentence" \
  refused "debug.so.*debug containers" devices ./debug.so
check "a device that throws while it is made is refused in one sentence" \
  refused "flux capacitor" console --device ./thrower.so -e 'wait end'
check "a file that is no plug-in is refused in one sentence" refused "build.ninja" devices ./build.ninja
check "pcilens new makes a device that builds and loads" new_device
check "serve --watch loads it again when it is changed and rebuilt, breakpoints and all" new_device_reloads
check "pcilens new makes a device of an SVD file's registers, and its test passes" new_device_of_registers
check "the prefix can be moved" moved_prefix
exit $((failures > 0))

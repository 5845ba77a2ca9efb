#!/bin/bash
# SPDX-License-Identifier: MIT
# What pcilens vm refuses, it refuses before anything is built or booted, in one sentence.
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"
mkdir "$work/empty"
echo >"$work/text"

# refused WORDS OPTION ...
refused() {
  local words=$1 code=0
  shift
  timeout 5 "$pcilens" vm "$@" >"$work/output" 2>&1 </dev/null || code=$?
  echo "exit code $code" >>"$work/output"
  ((code == 2)) && has "^pcilens: .*$words" && (($(wc -l <"$work/output") == 2))
}

check "a device that there is not" refused 'no device called nosuch; there are bochs, edu' --device nosuch
check "a plug-in that there is not" refused 'none.so: No such file' --device ./none.so
check "a device's option that there is not" refused 'no option bogus; there are factorial_us' --device edu,bogus=1
check "a module that there is not" refused '--driver ./none.ko: there is no ./none.ko' --driver ./none.ko
check "a folder that builds no module" refused 'neither Kbuild nor Makefile' --driver "$work/empty"
check "a file that is no module" refused 'is no module' --driver "$work/text"
check "a parameter without a value" refused '"fast" is not PARAMETER=VALUE' --driver nvme,fast
check "a program that there is not" refused '--program nosuch: there is no program nosuch on this machine; write one of PATH' --program nosuch
check "a file without its place in the guest" refused "--file $work/text: write the file and where it goes in the guest: $work/text:/root/text" --file "$work/text"
check "a folder as trace" refused '--trace /tmp: is a folder; name a file in it' --trace /tmp
check "a trace in no folder" refused 'there is no folder .*/none; make it first' --trace "$work/none/run.trace"
check "a trace over another file" refused 'not a pcilens trace; it is left alone' --trace "$work/text" --overwrite
check "a script that there is not" refused '--script none: No such file' -x none
check "a shell in place of a file" refused "--shell $work/text: is there already, and no socket" --shell "$work/text"
check "a folder as log" refused 'is a folder; name a file in it' --log "$work/empty"
check "a full screen without a terminal" refused '--full-screen wants a terminal' --full-screen
kernel_is_told() {
  local code=0
  timeout 60 "$pcilens" vm --kernel 6.6 -e info >"$work/output" 2>&1 </dev/null || code=$?
  ((code == 2)) && has 'no kernel package of series 6.6; name one of .*6\.1' &&
    has '^pcilens: kernel.sh 6.6 did not succeed; what it said above tells why$'
}
check "a kernel that there is not, with those that there are" kernel_is_told
exit $((failures > 0))

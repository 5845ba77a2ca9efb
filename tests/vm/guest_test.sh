#!/bin/bash
# SPDX-License-Identifier: MIT
# The guest itself, without the kernel module: does vm/ keep its promises?
# shellcheck disable=SC2317 # check calls the functions
source "$(dirname "${BASH_SOURCE[0]}")/../checks/common.sh"

root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
vm=$root/vm
series=${PCILENS_KERNEL:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check "SENTENCE" COMMAND ...
check() {
  local name=$1
  shift
  if "$@"; then
    ok "$name"
  else
    sed 's/^/    /' "$work/log"
    not_ok "$name"
  fi
}

# guest CODE SCRIPT [OPTION ...]: runs SCRIPT and wants that exit code.
guest() {
  local wanted=$1 code=0
  printf '%s\n' "$2" >"$work/script"
  shift 2
  "$vm/run-script.sh" "$kernel" "$work/script" "$@" >"$work/output" 2>"$work/log" || code=$?
  echo "exit code $code, wanted $wanted" >>"$work/log"
  ((code == wanted))
}

kernel=$("$vm/kernel.sh" ${series:+"$series"}) || exit 1

# One boot for what goes well: each costs seconds under TCG.
fallocate -l 1M "$work/shared"
printf 'from the host' | dd of="$work/shared" conv=notrunc status=none
# shellcheck disable=SC2016 # the guest expands it
happy='lspci -n -d 1af4:1110
dd if=/dev/pcilens-shared bs=13 count=1 2>/dev/null && echo
modprobe nvme && grep -q "^nvme " /proc/modules && echo "nvme loaded"
[ -d /sys/kernel/debug/tracing ] && echo "debugfs there"
exec 3<>/dev/virtio-ports/org.pcilens.api.0
read -r line <&3 && echo "api: $line"
yes | head -c 1000000 | wc -c
echo "argument $1"
exit 7'
(
  for ((i = 0; i < 600; i++)); do
    [[ -S $work/api ]] && break
    sleep 0.1
  done
  # QEMU keeps what comes before the guest has opened its port.
  python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"hello\n")
s.settimeout(60)
try:
    s.recv(1)
except OSError:
    pass' "$work/api"
) &
check "a script's exit code comes back" guest 7 "$happy" --binary lspci --module nvme \
  --shared "$work/shared" --port "org.pcilens.api.0=$work/api" -- one
has() { grep -qF -- "$1" "$work/output"; }
cp "$work/output" "$work/log"
check "a program runs with its libraries" has 1af4:1110
check "a module of the kernel's loads with what it depends on" has "nvme loaded"
check "debugfs is mounted" has "debugfs there"
check "a port carries what the host sends" has "api: hello"
check "the script gets its arguments" has "argument one"
wait

check "a kernel warning fails a script that succeeds" guest 1 'echo "WARNING: of this test" >/dev/kmsg'
check "a panic ends the guest with code 2" guest 2 'echo c >/proc/sysrq-trigger'
panic_shown() { grep -q "sysrq triggered crash" "$work/log"; }
check "a panic is shown" panic_shown
check "the time limit ends a script that hangs" guest 124 'sleep 1000' --timeout 20

# An apt that fails shows whether it is asked.
mkdir "$work/no-apt"
printf '#!/bin/sh\nexit 1\n' | tee "$work/no-apt/apt-get" >"$work/no-apt/apt-cache"
chmod +x "$work/no-apt"/*
again() { [[ $(PATH=$work/no-apt:$PATH "$vm/kernel.sh" ${series:+"$series"} 2>"$work/log") == "$kernel" ]]; }
check "a second kernel.sh does not ask apt" again

no_network() { [[ $code == 2 && $(wc -l <"$work/log") == 2 ]] && grep -q 'run apt-get update' "$work/log"; }
echo 'Acquire::http::Proxy "http://127.0.0.1:9"; Acquire::Retries "0";' >"$work/apt.conf"
code=0
APT_CONFIG=$work/apt.conf XDG_CACHE_HOME=$work/cache "$vm/kernel.sh" ${series:+"$series"} >/dev/null 2>"$work/log" || code=$?
check "without a network kernel.sh says so and leaves nothing behind" no_network
nothing_left() { [[ -z $(find "$work/cache/pcilens/kernel" -mindepth 1) ]]; }
check "a failed download leaves no half kernel" nothing_left

exit $((failures > 0))

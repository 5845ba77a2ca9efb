#!/bin/bash
# SPDX-License-Identifier: MIT
# A direct region under a real driver: Debian's unmodified bochs.ko draws into video memory that it
# shares with the device. Pixels arrive, registers are seen, and no access to the memory is.
#
#   PCILENS_KERNEL   a series such as 6.12; none: the distribution's own
# shellcheck disable=SC2317,SC2154 # check calls the functions; session.sh sets the variables
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"

# A frame of noise, and the picture that it is: the sums are those of Python.
python3 - "$work/frame" "$work/wanted" <<'PYTHON'
import random, sys
random.seed(7)
frame = random.randbytes(1024 * 768 * 4)
pixels = bytearray(1024 * 768 * 3)
for colour in range(3):
    pixels[colour::3] = frame[2 - colour::4]
open(sys.argv[1], "wb").write(frame)
open(sys.argv[2], "wb").write(b"P6 1024 768 255\n" + pixels)
PYTHON
wanted=$(sha256sum <"$work/wanted" | cut -d' ' -f1)

devices=(--device 'bochs,picture=/tmp/picture.ppm,refresh_ms=500' --driver bochs --file "$work/frame:/root/frame")
check "a guest boots with bochs.ko on the display" start bochs --no-hold
((failures == 0)) || exit 1
for ((i = 0; i < 40; i++)); do
  guest 'ls /dev/fb0' && break
  sleep 0.5
done
check "there is a frame buffer" has '^/dev/fb0'
guest 'cat /sys/class/drm/card*/modes; cat /sys/class/drm/card*/edid | sha256sum; lspci 2>/dev/null' || true
check "the kernel has read the monitor's data" has '^1024x768'
guest 'for v in /sys/class/vtconsole/*/bind; do echo 0 >$v; done; cat /root/frame >/dev/fb0; sleep 1; cat /sys/class/graphics/fb0/virtual_size' 60 || true
check "its mode is the monitor's own" has '^1024,768'
arrived() {
  for ((i = 0; i < 20; i++)); do
    guest 'sha256sum /tmp/picture.ppm' 20 && has "^$wanted" && return
    sleep 0.5
  done
  return 1
}
check "every pixel that the driver was given is in the picture" arrived
console 'write bochs0:BAR0+0x0 0x00abcdef' 'read bochs0:BAR0+0x0:4' || true
check "a pixel set by hand is in the same memory" has '0x0*abcdef'

check "a breakpoint where no access is seen is refused" not console 'break write BAR0+0x1000'
check "in a sentence" has 'VRAM is direct memory: .* not seen'

console 'break write ENABLE.ENABLED 0->1' || true
guest 'd=$(basename /sys/bus/pci/drivers/bochs-drm/1*); echo $d >/sys/bus/pci/drivers/bochs-drm/unbind; (echo $d >/sys/bus/pci/drivers/bochs-drm/bind &)' 30 || true
console 'wait stop 30s' 'expect stopped' where || true
check "the mode is held as it is set" has 'write of ENABLE held'
check "the stack says where" has 'bochs_hw_setmode|bochs_.*enable'
console 'delete all' run 'wait 2s' || true
guest 'for i in $(seq 40); do [ -e /dev/fb0 ] && break; usleep 250000; done; ls /dev/fb0' 30 || true
check "and goes on" has '^/dev/fb0'
check "the kernel's log is clean" clean
stop

count() { sqlite3 "$trace" "SELECT count(*) FROM event WHERE kind IN (2, 3) AND origin = 0 AND $1"; }
unseen() { [[ $(count 'bar = 0') == 0 && $(count 'bar = 2') -gt 20 ]]; }
check "the trace has the registers, and of the video memory nothing" unseen
sed -i '1i # driver accesses, registers: '"$(count 'bar = 2')"', video memory: '"$(count 'bar = 0')" "$work/output"
sed -n 1p "$work/output"
said() { sqlite3 "$trace" 'SELECT text FROM note' >"$work/output" && has 'VRAM is direct: no access to it is seen' && has '1024x768, 32 bits a pixel'; }
check "and says so" said
replayed() { "$pcilens" replay "$trace" >"$work/output" 2>&1; }
check "it replays on the host without a divergence" replayed
exit $((failures > 0))

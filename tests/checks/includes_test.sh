#!/bin/bash
# SPDX-License-Identifier: MIT
# Which way includes point: devices -> core, inspector-ui -> core; nobody includes a device.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mapfile -t core < <(tracked 'core/*.hpp' 'core/*.cpp')
mapfile -t devices < <(tracked 'devices/*.hpp' 'devices/*.cpp')
mapfile -t ui < <(tracked 'inspector-ui/*.hpp' 'inspector-ui/*.cpp')
# What goes into libpcilens_device.a and its headers: all that a device is built with.
mapfile -t device_floor < <(printf '%s\n' "${core[@]}" | grep -E \
  '^core/(registers|pci|function)/|^core/link/transaction\.|^core/(result|printable)\.hpp$|^core/host/sim/device\.hpp$' |
  grep -v '/svd')
device_headers='(registers|pci|function)/.*|link/transaction\.hpp|result\.hpp|printable\.hpp|host/sim/device\.hpp'

includes "${core[@]}" | grep -E ': (imgui|GLFW|GL/|ncurses|histedit|devices/|inspector-ui/)' |
  none "core knows no screen and no device"
includes "${device_floor[@]}" | grep -E ': (sqlite3|capnp|kj/|capstone|pugixml|elfutils|fmt/)' |
  none "what a device is built with needs no SQLite, RPC, Capstone, XML or fmt"
includes "${device_floor[@]}" | grep -E ': core/' | grep -vE ": core/($device_headers)\$" | grep -v '/svd' |
  none "what a device is built with includes nothing beyond itself"
includes "${devices[@]}" | grep -E ': core/' | grep -vE ": core/($device_headers)\$" |
  none "a built-in device uses only the headers that a plug-in has"
includes "${ui[@]}" | grep -E ': devices/' | none "inspector-ui includes no device"
mapfile -t models < <(tracked 'inspector-ui/commands/*' 'inspector-ui/models/*')
mapfile -t terminal < <(tracked 'inspector-ui/terminal/*')
mapfile -t gui < <(tracked 'inspector-ui/gui/*')
includes "${models[@]}" | grep -E ': (imgui|GLFW|ncurses|histedit|inspector-ui/(gui|terminal|cli)/)' |
  none "commands and view-models know no screen"
includes "${terminal[@]}" | grep -E ': (imgui|GLFW|inspector-ui/(gui|cli)/)' |
  none "the terminal knows no window"
includes "${gui[@]}" | grep -E ': (ncurses|histedit|inspector-ui/(terminal|cli)/)' |
  none "the window knows no terminal"
for device in devices/*/; do
  name=$(basename "$device")
  mapfile -t own < <(printf '%s\n' "${devices[@]}" | grep "^devices/$name/" || true)
  includes "${own[@]}" | grep -E ': devices/' | grep -vE ": devices/$name/" |
    none "the device $name includes no other device"
done
exit $((failures > 0))

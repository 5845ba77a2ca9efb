# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2016 # the guest expands what stands in single quotes
# Each rule of traces/nvme-faults, what makes it act, and what Linux' nvme driver says of it. For who
# defines what is done with them:
#
#   fault NAME "SENTENCE" PATTERN COMMAND     in the guest, COMMAND succeeds, and the kernel's log has
#                                             PATTERN then (after a "!": has it not)
#   after NAME "SENTENCE" COMMAND             with no rule any more: so the disk works again
#
# /tmp/data in the guest are the disk's first 64 KiB.
read_back='dd if=/dev/nvme0n1 of=/tmp/back bs=64k count=1 iflag=direct && cmp /tmp/data /tmp/back'
small='dd if=/dev/nvme0n1 of=/tmp/back bs=4k count=1 iflag=direct && cmp -n 4096 /tmp/data /tmp/back'
controller_reset='echo 1 >/sys/class/nvme/nvme0/reset_controller; sh /root/nvme-guest.sh live'
trouble='timeout|reset|down'
# Linux 6.1 takes the disk away, 6.12 leaves it there, dead.
gone='for i in $(seq 100); do dd if=/dev/nvme0n1 of=/dev/null bs=4k count=1 iflag=direct || break; usleep 100000; done
  [ ! -b /dev/nvme0n1 ] || grep -q dead /sys/class/nvme/nvme0/state'
rebind='b=$(basename /sys/bus/pci/devices/1????:*); cd /sys/bus/pci/drivers/nvme
  [ ! -e $b ] || echo $b >unbind; echo $b >bind; sh /root/nvme-guest.sh live'

fault late-completion "the driver waits and resets nothing" '!reset|down' "$small"
fault late-register "the driver is only slower" "!$trouble" "$controller_reset"
fault lost-interrupt "the driver polls" 'timeout, completion polled' "$small"
fault repeated-interrupt "the driver does not mind" "!$trouble|nobody cared" \
  "taken() { awk '/nvme0q/ { n += \$2 + \$3 } END { print n }' /proc/interrupts; }; before=\$(taken)
    $read_back && $read_back && usleep 200000; echo \$((\$(taken) - before)) were taken
    [ \$((\$(taken) - before)) -ge 8 ]"
fault lost-doorbell "the driver aborts, resets, tries again" 'timeout, reset controller' "$small"
fault lost-completion "the driver aborts, resets, tries again" 'timeout, reset controller' "$small"
fault failed-fetch "the driver sees CSTS.CFS, resets, tries again" \
  'controller is down; will reset: CSTS=0x3' "$small"
fault wrong-status "the driver tries again" "!$trouble" "$small"
fault wrong-identifier "the driver says so, resets, tries again" 'genctr mismatch' "$small"
fault cut-data "the driver tries again" "!$trouble" "$read_back"
fault corrupt-data "the driver does not notice" "!$trouble" \
  "dd if=/dev/nvme0n1 of=/tmp/back bs=4k count=1 iflag=direct && ! cmp -s -n 4096 /tmp/data /tmp/back"
fault one-wrong-register "the driver resets and has a working controller" '!failure|remov' \
  "$controller_reset"
fault flipped-bit "the driver reads again" "!$trouble|failure" "$controller_reset"
fault lost-register "the driver takes the controller for gone and resets what is there" '!failure|remov' \
  "$controller_reset"
fault wrong-capability "the driver gives up" 'Minimum device page size 8192 too large' \
  "echo 1 >/sys/class/nvme/nvme0/reset_controller; $gone"
after wrong-capability "bound again it works" "$rebind"
fault dead-registers "the driver gives up" 'probe failure|reset failure' \
  "echo 1 >/sys/class/nvme/nvme0/reset_controller; $gone"
after dead-registers "bound again it works" "$rebind"
# Who takes the disk away finds a card that decodes nothing; a removal and a rescan set it up.
again='b=$(basename /sys/bus/pci/devices/1????:*); echo 1 >/sys/bus/pci/devices/$b/remove
  echo 1 >/sys/bus/pci/rescan; sh /root/nvme-guest.sh live'
fault replug "the driver sees all-ones, resets, and gives up" 'will reset: CSTS=0xffffffff' \
  "! $small; $gone"
after replug "removed and scanned again it works, and is empty" \
  "$again && dd if=/dev/nvme0n1 bs=4k count=1 iflag=direct 2>/dev/null | cmp -n 4096 - /dev/zero"
fault surprise-removal "the driver gives up, and nothing of the device answers" 'CSTS=0xffffffff' \
  "! $small; $gone; cd /sys/bus/pci/devices/1????:* && od -v -An -tx1 -N64 config | tr -d ' \n' | grep -qxE '(ff){64}'"

#!/bin/sh
# A second reading of a recording, with nothing of pcilens in it: one access a line, in the
# recording's order. The importers' tests compare it with what sqlite3 finds in the trace.
#   independent_parser.sh mmiotrace|qemu FILE
#     microseconds read|write address value size
#     microseconds cfgread|cfgwrite address offset value        (the log tells no size)
#     microseconds message value                                 (an interrupt message of any device)
set -eu
case $1 in
mmiotrace)
  awk '
    function micro(t,  p) { split(t, p, "."); return p[1] * 1000000 + p[2] }
    $1 == "MARK" || $1 == "MAP" || $1 == "UNMAP" { at = micro($2) }
    $1 == "R" || $1 == "W" { at = micro($3) }
    $1 != "VERSION" && $1 != "PCIDEV" && !begun { first = at; begun = 1 }
    $1 == "R" || $1 == "W" {
      printf "%.0f %s %s %s %s\n", at - first, $1 == "R" ? "read" : "write", $5, $6, $2
    }' "$2"
  ;;
qemu)
  gzip -dc "$2" | awk '
    function micro(t,  p) { split(t, p, "."); return p[1] * 1000000 + p[2] }
    {
      split($1, head, ":"); split(head[1], stamp, "@"); at = micro(stamp[2]); event = head[2]
      if (!begun) { first = at; begun = 1 }
    }
    event ~ /^memory_region_ops_/ && $13 == "\047apic-msi\047" {
      printf "%.0f message %s\n", at - first, $9
      next
    }
    event ~ /^memory_region_ops_/ {
      printf "%.0f %s %s %s %s\n", at - first, event ~ /read$/ ? "read" : "write", $7, $9, $11
    }
    event ~ /^pci_cfg_/ {
      printf "%.0f %s %s %s %s\n", at - first, event ~ /read$/ ? "cfgread" : "cfgwrite", $3,
             substr($4, 2), $6
    }'
  ;;
esac

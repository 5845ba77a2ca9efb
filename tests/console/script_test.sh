#!/bin/bash
# SPDX-License-Identifier: MIT
# The console driven by scripts, on edu and its example driver.
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/common.sh"

held_at_first_access() {
  console 'expect stopped' 'info'
  exits 0 && out_has 'read of ID held before' && out_has 'first access'
}

stops_at_a_write() {
  console 'break write FACTORIAL' 'run' 'wait stop' 'expect stopped' 'transactions last 3'
  exits 0 && out_has 'write of FACTORIAL held before the device sees it' && out_has 'breakpoint 1' &&
    out_has 'by the driver' && out_has '0x0000000a'
}

edits_in_flight() {
  console 'break write FACTORIAL' 'break read FACTORIAL after' 'run' 'wait stop' 'edit 5' 'run' 'wait stop' \
    'expect FACTORIAL=120' 'run' 'wait end'
  exits 0 && out_has '0x0000000a → 0x00000005' && out_has 'came out wrong'
}

edits_an_answer() {
  console 'break read LIVENESS after' 'run' 'wait stop' 'edit 0' 'run' 'wait end'
  exits 0 && out_has 'before the driver gets the answer' && out_has 'LIVENESS does not read back'
}

shows_an_edit() {
  console 'break write FACTORIAL' 'run' 'wait stop' 'edit 5' 'step' "show 39"
  exits 0 && out_has 'by hand: sent 0x0000000a, delivered 0x00000005'
}

steps() {
  console 'step' 'step' 'step until write STATUS' 'expect stopped'
  exits 0 && out_has 'write of LIVENESS' && out_has 'read of LIVENESS' && out_has 'write of STATUS'
}

steps_to_an_interrupt() {
  console 'step irq' 'expect stopped'
  exits 0 && out_has 'interrupt'
}

steps_to_a_change() {
  console 'step change' 'expect stopped'
  exits 0 && out_has 'change of LIVENESS held after the device changed it'
}

pokes() {
  console 'write LIVENESS 0x0000ffff' 'read LIVENESS' 'write STATUS.IRQ 1' 'expect STATUS.IRQ=1' 'transactions last 4'
  exits 0 && out_has 'LIVENESS = 0xffff0000' && out_has 'poke +write +STATUS'
}

pokes_config() {
  console 'read config+0x0:2' 'read COMMAND' 'config'
  exits 0 && out_has 'VENDOR.* = 0x1234' && out_has 'MSI'
}

forces() {
  console 'force STATUS.COMPUTING 1' 'expect STATUS.COMPUTING=1' 'registers STATUS'
  exits 0 && out_has 'forced STATUS.COMPUTING'
}

faults() {
  console 'fault read LIVENESS => flip 0x1 times 1' 'run' 'wait end' 'faults'
  exits 0 && out_has 'LIVENESS does not read back' && out_has 'times 1 +1 '
}

loses_an_interrupt() {
  console 'fault irq => drop times 1' 'run' 'wait end 20s'
  exits 0 && out_has 'no interrupt came'
}

breakpoint_once() {
  console 'break write DMA_CMD once' 'run' 'wait stop' 'run' 'wait end' 'breakpoints'
  exits 0 && out_has 'no breakpoints|write DMA_CMD once +disabled'
}

breakpoint_ignores() {
  console 'break write DMA_CMD ignore 1' 'run' 'wait stop' 'expect DMA_SRC=0x40000' 'run' 'wait end'
  exits 0
}

restarts() {
  console 'run' 'wait end' 'expect ended' 'restart' 'expect stopped' 'run' 'wait end'
  exits 0 && out_has '^begun again: a fresh device'
}

shows_where() {
  console 'break write FACTORIAL' 'run' 'wait stop' 'where'
  exits 0 && out_has 'edu_driver\.cpp:[0-9]+'
}

shows_dma() {
  console 'run' 'wait end' 'transactions dma' 'transactions irq' 'info'
  exits 0 && out_has 'DMA read' && out_has 'IOVA' && out_has '4096 bytes'
}

expect_differs() {
  console '# a comment' '' 'expect running' 'quit'
  exits 1 && err_has 'script:3: expected running, but it is stopped at'
}

error_has_line() {
  console 'registers' 'break write NOPE' 'info'
  exits 2 && err_has 'script:2: ' && err_has 'NOPE' && ! out_has 'state'
}

sources() {
  printf 'step\nfrobnicate\n' >"$work/inner"
  console "source $work/inner"
  exits 2 && err_has 'inner:2: there is no command "frobnicate"' && err_has 'script:1: source'
}

sources_itself() {
  console "source $work/script"
  exits 2 && err_has 'may not run itself'
}

reads_stdin() {
  printf 'expect stopped\nquit\nfrobnicate\n' | timeout 60 "$PCILENS" console >"$work/out" 2>"$work/err"
  code=$?
  exits 0
}

answers_json() {
  run console --device edu --json -e registers -e 'break write STATUS' -e run -e 'wait stop' -e info -e 'transactions last 5'
  exits 0 && python3 - "$work/out" <<'PY'
import json, sys
values = [json.loads(line) for line in open(sys.argv[1])]
registers = next(v for v in values if isinstance(v, list) and v and "changed_seq" in v[0])
assert {r["name"] for r in registers} >= {"ID", "LIVENESS", "FACTORIAL", "STATUS", "DMA_CMD"}, registers
assert next(r for r in registers if r["name"] == "ID")["value"] == 0x010000ed
stops = [v for v in values if isinstance(v, dict) and v.get("kind") == "mem_write"]
assert len(stops) == 1 and stops[0]["place"] == "STATUS" and stops[0]["value"] == 0x80, stops
assert len(values[-1]) == 5, values[-1]
assert [r["kind"] for r in values[-1] if r["seq"] == stops[0]["seq"]] == ["mem_write"], values[-1]
PY
}

refuses_ctrl_words() {
  console 'write ID'
  exits 2 && err_has 'value is missing.*usage: write PLACE VALUE'
}

check "the driver is held at its first register access" held_at_first_access
check "a breakpoint holds the driver at a register write" stops_at_a_write
check "the device gets the value that was changed in flight" edits_in_flight
check "show tells what was sent and what was delivered" shows_an_edit
check "the driver gets the answer that was changed in flight" edits_an_answer
check "step goes to the next access, and until an expression" steps
check "step irq goes to the next interrupt" steps_to_an_interrupt
check "step change passes what changes nothing" steps_to_a_change
check "pokes act on the device and are recorded as pokes" pokes
check "config space can be read by place and by name" pokes_config
check "force sets a read-only bit" forces
check "a fault rule flips an answer as often as it was told" faults
check "a lost interrupt is what the driver reports" loses_an_interrupt
check "a breakpoint set once is gone after its stop" breakpoint_once
check "a breakpoint lets matches pass first" breakpoint_ignores
check "restart runs the driver again from its first line" restarts
check "where shows the driver's source line" shows_where
check "DMA and interrupts are listed" shows_dma
check "expect ends a script with exit code 1 and says what it found" expect_differs
check "an error ends a script with exit code 2, file and line" error_has_line
check "an error in a sourced file names that file's line" sources
check "a script that sources itself is refused" sources_itself
check "standard input is a script where it is no terminal" reads_stdin
check "--json answers one JSON value a line" answers_json
check "a missing argument shows the usage" refuses_ctrl_words
exit $((failures > 0))

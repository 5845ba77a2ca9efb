#!/bin/bash
# SPDX-License-Identifier: MIT
# The sub-commands as shells and scripts use them.
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/common.sh"

record() {
  timeout 60 "$PCILENS" console --device edu --trace "$work/run.trace" --no-hold -e 'wait end' </dev/null
}

# The picture that its example driver draws: 32 x 16, red to the right, green downwards.
keeps_a_picture() {
  { sleep 1 && echo quit; } | timeout 60 "$PCILENS" console --device "bochs,picture=$work/shown.ppm,refresh_ms=10" \
    --trace "$work/bochs.trace" --no-hold >"$work/out" 2>&1 || true
  python3 - "$work/shown.ppm" <<'PYTHON' && "$PCILENS" replay "$work/bochs.trace" >"$work/out" 2>&1 && [[ ! -e $work/shown.ppm.new ]]
import sys
wanted = b"".join(bytes([x * 255 // 31, y * 255 // 15, 0]) for y in range(16) for x in range(32))
assert open(sys.argv[1], "rb").read() == b"P6 32 16 255\n" + wanted
PYTHON
}

lists_devices() {
  run devices
  exits 0 && out_has '^edu ' && run devices --json && python3 -c 'import json,sys; assert any(d["name"]=="edu" for d in json.load(open(sys.argv[1])))' "$work/out"
}

every_help() {
  local sub
  run --help
  exits 0 || return
  for sub in gui console serve attach replay import query check commands devices new bench; do
    out_has "^  $sub " || return
  done
  for sub in gui console serve attach replay import query check commands devices new bench; do
    run "$sub" --help
    exits 0 && out_has 'Examples:' || return
  done
}

# one_sentence CODE WORDS ARGUMENT ...
one_sentence() {
  local expected=$1 words=$2
  shift 2
  run "$@"
  exits "$expected" && err_has "$words" && (($(wc -l <"$work/err") == 1)) && [[ ! -s $work/out ]]
}

wrong_expression() {
  run query "$work/run.trace" 'write NOPE'
  exits 2 && err_has 'column 7' && err_has '\^'
}

query_prints() {
  run query "$work/run.trace" 'write FACTORIAL'
  exits 0 && out_has 'write +FACTORIAL +0x0000000a' || return
  run query "$work/run.trace" --count 'read STATUS == 12345'
  exits 0 && out_has '^0$'
}

query_checks() {
  run query "$work/run.trace" --check 'status UR'
  exits 0 || return
  run query "$work/run.trace" --check 'irq'
  exits 1
}

# The same answer as sqlite3 gives about the same file.
query_equals_sqlite() {
  run query "$work/run.trace" --json --limit 100000
  exits 0 && python3 - "$work/out" "$work/run.trace" <<'PY'
import json, sqlite3, sys
ours = [(r["seq"], r["kind"]) for r in map(json.loads, open(sys.argv[1]))]
kinds = "cfg_read cfg_write mem_read mem_write dma_read dma_write irq dma_map dma_unmap reset timer input state force control gap".split()
db = sqlite3.connect("file:%s?mode=ro" % sys.argv[2], uri=True)
theirs = [(s, kinds[k]) for s, k in db.execute("SELECT seq, kind FROM event ORDER BY seq")]
assert ours == theirs and len(ours) > 20, (len(ours), len(theirs))
PY
}

# Two registers of the SVD file, by name; what the trace holds at their offsets, by sqlite3.
names_from_svd() {
  local svd=$PCILENS_SOURCE/tests/unit/registers/uart.svd recording
  recording=("$PCILENS_SOURCE"/tests/data/recordings/nvme-*/nvme.mmiotrace)
  run import mmiotrace "${recording[0]}" -o "$work/named.trace" --registers "$svd,peripheral=UART0"
  exits 0 || return
  run import mmiotrace "${recording[0]}" -o "$work/unnamed.trace"
  exits 0 || return
  local count
  count=$(sqlite3 "$work/named.trace" 'SELECT count(*) FROM event WHERE bar = 0 AND offset = 0')
  ((count > 0)) || return
  run query "$work/named.trace" --count CTRL
  exits 0 && out_has "^$count$" || return
  run query "$work/unnamed.trace" --count CTRL
  exits 2 || return
  run query "$work/unnamed.trace" --registers "$svd,peripheral=UART0" --count CTRL
  exits 0 && out_has "^$count$" || return
  run query "$work/unnamed.trace" --registers "$svd,peripheral=UART0,function=8086:10d3" --count CTRL
  exits 2 && err_has 'CTRL'
}

help_as_a_word() {
  run --help
  cp "$work/out" "$work/flag"
  run help
  exits 0 && cmp "$work/out" "$work/flag" || return
  run query --help
  cp "$work/out" "$work/flag"
  run help query
  exits 0 && cmp "$work/out" "$work/flag"
}

# json_error WORDS ARGUMENT ...: one JSON object on standard error, nothing else.
json_error() {
  local words=$1
  shift
  run "$@"
  exits 2 && [[ ! -s $work/out ]] && python3 -c 'import json,sys; e=json.load(open(sys.argv[1])); assert list(e)==["error"] and sys.argv[2] in e["error"], e' "$work/err" "$words"
}

replays_nothing() {
  cp "$work/run.trace" "$work/empty.trace"
  sqlite3 "$work/empty.trace" 'DELETE FROM event'
  one_sentence 2 'nothing to replay' replay "$work/empty.trace"
}

looks_at_registers_of_a_recording() {
  run console "$work/run.trace" -e registers
  exits 0 && out_has '^LIVENESS .* reset$' && out_has 'not in the recording so far' || return
  run console "$work/run.trace" -e 'break write LIVENESS' -e run -e 'wait stop' -e 'registers LIV*'
  exits 0 && out_has '^LIVENESS .*driver *$' || return
  run console "$work/run.trace" -e 'expect FACTORIAL=0'
  exits 1 && err_has 'FACTORIAL is not in the recording so far'
}

# What info says of the whole and of the position, by sqlite3.
info_of_a_recording() {
  local all first
  all=$(sqlite3 "$work/run.trace" 'SELECT max(seq) FROM event')
  first=$(sqlite3 "$work/run.trace" 'SELECT min(seq) FROM event WHERE bar = 0')
  run console "$work/run.trace" -e info
  exits 0 && out_has "^stands at +#$first, " && out_has "^all of it +$all transactions in " || return
  run console "$work/run.trace" --json -e info
  exits 0 && python3 -c 'import json,sys; i=json.loads(open(sys.argv[1]).readlines()[-1]); assert i["position"]==int(sys.argv[2]) and i["seq"]==int(sys.argv[3]) and i["length_ns"]>i["now_ns"], i' "$work/out" "$first" "$all"
}

one_disk_in_one_session() {
  truncate -s 8M "$work/shared.img"
  one_sentence 2 'would both write to the disk' console --device "nvme,disk=$work/shared.img" --device "nvme,disk=$work/./shared.img" -e info || return
  run console --device "nvme,disk=$work/shared.img" --device "nvme,disk=$work/shared.img,snapshot=on" -e info
  exits 0
}

# A trace is replaced where that is asked for; what is no trace, or is being written, never.
overwrites() {
  local again=(console --device edu --trace "$work/again.trace" --no-hold -e 'wait end')
  run "${again[@]}" && exits 0 || return
  one_sentence 2 'again.trace: exists already; choose another name, or replace a trace with --overwrite' "${again[@]}" || return
  run "${again[@]}" --overwrite
  exits 0 && run check "$work/again.trace" -e 'must irq' && exits 0 || return
  echo mine >"$work/letter"
  one_sentence 2 'letter: exists and is not a pcilens trace; it is left alone' console --device edu --trace "$work/letter" --overwrite -e info || return
  [[ $(<"$work/letter") == mine ]] || return
  one_sentence 2 'is a folder; name a file in it' console --device edu --trace "$work" -e info || return
  timeout 60 "$PCILENS" console --device edu --trace "$work/again.trace" --overwrite -x <(sleep 5) >/dev/null 2>&1 &
  local writes=$! status=0
  sleep 1
  one_sentence 2 'another program has this trace open' "${again[@]}" --overwrite || status=1
  kill $writes
  wait $writes 2>/dev/null
  return $status
}

# To where one already is; a script gave up waiting after 10 s.
seeks_in_place() {
  SECONDS=0
  run console "$work/run.trace" -e 'seek 40' -e 'seek 40' -e restart -e restart -e 'seek 40' -e 'expect stopped'
  exits 0 && ((SECONDS < 8))
}

replays() {
  run replay "$work/run.trace" --times 20
  exits 0 && out_has '^0 divergences in 20 runs'
}

replay_finds() {
  timeout 60 "$PCILENS" console --device edu --trace "$work/forced.trace" -e 'fault read FACTORIAL => flip 0x1' -e run -e 'wait end' </dev/null
  cp "$work/run.trace" "$work/bent.trace"
  python3 - "$work/bent.trace" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
# The last read of FACTORIAL (BAR0+8) as if the device had answered otherwise.
db.execute("UPDATE event SET value = value + 1 WHERE seq = (SELECT max(seq) FROM event WHERE kind = 2 AND bar = 0 AND offset = 8)")
db.commit()
PY
  run replay "$work/bent.trace"
  exits 1 && out_has '1 divergence' && out_has 'FACTORIAL'
}

serves() {
  timeout 60 "$PCILENS" serve --device edu >"$work/serve.out" 2>&1 &
  local server=$! i status=0
  for ((i = 0; i < 100; i++)); do
    grep -q serving "$work/serve.out" && break
    sleep 0.1
  done
  cat "$work/serve.out"
  [[ $(stat -c %a "$work/run/pcilens/edu.sock") == 600 ]] || status=1
  run attach edu -e 'expect stopped' -e 'break write FACTORIAL' -e run -e 'wait stop' -e 'edit 5' -e 'registers'
  exits 0 && out_has 'write of FACTORIAL' || status=1
  one_sentence 2 'edu.sock' serve --device edu || status=1
  kill -INT "$server"
  wait "$server" || { echo "serve ended with $?" && status=1; }
  one_sentence 2 'pcilens serve' attach || status=1
  return "$status"
}

# With standard output closed, the next file that opens would get its place.
closed_stdout() {
  timeout 60 "$PCILENS" console --device edu --trace "$work/closed.trace" -e registers -e run -e 'wait end' >&- </dev/null || return
  run query "$work/closed.trace" --count
  local all
  all=$(sqlite3 -readonly "$work/run.trace" 'SELECT count(*) FROM event')
  exits 0 && (($(cat "$work/out") >= all - 2))
}

full_stdout() {
  local status=0
  timeout 60 "$PCILENS" query "$work/run.trace" >/dev/full 2>"$work/err" </dev/null || status=$?
  cat "$work/err"
  ((status == 2)) && err_has 'standard output: .*not all of the answer'
}

reader_gone() {
  timeout 60 "$PCILENS" console --device nvme -e run -e 'wait end' -e 'transactions last 1000' -e registers </dev/null | true
  local codes=("${PIPESTATUS[@]}")
  echo "exit code ${codes[0]}"
  ((codes[0] == 141))
}

# A time limit, as CI has them.
ended_from_outside() {
  mkdir "$work/tmp"
  TMPDIR=$work/tmp timeout 1 "$PCILENS" console --device nvme,traffic=10000,latency_us=2000 -e run -e 'wait end 100s' </dev/null
  local status=$?
  ls "$work/tmp"
  ((status == 124)) && [[ -z $(ls -A "$work/tmp") ]] || return
  timeout 1 "$PCILENS" console --device nvme,traffic=10000,latency_us=2000 --trace "$work/ended.trace" -e run -e 'wait end 100s' </dev/null
  [[ ! -e $work/ended.trace-wal ]] && (($(sqlite3 -readonly "$work/ended.trace" 'SELECT count(*) FROM event') > 100))
}

strange_scripts() {
  one_sentence 2 'cannot be read' console --device edu -x "$work" && one_sentence 2 'line is longer' console --device edu -x /dev/zero
}

foreign_plug_in() {
  cp "$work/run.trace" "$work/foreign.trace"
  sqlite3 "$work/foreign.trace" "UPDATE function SET device = '$work/x.so'"
  one_sentence 2 'not loaded at the word of a trace' replay "$work/foreign.trace"
}

one_disk() {
  truncate -s 8M "$work/disk.img"
  mkfifo "$work/hold"
  timeout 60 "$PCILENS" console --disk "$work/disk.img" -x - <"$work/hold" >"$work/first.out" 2>&1 &
  local first=$! status=0 i
  exec 9>"$work/hold"
  for ((i = 0; i < 100; i++)); do
    grep -q held "$work/first.out" && break
    sleep 0.1
  done
  one_sentence 2 'another program has it' console --disk "$work/disk.img" -e info || status=1
  run console --device nvme,snapshot=on --disk "$work/disk.img" -e info
  exits 0 || status=1
  exec 9>&-
  wait "$first" || status=1
  return "$status"
}

new_refuses() {
  one_sentence 2 'lower-case' new Bad-Name --here "$work" && one_sentence 2 'lower-case' new switch --here "$work" &&
    one_sentence 2 'no-such-place|Permission|denied|exists|director' new good --here /proc &&
    run new good --here "$work" && exits 0 &&
    one_sentence 2 'there already' new good --here "$work"
}

new_wants_a_folder() {
  one_sentence 2 'no such folder' new good --here "$work/nowhere" && [[ ! -e $work/nowhere ]]
}

# A trace whose names and schema are somebody else's.
hostile_trace() {
  cp "$work/run.trace" "$work/hostile.trace" || return
  sqlite3 "$work/hostile.trace" "UPDATE function SET device = '', instance = char(27) || '[2J' || char(10) || printf('%.*c', 100000, 'x')" || return
  one_sentence 2 'x\.\.\.' commands "$work/hostile.trace" || return
  ! grep -q "$(printf '\033')" "$work/err" && (($(wc -c <"$work/err") < 400)) || return
  run console "$work/hostile.trace" -e functions -e info -e 'config nosuch'
  out_has '\?\[2J' && ! grep -q "$(printf '\033')" "$work/out" "$work/err"
}

import_refused() {
  cp "$work/run.trace" "$work/kept.trace" && before=$(md5sum <"$work/kept.trace") || return
  one_sentence 2 'null' import mmiotrace /dev/null -o "$work/kept.trace" --overwrite || return
  [[ $(md5sum <"$work/kept.trace") == "$before" ]] && [[ $(echo "$work"/kept.trace*) == "$work/kept.trace" ]]
}

attach_leaves_nothing() {
  XDG_RUNTIME_DIR=$work/looked
  mkdir -m 700 "$XDG_RUNTIME_DIR"
  one_sentence 2 'nobody serves there' attach zz && [[ ! -e $work/looked/pcilens ]]
  local status=$?
  XDG_RUNTIME_DIR=$work/run
  return "$status"
}

with_tmpdir() {
  TMPDIR=$1 timeout 60 "$PCILENS" console --device edu --no-hold -e info >"$work/out" 2>"$work/err" </dev/null
  code=$?
  cat "$work/out" "$work/err"
}

temporary_folders() {
  with_tmpdir /nonexistent
  exits 2 && err_has '/nonexistent: .*set TMPDIR' && (($(wc -l <"$work/err") == 1)) || return
  with_tmpdir ''
  exits 0
}

record >"$work/record.out" 2>&1 || cat "$work/record.out"
check "devices lists edu, also as JSON" lists_devices
check "a display keeps the picture that its driver draws, and the session replays" keeps_a_picture
check "every sub-command's help has examples" every_help
check "help and help SUB-COMMAND are --help" help_as_a_word
check "help of what is no sub-command is refused in one sentence" one_sentence 2 'no sub-command "frob"' help frob
check "with --json a wrong expression is a JSON error" json_error 'column 7' query --json "$work/run.trace" 'write NOPE'
check "with --json wrong use is a JSON error" json_error '--frobnicate' query --json "$work/run.trace" --frobnicate
check "an empty name of a recording is refused, and opens no device" one_sentence 2 'empty name' console ''
check "an empty name of a trace is refused" one_sentence 2 'empty name' console --trace '' -e info
check "a trace with nothing to replay is refused in one sentence" replays_nothing
check "a recording's registers are marked where it has not told of them" looks_at_registers_of_a_recording
check "info of a recording tells the whole and the position apart" info_of_a_recording
check "two functions may not write to one disk" one_disk_in_one_session
check "an unknown sub-command is wrong use: exit code 2" one_sentence 2 'pcilens --help' frobnicate
check "an unknown option is wrong use: exit code 2" one_sentence 2 'console --help' console --frobnicate
check "an unknown sub-command names the nearest" one_sentence 2 'no sub-command "replya"; did you mean replay\?' replya
check "an unknown option names the nearest" one_sentence 2 'no option --devise; did you mean --device\?' console --devise edu
check "a word too many is named" one_sentence 2 '"more" was not expected' check "$work/run.trace" more
check "an option before the sub-command is refused" one_sentence 2 'write it after' --device edu console
check "a device that does not exist is refused in one sentence" one_sentence 2 'nosuch' console --device nosuch -e info
check "a device option that does not exist is refused in one sentence" one_sentence 2 'frob' console --device edu,frob=1 -e info
check "a trace that does not exist is refused in one sentence" one_sentence 2 'nosuch.trace' query "$work/nosuch.trace"
check "a file that is no trace is refused in one sentence" one_sentence 2 'common.sh' query "${BASH_SOURCE[0]%/*}/common.sh"
check "a wrong expression is refused with its column" wrong_expression
check "a script that does not exist is refused in one sentence" one_sentence 2 'nosuch.pcilens' console --device edu -x "$work/nosuch.pcilens"
check "query prints what matches" query_prints
check "query --check has exit code 1 when something matches" query_checks
check "query has the same rows as sqlite3" query_equals_sqlite
check "an SVD file names the registers of an imported recording" names_from_svd
check "an SVD of several peripherals wants one chosen, in one sentence" one_sentence 2 'UART0 UART1' query "$work/run.trace" --registers "$PCILENS_SOURCE/tests/unit/registers/uart.svd"
check "a register file without an end is refused" one_sentence 2 'more than 32 MiB' query "$work/run.trace" --registers /dev/zero
check "an option of --registers that is given twice is refused" one_sentence 2 'peripheral= is given twice' query "$work/run.trace" --registers "$PCILENS_SOURCE/tests/unit/registers/uart.svd,peripheral=UART0,peripheral=UART1"
check "query refuses a negative number" one_sentence 2 '--from: -1 is not a whole number from 0' query "$work/run.trace" --from -1
check "query refuses a number past the last" one_sentence 2 '--from: 9+ is not a whole number' query "$work/run.trace" --from 99999999999999999999
check "query refuses a negative limit" one_sentence 2 '--limit: -1' query "$work/run.trace" --limit -1
check "commands refuses a negative number" one_sentence 2 '--command: -1' commands "$work/run.trace" --command -1
check "names out of a trace reach the terminal without escapes, cut to a line" hostile_trace
check "a refused import leaves nothing beside the old trace" import_refused
check "a name for the trace that is too long is refused in one sentence" one_sentence 2 'too long; choose' console --device edu --trace "$work/$(printf '%0300d' 0)" -e info
check "a temporary folder that is not there is refused in one sentence, an empty TMPDIR is none" temporary_folders
check "a folder is no disk" one_sentence 2 'it is a folder' console --device "nvme,disk=$work" -e info
check "serving on /dev/null is refused" one_sentence 2 '/dev/null: nobody can talk' serve --device edu --stream /dev/null
check "recording into /dev/null is refused" one_sentence 2 '/dev/null: is no shared memory; name' serve --device edu --spool /dev/null
check "attach leaves no folder behind" attach_leaves_nothing
check "a word of C++ is no name of a device" one_sentence 2 'no word of C' new class --here "$work"
check "new makes no folders above its own" new_wants_a_folder
check "a register file that is none is refused in one sentence" one_sentence 2 'common.sh:[0-9]+: no well-formed XML' query "$work/run.trace" --registers "${BASH_SOURCE[0]%/*}/common.sh"
check "a recording replays with zero divergences, twenty times" replays
check "replay shows the first divergence by name" replay_finds
check "a closed standard output costs no recorded event" closed_stdout
check "a full standard output is told, with exit code 2" full_stdout
check "a reader that has gone ends it as it ends any program" reader_gone
check "SIGTERM leaves no file behind and no event out" ended_from_outside
check "a folder and a device are refused as scripts" strange_scripts
check "--overwrite replaces a trace, and nothing else" overwrites
check "seek to the place where one is comes back at once" seeks_in_place
check "a trace cannot make pcilens load a plug-in" foreign_plug_in
check "one disk file has one writer" one_disk
check "serve and attach share a target; the socket is private and gone afterwards" serves
check "new refuses a bad name and an existing folder" new_refuses
exit $((failures > 0))

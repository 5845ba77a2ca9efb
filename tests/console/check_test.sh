#!/bin/bash
# SPDX-License-Identifier: MIT
# `pcilens check` as a CI job uses it: exit codes, JUnit, what is said about a wrong file.
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/common.sh"

trace=$work/run.trace
root=$PCILENS_SOURCE
record() {
  timeout 60 "$PCILENS" console --device "$1" --trace "$work/$1.trace" --no-hold -e 'wait end' </dev/null
}
asserts() { printf '%s\n' "$@" >"$work/run.asserts"; }

all_held() {
  asserts '# a remark' 'it computes: must write FACTORIAL == 10' 'never status != SC  # nor this'
  run check "$trace" -x "$work/run.asserts"
  exits 0 && out_has '^held +it computes ' && out_has '^2 held, 0 failed; [0-9]+ transactions'
}

# The numbers are those that sqlite3 finds: writes of FACTORIAL are BAR0+8.
shows_the_first() {
  local first
  first=$(sqlite3 "$trace" 'SELECT min(seq) FROM event WHERE kind = 3 AND bar = 0 AND offset = 8')
  asserts 'not that: never write FACTORIAL'
  run check "$trace" -x "$work/run.asserts"
  exits 1 && out_has '^FAILED +not that' && out_has "run.asserts:1: never write FACTORIAL" &&
    out_has "^ *$first .*FACTORIAL.*← the first match" && out_has '^0 held, 1 failed'
}

# wrong LINE:COLUMN WORDS ASSERTION ...
wrong() {
  local place=$1 words=$2
  shift 2
  asserts "$@"
  run check "$trace" -x "$work/run.asserts"
  exits 2 && [[ ! -s $work/out ]] && err_has "run.asserts:$place: $words"
}

# refused WORDS ARGUMENT ...
refused() {
  local words=$1
  shift
  run check "$@"
  exits 2 && err_has "$words" && (($(wc -l <"$work/err") == 1))
}

# xmllint or Python's own reader, whichever is there: outside judges.
junit() {
  asserts 'a <name> & "quotes": must irq' 'late: must irq within 1ns after each write FACTORIAL' \
    'idle: must irq after each write FACTORIAL == 12345'
  rm -f "$work/junit.xml"
  run check "$trace" -x "$work/run.asserts" -e 'never gap' --junit "$work/junit.xml"
  exits 1 && python3 - "$work/junit.xml" "$work/run.asserts" <<'PY'
import datetime, sys, xml.etree.ElementTree as xml
top = xml.parse(sys.argv[1]).getroot()
assert top.tag == "testsuites" and (top.get("tests"), top.get("failures")) == ("4", "1"), top.attrib
files, argument = list(top)
assert files.get("name") == sys.argv[2] and files.get("tests") == "3" and files.get("failures") == "1"
cases = files.findall("testcase")
assert [c.get("name") for c in cases] == ['a <name> & "quotes"', "late", "idle"]
assert [c.get("line") for c in cases] == ["1", "2", "3"] and cases[1].get("file") == sys.argv[2]
assert [len(c.findall("failure")) for c in cases] == [0, 1, 0]
failure = cases[1].find("failure")
assert "the limit is 1 ns" in failure.get("message"), failure.get("message")
assert "write FACTORIAL" in failure.text and "\n" in failure.text.strip()
assert len(argument.findall("testcase")) == 1
total = float(top.get("time"))
assert 0 < total < 60 and abs(sum(float(c.get("time")) for c in top.iter("testcase")) - total) < 1e-5
datetime.datetime.strptime(files.get("timestamp"), "%Y-%m-%dT%H:%M:%SZ")
PY
}

as_json() {
  run check "$trace" -e 'must irq' -e 'never irq' --json
  exits 1 && python3 - "$work/out" "$trace" <<'PY'
import json, sqlite3, sys
said = json.load(open(sys.argv[1]))
events, first = sqlite3.connect("file:%s?mode=ro" % sys.argv[2], uri=True).execute(
    "SELECT count(*), (SELECT min(seq) FROM event WHERE kind = 6) FROM event").fetchone()
assert (said["held"], said["failed"], said["looked_at"]) == (1, 1, events), said
assert [a["transactions"][0]["seq"] for a in said["assertions"]] == [first, first], said
PY
}

from_stdin() {
  echo 'must irq at least once' | timeout 60 "$PCILENS" check "$trace" -x - >"$work/out" 2>"$work/err"
  code=$?
  exits 0 && out_has '1 held'
}

# Nothing may be asserted of a trace in which nothing was recorded: all of it would hold.
empty_trace() {
  cp "$trace" "$work/empty.trace"
  sqlite3 "$work/empty.trace" 'DELETE FROM event' || return
  refused 'the trace is empty' "$work/empty.trace" -e 'never irq'
}

# The files that ship, on traces that ship and on runs of our own devices.
shipped() {
  local recordings=$root/tests/data/recordings
  run import mmiotrace "$recordings"/nvme-*/nvme.mmiotrace -o "$work/real.trace"
  exits 0 || return
  gzip -dc "$recordings"/nvme-*/qemu-trace.log.gz >"$work/qemu.log"
  run import qemu-log "$work/qemu.log" -o "$work/vm.trace"
  exits 0 || return
  local trace
  for trace in real vm nvme; do
    run check "$work/$trace.trace" -x "$root/devices/nvme/nvme.asserts"
    exits 0 && out_has ' 0 failed' || return
  done
  run check "$work/edu.trace" -x "$root/devices/edu/edu.asserts"
  exits 0
}

# The write of CC (BAR0+0x14) that enables it, as if the driver had left EN at 0.
shipped_can_fail() {
  cp "$work/nvme.trace" "$work/off.trace"
  sqlite3 "$work/off.trace" 'UPDATE event SET value = value - 1 WHERE kind = 3 AND bar = 0 AND offset = 20 AND value % 2 = 1'
  run check "$work/off.trace" -x "$root/devices/nvme/nvme.asserts"
  exits 1 && out_has 'FAILED +the controller is enabled' && out_has 'FAILED +no doorbell while it is disabled'
}

{ record edu && record nvme; } >"$work/record.out" 2>&1 || cat "$work/record.out"
mv "$work/edu.trace" "$trace" && cp "$trace" "$work/edu.trace"
check "check has exit code 0 where all assertions hold" all_held
check "check has exit code 1 and shows the transaction that decides" shows_the_first
check "a wrong expression in a file of assertions is told with file, line and column" \
  wrong 3:13 'no register NOPE' '# one' 'never irq' 'bad: must   NOPE'
check "a wrong limit is told with its place" wrong 1:17 '5ux is no number' 'must irq within 5ux after each irq'
check "a rule that is none is told with its place" wrong 1:1 'an assertion is' 'shall irq'
check "a file without assertions is wrong use" wrong 1:1 'there is no assertion' '# nothing'
check "check without assertions is wrong use" refused 'nothing is asserted' "$trace"
check "a file of assertions that does not exist is refused" refused 'nosuch.asserts: No such file' "$trace" -x "$work/nosuch.asserts"
check "a trace that does not exist is refused" refused 'nosuch.trace' "$work/nosuch.trace" -e 'must irq'
check "an empty trace is refused" empty_trace
check "a JUnit file that cannot be written is told" refused 'junit .*No space left' "$trace" -e 'must irq' --junit /dev/full
check "the JUnit file has a test an assertion, with file, line and reason" junit
check "the JSON has the numbers that sqlite3 finds" as_json
check "assertions come from standard input too" from_stdin
check "the files of assertions that ship hold for recordings of real drivers and for our own" shipped
check "and they fail for a driver that never enables the controller" shipped_can_fail
exit $((failures > 0))

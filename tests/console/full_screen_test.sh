#!/bin/bash
# SPDX-License-Identifier: MIT
# The full screen in a real terminal (tmux): panes, keys, mouse, small terminals, recordings.
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/common.sh"
command -v tmux >/dev/null || { echo "skipped: tmux is not there (package tmux)" && exit 77; }

terminals=0
t() { tmux -S "$work/tmux.$terminals" "$@"; }
screen() { t capture-pane -p -t screen; }
type_keys() { t send-keys -t screen "$@"; }

# begin WIDTH HEIGHT [ARGUMENT ...]: a fresh full screen.
begin() {
  local width=$1 height=$2
  shift 2
  t kill-server 2>/dev/null
  terminals=$((terminals + 1))  # a server that is ending takes no new session
  t -f /dev/null new-session -d -x "$width" -y "$height" -s screen \
    "TERM=screen-256color exec timeout 300 '$PCILENS' console --full-screen $*"
}
begin_edu() { begin "$1" "$2" --device edu --trace "$work/t.$terminals" && see 'Transactions' && see 'read of ID held'; }

# see PATTERN: waits until the screen has it, 40 s at most.
see() {
  local i
  for ((i = 0; i < 400; i++)); do
    screen 2>/dev/null | grep -qE -- "$1" && return 0
    sleep 0.1
  done
  echo "never saw /$1/ on:"
  screen
  return 1
}
# gone PATTERN: waits until it is no more there.
gone() {
  local i
  for ((i = 0; i < 400; i++)); do
    screen 2>/dev/null | grep -qE -- "$1" || return 0
    sleep 0.1
  done
  echo "still /$1/ on:"
  screen
  return 1
}
ended() {
  local i
  for ((i = 0; i < 100; i++)); do
    t has-session -t screen 2>/dev/null || return 0
    sleep 0.1
  done
  screen
  return 1
}

shows_all() {
  begin_edu 140 44 && see 'Registers' && see 'LIVENESS +0x' && see 'Breakpoints and faults' && see 'Driver code' &&
    see 'edu_driver.cpp' && see 'Console' && see 'read +ID' && see 'F5 run'
}
keys_step() { begin_edu 140 44 && type_keys F10 && see 'write of LIVENESS held' && type_keys F11 && see '■ #'; }
breaks_and_edits() {
  begin_edu 140 44 && type_keys 'break write FACT' Tab && see 'break write FACTORIAL' && type_keys Enter &&
    see '1 +write FACTORIAL' && type_keys F5 && see 'write of FACTORIAL held' &&
    type_keys 'edit 5' Enter && see 'edited to' && type_keys 'break after read FACTORIAL' C-u 'break read FACTORIAL after' Enter &&
    see '2 +read FACTORIAL' && type_keys F5 && see '0x00000078'
}
toggles_by_key() {
  begin_edu 140 44 && type_keys Tab Down Down F9 && see '1 +FACTORIAL' && type_keys F5 && see 'write of FACTORIAL held'
}
opens_register() { begin_edu 140 44 && type_keys Tab Enter && see 'MAJOR +' && see 'MAGIC +'; }
pokes_and_forces() {
  begin_edu 140 44 && type_keys 'write IRQ_RAISE 0x1' Enter && see 'IRQ_STATUS +0x00000001' &&
    type_keys 'force LIVENESS 0x77' Enter && see 'LIVENESS +0x00000077'
}
faults() {
  begin_edu 140 44 && type_keys 'fault read LIVENESS => all-ones' Enter && see 'fault 1' && type_keys F5 && see 'LIVENESS does not read back'
}
filters() {
  begin_edu 140 44 && type_keys 'run' Enter && see 'ended' && type_keys 'filter irq' Enter && see 'Transactions: irq' &&
    see 'interrupt +vector 0' && gone '[0-9] +write +[A-Z]' && type_keys 'filter' Enter && see '[0-9] +read '
}
follows_list() {
  begin_edu 140 44 && type_keys 'run' Enter && see 'ended' && type_keys BTab && see 'Enter show' && type_keys Home && see ' 1 +config read' &&
    type_keys Enter && see '#1 config read'
}
small() { begin_edu 80 24 && see 'Registers' && see 'Console' && see 'ID +0x'; }
# The head whole, and all fields of CC.
small_stop() {
  begin 80 24 --device nvme --trace "$work/small.stop" && see 'held' &&
    type_keys 'break CC.EN 0->1' Enter F5 && see 'write of CC held before' && see 'breakpoint 1: CC.EN' &&
    see ' EN +0 +0 → 1' && see ' IOCQES +' && see '[0-9]+ +write +CC'
}
help_begins() {
  begin_edu 80 24 && type_keys F1 && see '^Run' && see '^  pause' && see 'PageDown' && type_keys NPage && see 'Session|Trace' &&
    type_keys Escape && see 'Registers'
}
too_small() { begin 40 10 --device edu --trace "$work/small" && see 'make the terminal' && t resize-window -t screen -x 120 -y 40 && see 'Registers'; }
recording() {
  timeout 60 "$PCILENS" console --device edu --trace "$work/run.trace" --no-hold -e 'wait end' </dev/null &&
    begin 140 44 "$work/run.trace" && see 'read of ID as recorded' && type_keys 'break irq' Enter F5 && see 'interrupt vector 0 as recorded' &&
    see 'IRQ_STATUS +0x00000001' && type_keys 'write ID 1' Enter && see 'this is a recording'
}
replays() {
  begin_edu 140 44 && type_keys 'break write FACTORIAL' Enter F5 && see 'write of FACTORIAL held' && type_keys 'edit 5' Enter F5 && see 'came out wrong' &&
    type_keys 'replay' Enter && see '0 divergences: [0-9]+ requests'
}
leaves() { begin_edu 140 44 && type_keys C-d && ended; }
no_terminal() {
  run console --full-screen --device edu
  exits 2 && err_has 'wants a terminal'
}

check "the full screen shows registers, stop, code, transactions, breakpoints and the prompt" shows_all
check "F10 and F11 step" keys_step
check "a breakpoint is set with completion, its stop edited, and the answer shown" breaks_and_edits
check "F9 sets a breakpoint on the selected register" toggles_by_key
check "Enter opens a register's fields" opens_register
check "pokes and forces show in the registers" pokes_and_forces
check "a fault rule reaches the driver" faults
check "filter narrows the transactions" filters
check "the list goes to its beginning and shows a transaction" follows_list
check "80 by 24 is enough" small
check "at 80 by 24 a stop is whole, with its fields" small_stop
check "F1 shows help from its beginning, and Esc brings the panes back" help_begins
check "a terminal that is too small says so, and a larger one shows all" too_small
check "a recording is walked through, and refuses a poke" recording
check "what was recorded, with an edit, is replayed to a fresh device" replays
check "Ctrl-D ends it" leaves
check "without a terminal it is refused in one sentence" no_terminal
t kill-server 2>/dev/null
exit $((failures > 0))

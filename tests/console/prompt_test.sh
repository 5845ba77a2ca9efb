#!/bin/bash
# SPDX-License-Identifier: MIT
# The prompt in a real terminal: completion, history, Ctrl-C, stops that come while a line is typed.
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/common.sh"
command -v tmux >/dev/null || { echo "skipped: tmux is not there (package tmux)" && exit 77; }

terminals=0
t() { tmux -S "$work/tmux.$terminals" "$@"; }
screen() { t capture-pane -p -t console; }
type_keys() { t send-keys -t console "$@"; }
trap 't kill-server 2>/dev/null; rm -rf "$work"' EXIT

# begin [ARGUMENT ...]: a fresh console in a terminal of 100 columns. Not in timeout, which sends each
# Ctrl-C once more.
# shellcheck disable=SC2120 # most begin without further arguments
begin() {
  t kill-server 2>/dev/null
  terminals=$((terminals + 1))  # a server that is ending takes no new session
  t -f /dev/null new-session -d -x 100 -y 30 -s console \
    "XDG_STATE_HOME=$XDG_STATE_HOME TERM=screen exec '$PCILENS' console --device edu --trace '$work/t.$terminals' $*"
  see '> $'
}

# see PATTERN: waits until the screen has it, 40 s at most.
see() {
  local i
  for ((i = 0; i < 400; i++)); do
    screen 2>/dev/null | sed 's/ *$//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' | sed 's/>$/> /' | grep -qE -- "$1" && return 0
    sleep 0.1
  done
  echo "never saw /$1/ on:"
  screen
  return 1
}

greets() { begin && see 'help' && see 'read of ID held' && see 'next: run, step' && see '^stopped #[0-9]+> $'; }

completes_command() { begin && type_keys 'regi' Tab && see '> registers ?$' && type_keys Enter && see 'LIVENESS'; }

completes_register_and_field() {
  begin && type_keys 'write DMA_C' Tab && see 'DMA_CMD' && type_keys Tab && see 'DMA_COUNT' && type_keys 'M' Tab '.D' Tab &&
    see 'write DMA_CMD\.DIR' && type_keys ' TO_H' Tab && see 'TO_HOST'
}

completes_expression() {
  begin && type_keys 'break wri' Tab && see 'break write' && type_keys 'FACT' Tab && see 'break write FACTORIAL' &&
    type_keys Enter && see 'breakpoint 1: write FACTORIAL'
}

remembers() {
  begin && type_keys 'decode STATUS 0x81' Enter && see 'COMPUTING' && type_keys 'quit' Enter && sleep 1 &&
    begin && type_keys Up Up && see '> decode STATUS 0x81' && [[ $(stat -c %a "$XDG_STATE_HOME/pcilens/history") == 600 ]]
}

# The driver waits 2 s for an interrupt that is lost; the end comes while a line is being typed.
keeps_line() {
  begin && type_keys 'fault irq => drop' Enter && see 'fault rule 1' && type_keys 'run' Enter && see '^running> $' &&
    type_keys 'decode STATUS' && see '^running> decode STATUS' && see 'no interrupt came' &&
    see '^ended> decode STATUS$' && type_keys ' 0x80' Enter && see 'IRQ'
}

ctrl_c_clears() {
  begin && type_keys 'frobnicate' && see '> frobnicate' && type_keys C-c && see '^stopped #[0-9]+> $' &&
    type_keys C-c && see 'Ctrl-D ends'
}

ctrl_c_pauses() {
  begin && type_keys 'fault irq => delay 20s' Enter && see 'fault rule 1' && type_keys 'run' Enter && see '^running> $' &&
    type_keys C-c && see '^(paused|stopped.*)> $'
}

ctrl_c_ends_wait() {
  begin && type_keys 'fault irq => delay 20s' Enter && see 'fault rule 1' && type_keys 'run' Enter && see '^running> $' &&
    type_keys 'wait stop 60s' Enter && sleep 1 && type_keys C-c && see 'wait: cancelled' && see '^ended> $' &&
    ! screen | grep 'paused'
}

ctrl_d_ends() {
  local i
  begin && type_keys C-d || return
  for ((i = 0; i < 100; i++)); do
    t has-session -t console 2>/dev/null || return 0
    sleep 0.1
  done
  screen
  return 1
}

check "the console greets with the stop and with what to type next" greets
check "TAB completes a command" completes_command
check "TAB completes registers, fields and the names of their values" completes_register_and_field
check "TAB completes expressions" completes_expression
check "lines are remembered for the next session, in a private file" remembers
check "what happens meanwhile is shown above the line that is typed" keeps_line
check "Ctrl-C clears the line, and on an empty one says how to leave" ctrl_c_clears
check "Ctrl-C holds a driver that runs" ctrl_c_pauses
check "Ctrl-C ends a wait, and the driver runs on" ctrl_c_ends_wait
check "Ctrl-D ends the console" ctrl_d_ends
t kill-server 2>/dev/null
exit $((failures > 0))

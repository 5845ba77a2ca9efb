// The console: a prompt that stays usable while the driver runs, and scripts of the same commands.
#pragma once

#include <string>
#include <vector>

#include "inspector-ui/commands/command.hpp"

namespace pcilens::ui {

struct ConsoleOptions {
  std::vector<std::string> scripts;   // files of commands, "-" for standard input; first
  std::vector<std::string> commands;  // then these lines
  bool stay = false;                  // on the prompt after both
  bool json = false;                  // one JSON value a command instead of text
  bool await_stop = false;            // the driver is about to be held: begin when it is
  bool echo = false;                  // show each line of a script before it runs
  bool full_screen = false;           // registers, transactions and the rest around the prompt
  std::string greeting = {};          // shown above the first prompt
};

// Whether a person types, after what there is of scripts.
bool is_interactive(const ConsoleOptions& options);

// Exit code of the process: 0, 1 where `expect` found otherwise, 2 on an error in a script.
// SIGINT must be blocked in every thread (block_interrupts() before the target is opened).
int run_console(Target& target, const ConsoleOptions& options);

// Keeps Ctrl-C from ending the process: the console reads it and pauses the driver.
void block_interrupts();

}  // namespace pcilens::ui

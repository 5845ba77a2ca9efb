// The options of those sub-commands that end on a console.
#pragma once

#include "inspector-ui/terminal/console.hpp"

namespace CLI {
class App;
}

namespace pcilens::cli {

void add_console_options(CLI::App& app, ui::ConsoleOptions& options);
const char* greeting();  // above the first prompt
// For options.full_screen; the exit code.
int show_full_screen(Target& target, const ui::ConsoleOptions& options);

}  // namespace pcilens::cli

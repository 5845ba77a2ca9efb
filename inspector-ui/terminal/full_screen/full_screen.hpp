// The full screen of a terminal: registers, transactions, breakpoints, the stop and the driver's
// code around the console's prompt. For SSH and serial lines; keys as in the window.
#pragma once

#include <string>

#include "core/result.hpp"
#include "core/target/target.hpp"

namespace pcilens::ui {

// Until it is quit; the exit code. An error says why the terminal cannot show it.
Result<int> run_full_screen(Target& target, const std::string& greeting);

}  // namespace pcilens::ui

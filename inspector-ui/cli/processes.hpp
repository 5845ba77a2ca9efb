// Child processes: run for their output, or started to live as long as this one.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"

namespace pcilens::cli {

// How a shell takes it as one word.
std::string shell_word(const std::string& text);
// Runs it and gives its lines on standard output; what it says on standard error is for the person.
Result<std::vector<std::string>> run_for_lines(const std::vector<std::string>& command);
// Runs it with our own input and output; gives its exit code, 128 and more for a signal.
Result<int> run_here(const std::vector<std::string>& command);
// Starts it with its output in a file, apart from the terminal's Ctrl-C; killed when the thread
// that called this ends. Gives the process id.
Result<int> start_bound(const std::vector<std::string>& command, const std::string& output);
// Removes these when this process ends, however it does; folders with all that is in them only
// where `folders` says so. Gives the descriptor whose end the child waits for.
Result<int> remove_at_end(const std::vector<std::string>& paths, bool folders);

}  // namespace pcilens::cli

// Where the program's files lie, and where it keeps what it makes of them.
#pragma once

#include <filesystem>
#include <string>

#include "core/result.hpp"

namespace pcilens::cli {

// This very program's file; empty where /proc is not there.
std::filesystem::path own_program();
// share/pcilens: vm, kmod, drivers. An error where the program was copied away from its files.
Result<std::string> share_folder();
// $XDG_CACHE_HOME/pcilens or ~/.cache/pcilens; need not be there yet.
Result<std::string> cache_folder();

}  // namespace pcilens::cli

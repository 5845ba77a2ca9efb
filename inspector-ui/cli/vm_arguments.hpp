// The arguments of "pcilens vm", as far as they can be judged before anything is built or booted.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "inspector-ui/cli/virtual_machine.hpp"

namespace pcilens::cli {

// Whether an argument that may be a name is a file's path: "./nvme", "nvme.ko".
bool names_file(const std::string& text, std::string_view ending);

// "nvme,io_queue_depth=64": a module's file, folder or name, and its parameters as modprobe takes
// them, with a blank before each.
struct DriverChoice {
  std::string what, parameters;
};
Result<DriverChoice> parse_driver(const std::string& text);

// Devices with their options, drivers, programs, files, modules and the shell's socket.
Result<void> check_arguments(const VirtualMachineOptions& options);
// A file of this name can be made: it has a folder, and is none itself. Empty: fine.
Result<void> check_new_file(std::string_view option, const std::string& path);
// A socket of this path can be made: nothing is there but one that somebody left. Empty: fine.
Result<void> check_new_socket(std::string_view option, const std::string& path);
// It can be read, and is no folder; "-" is standard input.
Result<void> check_readable(std::string_view option, const std::string& path);

}  // namespace pcilens::cli

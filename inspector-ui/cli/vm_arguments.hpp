// What the arguments of "pcilens vm" mean.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace pcilens::cli {

// Whether an argument that may be a name is a file's path: "./nvme", "nvme.ko".
bool names_file(const std::string& text, std::string_view ending);

// "nvme,io_queue_depth=64": a module's file, folder or name, and its parameters as modprobe takes
// them, with a blank before each.
struct DriverChoice {
  std::string what, parameters;
};
Result<DriverChoice> parse_driver(const std::string& text);

}  // namespace pcilens::cli

// Which of Linux' well-known locks a held driver has, by its call stack: who else wants one stands
// still as long as the stop lasts, be it all of the machine's networking.
#pragma once

#include <string_view>
#include <vector>

#include "core/target/target.hpp"

namespace pcilens {

struct KernelLock {
  std::string_view name;       // "the device's lock"
  std::string_view taken_by;   // "really_probe": the function in the stack that has it
  std::string_view meanwhile;  // "nobody can bind, reset or remove the device"
};

// Innermost first, each once. A driver's own locks are not among them, and a kernel without these
// functions' names has none.
std::vector<KernelLock> kernel_locks(const CodeView& view);

}  // namespace pcilens

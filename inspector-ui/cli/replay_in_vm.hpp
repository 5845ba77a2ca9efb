// A replay on the PCI bus of a kernel in a virtual machine: the same command, run in a guest.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"

namespace pcilens::cli {

struct GuestReplay {
  std::string trace;                  // on this machine
  std::string kernel;                 // series "6.12"; empty: the distribution's own
  std::vector<std::string> plug_ins;  // shared objects that the replay loads, by absolute path
  std::vector<std::string> options;   // of `pcilens replay`, besides the trace and --through
};

// Shows what the guest's replay shows, and gives its exit code.
Result<int> replay_in_vm(const GuestReplay& replay);

}  // namespace pcilens::cli

// The example driver of the NVMe controller for the sim host.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/host/sim/device.hpp"
#include "core/result.hpp"

namespace pcilens::nvme {

// What it shall do, from the options of the device that it drives.
struct Traffic {
  std::uint32_t commands = 64;  // written, then as many read back
  std::uint32_t depth = 8;      // at once in each queue
  std::uint32_t bytes = 4096;   // of each command
  unsigned queues = 2;
};

// Finds the controller, brings it up as Linux does, writes, reads back and compares, and shuts it
// down. An Error says what the controller did wrong.
Result<void> drive(sim::Device& device);

// Whether the option is one of the driver's, and `value` one that it takes.
bool valid_driver_option(std::string_view name, std::uint64_t value);

}  // namespace pcilens::nvme

// Opens a target in this process: a link with its functions, its host and its trace.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/function/device.hpp"
#include "core/result.hpp"
#include "core/target/target.hpp"

namespace pcilens {

struct DeviceChoice {
  std::string name;  // of a built-in device, or the path of a plug-in (has a slash or ends in .so)
  DeviceOptions options;
};

struct SessionOptions {
  std::vector<DeviceChoice> devices;  // at least one
  std::string host = "sim";           // "sim", "kmod"
  std::string trace;                  // file to make; empty: one in the temporary folder
  bool overwrite = false;             // an earlier trace of that name, and no other file
  std::string spool;                  // shared memory to record into instead, read elsewhere (VM)
  bool hold_at_first_access = true;   // stop at the driver's first BAR access
  bool drive = true;                  // sim: run the device's example driver
  bool stacks = false;                // kmod: the driver's call stack with every access
  bool watch = false;                 // plug-ins: load again when the file changes
  // Told, while the target is destroyed, one sentence where the trace could not be written to its
  // end: its disk is full.
  std::function<void(std::string)> not_written;
  // Told, so long into the target's destruction, in one sentence which function's handler does not
  // return. Nobody can end it: whoever is told closes what is to be kept, and ends the program.
  std::function<void(std::string)> stuck;
  std::chrono::milliseconds stuck_after{3000};
};

// Makes one function of the device. What its constructor throws becomes an Error.
Result<std::unique_ptr<Function>> make_function(const Device& device, const DeviceOptions& options);

Result<std::unique_ptr<Target>> open_session(const SessionOptions& options);

}  // namespace pcilens

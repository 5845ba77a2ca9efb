// Devices outside this program: shared objects with one entry each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/function/device.hpp"
#include "core/result.hpp"

namespace pcilens {

// A loaded plug-in. Unloading it while a function of it lives would pull the code away: whoever
// holds a Function holds its LoadedDevice too.
class LoadedDevice {
 public:
  // A built-in device by name, or the plug-in at a path. A plug-in is opened from a private copy,
  // so that the file may be rebuilt while it is in use.
  static Result<std::shared_ptr<LoadedDevice>> load(const std::string& name_or_path);
  // The device that a trace names: built in, or a plug-in that this process has loaded already. A
  // trace may be somebody else's, so no file is opened for it.
  static Result<std::shared_ptr<LoadedDevice>> recorded(const std::string& name);
  ~LoadedDevice();
  LoadedDevice(const LoadedDevice&) = delete;
  LoadedDevice& operator=(const LoadedDevice&) = delete;

  const Device& device() const { return *device_; }
  const std::string& path() const { return path_; }  // empty for a built-in
  // Whether the file has been written again since it was loaded. Cheap: one stat.
  bool outdated() const;

 private:
  LoadedDevice() = default;

  const Device* device_ = nullptr;
  void* handle_ = nullptr;
  std::string path_;
  std::int64_t mtime_ns_ = 0;
};

}  // namespace pcilens

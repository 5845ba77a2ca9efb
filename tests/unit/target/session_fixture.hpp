// A session on edu for tests, with waits that end.
#pragma once

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "catch.hpp"
#include "core/function/device.hpp"
#include "core/target/session.hpp"
#include "core/target/target.hpp"

namespace pcilens::test {

// A trace file of its own for each test, removed afterwards.
class TraceFile {
 public:
  TraceFile() {
    static int count = 0;
    path_ =
        (std::filesystem::temp_directory_path() /
         ("pcilens-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".trace"))
            .string();
    remove();
  }
  ~TraceFile() { remove(); }
  const std::string& path() const { return path_; }

 private:
  void remove() const {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  }
  std::string path_;
};

inline const Device& built_in(std::string_view name) {
  for (const Device* device : built_in_devices())
    if (device->name == name) return *device;
  throw std::logic_error(std::string(name) + " is not built in");
}

inline std::unique_ptr<Target> open_device(const std::string& device, const std::string& trace,
                                           bool hold = true, DeviceOptions options = {}) {
  SessionOptions session;
  session.devices = {{device, std::move(options)}};
  session.trace = trace;
  session.hold_at_first_access = hold;
  auto target = open_session(session);
  REQUIRE(target.has_value());
  return std::move(*target);
}

inline std::unique_ptr<Target> open_edu(const std::string& trace, bool hold = true,
                                        DeviceOptions options = {}) {
  return open_device("edu", trace, hold, std::move(options));
}

// True once `holds` does; false after ten seconds.
inline bool eventually(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

inline bool reaches(Target& target, RunState state) {
  return eventually([&] { return target.snapshot()->state == state; });
}

inline std::uint32_t break_at(Target& target, std::string expression, Phase phase = Phase::Before) {
  const auto number = ask<std::uint32_t>(
      [&](auto done) { target.add_breakpoint({.expression = expression, .phase = phase}, done); });
  REQUIRE(number.has_value());
  return *number;
}

inline void go(Target& target) {
  REQUIRE(ask<void>([&](auto done) { target.resume(done); }).has_value());
}

}  // namespace pcilens::test

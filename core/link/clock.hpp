// The link's clock: nanoseconds since the trace began. Replay puts its own in.
#pragma once

#include <chrono>
#include <cstdint>

namespace pcilens {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::uint64_t now_ns() = 0;
};

class SteadyClock final : public Clock {
 public:
  // Goes on from there: in a trace that another process began.
  void begin_at(std::uint64_t ns) {
    start_ = std::chrono::steady_clock::now() - std::chrono::nanoseconds(ns);
  }
  std::uint64_t now_ns() override {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                          std::chrono::steady_clock::now() - start_)
                                          .count());
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace pcilens

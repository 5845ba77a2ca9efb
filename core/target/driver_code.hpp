// What a stop shows of a driver that runs in this process: stack, source lines, instructions. Debug
// information is large, so a thread of its own reads it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/target/target.hpp"

namespace pcilens {

class DriverCode {
 public:
  DriverCode() = default;
  ~DriverCode();
  // `stack`: return addresses, innermost first, at least one. Answers on its own thread.
  void describe(std::vector<std::uintptr_t> stack, Done<CodeView> done);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<std::pair<std::vector<std::uintptr_t>, Done<CodeView>>> questions_;
  bool ending_ = false;
  std::thread thread_;  // begun by the first question
};

}  // namespace pcilens

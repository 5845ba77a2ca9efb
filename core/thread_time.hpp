// How long the calling thread has run, of processor time: what its work costs, whoever else runs.
#pragma once

#include <chrono>
#include <ctime>

namespace pcilens {

inline std::chrono::nanoseconds thread_time() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

}  // namespace pcilens

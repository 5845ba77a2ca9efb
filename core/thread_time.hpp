// How long the calling thread has run, of processor time: what its work costs, whoever else runs.
// And how long to wait before it does so again, so that a slow machine is not kept busy by it.
#pragma once

#include <chrono>
#include <ctime>

namespace pcilens {

inline std::chrono::nanoseconds thread_time() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

// Of what has cost that much, repeated so, at most a 32nd of the time is spent.
inline std::chrono::nanoseconds pause_after(std::chrono::nanoseconds cost) {
  return cost * 32;
}

}  // namespace pcilens

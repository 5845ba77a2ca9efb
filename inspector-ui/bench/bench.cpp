#include "inspector-ui/bench/bench.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

namespace pcilens::bench {

Figure measure(std::string name, const Settings& settings,
               const std::function<void(unsigned operations)>& run) {
  using Clock = std::chrono::steady_clock;
  run(settings.operations / 10);  // caches and branch predictors get to know it
  std::vector<double> times;
  for (unsigned i = 0; i < settings.runs; ++i) {
    const auto from = Clock::now();
    run(settings.operations);
    const std::chrono::duration<double, std::nano> took = Clock::now() - from;
    times.push_back(took.count() / settings.operations);
  }
  std::ranges::sort(times);
  return {.name = std::move(name),
          .median = times[times.size() / 2],
          .lowest = times.front(),
          .highest = times.back(),
          .unit = "ns",
          .against = {},
          .goal = {}};
}

void compare(Figure& figure, const Figure& floor) {
  figure.against = floor.name;
  figure.ratio = floor.median > 0 ? figure.median / floor.median : 0;
}

std::string machine() {
  std::string cpu = "unknown CPU";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (!line.starts_with("model name")) continue;
    cpu = line.substr(line.find(':') + 2);
    break;
  }
  utsname kernel{};
  ::uname(&kernel);
  return fmt::format("{}, {} CPUs, Linux {}", cpu, std::thread::hardware_concurrency(),
                     kernel.release);
}

}  // namespace pcilens::bench

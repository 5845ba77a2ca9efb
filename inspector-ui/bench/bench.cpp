#include "inspector-ui/bench/bench.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

namespace pcilens::bench {

std::vector<Figure> measure(const std::vector<Measured>& what, const Settings& settings) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::vector<double>> times(what.size());
  for (unsigned turn = 0; turn < settings.runs; ++turn)
    for (std::size_t i = 0; i < what.size(); ++i) {
      what[i].run(settings.operations / 10);  // caches and branch predictors get to know it
      const auto from = Clock::now();
      what[i].run(settings.operations);
      const std::chrono::duration<double, std::nano> took = Clock::now() - from;
      times[i].push_back(took.count() / settings.operations);
    }
  std::vector<Figure> figures;
  for (std::size_t i = 0; i < what.size(); ++i) {
    std::ranges::sort(times[i]);
    figures.push_back({.name = what[i].name,
                       .median = times[i][times[i].size() / 2],
                       .lowest = times[i].front(),
                       .highest = times[i].back(),
                       .unit = "ns",
                       .against = {},
                       .goal = {}});
  }
  return figures;
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

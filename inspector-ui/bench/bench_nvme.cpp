// A whole device at work: commands of the NVMe controller on the sim host, with the trace on.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/target/session.hpp"
#include "inspector-ui/bench/bench.hpp"

namespace pcilens::bench {
namespace {

// Commands a second, from the start of the session until its driver has finished.
Result<double> commands_a_second(unsigned commands, const std::string& depth) {
  SessionOptions session;
  session.devices = {{"nvme",
                      {{"traffic", std::to_string(commands / 2)},
                       {"depth", depth},
                       {"size", "1G"},
                       {"driver_queues", "1"}}}};
  session.hold_at_first_access = false;
  const auto from = std::chrono::steady_clock::now();
  auto target = open_session(session);
  if (!target) return tl::unexpected(target.error());
  while ((*target)->snapshot()->state != RunState::Ended)
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
  if ((*target)->snapshot()->driver != "the driver has finished")
    return fail((*target)->snapshot()->driver);
  return commands / took.count();
}

}  // namespace

Result<std::vector<Figure>> measure_nvme(const Settings& settings) {
  // A command is some eight transactions and 4 KiB of payload in the trace.
  const unsigned commands = std::clamp(settings.operations / 20, 20u, 100'000u);
  std::vector<Figure> figures;
  for (const char* depth : {"1", "32"}) {
    std::vector<double> rates;
    for (unsigned i = 0; i < settings.runs; ++i) {
      const auto rate = commands_a_second(commands, depth);
      if (!rate) return tl::unexpected(rate.error());
      rates.push_back(*rate);
    }
    std::ranges::sort(rates);
    figures.push_back({.name = fmt::format("NVMe 4 KiB commands, depth {}", depth),
                       .median = rates[rates.size() / 2],
                       .lowest = rates.front(),
                       .highest = rates.back(),
                       .unit = "/s",
                       .against = {},
                       .goal = {}});
  }
  return figures;
}

}  // namespace pcilens::bench

// A trace sent to fresh functions: their requests as recorded, DMA answered from the trace, and
// everything the functions do by themselves compared with what the trace says they did.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/function/function.hpp"
#include "core/host/access_bus.hpp"
#include "core/replay/reason.hpp"
#include "core/result.hpp"
#include "core/trace/reader.hpp"

namespace pcilens {

class Link;

struct Divergence {
  std::uint64_t seq = 0;  // in the recorded order
  std::string place;      // "edu0:STATUS"
  std::string expected;   // what the trace has
  std::string got;        // what the function did now
  Reason reason = Reason::Model;
  std::vector<std::string> before;  // the last transactions before it, oldest first
};

// Puts the link's functions on a bus, on which the recorded driver's accesses are made again.
using OpenBus = std::function<Result<std::unique_ptr<AccessBus>>(const Link& link)>;

struct ReplayOptions {
  std::size_t list = 1;     // divergences to describe; all are counted
  std::size_t context = 6;  // transactions to show before each
  OpenBus bus = {};         // none: requests go to the functions directly
  // Asked now and then; false ends the replay with an Error. Null: it goes to the end.
  std::function<bool()> go_on = nullptr;
};

struct ReplayResult {
  std::uint64_t on_bus = 0;    // of the requests: made on the bus
  std::uint64_t at_link = 0;   // config accesses that a bus does itself: compared at the link
  std::uint64_t stimuli = 0;   // requests, timers, forces and resets sent
  std::uint64_t compared = 0;  // answers, DMA, interrupts and state changes compared
  std::uint64_t divergences = 0;
  std::array<std::uint64_t, kReasons> by_reason{};  // their sum is `divergences`
  std::vector<Divergence> listed;
};

using MakeFunction =
    std::function<Result<std::unique_ptr<Function>>(const TraceFunction& recorded)>;

// An error where the trace cannot be read or a function cannot be made; divergences are no error.
Result<ReplayResult> replay_to_functions(TraceReader& trace, const MakeFunction& make,
                                         const ReplayOptions& options = {});

}  // namespace pcilens

// Why a replayed device may answer otherwise than the recorded one without being wrong: a trace of
// another tool has no memory, and another maker's device has another identity.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/link/names.hpp"
#include "core/trace/reader.hpp"

namespace pcilens {

enum class Reason : std::uint8_t {
  Model,     // none of those below: the model does something else
  Identity,  // config space, or a register that only says what the device is
  Timing,    // bits that the device sets, which this one shows earlier, or one read later
  Memory,    // the trace has no DMA: what lay in memory, and what follows from it, is unknown
  Earlier,   // what somebody did to the function before the recording began
  Bus,       // the bus between requester and function: something was lost or changed on the way
};
inline constexpr unsigned kReasons = 6;
// "model" "identity" "timing" "memory not recorded" "before the recording" "the bus"
std::string_view name_of(Reason reason);

class ReasonFinder {
 public:
  // Reads an imported trace through once.
  explicit ReasonFinder(TraceReader& trace);

  // Traces of other tools have neither DMA nor the state that a device changed by itself.
  bool memory_recorded() const { return memory_recorded_; }
  bool state_recorded() const { return memory_recorded_; }

  // Every event of the recording, in order, before its reason is asked for.
  void look(const Transaction& recorded);
  // `recorded`: null where the trace has nothing; `now`: null where the function did nothing.
  Reason reason(const Names& names, const Transaction* recorded, const Transaction* now);

 private:
  using Place = std::tuple<std::uint8_t, std::int8_t, std::uint64_t>;  // function, BAR, offset
  struct Read {
    std::uint64_t seq, value;
  };
  bool shown_nearby(const Place& place, const Transaction& recorded, std::uint64_t value) const;

  bool memory_recorded_;
  std::map<Place, std::vector<Read>> reads_;  // in order, those that differ from the one before
  std::array<bool, 256> starved_{};  // functions that asked for memory which nobody recorded
  std::array<bool, 256> written_{};  // functions whose BARs the recorded driver has written
};

}  // namespace pcilens

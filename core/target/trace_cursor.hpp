// Walks through a trace as a driver once ran: up to a breakpoint's next match, or the end of a
// step.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/link/breakpoints.hpp"
#include "core/link/step.hpp"
#include "core/trace/reader.hpp"

namespace pcilens {

class TraceCursor {
 public:
  explicit TraceCursor(TraceReader& trace) : trace_(trace) {}

  // The transaction it stands at; 0: before the first, past the last: at the end.
  std::uint64_t seq() const { return seq_; }
  void go_to(std::uint64_t seq) { seq_ = seq; }

  struct Found {
    Transaction transaction;                 // payload not set
    std::vector<std::uint32_t> breakpoints;  // none: the step ended here
  };
  // Goes on to the first transaction after seq() that a breakpoint matches or where the step ends,
  // and stands there; where there is none, it stands past the last and nothing is found. Every
  // transaction is looked at as it was when it had completed. `cancel` leaves it where it has got.
  Result<std::optional<Found>> advance(BreakpointTable& breakpoints,
                                       const std::optional<Step>& step,
                                       const std::atomic<bool>& cancel);

 private:
  bool ends(const Step& step, const Expression& until, const EventView& event) const;

  TraceReader& trace_;
  std::uint64_t seq_ = 0;
  LastValues last_;  // of the transactions up to past_
  std::uint64_t past_ = 0;
};

}  // namespace pcilens

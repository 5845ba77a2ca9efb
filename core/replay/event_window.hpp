// The events of a trace by their number, read ahead in pages, so that a replay can look at what was
// recorded around the one it is at, however long the trace is.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/trace/reader.hpp"

namespace pcilens {

class EventWindow {
 public:
  explicit EventWindow(TraceReader& trace) : trace_(trace) {}

  // Null where the trace has no event of that number. What lies far behind the furthest that was
  // asked for is read again, as after a long stop. The pointer is good until the next call.
  const TraceEvent* at(std::uint64_t seq);
  // The first event after `seq`; null at the end.
  const TraceEvent* after(std::uint64_t seq);
  // What the database said when it could not go on.
  const std::optional<Error>& error() const { return error_; }

 private:
  void read_to(std::uint64_t seq);
  // The first event of this number or a higher one, where it is forgotten.
  const TraceEvent* read_again(std::uint64_t seq);

  TraceReader& trace_;
  std::deque<TraceEvent> events_;  // ascending
  std::uint64_t next_ = 1;         // where the next page begins
  std::uint64_t forgotten_ = 0;    // the last number that is
  std::vector<TraceEvent> again_;  // a page of those, ascending
  bool ended_ = false;
  std::optional<Error> error_;
};

}  // namespace pcilens
